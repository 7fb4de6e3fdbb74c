package picture

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
)

func filled[T array.Element](t *testing.T, f func(i int) T, shape ...int) array.Any {
	t.Helper()
	a, err := array.New[T](shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Data() {
		a.Data()[i] = f(i)
	}
	return a
}

func drawn(t *testing.T, src array.Source, o *Options) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := PNG(t.Context(), &b, src, o); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func text(t *testing.T, src array.Source, o *Options) string {
	t.Helper()
	var b strings.Builder
	if err := Text(t.Context(), &b, src, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// similar reports whether two colours are much the same: drawing smooths edges.
func similar(a, b color.Color) bool {
	r, g, bl, _ := a.RGBA()
	r2, g2, bl2, _ := b.RGBA()
	near := func(x, y uint32) bool { return max(x, y)-min(x, y) < 0x3000 }
	return near(r, r2) && near(g, g2) && near(bl, bl2)
}

// inked counts the pixels of a colour.
func inked(img image.Image, c color.Color) (n int) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if similar(img.At(x, y), c) {
				n++
			}
		}
	}
	return n
}

// TestSuitable holds which kind suits which shape.
func TestSuitable(t *testing.T) {
	for _, tc := range []struct {
		d     array.DType
		shape []int
		want  Kind
	}{
		{array.Float64, []int{}, Line},
		{array.Float64, []int{5}, Line},
		{array.Float64, []int{1, 5}, Line},
		{array.Float64, []int{5, 1}, Line},
		{array.Uint8, []int{1, 5}, Line},
		{array.Float64, []int{5, 6}, Heat},
		{array.Bool, []int{1, 5, 6}, Heat},
		{array.Uint8, []int{5, 6}, Image},
		{array.Uint8, []int{5, 6, 3}, Image},
		{array.Uint8, []int{5, 6, 4}, Image},
		{array.Uint8, []int{5, 6, 1}, Image},
		{array.Uint8, []int{5, 6, 2}, Hist},
		{array.Int8, []int{5, 6, 3}, Hist},
		{array.Float64, []int{2, 3, 4, 5}, Hist},
	} {
		if got := Suitable(tc.d, tc.shape); got != tc.want {
			t.Errorf("%s%v: %s, want %s", tc.d, tc.shape, got, tc.want)
		}
	}
}

// TestHeatPNG looks at the pixels of each quarter of a heat map.
func TestHeatPNG(t *testing.T) {
	a := filled(t, func(i int) float64 { return []float64{0, 1, math.NaN(), math.Inf(1)}[i] }, 2, 2)
	bare := drawn(t, a, &Options{Bare: true, Width: 80, Height: 60})
	if size := bare.Bounds().Size(); size != image.Pt(60, 60) {
		t.Fatalf("size %v, want the matrix' proportions within 80×60", size)
	}
	for _, tc := range []struct {
		x, y int
		want color.RGBA
	}{{10, 10, viridis[0]}, {50, 10, viridis[9]}, {10, 50, nothing}, {50, 50, viridis[9]}} {
		if got := bare.At(tc.x, tc.y); got != tc.want {
			t.Errorf("at %d,%d: %v, want %v", tc.x, tc.y, got, tc.want)
		}
	}
	framed := drawn(t, a, nil)
	if size := framed.Bounds().Size(); size != image.Pt(800, 500) {
		t.Errorf("size %v", size)
	}
	if !similar(framed.At(200, 100), viridis[0]) || !similar(framed.At(600, 100), viridis[9]) || !similar(framed.At(200, 400), nothing) {
		t.Error("the framed heat map has other quarters")
	}
}

// TestHeatIsReduced compares a grid with means that are computed block by block.
func TestHeatIsReduced(t *testing.T) {
	const height, width, rows, columns = 103, 75, 10, 20
	value := func(i, j int) float64 { return float64(i*i%17) + float64(j%5)*3 }
	a := filled(t, func(i int) float64 { return value(i/width, i%width) }, height, width)
	g, err := gridOf(t.Context(), a, height, width, 1, rows, columns)
	if err != nil {
		t.Fatal(err)
	}
	if !g.isReduced() || len(g.means) != rows*columns {
		t.Fatalf("%d means", len(g.means))
	}
	var sums, counts [rows * columns]float64
	for i := range height {
		for j := range width {
			cell := i*rows/height*columns + j*columns/width
			sums[cell] += value(i, j)
			counts[cell]++
		}
	}
	for cell, got := range g.means {
		if want := sums[cell] / counts[cell]; got != want {
			t.Errorf("cell %d: %v, want %v", cell, got, want)
		}
	}
}

