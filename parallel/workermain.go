package parallel

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// WorkerVariable is the environment variable that makes a process a worker: it says
// which one of those that [RegisterWorker] knows. WorkerMain takes it out of the
// environment, so that programs which a worker starts are none.
const WorkerVariable = "NUMCACHE_WORKER"

var (
	workersMu sync.Mutex
	workers   = map[string]func(context.Context) error{}
)

// RegisterWorker makes known what a worker does. It is for packages that bring an
// [Executor], in their init; a name that is taken, or without a function, panics there.
func RegisterWorker(name string, run func(ctx context.Context) error) {
	workersMu.Lock()
	defer workersMu.Unlock()
	if name == "" || run == nil || workers[name] != nil {
		panic("parallel: worker " + name + " is registered twice, or with nothing")
	}
	workers[name] = run
}

// WorkerMain stands first in the main of a program that uses an [Executor], for its
// workers are processes of the same program. In an ordinary process it returns at
// once. In a worker it does what is asked of that and ends the process: with status 0,
// or with 1 and the error on standard error; status 2 is a kind of worker that
// the program does not have, for it does not import the package. An interrupt or SIGTERM
// ends the worker's context, a second one the process.
func WorkerMain() {
	name := os.Getenv(WorkerVariable)
	if name == "" {
		return
	}
	os.Exit(workerStatus(name))
}

// workerStatus is what a worker ends with.
func workerStatus(name string) int {
	_ = os.Unsetenv(WorkerVariable) // which fails for no name that is valid
	workersMu.Lock()
	run := workers[name]
	workersMu.Unlock()
	if run == nil {
		fmt.Fprintf(os.Stderr, "parallel: %s=%s: this program has no such worker; import the package that brings it\n", WorkerVariable, name)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := Protect(func() error { return run(ctx) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// strayWorker reports whether a worker's process has come past the place where it
// should have called WorkerMain. It would hand out its own work again, for ever.
func strayWorker() bool { return os.Getenv(WorkerVariable) != "" }
