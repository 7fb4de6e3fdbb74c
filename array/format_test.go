package array_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/testdata/numpy"
)

// printed is one array of the comparison with NumPy, as the script reads it.
type printed struct {
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	Hex   string `json:"hex"` // its elements
	text  string // what this package prints
}

// float64Sample returns a float64 as arrays have them: some magnitude, some
// digits, some special ones.
func float64Sample(r *rand.Rand, style int) float64 {
	digits := func(x float64, n int) float64 {
		f, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', n, 64), 64)
		return f
	}
	switch style {
	case 0:
		return float64(r.IntN(2000) - 1000)
	case 1:
		return r.NormFloat64()
	case 2:
		return digits(r.NormFloat64(), 1+r.IntN(6))
	case 3:
		return r.NormFloat64() * math.Pow(10, float64(r.IntN(12)-6))
	case 4:
		return digits(r.NormFloat64()*math.Pow(10, float64(r.IntN(600)-300)), 1+r.IntN(12))
	case 5:
		return []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 100, 1e8, 99999999, 0.00011, -12345678}[r.IntN(10)]
	case 6:
		return math.Float64frombits(r.Uint64())
	case 7:
		return 1 + math.Round(r.NormFloat64()*1e9)/1e9 // more than 8 digits behind the point
	}
	return []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.5, -2, 1e10}[r.IntN(1+r.IntN(6))]
}

const styles = 9

// randomElements returns n elements of type d, of a style or two.
func randomElements(r *rand.Rand, d array.DType, n int) []byte {
	first, second := r.IntN(styles), r.IntN(styles)
	if r.IntN(2) == 0 {
		second = first
	}
	float := func() float64 {
		if r.IntN(4) == 0 {
			return float64Sample(r, second)
		}
		return float64Sample(r, first)
	}
	bits := r.IntN(64) // of integers
	var out []byte
	for range n {
		switch d {
		case array.Bool:
			out = append(out, byte(r.IntN(2)))
		case array.Float16:
			h := array.ToHalf(float32(float()))
			if first == 6 {
				h = array.Half(r.Uint32())
			}
			out = append(out, byte(h), byte(h>>8))
		case array.Float32:
			out = append(out, littleEndian([]uint32{math.Float32bits(float32(float()))})...)
		case array.Float64:
			out = append(out, binaryLE(math.Float64bits(float()))...)
		case array.Complex64:
			out = append(out, littleEndian([]uint32{math.Float32bits(float32(float())), math.Float32bits(float32(float()))})...)
		case array.Complex128:
			out = append(out, littleEndian([]uint64{math.Float64bits(float()), math.Float64bits(float())})...)
		default:
			out = append(out, binaryLE(uint64(int64(r.Uint64()) >> bits))[:d.Size()]...)
		}
	}
	return out
}

