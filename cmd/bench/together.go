package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/numcache/numcache/memo"
)

// workerFolder is set in the environment of a process that is to be one of two.
const workerFolder = "NUMCACHE_BENCH_WORKER"

// together is the same call in two processes at the same moment, of a function that takes
// a second of the processor. What both take of it in the call is compared.
func together(ctx context.Context, b *bench, _ int) (work, error) {
	if cpuTime() == 0 {
		return b.left("two processes: what they take of the processor is not known here")
	}
	milliseconds := 1000
	if b.quick {
		milliseconds = 100
	}
	program, err := os.Executable()
	if err != nil {
		return work{}, err
	}
	workers, err := b.twice(func() (*process, error) {
		cmd := exec.CommandContext(ctx, program)
		cmd.Env = append(os.Environ(), workerFolder+"="+filepath.Join(b.dir, "together"))
		return start(cmd)
	})
	if err != nil {
		return work{}, err
	}
	all := []*contestant{b.both(memoFunc, ours, workers, milliseconds)}
	if b.peers.py != nil {
		pythons, err := b.twice(func() (*process, error) { return b.peers.startPython(ctx) })
		if err != nil {
			return work{}, err
		}
		all = append(all, b.both(memoryJoblib, peer, pythons, milliseconds))
	}
	w := b.work(0, 1, all...)
	w.quantity = cpuOfAll
	return w, nil
}

// twice starts two processes, which the end of the work closes.
func (b *bench) twice(start func() (*process, error)) (both [2]*process, err error) {
	for i := range both {
		if both[i], err = start(); err != nil {
			return both, err
		}
		b.closing = append(b.closing, func() error {
			both[i].close()
			return nil
		})
	}
	return both, nil
}

// both is the contestant of two processes that are asked for the same key.
func (b *bench) both(name string, role role, processes [2]*process, milliseconds int) *contestant {
	call := func() (all took, result int64, err error) {
		key := b.number.Add(1)
		var answers [2]string
		var errs [2]error
		begun := time.Now()
		done := make(chan struct{})
		for i, p := range processes {
			go func() {
				answers[i], errs[i] = p.ask(fmt.Sprintf("cpu burning %d %d", milliseconds, key))
				done <- struct{}{}
			}()
		}
		for range processes {
			<-done
		}
		all.wall = time.Since(begun)
		if err := errors.Join(errs[:]...); err != nil {
			return all, 0, err
		}
		for _, answer := range answers {
			var seconds float64
			if _, err := fmt.Sscan(answer, &seconds, &result); err != nil || result != 2*key {
				return all, result, fmt.Errorf("the answer is %q, and the result is to be %d", answer, 2*key)
			}
			all.cpu += time.Duration(seconds * 1e9)
		}
		return all, result - 2*key, nil
	}
	return &contestant{
		name: name, role: role,
		turn: func(context.Context) (took, error) {
			t, _, err := call()
			return t, err
		},
		answer: func(context.Context) (string, error) {
			_, off, err := call()
			return fmt.Sprintf("twice the key, off by %d", off), err
		},
	}
}

// asWorker reports whether this process was one of two, and has done what it was for.
func asWorker() bool {
	dir := os.Getenv(workerFolder)
	if dir == "" {
		return false
	}
	if err := workFor(dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	return true
}

// workFor answers the lines that peer.py answers, too.
func workFor(dir string) error {
	c, err := memo.Open(dir, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	burn, err := memo.Func(c, memo.Spec{Name: "burn"}, func(milliseconds, key int64) int64 {
		for end := cpuTime() + time.Duration(milliseconds)*time.Millisecond; cpuTime() < end; {
		}
		return 2 * key
	})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var verb, name string
		var milliseconds, key int64
		if _, err := fmt.Sscan(lines.Text(), &verb, &name, &milliseconds, &key); err != nil {
			return err
		}
		before := cpuTime()
		result := burn.Call(milliseconds, key)
		fmt.Printf("%.9f %d\n", (cpuTime() - before).Seconds(), result)
	}
	return lines.Err()
}
