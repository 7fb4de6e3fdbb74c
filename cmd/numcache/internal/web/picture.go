package web

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"

	"github.com/numcache/numcache/array"
)

// picture answers with the picture of an array, or says in words why there is none.
func (s *Site) picture(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	fail := func(status int, words string) { http.Error(w, "numcache: "+words, status) }
	digest, err := array.ParseDigest(r.URL.Query().Get("d"))
	if err != nil {
		fail(http.StatusBadRequest, "that is no digest, which has 32 hex digits")
		return
	}
	done, err := s.turn(ctx)
	if err != nil {
		fail(http.StatusServiceUnavailable, "others are looking at arrays; try again")
		return
	}
	defer done()
	_, a, err := s.load(ctx, digest)
	if err != nil {
		fail(http.StatusNotFound, s.arrayProblem(err))
		return
	}
	v := newValues(a)
	l := layout(v.shape)
	if l == nil {
		fail(http.StatusNotFound, "there is nothing to draw")
		return
	}
	img, err := l.draw(ctx, v)
	if err != nil {
		fail(http.StatusServiceUnavailable, "it took too long to draw")
		return
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		fail(http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "private, max-age=3600") // other bytes have another digest
	w.Write(b.Bytes())
}

// drawing is how an array is drawn: a line where it has one row or column, else a heat
// map of its first rows and columns, those along the last two dimensions.
type drawing struct {
	rows, columns int
	line          bool
	slice         bool // there is more than is drawn
}

// layout returns how an array of a shape is drawn, nil for one of a single element or
// none.
func layout(shape []int) *drawing {
	d := &drawing{rows: 1, columns: 1}
	n := len(shape)
	if n > 0 {
		d.columns = shape[n-1]
	}
	if n > 1 {
		d.rows = shape[n-2]
	}
	for _, extent := range shape[:max(0, n-2)] {
		if extent == 0 {
			return nil
		}
		d.slice = d.slice || extent > 1
	}
	if d.rows*d.columns < 2 {
		return nil
	}
	if d.rows == 1 || d.columns == 1 {
		d.line, d.rows, d.columns = true, 1, d.rows*d.columns
	}
	return d
}

// words says what the picture shows.
func (d *drawing) words() string {
	words := fmt.Sprintf("heat map of %d×%d", d.rows, d.columns)
	switch {
	case d.line:
		words = fmt.Sprintf("line of %d", d.columns)
		if d.columns > lineWidth {
			words += ", the least and greatest of each stretch"
		}
	case d.rows > mapHeight || d.columns > mapWidth:
		words += ", means of blocks"
	}
	if !d.line {
		words += ", dark is least"
	}
	if d.slice {
		words += ", the first slice"
	}
	return words
}

func (d *drawing) draw(ctx context.Context, v values) (image.Image, error) {
	if d.line {
		return drawLine(ctx, v, d.columns)
	}
	return drawMap(ctx, v, d.rows, d.columns)
}

// The most cells of a heat map, and the least pixels it is drawn with.
const (
	mapWidth, mapHeight     = 400, 400
	leastWidth, leastHeight = 240, 160
)

// drawMap draws the means of blocks, from the least, dark, to the greatest, bright.
// What is not finite does not count; a block of nothing else is grey.
func drawMap(ctx context.Context, v values, rows, columns int) (image.Image, error) {
	height, width := min(rows, mapHeight), min(columns, mapWidth)
	sums, counts := make([]float64, height*width), make([]float64, height*width)
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row := i * height / rows * width
		for j := range columns {
			f := v.at(i*columns + j)
			if !math.IsNaN(f) && !math.IsInf(f, 0) {
				c := row + j*width/columns
				counts[c]++
				sums[c] += f/counts[c] - sums[c]/counts[c]
			}
		}
	}
	least, greatest := math.Inf(1), math.Inf(-1)
	for c, mean := range sums {
		if counts[c] > 0 {
			least, greatest = min(least, mean), max(greatest, mean)
		}
	}
	down, across := (leastHeight+height-1)/height, (leastWidth+width-1)/width
	img := image.NewPaletted(image.Rect(0, 0, width*across, height*down), palette)
	for y := range height * down {
		for x := range width * across {
			c := y/down*width + x/across
			img.Pix[y*img.Stride+x] = shade(sums[c], least, greatest, counts[c] > 0)
		}
	}
	return img, nil
}

// shades is how many colours a heat map has; the palette has grey behind them.
const shades = 255

// shade returns the index in the palette of a value between two others.
func shade(f, least, greatest float64, there bool) uint8 {
	if !there {
		return shades
	}
	span := greatest/2 - least/2 // which does not overflow
	if !(span > 0) {
		return shades / 2
	}
	part := (f/2 - least/2) / span
	return uint8(max(0, min(shades-1, part*(shades-1))))
}

// palette goes from violet over green to yellow, equally far to the eye (that is
// matplotlib's viridis, at nine points), so that it also reads without colour.
var palette = func() color.Palette {
	points := [][3]float64{{68, 1, 84}, {71, 44, 122}, {59, 81, 139}, {44, 113, 142}, {33, 144, 141}, {39, 173, 129}, {92, 200, 99}, {170, 220, 50}, {253, 231, 37}}
	var p color.Palette
	for i := range shades {
		at := float64(i) / (shades - 1) * float64(len(points)-1)
		k := min(int(at), len(points)-2)
		mix := func(channel int) uint8 {
			a, b := points[k][channel], points[k+1][channel]
			return uint8(math.Round(a + (b-a)*(at-float64(k))))
		}
		p = append(p, color.RGBA{mix(0), mix(1), mix(2), 255})
	}
	return append(p, color.RGBA{128, 128, 128, 255})
}()

// The pixels of a line's picture.
const lineWidth, lineHeight = 600, 160

// lineColours are what is behind the line, and the line, which shows on a light page
// and on a dark one.
var lineColours = color.Palette{color.RGBA{}, color.RGBA{0x2c, 0x8c, 0xc4, 255}}

// drawLine draws a row of numbers: in each column of pixels from the least to the
// greatest of its stretch, joined with the column before. What is not finite is a gap.
func drawLine(ctx context.Context, v values, n int) (image.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	width := lineWidth
	lows, highs := make([]float64, width), make([]float64, width)
	least, greatest := math.Inf(1), math.Inf(-1)
	for x := range width {
		lows[x], highs[x] = math.Inf(1), math.Inf(-1)
		// With fewer numbers than pixels each is drawn over several.
		for i := x * n / width; i < max(x*n/width+1, (x+1)*n/width); i++ {
			if f := v.at(i); !math.IsNaN(f) && !math.IsInf(f, 0) {
				lows[x], highs[x] = min(lows[x], f), max(highs[x], f)
			}
		}
		if lows[x] <= highs[x] {
			least, greatest = min(least, lows[x]), max(greatest, highs[x])
		}
		if x%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	img := image.NewPaletted(image.Rect(0, 0, width, lineHeight), lineColours)
	height := func(f float64) int {
		part := float64(shade(f, least, greatest, true)) / (shades - 1)
		return int(math.Round((1 - part) * (lineHeight - 1)))
	}
	drawn := false
	last := 0
	for x := range width {
		if lows[x] > highs[x] {
			drawn = false
			continue
		}
		top, bottom := height(highs[x]), height(lows[x])
		end := bottom
		if drawn {
			top, bottom = min(top, last), max(bottom, last)
		}
		for y := max(0, top-1); y <= min(lineHeight-1, bottom); y++ {
			img.Pix[y*img.Stride+x] = 1
		}
		drawn, last = true, (height(highs[x])+end)/2
	}
	return img, nil
}
