package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed peers/openmp.c
var openMPSource []byte

//go:embed peers/peer.py
var pythonSource []byte

// peers are the programs in other languages that are installed. Each lives for the whole
// run. Their works are nil where they are missing.
type peers struct {
	dir      string // for what they store
	command  string // of Python
	py, c    *process
	versions map[string]string // of Python and its packages; what is not there has none
	missing  []string          // what to install
}

// startPeers starts those that can be, and knows what to do about the others.
func startPeers(ctx context.Context, top string) *peers {
	p := &peers{dir: top}
	var err error
	if p.c, err = startOpenMP(ctx, top); err != nil {
		p.missing = append(p.missing, fmt.Sprintf("C with OpenMP (apt-get install gcc): %v", err))
	}
	if p.command, p.versions, err = findPython(ctx); err == nil {
		p.py, err = p.startPython(ctx)
	}
	if err != nil {
		p.missing = append(p.missing, fmt.Sprintf("joblib, functools and NumPy (apt-get install python3-numpy python3-joblib): %v", err))
	}
	if p.py != nil && p.versions["diskcache"] == "" {
		p.missing = append(p.missing, "diskcache (apt-get install python3-diskcache)")
	}
	return p
}

func (p *peers) close() {
	p.c.close()
	p.py.close()
}

func startOpenMP(ctx context.Context, dir string) (*process, error) {
	source, program := filepath.Join(dir, "openmp.c"), filepath.Join(dir, "openmp")
	if err := os.WriteFile(source, openMPSource, 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "gcc", "-O3", "-march=native", "-fopenmp", "-o", program, source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w %s", err, lastLine(out))
	}
	return start(exec.CommandContext(ctx, program))
}

// versionsSource prints what there is; without NumPy and joblib it fails.
const versionsSource = `
import json, platform, numpy, joblib
versions = {"python": platform.python_version(), "numpy": numpy.__version__, "joblib": joblib.__version__}
try:
    import diskcache
    versions["diskcache"] = diskcache.__version__
except ImportError:
    pass
print(json.dumps(versions))
`

// findPython returns the first Python that has joblib.
func findPython(ctx context.Context) (command string, versions map[string]string, err error) {
	for _, command := range []string{os.Getenv("NUMCACHE_PYTHON"), "python3", "/usr/bin/python3"} {
		if command == "" {
			continue
		}
		var out []byte
		if out, err = exec.CommandContext(ctx, command, "-c", versionsSource).Output(); err == nil {
			return command, versions, json.Unmarshal(out, &versions)
		}
		err = fmt.Errorf("%s: %w", command, err)
		if exit, ok := err.(interface{ Unwrap() error }).Unwrap().(*exec.ExitError); ok {
			err = fmt.Errorf("%w: %s", err, lastLine(exit.Stderr))
		}
	}
	return "", nil, err
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// startPython starts one that does the works of peer.py.
func (p *peers) startPython(ctx context.Context) (*process, error) {
	script, store := filepath.Join(p.dir, "peer.py"), filepath.Join(p.dir, "python")
	if err := os.WriteFile(script, pythonSource, 0o600); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(store, 0o700); err != nil {
		return nil, err
	}
	return start(exec.CommandContext(ctx, p.command, script, store))
}

// python is the contestant that does a work of peer.py so many times in a turn.
func (p *peers) python(name, work string, size, times int) *contestant {
	return p.some(name, work, size, times, 1)
}

// some is python for what takes long: it is done a part of the times, and its time is
// taken for all.
func (p *peers) some(name, work string, size, times, part int) *contestant {
	done := max(times/part, 1)
	return p.scaled(name, work, size, done, float64(times)/float64(done))
}

// scaled does a work so many times, and takes its time so many times.
func (p *peers) scaled(name, work string, size, done int, factor float64) *contestant {
	if p.py == nil {
		return nil
	}
	return &contestant{
		name: name, role: peer,
		turn: func(context.Context) (took, error) {
			d, err := p.py.do(fmt.Sprintf("do %s %d %d", work, size, done))
			return took{wall: time.Duration(float64(d) * factor)}, err
		},
		answer: func(context.Context) (string, error) { return p.py.ask(fmt.Sprintf("say %s %d 1", work, size)) },
	}
}

// diskcache is python for what needs that.
func (p *peers) diskcache(work string, size, times int) *contestant {
	if p.versions["diskcache"] == "" {
		return nil
	}
	return p.python(diskcache, work, size, times)
}

// openMP is the contestant in C, on a matrix.
func (p *peers) openMP(work string, rows, cols, times int) *contestant {
	if p.c == nil {
		return nil
	}
	return &contestant{
		name: openMP, role: peer,
		turn: func(context.Context) (took, error) {
			var all took
			for range times {
				d, err := p.c.do(fmt.Sprintf("do %s %d %d", work, rows, cols))
				if err != nil {
					return all, err
				}
				all.wall += d
			}
			return all, nil
		},
		answer: func(context.Context) (string, error) {
			return p.c.ask(fmt.Sprintf("say %s %d %d", work, rows, cols))
		},
	}
}