// TestImagePNG draws gray, colours, and what is transparent.
func TestImagePNG(t *testing.T) {
	red, half := color.RGBA{200, 10, 20, 255}, color.RGBA{255, 127, 127, 255}
	for _, tc := range []struct {
		a    array.Any
		want color.RGBA
	}{
		{filled(t, func(int) uint8 { return 77 }, 4, 6), color.RGBA{77, 77, 77, 255}},
		{filled(t, func(int) uint8 { return 77 }, 4, 6, 1), color.RGBA{77, 77, 77, 255}},
		{filled(t, func(i int) uint8 { return []uint8{200, 10, 20}[i%3] }, 4, 6, 3), red},
		{filled(t, func(i int) uint8 { return []uint8{255, 0, 0, 128}[i%4] }, 4, 6, 4), half},
		{filled(t, func(i int) uint8 { return uint8(100 + 100*(i%2)) }, 480, 720), color.RGBA{150, 150, 150, 255}}, // means
	} {
		img := drawn(t, tc.a, &Options{Bare: true, Width: 120, Height: 120})
		if img.Bounds().Size() != image.Pt(120, 80) || img.At(60, 40) != tc.want {
			t.Errorf("%v: %v of %v, want %v", tc.a.Shape(), img.At(60, 40), img.Bounds(), tc.want)
		}
		if framed := drawn(t, tc.a, &Options{Width: 120, Height: 120}); !similar(framed.At(60, 60), tc.want) {
			t.Errorf("%v: %v in the frame", tc.a.Shape(), framed.At(60, 60))
		}
	}
}

