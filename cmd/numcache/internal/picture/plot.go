package picture

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/numcache/numcache/array"
)

// dotsPerInch relates pixels to the lengths of package vg.
const dotsPerInch = 96

func pixels(n int) vg.Length { return vg.Length(n) * vg.Inch / dotsPerInch }

// PNG writes a picture of src as PNG: of o's size, but that a bare image or heat map has
// the array's proportions and is no larger than that. Errors are [ErrEmpty], [ErrKind],
// [ErrSize], [ErrRange], those of src and w, and that of a ctx that has ended.
func PNG(ctx context.Context, w io.Writer, src array.Source, o *Options) error {
	s, d, err := prepared(ctx, src, o)
	if err != nil {
		return err
	}
	if img := d.image(); s.Bare && img != nil {
		height, width := fitted(img.Bounds().Dy(), img.Bounds().Dx(), s.Height, s.Width)
		times := max(min(s.Height/height, s.Width/width), 1)
		return png.Encode(w, enlarged(img, width*times, height*times))
	}
	canvas := vgimg.NewWith(vgimg.UseWH(pixels(s.Width), pixels(s.Height)), vgimg.UseDPI(dotsPerInch))
	d.plot(draw.New(canvas), s)
	_, err = vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// SVG writes a picture of src as SVG, with the same errors as [PNG]. Heat maps and
// images are PNGs in it.
func SVG(ctx context.Context, w io.Writer, src array.Source, o *Options) error {
	s, d, err := prepared(ctx, src, o)
	if err != nil {
		return err
	}
	canvas := vgsvg.New(pixels(s.Width), pixels(s.Height))
	d.plot(draw.New(canvas), s)
	_, err = canvas.WriteTo(w)
	return err
}

// prepared reduces src to the pixels that o leaves.
func prepared(ctx context.Context, src array.Source, o *Options) (Options, drawing, error) {
	least := minPixels
	if o != nil && o.Bare {
		least = minBarePixels
	}
	s, err := o.sized(800, 500, least, maxPixels)
	if err != nil {
		return s, drawing{}, err
	}
	d, err := reduce(ctx, src, s, s.Width, s.Height)
	return s, d, err
}

// image returns the pixels of a heat map or an image, nil for other kinds.
func (d *drawing) image() *image.RGBA {
	switch {
	case d.heat != nil:
		return heatImage(d.heat, d.heat.extent())
	case d.pixels != nil:
		return pixelImage(d.pixels)
	}
	return nil
}

// plot draws on a canvas.
func (d *drawing) plot(canvas draw.Canvas, o Options) {
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Rectangle.Path())
	if !o.Bare {
		const margin = 8
		canvas = draw.Crop(canvas, pixels(margin), -pixels(2*margin), pixels(margin), -pixels(margin))
	}
	p := plot.New()
	p.Title.Text = o.Title
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks(8), ticks(6)
	switch {
	case d.heat != nil:
		plotHeat(p, canvas, d.heat, o)
		return
	case d.pixels != nil:
		p.HideAxes()
		p.Add(&raster{img: pixelImage(d.pixels), proportional: true})
	case d.hist != nil:
		plotHist(p, d.hist)
	default:
		plotLines(p, d.lines, d.rows)
	}
	if o.Bare {
		bare(p)
	}
	p.Draw(canvas)
}

func bare(p *plot.Plot) {
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "", "", ""
	p.HideAxes()
}

// ticks is about how many numbers stand on an axis.
type ticks int

// Ticks implements [plot.Ticker].
func (t ticks) Ticks(lo, hi float64) (list []plot.Tick) {
	for _, m := range marksOf(lo, hi, int(t)) {
		list = append(list, plot.Tick{Value: m.at, Label: m.text})
	}
	return list
}

func plotLines(p *plot.Plot, lines []curve, rows int) {
	e := extentOf(lines)
	p.Y.Min, p.Y.Max = e.padded()
	for i, line := range lines {
		line.runs(func(run curve) {
			p.Add(&stroke{run, lineColours[i%len(lineColours)]})
		})
	}
	p.X.Min, p.X.Max = 0, float64(max(rows-1, 1))
	p.X.Label.Text = "index"
	if e.nans > 0 {
		p.X.Label.Text += " (gaps: values that are not finite)"
	}
}

// stroke is an unbroken run of a line; one of a single point is a dot.
type stroke struct {
	run    curve
	colour color.Color
}

