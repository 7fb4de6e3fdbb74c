package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// commandTimeout bounds one call of a command of Slurm's, whose own patience with a
// controller that does not answer may be minutes.
const commandTimeout = time.Minute

// command runs a command of Slurm's and returns what it printed. The text that it wrote
// to standard error is in its error.
type command func(ctx context.Context, stdin, name string, args ...string) (stdout string, err error)

// runCommand is the command that really runs.
func runCommand(ctx context.Context, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.WaitDelay = time.Second // for what keeps its output open
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", permanent{fmt.Errorf("slurm: %w; is this a machine of the cluster?", err)}
	case err != nil:
		return "", fmt.Errorf("slurm: %s: %w: %s", name, err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// commands is the scheduler of a Slurm cluster. All submissions of a job have one name,
// made of its key: so a submitter finds the tasks that an earlier one has left, and
// cancels what it has submitted without having learnt its number.
type commands struct {
	run     command
	o       Options
	name    string
	program string
	env     []string // what a worker is told: NAME=value
	sleep   func(ctx context.Context, d time.Duration)
}

func (s *commands) submit(ctx context.Context, chunks []int) (string, error) {
	out, err := s.run(ctx, s.script(), "sbatch", s.arguments(chunks)...)
	if err != nil {
		if !transient(err) {
			err = permanent{err}
		}
		return "", err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // of --parsable, maybe with the cluster's name
	return id, nil
}

// arguments are those of sbatch. Slurm's own requeueing is off: the executor submits
// anew what was lost, counts how often, and does not wait the minutes that Slurm holds
// back a task which it requeues.
func (s *commands) arguments(chunks []int) []string {
	o := s.o
	args := []string{
		"--parsable", "--job-name=" + s.name, "--array=" + ranges(chunks), "--no-requeue",
		"--output=" + filepath.Join(o.Logs, s.name+"-%A_%a.log"), "--open-mode=append", "--ntasks=1",
	}
	for _, option := range []struct{ name, value string }{
		{"partition", o.Partition}, {"account", o.Account}, {"mem", o.Memory}, {"time", slurmTime(o.TimeLimit)},
	} {
		if option.value != "" {
			args = append(args, "--"+option.name+"="+option.value)
		}
	}
	if o.CPUs > 0 {
		args = append(args, "--cpus-per-task="+strconv.Itoa(o.CPUs))
	}
	return append(args, o.Args...)
}

// script is the batch script. What a worker is told stands in it, for the value of
// sbatch's --export could have no commas.
func (s *commands) script() string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, e := range s.env {
		name, value, _ := strings.Cut(e, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quoted(value))
	}
	fmt.Fprintf(&b, "exec %s\n", quoted(s.program))
	return b.String()
}

// quoted quotes text for the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// ranges writes numbers, which ascend, as sbatch's --array takes them: 0-3,7.
func ranges(chunks []int) string {
	var b strings.Builder
	for i := 0; i < len(chunks); {
		j := i
		for j+1 < len(chunks) && chunks[j+1] == chunks[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(chunks[i]))
		if j > i {
			b.WriteString("-" + strconv.Itoa(chunks[j]))
		}
		i = j + 1
	}
	return b.String()
}

// slurmTime writes a time limit as sbatch takes it, in full seconds; "" where there
// is none.
func slurmTime(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	s := int64((d + time.Second - 1) / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Each user's tasks are that user's own business.
func (s *commands) mine() []string {
	return []string{"--name=" + s.name, "--user=" + strconv.Itoa(os.Getuid())}
}

func (s *commands) look(ctx context.Context) (map[int]sighting, error) {
	out, err := s.run(ctx, "", "squeue", append(s.mine(), "--noheader", "--array", "--states=all", "--format=%F|%K|%T")...)
	if err != nil {
		return nil, err
	}
	return parseQueue(out)
}

// over are the states of tasks that Slurm will not run again by itself. Every other, also
// one that a later Slurm brings, is taken for one of a task that goes on.
var over = []string{"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}

// parseQueue reads what squeue prints. Where a chunk was submitted more than once, a
// task that is active counts, or else the latest. Lines of jobs that are no arrays are
// not ours.
func parseQueue(out string) (map[int]sighting, error) {
	seen := map[int]sighting{}
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 3 {
			return nil, fmt.Errorf("slurm: squeue printed %q, not three fields", line)
		}
		chunk, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		s := sighting{submission: fields[0], state: fields[2], active: !slices.Contains(over, fields[2]), ending: fields[2] == "COMPLETING"}
		last, known := seen[chunk]
		if !known || s.active && !last.active || s.active == last.active && later(s.submission, last.submission) {
			seen[chunk] = s
		}
	}
	return seen, nil
}

// later compares the numbers of jobs.
func later(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }

func (s *commands) cancel(ctx context.Context) error {
	_, err := s.run(ctx, "", "scancel", s.mine()...)
	return err
}

func (s *commands) wait(ctx context.Context, d time.Duration) { s.sleep(ctx, d) }

func (s *commands) log(submission string, chunk int) string {
	return filepath.Join(s.o.Logs, fmt.Sprintf("%s-%s_%d.log", s.name, submission, chunk))
}

// why asks the accounting, which not every cluster has.
func (s *commands) why(ctx context.Context, submission string, chunk int) string {
	out, err := s.run(ctx, "", "sacct", "--noheader", "--parsable2", "--allocations", "--format=State,ExitCode,NodeList", fmt.Sprintf("--jobs=%s_%d", submission, chunk))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return strings.ReplaceAll(line, "|", " ")
}

// passing are parts of what sbatch says when it is not the submission that is wrong.
var passing = []string{
	"contact slurm controller", "timed out", "timeout", "Connection refused", "connect failure", "Zero Bytes were transmitted",
	"temporarily", "try again", "Resource temporarily unavailable", "in standby mode", "Job violates accounting/QOS policy", "too many", "Unexpected message received", "communication",
}

// transient reports whether what failed may work later.
func transient(err error) bool {
	if errors.As(err, new(permanent)) {
		return false
	}
	text := strings.ToLower(err.Error())
	return errors.Is(err, context.DeadlineExceeded) || slices.ContainsFunc(passing, func(part string) bool { return strings.Contains(text, strings.ToLower(part)) })
}

// sleep returns after a time, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
