package main

import (
	"context"
	"time"
)

// role says what a contestant is in the table.
type role string

const (
	ours  role = "ours"
	peer  role = "peer"
	limit role = "limit" // the least that the machine takes for it
)

// A contestant does a work in turn with others.
type contestant struct {
	name string
	role role
	turn func(ctx context.Context) (took, error)
	// answer does the work once and says what came of it, in a few words that must be
	// the same for all who do the work. It is nil for those that only touch the bytes.
	answer func(ctx context.Context) (string, error)
}

// took is what a turn took. The time of the CPUs is 0 where it is not known.
type took struct {
	wall, cpu time.Duration
	bytes     int64 // on disk, where these are what is measured
}

// timed is a contestant of this process that does its work so many times in a turn.
func timed(name string, role role, times int, f func(ctx context.Context) error) contestant {
	return contestant{name: name, role: role, turn: func(ctx context.Context) (took, error) {
		start, before := time.Now(), cpuTime()
		for range times {
			if err := f(ctx); err != nil {
				return took{}, err
			}
		}
		return took{wall: time.Since(start), cpu: cpuTime() - before}, nil
	}}
}

// saying is the contestant with its answer.
func (c contestant) saying(answer func(ctx context.Context) (string, error)) contestant {
	c.answer = answer
	return c
}

// then is the contestant that does something after each turn, on nobody's time: to see that
// the work was done, or to remove what it left.
func (c contestant) then(f func() error) contestant {
	turn := c.turn
	c.turn = func(ctx context.Context) (took, error) {
		t, err := turn(ctx)
		if err == nil {
			err = f()
		}
		return t, err
	}
	return c
}

// work is what contestants do, each in its turn.
type work struct {
	size        int // the bytes that it is of, 0 if that does not matter
	times       int // how often it is done in a turn
	quantity    quantity
	rounds      int // at most so many, if it takes very long; 0 is as many as are asked for
	contestants []contestant
}

// quantity is what of a turn is compared. Less of it is better.
type quantity string

const (
	wallTime quantity = "time"
	cpuOfAll quantity = "CPU time"
	fileSize quantity = "bytes"
)

// of returns it in seconds or bytes.
func (q quantity) of(t took) float64 {
	switch q {
	case cpuOfAll:
		return t.cpu.Seconds()
	case fileSize:
		return float64(t.bytes)
	}
	return t.wall.Seconds()
}

// pair is two contestants that are compared: the ratio is what the other takes, divided by
// what ours takes, and is to be at least the target; 0 is none.
type pair struct {
	ours, other string
	target      float64
}
