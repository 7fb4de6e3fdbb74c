package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// startTime runs two programs, one of which uses package memo, from start to end.
func startTime(ctx context.Context, b *bench, _ int) (work, error) {
	times := 20
	if b.quick {
		times = 2
	}
	var all []*contestant
	for _, p := range programs {
		program, err := p.build(ctx, b.top)
		if err != nil {
			return work{}, err
		}
		c := timed(p.name, p.role, times, func(ctx context.Context) error { return exec.CommandContext(ctx, program).Run() }).
			saying(func(ctx context.Context) (string, error) {
				out, err := exec.CommandContext(ctx, program, filepath.Join(b.dir, "cache")).Output()
				return fmt.Sprintf("%q", out), err
			})
		all = append(all, &c)
	}
	return b.work(0, times, all...), nil
}

// programSize is the size of their files.
func programSize(ctx context.Context, b *bench, _ int) (work, error) {
	var all []*contestant
	for _, p := range programs {
		program, err := p.build(ctx, b.top)
		if err != nil {
			return work{}, err
		}
		all = append(all, &contestant{name: p.name, role: p.role, turn: func(context.Context) (took, error) {
			stat, err := os.Stat(program)
			if err != nil {
				return took{}, err
			}
			return took{bytes: stat.Size()}, nil
		}})
	}
	w := b.work(0, 1, all...)
	w.quantity = fileSize
	return w, nil
}

// program is one of this module.
type program struct {
	name, folder string
	role         role
}

var programs = []program{{"with memo", "with", ours}, {"without", "without", peer}}

// build returns where the program is, which stays there for the works that follow.
func (p program) build(ctx context.Context, dir string) (string, error) {
	name := filepath.Join(dir, "program-"+p.folder)
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", name, "github.com/numcache/numcache/cmd/bench/program/"+p.folder).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build, which is to run in cmd/bench: %w: %s", err, lastLine(out))
	}
	return name, nil
}
