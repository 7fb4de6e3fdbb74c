package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// results are what a run measured, as they stand in a file of -json.
type results struct {
	Machine machine    `json:"machine"`
	Quick   bool       `json:"quick,omitempty"`
	Rounds  int        `json:"rounds"`
	Skipped []string   `json:"skipped,omitempty"` // what was left out, and why
	Works   []measured `json:"works"`
}

// measured is a work with what everybody's turns took.
type measured struct {
	Name        string       `json:"name"`
	Size        int          `json:"size,omitempty"`
	Times       int          `json:"times"` // in each turn
	Quantity    quantity     `json:"quantity"`
	Contestants []samples    `json:"contestants"`
	Comparisons []comparison `json:"comparisons,omitempty"`
}

// samples are the turns of a contestant in their order: seconds, or bytes.
type samples struct {
	Name   string    `json:"name"`
	Role   role      `json:"role"`
	Answer string    `json:"answer,omitempty"` // what came of the work
	Wall   []float64 `json:"wall,omitempty"`
	CPU    []float64 `json:"cpu,omitempty"`
	Bytes  []float64 `json:"bytes,omitempty"`
}

// comparison is a pair with the quartiles of its ratios.
type comparison struct {
	Ours   string  `json:"ours"`
	Other  string  `json:"other"`
	Lower  float64 `json:"lower"`
	Median float64 `json:"median"`
	Upper  float64 `json:"upper"`
	Target float64 `json:"target,omitempty"`
}

// holds reports whether the target is reached.
func (c comparison) holds() bool { return c.Median >= c.Target }

func newMeasured(name string, w work, answers []string, turns [][]took, pairs []pair) measured {
	m := measured{Name: name, Size: w.size, Times: w.times, Quantity: w.quantity}
	for i, c := range w.contestants {
		s := samples{Name: c.name, Role: c.role, Answer: answers[i]}
		for _, t := range turns[i] {
			if w.quantity == fileSize {
				s.Bytes = append(s.Bytes, fileSize.of(t))
				continue
			}
			s.Wall = append(s.Wall, wallTime.of(t))
			s.CPU = append(s.CPU, cpuOfAll.of(t))
		}
		m.Contestants = append(m.Contestants, s)
	}
	for _, p := range pairs {
		us, they := m.of(p.ours), m.of(p.other)
		if us == nil || they == nil {
			continue // not installed
		}
		c := comparison{Ours: p.ours, Other: p.other, Target: p.target}
		c.Lower, c.Median, c.Upper = ratios(us.values(m.Quantity), they.values(m.Quantity))
		m.Comparisons = append(m.Comparisons, c)
	}
	return m
}

// of returns the samples of a contestant, nil if it took no part.
func (m measured) of(name string) *samples {
	if i := slices.IndexFunc(m.Contestants, func(s samples) bool { return s.Name == name }); i >= 0 {
		return &m.Contestants[i]
	}
	return nil
}

// limit returns the samples of the machine's limit, nil if there is none.
func (m measured) limit() *samples {
	if i := slices.IndexFunc(m.Contestants, func(s samples) bool { return s.Role == limit }); i >= 0 {
		return &m.Contestants[i]
	}
	return nil
}

func (s samples) values(q quantity) []float64 {
	switch q {
	case cpuOfAll:
		return s.CPU
	case fileSize:
		return s.Bytes
	}
	return s.Wall
}

func (r results) write(name string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o666)
}

func readResults(name string) (r results, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	for _, m := range r.Works {
		for _, s := range m.Contestants {
			if len(s.values(m.Quantity)) == 0 || m.Times < 1 {
				return r, fmt.Errorf("%s: %s of %s has no samples", name, s.Name, m.Name)
			}
		}
	}
	return r, nil
}
