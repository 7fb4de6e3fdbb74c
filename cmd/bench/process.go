package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a running program that does a piece of work when it is sent a line, so that
// it can take its turn, and answers with a line.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start takes a command that has a context.
func start(cmd *exec.Cmd) (*process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	// A context that ends takes the input away, so that what it started in turn can end,
	// too: a Python that is killed leaves joblib's workers behind.
	cmd.Cancel = in.Close
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, in, bufio.NewReader(out)}, nil
}

// ask sends a line and returns the answer.
func (p *process) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return "", err
	}
	answer, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%q: no answer: %w", line, err)
	}
	return strings.TrimSpace(answer), nil
}

// do sends a line that is answered with the seconds that the work took.
func (p *process) do(line string) (time.Duration, error) {
	answer, err := p.ask(line)
	if err != nil {
		return 0, err
	}
	var seconds float64
	if _, err := fmt.Sscan(answer, &seconds); err != nil {
		return 0, fmt.Errorf("%q: it answered %q", line, answer)
	}
	return time.Duration(seconds * 1e9), nil
}

// close ends it; nil is one that is not there.
func (p *process) close() {
	if p != nil {
		p.in.Close()
		_ = p.cmd.Wait()
	}
}
