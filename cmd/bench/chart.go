package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var (
	reached = color.RGBA{0x2a, 0x78, 0xb5, 0xff}
	missed  = color.RGBA{0xd5, 0x8a, 0x3a, 0xff}
	untold  = color.RGBA{0xa9, 0xb8, 0xc4, 0xff} // of a pair that has no target
	marked  = color.RGBA{0x22, 0x22, 0x22, 0xff}
	guide   = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
)

// draw writes a picture of the ratios: a bar for each pair from 1× to its median, on a
// logarithmic scale, a line over its quartiles, and a mark where the target is.
func (r results) draw(name string) error {
	var labels []string
	var all []comparison
	for _, m := range slices.Backward(r.Works) { // the first is at the top
		for _, c := range slices.Backward(m.Comparisons) {
			name := m.Name
			if c.Ours != m.Comparisons[0].Ours { // there are several of ours
				name += ", " + c.Ours
			}
			labels = append(labels, fmt.Sprintf("%s: %s", name, c.Other))
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return errors.New("there is nothing to draw: no pair was measured")
	}
	p := plot.New()
	p.Title.Text = "numcache beside others: how many times as fast (blue: the target, a mark, is reached; orange: it is not)"
	p.Title.TextStyle.Font.Size, p.Title.Padding = font.Points(10), vg.Points(6)
	p.X.Tick.Marker, p.X.Tick.Label.Font.Size = decades{}, font.Points(8)
	p.Y.Tick.Label.Font.Size = font.Points(8)
	p.NominalY(labels...)
	p.Add(chart(all))
	width, height := 8*vg.Inch, vg.Points(60+14*float64(len(all)))
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(100))
	p.Draw(draw.Crop(draw.New(canvas), 4, -4, 4, -4)) // a margin
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, fewColours(canvas.Image())); err != nil {
		return err
	}
	return os.WriteFile(name, out.Bytes(), 0o666)
}

// fewColours makes the file a third as large: those of the bars, and the greys of letters.
func fewColours(from image.Image) image.Image {
	colours := color.Palette{reached, missed, untold}
	for grey := 0; grey < 256; grey += 17 {
		colours = append(colours, color.RGBA{uint8(grey), uint8(grey), uint8(grey), 0xff})
	}
	to := image.NewPaletted(from.Bounds(), colours)
	for y := range to.Rect.Dy() {
		for x := range to.Rect.Dx() {
			to.Set(x, y, from.At(x, y))
		}
	}
	return to
}

// chart draws comparisons at their logarithms, since a bar begins at 1× and not at 0.
type chart []comparison

// Plot is of plot.Plotter.
func (all chart) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, tick := range (decades{}).Ticks(p.X.Min, p.X.Max) {
		c.StrokeLine2(draw.LineStyle{Color: guide, Width: vg.Points(0.5)}, x(tick.Value), c.Min.Y, x(tick.Value), c.Max.Y)
	}
	for i, one := range all {
		middle := y(float64(i))
		colour := untold
		switch {
		case one.Target == 0:
		case one.holds():
			colour = reached
		default:
			colour = missed
		}
		end := x(math.Log10(one.Median))
		c.FillPolygon(colour, []vg.Point{{X: x(0), Y: middle - 4}, {X: x(0), Y: middle + 4}, {X: end, Y: middle + 4}, {X: end, Y: middle - 4}})
		c.StrokeLine2(draw.LineStyle{Color: marked, Width: vg.Points(0.8)}, x(math.Log10(one.Lower)), middle, x(math.Log10(one.Upper)), middle)
		if one.Target > 0 {
			at := x(math.Log10(one.Target))
			c.StrokeLine2(draw.LineStyle{Color: marked, Width: vg.Points(2)}, at, middle-6, at, middle+6)
		}
		style := p.Y.Tick.Label
		style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
		c.FillText(style, vg.Point{X: max(end, x(0), x(math.Log10(max(one.Upper, one.Target, 1)))) + 5, Y: middle}, times(one.Median))
	}
	c.StrokeLine2(draw.LineStyle{Color: marked, Width: vg.Points(0.8)}, x(0), c.Min.Y, x(0), c.Max.Y)
}

// DataRange is of plot.DataRanger. There is room for a number beside the longest bar.
func (all chart) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, one := range all {
		xmin = min(xmin, math.Log10(one.Lower))
		xmax = max(xmax, math.Log10(one.Upper))
		if one.Target > 0 {
			xmin, xmax = min(xmin, math.Log10(one.Target)), max(xmax, math.Log10(one.Target))
		}
	}
	return xmin - 0.1, xmax + 0.12*(xmax-xmin) + 0.3, -0.7, float64(len(all)) - 0.3
}

// decades are the marks of an axis of logarithms.
type decades struct{}

// Ticks is of plot.Ticker.
func (decades) Ticks(low, high float64) (ticks []plot.Tick) {
	for d := math.Ceil(low); d <= high; d++ {
		ticks = append(ticks, plot.Tick{Value: d, Label: fmt.Sprintf("%g×", math.Pow(10, d))})
	}
	return ticks
}
