package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// local is the scheduler that runs workers as processes of this machine, a few at a
// time.
type local struct {
	o       Options
	name    string
	program string
	env     []string
	slots   chan struct{}
	changed chan struct{} // has something when a process has ended

	ctx   context.Context // of the processes
	kill  context.CancelFunc
	all   sync.WaitGroup
	mu    sync.Mutex
	tasks map[int]sighting
	next  int
}

func newLocal(o Options, name, program string, env []string) *local {
	s := &local{o: o, name: name, program: program, env: env, slots: make(chan struct{}, o.Local), changed: make(chan struct{}, 1), tasks: map[int]sighting{}}
	s.ctx, s.kill = context.WithCancel(context.Background())
	return s
}

func (s *local) submit(_ context.Context, chunks []int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	submission := strconv.Itoa(os.Getpid()) + "." + strconv.Itoa(s.next)
	for _, i := range chunks {
		s.tasks[i] = sighting{submission: submission, state: "PENDING", active: true}
		s.all.Go(func() { s.task(submission, i) })
	}
	return submission, nil
}

// task runs a worker when there is room.
func (s *local) task(submission string, chunk int) {
	state := "CANCELLED"
	select {
	case s.slots <- struct{}{}:
		s.set(chunk, sighting{submission: submission, state: "RUNNING", active: true})
		state = s.process(submission, chunk)
		<-s.slots
	case <-s.ctx.Done():
	}
	s.set(chunk, sighting{submission: submission, state: state})
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *local) set(chunk int, what sighting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[chunk] = what
}

// process runs a worker and returns how it ended.
func (s *local) process(submission string, chunk int) string {
	log, err := os.OpenFile(s.log(submission, chunk), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	cmd := exec.CommandContext(s.ctx, s.program)
	cmd.Cancel = func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		if err != nil && !errors.Is(err, os.ErrProcessDone) { // where there is no such signal
			return cmd.Process.Kill()
		}
		return err
	}
	cmd.WaitDelay = 2 * time.Second
	cmd.Stdout, cmd.Stderr = log, log
	for _, e := range os.Environ() { // which may be that of a task of Slurm's
		if !strings.HasPrefix(e, "SLURM_ARRAY_TASK_ID=") && !strings.HasPrefix(e, "SLURM_CPUS_PER_TASK=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Env = append(cmd.Env, "JOB_COMPLETION_INDEX="+strconv.Itoa(chunk))
	if s.o.CPUs > 0 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(s.o.CPUs))
	}
	if err := cmd.Run(); err != nil {
		return err.Error()
	}
	return "COMPLETED"
}

func (s *local) look(context.Context) (map[int]sighting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[int]sighting, len(s.tasks))
	for i, what := range s.tasks {
		seen[i] = what
	}
	return seen, nil
}

// cancel ends the processes and waits for their ends.
func (s *local) cancel(context.Context) error {
	s.kill()
	s.all.Wait()
	return nil
}

func (s *local) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.changed:
	}
}

func (s *local) log(submission string, chunk int) string {
	return filepath.Join(s.o.Logs, fmt.Sprintf("%s-%s_%d.log", s.name, submission, chunk))
}

func (s *local) why(_ context.Context, _ string, chunk int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks[chunk].state
}
