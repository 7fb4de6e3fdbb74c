package picture

import (
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

func TestHeatText(t *testing.T) {
	nan := math.NaN()
	a := filled(t, func(i int) float64 { return []float64{0, 1, 2, 3, 4, nan}[i] }, 2, 3)
	want := `
  ░░▒▒
▓▓██··
0   ░░▒▒▓▓██ 4  NaN ·
`
	if got := text(t, a, &Options{Width: 6, Height: 2}); got != want[1:] {
		t.Errorf("got\n%swant%s", got, want)
	}
	// Cells grow with the room, up to a size.
	if got := text(t, a, &Options{Width: 80, Height: 20}); !strings.HasPrefix(got, strings.Repeat("      ░░░░░░▒▒▒▒▒▒\n", 3)+"▓▓▓▓▓▓██████······\n") {
		t.Errorf("got\n%s", got)
	}
	want = "\x1b[38;2;68;1;84m\x1b[48;2;187;187;187m▀\x1b[38;2;253;231;37m\x1b[48;2;253;231;37m▀\x1b[0m\n"
	b := filled(t, func(i int) float64 { return []float64{0, 1, nan, math.Inf(1)}[i] }, 2, 2)
	if got := text(t, b, &Options{Width: 2, Height: 2, Color: TrueColor, Kind: Heat}); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if got := text(t, b, &Options{Width: 2, Height: 2, Color: Color256}); !strings.HasPrefix(got, "\x1b[38;5;53m\x1b[48;5;250m▀\x1b[38;5;220m\x1b[48;5;220m▀\x1b[0m\n") {
		t.Errorf("got\n%q", got)
	}
}

func TestLineText(t *testing.T) {
	a := filled(t, func(i int) float64 { return float64(i) }, 11)
	want := `
10│      ⣀⠤⠒⠉
  │   ⢀⡠⠜
 0│⡠⠔⠊⠁
  └──────────
   0       10
`
	got := text(t, a, &Options{Width: 13, Height: 3, Title: "a ramp"})
	if got != "a ramp\n"+want[1:] {
		t.Errorf("got\n%swant%s", got, want)
	}
	gap := filled(t, func(i int) float64 { return []float64{1, 1, math.NaN(), 1, 1}[i] }, 5)
	if got := text(t, gap, &Options{Width: 20, Height: 3}); !strings.Contains(got, "  ") || !strings.HasSuffix(got, "Gaps are values that are not finite.\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestHistText(t *testing.T) {
	want := `
1│████ 2
2│████████ 4
3│ 0
4│██ 1
`
	a := filled(t, func(i int) int8 { return []int8{1, 2, 2, 4, 1, 2, 2}[i] }, 7)
	if got := text(t, a, &Options{Kind: Hist, Width: 12}); got != want[1:] {
		t.Errorf("got\n%swant%s", got, want)
	}
}

var sequence = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestTextFits holds that no line is wider than it may be, and that there are colours
// only where there may be.
func TestTextFits(t *testing.T) {
	line := filled(t, func(i int) float64 { return 1e9 * math.Sin(float64(i)) }, 10000)
	matrix := filled(t, func(i int) float32 { return float32(i % 77) }, 300, 500)
	pixels := filled(t, func(i int) uint8 { return uint8(i) }, 300, 500, 3)
	for _, tc := range []struct {
		kind Kind
		a    array.Any
	}{{Line, line}, {Hist, line}, {Heat, matrix}, {Hist, matrix}, {Image, pixels}, {Hist, pixels}} {
		for _, width := range []int{20, 37, 80, 200} {
			for _, c := range []Color{NoColor, Color256, TrueColor} {
				got := text(t, tc.a, &Options{Kind: tc.kind, Width: width, Height: 10, Color: c})
				if sequence.MatchString(got) != (c != NoColor) {
					t.Errorf("%s: colours %v: %q", tc.kind, c, got)
				}
				lines := strings.Split(strings.TrimSuffix(sequence.ReplaceAllString(got, ""), "\n"), "\n")
				if len(lines) > 13 {
					t.Errorf("%s: %d lines", tc.kind, len(lines))
				}
				for _, l := range lines {
					if n := utf8.RuneCountInString(l); n > width && !strings.Contains(l, "means of") {
						t.Errorf("%s: %d columns, want %d: %q", tc.kind, n, width, l)
					}
				}
			}
		}
	}
}

func TestCubeIndex(t *testing.T) {
	for rgb, want := range map[color.RGBA]int{
		{0, 0, 0, 255}: 16, {255, 255, 255, 255}: 231, {255, 0, 0, 255}: 196, {8, 8, 8, 255}: 232, {238, 238, 238, 255}: 255, {95, 135, 175, 255}: 67,
	} {
		if got := cubeIndex(rgb); got != want {
			t.Errorf("%v: %d, want %d", rgb, got, want)
		}
	}
}

func TestMarks(t *testing.T) {
	for _, tc := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 10, "0 2 4 6 8 10"}, {-1, 1, "-1.0 -0.5 0 0.5 1.0"}, {0.1, 0.35, "0.10 0.15 0.20 0.25 0.30 0.35"}, {3, 3, ""},
		{0, 1e9, "0 2e+08 4e+08 6e+08 8e+08 1.0e+09"}, {1e9, 1e9 + 4, "1.000000000e+09 1.000000001e+09 1.000000002e+09 1.000000003e+09 1.000000004e+09"},
	} {
		var got []string
		for _, m := range marksOf(tc.lo, tc.hi, 6) {
			got = append(got, m.text)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%v to %v: %v", tc.lo, tc.hi, got)
		}
	}
}
