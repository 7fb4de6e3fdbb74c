package picture

import (
	"bufio"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// braille is a picture of dots, two by four in each character.
type braille struct {
	columns, rows int // of characters
	dots          []rune
	colours       []int // which line set a dot of a character last
}

func newBraille(columns, rows int) *braille {
	return &braille{columns, rows, make([]rune, columns*rows), make([]int, columns*rows)}
}

// brailleBits are the bits of a character's dots, by row and column.
var brailleBits = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

func (b *braille) set(x, y, line int) {
	cell := y/4*b.columns + x/2
	b.dots[cell] |= brailleBits[y%4][x%2]
	b.colours[cell] = line
}

// stroke sets the dots from one to another.
func (b *braille) stroke(x0, y0, x1, y1, line int) {
	steps := max(abs(x1-x0), abs(y1-y0), 1)
	for i := range steps + 1 {
		part := float64(i) / float64(steps)
		b.set(x0+int(math.Round(part*float64(x1-x0))), y0+int(math.Round(part*float64(y1-y0))), line)
	}
}

// lineText draws lines with their range at the left and their indices below.
func lineText(w *bufio.Writer, lines []curve, rows int, o Options) {
	e := extentOf(lines)
	top, bottom := shortText(e.hi), shortText(e.lo)
	margin := max(utf8.RuneCountInString(top), utf8.RuneCountInString(bottom))
	if margin+2 > o.Width/2 { // no room for both
		top, bottom, margin = "", "", 0
	}
	b := newBraille(o.Width-margin-1, o.Height)
	last := float64(max(rows-1, 1))
	x := func(p point) int { return int(math.Round(p.x / last * float64(2*b.columns-1))) }
	y := func(p point) int { return int(math.Round((1 - e.position(p.y)) * float64(4*b.rows-1))) }
	for i, line := range lines {
		line.runs(func(run curve) {
			from := run[0]
			for _, to := range run {
				b.stroke(x(from), y(from), x(to), y(to), i)
				from = to
			}
		})
	}
	for i := range b.rows {
		label := ""
		switch i {
		case 0:
			label = top
		case b.rows - 1:
			label = bottom
		}
		fmt.Fprintf(w, "%*s│%s\n", margin, label, b.line(i, o.Color))
	}
	first, end := "0", fmt.Sprint(rows-1)
	fmt.Fprintf(w, "%*s└%s\n", margin, "", strings.Repeat("─", b.columns))
	if gap := b.columns - len(first) - len(end); gap > 0 {
		fmt.Fprintf(w, "%*s %s%s%s\n", margin, "", first, strings.Repeat(" ", gap), end)
	}
	if e.nans > 0 {
		fmt.Fprintln(w, "Gaps are values that are not finite.")
	}
}

// line returns a line of characters, without spaces at its end.
func (b *braille) line(row int, c Color) string {
	var s strings.Builder
	for i := range b.columns {
		cell := row*b.columns + i
		switch {
		case b.dots[cell] == 0:
			s.WriteByte(' ')
		case c == NoColor:
			s.WriteRune(0x2800 | b.dots[cell])
		default:
			s.WriteString(c.foreground(lineColours[b.colours[cell]]) + string(0x2800|b.dots[cell]) + c.reset())
		}
	}
	return strings.TrimRight(s.String(), " ")
}
