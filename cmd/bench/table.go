package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// print writes the table: a line for each pair, and one for each contestant of a work in
// which nothing is compared, which are the limits of the machine.
func (r results) print(w io.Writer) error {
	fmt.Fprintln(w, r.Machine)
	fmt.Fprintf(w, "medians of %d turns, taken one after the other; ratio: what the other takes divided by what ours takes (quartiles)\n", r.Rounds)
	if r.Quick {
		fmt.Fprintln(w, "QUICK: sizes are small, and the figures say nothing")
	}
	for _, s := range r.Skipped {
		fmt.Fprintln(w, "skipped:", s)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	targets, held := 0, 0
	line(t, "work", "ours", "", "other", "", "ratio", "", "target", "holds", "limit of the machine", "", "ours of it")
	for _, m := range r.Works {
		name := m.Name
		if len(m.Comparisons) == 0 {
			for _, s := range m.Contestants {
				line(t, name, "", "", "", "", "", "", "", "", s.Name, m.figure(s), "")
				name = ""
			}
		}
		last := ""
		for _, c := range m.Comparisons {
			line(t, append([]string{name}, m.cells(c, c.Ours != last)...)...)
			name, last = "", c.Ours
			if c.Target > 0 {
				targets++
			}
			if c.Target > 0 && c.holds() {
				held++
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of %d targets hold\n", held, targets)
	return err
}

// cells are those of a comparison, but for the name of the work; the limit stands once
// for each of ours.
func (m measured) cells(c comparison, limited bool) []string {
	us, they := m.of(c.Ours), m.of(c.Other)
	cells := []string{c.Ours, m.figure(*us), c.Other, m.figure(*they), times(c.Median), fmt.Sprintf("%s–%s", number(c.Lower), number(c.Upper)), "", "", "", "", ""}
	if c.Target > 0 {
		cells[6], cells[7] = "≥ "+times(c.Target), "no"
		if c.holds() {
			cells[7] = "yes"
		}
	}
	if l := m.limit(); l != nil && limited {
		_, fraction, _ := ratios(us.values(m.Quantity), l.values(m.Quantity))
		cells[8], cells[9], cells[10] = l.Name, m.figure(*l), number(fraction)
	}
	return cells
}

// figure is the median of what a contestant took: the throughput of what is large, else
// what it took each time.
func (m measured) figure(s samples) string {
	_, median, _ := quartiles(s.values(m.Quantity))
	each := median / float64(m.Times)
	switch {
	case m.Quantity == fileSize:
		return fmt.Sprintf("%.3g MB", each/1e6)
	case m.Quantity == wallTime && m.Size >= 1<<20:
		return fmt.Sprintf("%.3g GB/s", float64(m.Size)/each/1e9)
	case each < 1e-6:
		return fmt.Sprintf("%.3g ns", each*1e9)
	case each < 1e-3:
		return fmt.Sprintf("%.3g µs", each*1e6)
	case each < 1:
		return fmt.Sprintf("%.3g ms", each*1e3)
	}
	return time.Duration(each * 1e9).Round(10 * time.Millisecond).String()
}

func times(ratio float64) string { return number(ratio) + "×" }

// number has two or three digits that count.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// line writes a line of the table, of which no cell is empty at the end.
func line(t *tabwriter.Writer, cells ...string) {
	for len(cells) > 1 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}
