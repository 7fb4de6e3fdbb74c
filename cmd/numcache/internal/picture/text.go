package picture

import (
	"bufio"
	"context"
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"

	"github.com/numcache/numcache/array"
)

// Text writes a picture of src with the characters of a terminal, o.Width columns wide
// at most: lines in braille, histograms in bars, heat maps and images in half blocks of
// colour, or in shades where there is no colour. Below stands what the shades mean. A
// title stands above; it is the caller's to take out what a terminal would obey. Errors
// are those of [PNG].
func Text(ctx context.Context, w io.Writer, src array.Source, o *Options) error {
	s, err := o.sized(80, 20, minCharacters, maxCharacters)
	if err != nil {
		return err
	}
	columns, rows := s.Width, 2*s.Height
	switch s.kindOf(src) {
	case Line:
		columns = 2 * s.Width // dots of braille
	case Hist:
		columns = s.Height
	default:
		if s.Color == NoColor {
			rows = s.Height
		}
	}
	d, err := reduce(ctx, src, s, columns, rows)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	if s.Title != "" {
		fmt.Fprintln(out, s.Title)
	}
	switch {
	case d.heat != nil:
		heatText(out, d.heat, s)
	case d.pixels != nil:
		pixelText(out, d.pixels, s)
	case d.hist != nil:
		histText(out, d.hist, s)
	default:
		lineText(out, d.lines, d.rows, s)
	}
	return out.Flush()
}

func (o *Options) kindOf(src array.Source) Kind {
	if o.Kind != "" {
		return o.Kind
	}
	return Suitable(src.DType(), src.Shape())
}

// shades stand for values from the least to the greatest.
var shades = []rune(" ░▒▓█")

// shadeOf returns the shade of a position from 0 to 1, a dot for NaN.
func shadeOf(position float64) string {
	if math.IsNaN(position) {
		return "·"
	}
	return string(shades[min(int(position*float64(len(shades))), len(shades)-1)])
}

// foreground and background are the sequences that choose a colour.
func (c Color) foreground(rgb color.RGBA) string { return c.choose(38, rgb) }
func (c Color) background(rgb color.RGBA) string { return c.choose(48, rgb) }

func (c Color) choose(what int, rgb color.RGBA) string {
	switch c {
	case TrueColor:
		return fmt.Sprintf("\x1b[%d;2;%d;%d;%dm", what, rgb.R, rgb.G, rgb.B)
	case Color256:
		return fmt.Sprintf("\x1b[%d;5;%dm", what, cubeIndex(rgb))
	}
	return ""
}

func (c Color) reset() string {
	if c == NoColor {
		return ""
	}
	return "\x1b[0m"
}

// cubeIndex returns the nearest colour of xterm's 6×6×6 cube, or of its 24 grays.
func cubeIndex(rgb color.RGBA) int {
	levels := [...]int{0, 95, 135, 175, 215, 255}
	if rgb.R == rgb.G && rgb.G == rgb.B && rgb.R >= 8 && rgb.R < 244 {
		return 232 + min((int(rgb.R)-3)/10, 23)
	}
	nearest := func(v uint8) (best int) {
		for i, level := range levels {
			if abs(level-int(v)) < abs(levels[best]-int(v)) {
				best = i
			}
		}
		return best
	}
	return 16 + 36*nearest(rgb.R) + 6*nearest(rgb.G) + nearest(rgb.B)
}

func abs(n int) int { return max(n, -n) }

// blocks writes rows of cells, each of which may be several characters: two rows of
// cells to a line in colour, else one in shades. Cells are enlarged to fill the room, up
// to some size, and stay about square.
func blocks(w *bufio.Writer, rows, columns int, o Options, colour func(i, j int) color.RGBA, shade func(i, j int) string) {
	const most = 6
	if o.Color == NoColor {
		times := max(min(o.Height/rows, o.Width/(2*columns), most/2), 1)
		wide := min(2*times, max(o.Width/columns, 1))
		for i := range rows * times {
			var line strings.Builder
			for j := range columns {
				line.WriteString(strings.Repeat(shade(i/times, j), wide))
			}
			fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
		}
		return
	}
	times := max(min(2*o.Height/rows, o.Width/columns, most), 1)
	for top := 0; top < rows*times; top += 2 {
		for j := range columns * times {
			w.WriteString(o.Color.foreground(colour(top/times, j/times)))
			if top+1 < rows*times {
				w.WriteString(o.Color.background(colour((top+1)/times, j/times)))
			}
			w.WriteString("▀")
		}
		fmt.Fprintln(w, o.Color.reset())
	}
}

func heatText(w *bufio.Writer, g *grid, o Options) {
	e := g.extent()
	position := func(i, j int) float64 { return e.position(g.at(i, j, 0)) }
	blocks(w, g.rows, g.columns, o,
		func(i, j int) color.RGBA { return colourAt(position(i, j)) },
		func(i, j int) string { return shadeOf(position(i, j)) })
	var scale strings.Builder
	for i := range 2 * len(shades) {
		at := float64(i) / float64(2*len(shades)-1)
		if o.Color == NoColor {
			scale.WriteString(shadeOf(at))
		} else {
			scale.WriteString(o.Color.foreground(colourAt(at)) + "█")
		}
	}
	fmt.Fprintf(w, "%s %s%s %s", shortText(e.lo), scale.String(), o.Color.reset(), shortText(e.hi))
	if e.nans > 0 {
		fmt.Fprint(w, "  NaN "+o.Color.foreground(nothing)+map[bool]string{true: "·", false: "█"}[o.Color == NoColor]+o.Color.reset())
	}
	if g.isReduced() {
		fmt.Fprintf(w, "  means of blocks of about %s×%s", shortText(ratio(g.height, g.rows)), shortText(ratio(g.width, g.columns)))
	}
	fmt.Fprintln(w)
}

func ratio(a, b int) float64 { return math.Round(float64(a)/float64(b)*10) / 10 }

func pixelText(w *bufio.Writer, g *grid, o Options) {
	blocks(w, g.rows, g.columns, o, g.pixel, func(i, j int) string {
		c := g.pixel(i, j)
		return shadeOf((0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)) / 256)
	})
}