func format(t *testing.T, src array.Source) string {
	t.Helper()
	s, err := array.Format(src)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Arrays of every type, shape and magnitude are printed as NumPy prints them.
func TestFormatMatchesNumPy(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 6))
	shapes := [][]int{
		{}, {}, {}, {1}, {2}, {3}, {5}, {17}, {40}, {100}, {1000}, {1001}, {5000}, {0}, {0, 3}, {3, 0}, {2, 0, 2}, {1, 1}, {3, 4}, {4, 3}, {1, 30}, {30, 1}, {25, 40},
		{26, 40}, {1001, 1}, {1, 1001}, {2, 600}, {600, 2}, {7, 200}, {6, 200}, {2, 3, 4}, {3, 1, 2, 2}, {10, 11, 12}, {2, 2, 300}, {300, 2, 2}, {7, 7, 7, 7},
		{2, 1, 3, 2, 2}, {1, 1, 1, 1, 1, 1, 1, 1, 2}, {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2},
	}
	var list []printed
	for _, d := range allDTypes {
		for i, shape := range shapes {
			for range 1 + 4*min(1, 14/(i+1)) {
				a, err := array.Make(d, shape...)
				if err != nil {
					t.Fatal(err)
				}
				elements := randomElements(r, d, a.Len())
				if err := a.Decode(0, elements); err != nil {
					t.Fatal(err)
				}
				list = append(list, printed{d.Descr(), shape, fmt.Sprintf("%x", elements), format(t, a)})
			}
		}
	}
	for range 3000 {
		d := []array.DType{array.Float16, array.Float32, array.Float64, array.Complex64, array.Complex128}[r.IntN(5)]
		a, err := array.Make(d, 1+r.IntN(8))
		if err != nil {
			t.Fatal(err)
		}
		elements := randomElements(r, d, a.Len())
		if err := a.Decode(0, elements); err != nil {
			t.Fatal(err)
		}
		list = append(list, printed{d.Descr(), a.Shape(), fmt.Sprintf("%x", elements), format(t, a)})
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "arrays.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := numpy.Run(t, `
import json, sys
import numpy as np
np.seterr(all="ignore")
with open(sys.argv[1]) as f:
    arrays = json.load(f)
print(json.dumps([str(np.frombuffer(bytes.fromhex(a["hex"]), a["dtype"]).reshape(a["shape"])) for a in arrays]))
`, file)
	var want []string
	if err := json.Unmarshal([]byte(out), &want); err != nil || len(want) != len(list) {
		t.Fatalf("%d texts of %d, %v", len(want), len(list), err)
	}
	failures := 0
	for i, p := range list {
		if p.text != want[i] {
			if failures++; failures <= 10 {
				t.Errorf("%s %v:\n%s\nNumPy:\n%s", p.DType, p.Shape, strings.ReplaceAll(p.text, " ", "·"), strings.ReplaceAll(want[i], " ", "·"))
			}
		}
	}
	t.Logf("%d arrays, %d differ", len(list), failures)
}

// A huge array costs what its edges cost.
func TestFormatReadsOnlyTheEdges(t *testing.T) {
	var read int
	src := source{array.Int32, []int{1 << 10, 3, 1 << 16}, func(dst []byte, first int) error {
		read += len(dst)
		for i := range len(dst) / 4 {
			copy(dst[4*i:], littleEndian([]uint32{uint32((first + i) >> 6)}))
		}
		return nil
	}}
	text := format(t, src)
	if want := 6 * 3 * 6 * 4; read != want {
		t.Errorf("%d bytes were read, want %d", read, want)
	}
	if !strings.HasPrefix(text, "[[[      0       0       0 ...    1023    1023    1023]\n") ||
		!strings.HasSuffix(text, "[3144704 3144704 3144704 ... 3145727 3145727 3145727]]]") {
		t.Errorf("%s", text)
	}
	whole := mustSlice(t, fill(1<<20))
	if allocs := testing.AllocsPerRun(1, func() { format(t, whole) }); allocs > 40 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestFormatOfValues(t *testing.T) {
	a := mustSlice(t, []float64{1, 2.5, -3}, 3, 1)
	const want = "[[ 1. ]\n [ 2.5]\n [-3. ]]"
	for _, verb := range []string{"%v", "%s"} {
		if got := fmt.Sprintf(verb, a); got != want {
			t.Errorf("%s: %s", verb, got)
		}
	}
	for _, v := range []any{mat.NewDense(3, 1, []float64{1, 2.5, -3}), mat.NewDense(1, 3, []float64{1, 2.5, -3}).T(), foreign{mat.NewDense(3, 1, []float64{1, 2.5, -3})}} {
		src, err := array.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := format(t, src); got != want {
			t.Errorf("%T: %s", v, got)
		}
	}
	if got := fmt.Sprint((*array.Array[int8])(nil), &array.Array[bool]{}); got != "[] []" {
		t.Errorf("nothing is %s", got)
	}
	src, err := array.Of(mat.NewSymDense(2000, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := format(t, src); strings.Count(got, "\n") != 6 {
		t.Errorf("%s", got)
	}
}