// Plot implements [plot.Plotter].
func (s *stroke) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, len(s.run))
	for i, q := range s.run {
		points[i] = vg.Point{X: x(q.x), Y: y(q.y)}
	}
	if len(points) == 1 {
		c.DrawGlyph(draw.GlyphStyle{Color: s.colour, Radius: vg.Points(1.5), Shape: draw.CircleGlyph{}}, points[0])
		return
	}
	c.StrokeLines(draw.LineStyle{Color: s.colour, Width: vg.Points(1.5)}, points)
}

func plotHist(p *plot.Plot, h *histogram) {
	bars := &plotter.Histogram{FillColor: lineColours[0], LineStyle: draw.LineStyle{Color: color.White, Width: vg.Points(0.25)}, Width: h.width}
	for i, n := range h.counts {
		from := h.first + float64(i)*h.width
		bars.Bins = append(bars.Bins, plotter.HistogramBin{Min: from, Max: from + h.width, Weight: float64(n)})
	}
	p.Add(bars)
	e := extent{lo: h.first, hi: h.first + float64(len(h.counts))*h.width}
	p.X.Min, p.X.Max = e.padded()
	p.Y.Min, p.Y.Max = 0, float64(h.most())*1.04
	p.X.Label.Text, p.Y.Label.Text = "value", "elements"
	if left := h.leftOut(); left != "" {
		p.X.Label.Text += " (" + left + ")"
	}
}

// raster draws pixels over all of a plot, or as large as their proportions let them be.
type raster struct {
	img          *image.RGBA
	proportional bool
	area         vg.Rectangle // where they were drawn
}

// Plot implements [plot.Plotter].
func (r *raster) Plot(c draw.Canvas, _ *plot.Plot) {
	r.area = c.Rectangle
	size := c.Size()
	if from := r.img.Bounds().Size(); r.proportional {
		scale := min(size.X/vg.Length(from.X), size.Y/vg.Length(from.Y))
		half := vg.Point{X: scale * vg.Length(from.X) / 2, Y: scale * vg.Length(from.Y) / 2}
		r.area = vg.Rectangle{Min: c.Center().Sub(half), Max: c.Center().Add(half)}
		size = r.area.Size()
	}
	width, height := int(size.X.Dots(dotsPerInch)+0.5), int(size.Y.Dots(dotsPerInch)+0.5)
	if width > 0 && height > 0 {
		c.DrawImage(r.area, enlarged(r.img, width, height))
	}
}

// plotHeat draws a heat map, and at its right the scale of its colours.
func plotHeat(p *plot.Plot, canvas draw.Canvas, g *grid, o Options) {
	e := g.extent()
	p.X.Min, p.X.Max = -0.5, float64(g.width)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(g.height)-0.5
	p.Y.Scale = plot.InvertedScale{Normalizer: p.Y.Scale}
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Label.Text, p.Y.Label.Text = "column", "row"
	cells := &raster{img: heatImage(g, e)}
	p.Add(cells)
	if o.Bare {
		bare(p)
		p.Draw(canvas)
		return
	}
	const scaleWidth, gap = 70, 14 // pixels for the scale with its numbers, and before it
	p.Draw(draw.Crop(canvas, 0, -pixels(scaleWidth), 0, 0))
	scale := canvas.Rectangle
	scale.Min.X = scale.Max.X - pixels(scaleWidth-gap)
	scale.Max.X = scale.Min.X + pixels(gap)
	scale.Min.Y, scale.Max.Y = cells.area.Min.Y, cells.area.Max.Y
	drawScale(canvas, scale, e, p.Y.Tick.Label)
}

// drawScale draws the colours from the least value at the bottom to the greatest.
func drawScale(canvas draw.Canvas, area vg.Rectangle, e extent, style draw.TextStyle) {
	const steps = 256
	colours := image.NewRGBA(image.Rect(0, 0, 1, steps))
	for i := range steps {
		colours.SetRGBA(0, steps-1-i, colourAt(float64(i)/(steps-1)))
	}
	size := area.Size()
	width, height := int(size.X.Dots(dotsPerInch)+0.5), int(size.Y.Dots(dotsPerInch)+0.5)
	if width < 1 || height < 1 {
		return
	}
	canvas.DrawImage(area, enlarged(colours, width, height))
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	marks := marksOf(e.lo, e.hi, 6)
	if len(marks) == 0 {
		marks = []mark{{e.lo, shortText(e.lo)}}
	}
	for _, m := range marks {
		y := area.Min.Y + size.Y*vg.Length(e.position(m.at))
		canvas.FillText(style, vg.Point{X: area.Max.X + pixels(4), Y: y}, m.text)
	}
}
