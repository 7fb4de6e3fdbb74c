package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed peers/openmp.c
var openMPSource []byte

//go:embed peers/joblib_peer.py
var joblibSource []byte

//go:embed peers/memory_peer.py
var memorySource []byte

// peers are the programs in other languages that are installed. Each stays alive for
// the whole run and does a piece of work when it is sent a line, so that it can take
// its turn; it answers with the seconds that the work took.
type peers struct {
	dir    string
	c      *peer
	python *peer
}

// newPeers starts those that can be, and says which cannot.
func newPeers(ctx context.Context, w io.Writer) (*peers, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	p := &peers{dir: dir}
	if p.c, err = startOpenMP(ctx, dir); err != nil {
		fmt.Fprintln(w, "without C and OpenMP:", err)
	}
	if p.python, err = startPython(ctx, dir, joblibSource); err != nil {
		fmt.Fprintln(w, "without joblib:", err)
	}
	return p, nil
}

func (p *peers) close() {
	for _, one := range []*peer{p.c, p.python} {
		if one != nil {
			one.in.Close()
			_ = one.cmd.Wait()
		}
	}
	os.RemoveAll(p.dir)
}

func startOpenMP(ctx context.Context, dir string) (*peer, error) {
	source, program := filepath.Join(dir, "openmp.c"), filepath.Join(dir, "openmp")
	if err := os.WriteFile(source, openMPSource, 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "gcc", "-O3", "-fopenmp", "-o", program, source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w %s", err, out)
	}
	return start(exec.CommandContext(ctx, program))
}

// startPython starts a script with a Python that has joblib, and tells it a folder.
func startPython(ctx context.Context, dir string, source []byte) (*peer, error) {
	script := filepath.Join(dir, "peer.py")
	if err := os.WriteFile(script, source, 0o600); err != nil {
		return nil, err
	}
	var last error
	for _, python := range []string{os.Getenv("NUMCACHE_PYTHON"), "python3", "/usr/bin/python3"} {
		if python == "" {
			continue
		}
		if out, err := exec.CommandContext(ctx, python, "-c", "import joblib, numpy").CombinedOutput(); err != nil {
			last = fmt.Errorf("%s: %w %s", python, err, lastLine(out))
			continue
		}
		return start(exec.CommandContext(ctx, python, script, dir))
	}
	return nil, last
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// peer is a running program.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(cmd *exec.Cmd) (*peer, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &peer{cmd, in, bufio.NewReader(out)}, nil
}

// do sends a line and returns the time of the answer.
func (p *peer) do(line string) (time.Duration, error) {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return 0, err
	}
	answer, err := p.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	var seconds float64
	if _, err := fmt.Sscan(answer, &seconds); err != nil {
		return 0, fmt.Errorf("it answered %q", answer)
	}
	return time.Duration(seconds * 1e9), nil
}

// openMP is the contestant in C, if there is one.
func (p *peers) openMP(work string, rows, cols int) []contestant {
	if p.c == nil {
		return nil
	}
	return []contestant{{"C, gcc -O3 -fopenmp", true, func(context.Context) (took, error) {
		d, err := p.c.do(fmt.Sprintf("%s %d %d", work, rows, cols))
		return took{wall: d}, err
	}}}
}

// joblib is the contestant with one of joblib's backends, if there is one. It does n
// items of the work, and its time is taken for all of them.
func (p *peers) joblib(work, backend string, n, all int) []contestant {
	if p.python == nil {
		return nil
	}
	return []contestant{{"joblib, " + backend, true, func(context.Context) (took, error) {
		d, err := p.python.do(fmt.Sprintf("%s %s %d", work, backend, n))
		return took{wall: time.Duration(float64(d) * float64(all) / float64(n))}, err
	}}}
}

// memoryPeer is Python with joblib.Memory, functools and NumPy.
type memoryPeer struct{ python *peer }

// newMemoryPeer starts it, with what it stores in dir, or says why it cannot.
func newMemoryPeer(ctx context.Context, w io.Writer, dir string) (*memoryPeer, error) {
	python, err := startPython(ctx, dir, memorySource)
	if err != nil {
		fmt.Fprintln(w, "without joblib:", err)
	}
	return &memoryPeer{python}, ctx.Err()
}

func (p *memoryPeer) close() {
	if p.python != nil {
		p.python.in.Close()
		_ = p.python.cmd.Wait()
	}
}

// does is the contestant that does a work on an array of size bytes so many times.
func (p *memoryPeer) does(name, work string, size, times int) contestant {
	return p.slow(name, work, size, times, 1)
}

// slow is does of a work that takes long: it is done a part of the times, and its time
// is taken for all.
func (p *memoryPeer) slow(name, work string, size, times, part int) contestant {
	return contestant{name, true, func(context.Context) (took, error) {
		d, err := p.python.do(fmt.Sprintf("%s %d %d", work, size, max(times/part, 1)))
		return took{wall: time.Duration(float64(d) * float64(times) / float64(max(times/part, 1)))}, err
	}}
}
