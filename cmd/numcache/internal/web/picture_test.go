package web

import (
	"context"
	"image"
	"image/png"
	"math"
	"testing"

	"github.com/numcache/numcache/array"
)

// checkPicture fails the test where a target is no picture with two colours at least.
func checkPicture(t *testing.T, f *fixture, target string) {
	t.Helper()
	w := f.ask(t, "GET", target, nil)
	if w.Code != 200 || w.Header().Get("Content-Type") != "image/png" {
		t.Fatalf("%s: %d %v %s", target, w.Code, w.Header(), w.Body)
	}
	img, err := png.Decode(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() < leastWidth || b.Dy() < leastHeight || b.Dx() > 2*lineWidth || b.Dy() > 2*mapHeight {
		t.Errorf("%s: %v", target, b)
	}
}

func valuesOf(t *testing.T, data []float64, shape ...int) values {
	t.Helper()
	a, err := array.FromSlice(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return newValues(a)
}

// TestMapShowsWhereTheNumbersAre: dark and bright are in their places, what is NaN is
// grey.
func TestMapShowsWhereTheNumbersAre(t *testing.T) {
	v := valuesOf(t, []float64{0, 1, 2, math.NaN(), 4, math.Inf(-1)}, 2, 3)
	img, err := drawMap(t.Context(), v, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	p := img.(*image.Paletted)
	w, h := p.Bounds().Dx(), p.Bounds().Dy()
	for i, want := range []uint8{0, 63, 127, shades, shades - 1, shades} {
		x, y := (2*(i%3)+1)*w/6, (2*(i/3)+1)*h/4
		if got := p.ColorIndexAt(x, y); got != want {
			t.Errorf("element %d has colour %d, want %d", i, got, want)
		}
	}
}

// TestMapOfBlocks: of a large matrix the means of blocks are drawn, all of them.
func TestMapOfBlocks(t *testing.T) {
	const n = 3*mapHeight + 1
	data := make([]float64, n*n)
	for i := range data {
		data[i] = float64(i/n + i%n)
	}
	img, err := drawMap(t.Context(), valuesOf(t, data, n, n), n, n)
	if err != nil {
		t.Fatal(err)
	}
	p := img.(*image.Paletted)
	if p.Bounds() != image.Rect(0, 0, mapWidth, mapHeight) {
		t.Fatal(p.Bounds())
	}
	for x := 1; x < mapWidth; x++ {
		if p.ColorIndexAt(x, 7) < p.ColorIndexAt(x-1, 7) || p.ColorIndexAt(7, x) < p.ColorIndexAt(7, x-1) {
			t.Fatalf("it does not rise at %d", x)
		}
	}
	if p.ColorIndexAt(0, 0) != 0 || p.ColorIndexAt(mapWidth-1, mapHeight-1) != shades-1 {
		t.Error("the least and the greatest are not in the corners")
	}
}

// TestLine: it goes from the lower left to the upper right of a ramp, with a gap where
// there are no numbers.
func TestLine(t *testing.T) {
	for _, n := range []int{2, 7, lineWidth, 10 * lineWidth, 10*lineWidth + 3} {
		data := make([]float64, n)
		for i := range data {
			data[i] = float64(i)
		}
		img, err := drawLine(t.Context(), valuesOf(t, data, n), n)
		if err != nil {
			t.Fatal(err)
		}
		p := img.(*image.Paletted)
		if p.ColorIndexAt(0, lineHeight-1) != 1 || p.ColorIndexAt(lineWidth-1, 0) != 1 || p.ColorIndexAt(0, 0) != 0 || p.ColorIndexAt(lineWidth-1, lineHeight-1) != 0 {
			t.Errorf("of %d: it is no rising line", n)
		}
		for x := range lineWidth {
			drawn := false
			for y := range lineHeight {
				drawn = drawn || p.ColorIndexAt(x, y) == 1
			}
			if !drawn {
				t.Fatalf("of %d: nothing at %d", n, x)
			}
		}
	}
	img, err := drawLine(t.Context(), valuesOf(t, []float64{1, math.NaN(), 2}, 3), 3)
	if err != nil {
		t.Fatal(err)
	}
	for y := range lineHeight {
		if img.(*image.Paletted).ColorIndexAt(lineWidth/2, y) != 0 {
			t.Fatal("what is NaN is drawn")
		}
	}
}

func TestDrawingEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := valuesOf(t, make([]float64, 12), 3, 4)
	if _, err := drawMap(ctx, v, 3, 4); err == nil {
		t.Error("a heat map was drawn for nobody")
	}
	if _, err := drawLine(ctx, v, 12); err == nil {
		t.Error("a line was drawn for nobody")
	}
}

// TestLayout holds how shapes are drawn.
func TestLayout(t *testing.T) {
	for _, tc := range []struct {
		shape []int
		words string
	}{
		{nil, ""}, {[]int{0}, ""}, {[]int{1}, ""}, {[]int{1, 1}, ""}, {[]int{0, 5}, ""}, {[]int{0, 3, 4}, ""}, {[]int{5, 0}, ""},
		{[]int{2}, "line of 2"}, {[]int{5, 1}, "line of 5"}, {[]int{1, 5}, "line of 5"},
		{[]int{2, 2}, "heat map of 2×2, dark is least"},
		{[]int{1, 3, 4}, "heat map of 3×4, dark is least"},
		{[]int{2, 3, 4}, "heat map of 3×4, dark is least, the first slice"},
		{[]int{2, 3, 1}, "line of 3, the first slice"},
		{[]int{2, 1, 1}, ""},
		{[]int{401, 2}, "heat map of 401×2, means of blocks, dark is least"},
	} {
		words := ""
		if l := layout(tc.shape); l != nil {
			words = l.words()
		}
		if words != tc.words {
			t.Errorf("%v: %q, want %q", tc.shape, words, tc.words)
		}
	}
}