// TestLineKeepsPeaks draws a line of many points with one that stands out, and a gap.
func TestLineKeepsPeaks(t *testing.T) {
	a := filled(t, func(i int) float64 {
		switch {
		case i == 70001:
			return 1000
		case i >= 20000 && i < 40000:
			return math.NaN()
		}
		return math.Sin(float64(i))
	}, 100000)
	lines, err := curvesOf(t.Context(), a, a.Len(), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	peak, gaps := false, 0
	for i, p := range lines[0] {
		peak = peak || p == point{70001, 1000}
		if math.IsNaN(p.y) {
			gaps++
		}
		if i > 0 && p.x < lines[0][i-1].x {
			t.Errorf("point %d comes before the one before it", i)
		}
	}
	if n := len(lines[0]); !peak || gaps != 20 || n != 180 {
		t.Errorf("peak %v, %d gaps, %d points", peak, gaps, n)
	}
	if img := drawn(t, a, nil); inked(img, lineColours[0]) < 500 {
		t.Error("there is no line")
	}
}

// TestLinesOfColumns draws each column of a matrix in a colour of its own.
func TestLinesOfColumns(t *testing.T) {
	for _, rows := range []int{30, 30000} { // as they are, and reduced
		img := drawn(t, filled(t, func(i int) float32 { return float32(i % 3) }, rows, 3), &Options{Kind: Line})
		for _, c := range lineColours[:3] {
			if inked(img, c) < 300 {
				t.Errorf("%d rows: %v is missing", rows, c)
			}
		}
	}
}

// TestHistogramCounts counts whole numbers one by one and others in bins.
func TestHistogramCounts(t *testing.T) {
	h, err := histogramOf(t.Context(), filled(t, func(i int) int16 { return int16(i%4) - 2 }, 2, 3, 10), 50)
	if err != nil || !h.single || fmt.Sprint(h.counts) != "[15 15 15 15]" || h.lo != -2 {
		t.Errorf("%+v, %v", h, err)
	}
	h, err = histogramOf(t.Context(), filled(t, func(i int) float64 {
		return []float64{math.NaN(), math.Inf(-1), 0, 0.35, 1}[i%5]
	}, 500), 10)
	if err != nil || fmt.Sprint(h.counts) != "[100 0 0 100 0 0 0 0 0 100]" || h.nans != 100 || h.infinite != 100 {
		t.Errorf("%+v, %v", h, err)
	}
	for _, v := range []float64{0, 7, -1e300, math.SmallestNonzeroFloat64} {
		h, err := histogramOf(t.Context(), filled(t, func(int) float64 { return v }, 9), 10)
		if err != nil || fmt.Sprint(h.counts) != "[9]" {
			t.Errorf("%v: %+v, %v", v, h, err)
		}
	}
}

// TestEveryType draws every type, and every kind of some, as small as may be.
func TestEveryType(t *testing.T) {
	for d := array.Bool; d.Valid(); d++ {
		for _, shape := range [][]int{{}, {1}, {7}, {3, 4}, {9, 2}, {5, 6, 3}} {
			a, err := array.Make(d, shape...)
			if err != nil {
				t.Fatal(err)
			}
			raw := make([]byte, d.Size())
			raw[len(raw)-1] = 1 // something other than 0
			if err := a.Decode(a.Len()-1, raw); err != nil {
				t.Fatal(err)
			}
			kinds := []Kind{"", Line, Hist, Heat, Image}
			if d != array.Float32 && d != array.Uint8 {
				kinds = kinds[:1]
			}
			for _, kind := range kinds {
				o := &Options{Kind: kind, Width: minPixels, Height: minPixels, Title: "of 0 and 1"}
				for _, write := range []func(context.Context, io.Writer, array.Source, *Options) error{PNG, SVG, Text} {
					if err := write(t.Context(), io.Discard, a, o); err != nil && (kind == "" || !errors.Is(err, ErrKind)) {
						t.Errorf("%s%v as %q: %v", d, shape, kind, err)
					}
				}
			}
		}
	}
}

// TestHardValues draws values at the ends of float64.
func TestHardValues(t *testing.T) {
	const tiny = math.SmallestNonzeroFloat64
	for _, values := range [][]float64{
		{0, 0}, {5, 5}, {1e300, 1e300}, {-1e306, 1e306}, {0, tiny}, {tiny, tiny}, {1, 1 + 1e-16}, {1e15, 1e15 + 1},
		{math.NaN(), 1}, {math.Inf(1), 1}, {math.Inf(-1), math.Inf(1), 0, 0}, {math.Copysign(0, -1), 0},
	} {
		a, err := array.FromSlice(values, len(values)/2, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Kind{Line, Hist, Heat} {
			for _, write := range []func(context.Context, io.Writer, array.Source, *Options) error{PNG, SVG, Text} {
				if err := write(t.Context(), io.Discard, a, &Options{Kind: kind, Width: 100, Height: 80}); err != nil {
					t.Errorf("%v as %s: %v", values, kind, err)
				}
			}
		}
	}
}

// TestRefused holds what cannot be drawn.
func TestRefused(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	zeros := func(shape ...int) array.Any { return filled(t, func(int) float64 { return 0 }, shape...) }
	for _, tc := range []struct {
		ctx  context.Context
		a    array.Any
		o    *Options
		want error
	}{
		{t.Context(), zeros(0), nil, ErrEmpty},
		{t.Context(), zeros(3, 0), &Options{Kind: Heat}, ErrEmpty},
		{t.Context(), filled(t, func(int) float64 { return math.NaN() }, 3), nil, ErrEmpty},
		{t.Context(), filled(t, func(int) float64 { return math.Inf(1) }, 3, 3), nil, ErrEmpty},
		{t.Context(), filled(t, func(int) float64 { return math.NaN() }, 2, 2, 2), nil, ErrEmpty},
		{t.Context(), filled(t, func(i int) float64 { return 1e308 * float64(i) }, 2), nil, ErrRange},
		{t.Context(), zeros(3, 20), &Options{Kind: Line}, ErrKind},
		{t.Context(), zeros(3, 4, 5), &Options{Kind: Line}, ErrKind},
		{t.Context(), zeros(3, 4, 5), &Options{Kind: Heat}, ErrKind},
		{t.Context(), zeros(3, 4, 3), &Options{Kind: Image}, ErrKind},
		{t.Context(), zeros(3), &Options{Kind: "pie"}, ErrKind},
		{t.Context(), zeros(3), &Options{Width: -1}, ErrSize},
		{t.Context(), zeros(3), &Options{Height: 100000}, ErrSize},
		{ended, zeros(3), nil, context.Canceled},
	} {
		for _, write := range []func(context.Context, io.Writer, array.Source, *Options) error{PNG, SVG, Text} {
			var b bytes.Buffer
			if err := write(tc.ctx, &b, tc.a, tc.o); !errors.Is(err, tc.want) || b.Len() > 0 {
				t.Errorf("%v, %+v: %v and %d bytes, want %v", tc.a.Shape(), tc.o, err, b.Len(), tc.want)
			}
		}
	}
	if _, err := ParseKind("pie"); !errors.Is(err, ErrKind) {
		t.Error(err)
	}
}

// TestSVG is well-formed whatever the title, and says what was left out.
func TestSVG(t *testing.T) {
	a := filled(t, func(i int) float64 { return []float64{1, 2, math.NaN()}[i] }, 3)
	var b bytes.Buffer
	if err := SVG(t.Context(), &b, a, &Options{Kind: Hist, Title: `<script>"&`}); err != nil {
		t.Fatal(err)
	}
	var words []string
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := token.(xml.StartElement); ok && s.Name.Local == "script" {
			t.Error("the title became an element")
		}
		if s, ok := token.(xml.CharData); ok {
			words = append(words, strings.TrimSpace(string(s)))
		}
	}
	for _, want := range []string{`<script>"&`, "value (1 NaN left out)", "elements"} {
		if !strings.Contains(strings.Join(words, "\n"), want) {
			t.Errorf("%q is missing in %q", want, words)
		}
	}
}
