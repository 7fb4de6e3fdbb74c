package memo_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/testdata/numpy"
)

// TestPythonReadsTheCache writes many kinds of calls and results and has a
// Python script, written after FORMAT.md alone, check every byte of the folder.
func TestPythonReadsTheCache(t *testing.T) {
	numpy.Require(t, "xxhash")
	script, err := os.ReadFile("testdata/read_cache.py")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c, err := memo.Open(dir, &memo.Options{Sync: memo.SyncNone})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	names := []string{"f", "f", "héllo/../x", "aux", "COM1.txt", ".hidden.", strings.Repeat("long", 80), strings.Repeat("é", 40) + "a", strings.Repeat("ab é", 30)}
	for i, name := range names {
		for _, arg := range []any{
			nil, true, -i, uint64(1<<64 - 1), 0.1, math.Inf(1), math.NaN(), math.Copysign(0, -1), 1e22, 5e-324, 1 + 2i, "héllo\"\\\n\x00\u2028", "\xff\xfe",
			[]byte{0, 255}, []float64{1, 2}, dense(2, 3), []any{1, []any{}, map[string]any{"é": 1, "z": []int{2}, "": nil}}, twins{1, 2},
			strings.Repeat("long", 2000), newArray(t, []bool{true, false}), newArray(t, []complex64{1i}, 1, 1),
			array.ToHalf(0.1), []array.Half{0x3c00, 0x7c01}, [2]array.Half{1, 2}, newArray(t, []array.Half{3, 4}, 2, 1),
		} {
			k := memo.NewKey(name, []string{"", "1", "v2.0", "ü"}[i%4]).Add(arg).Add(i)
			if k.Err() != nil {
				t.Fatal(k.Err())
			}
			if _, err := memo.Do(t.Context(), c, k, func(context.Context) (everything, error) {
				return everything{D: dense(i+1, 3), V: mat.NewVecDense(2, nil), Bs: []bool{true, false}, Us: []uint16{3, 4}, Y: make([]byte, 5000),
					A: newArray(t, []int32{1, 2, 3, 4}, 2, 1, 2), F: math.NaN(), C64: 2i, S: "é", LoL: [][]float64{{1}, {}}}, nil
			}); err != nil {
				t.Fatal(err)
			}
			calls++
		}
	}
	// Shapes and sizes around the edges of chunks, of every element type.
	r := rand.New(rand.NewPCG(3, 4))
	for d := array.Bool; d <= array.Complex128; d++ {
		for _, shape := range [][]int{{}, {0}, {3, 0, 2}, {1 << 18 / d.Size()}, {1<<18/d.Size() + 1}, {3, 1<<18/d.Size() + 7}} {
			a, err := array.Make(d, shape...)
			if err != nil {
				t.Fatal(err)
			}
			raw := make([]byte, a.Len()*d.Size())
			for i := range raw {
				raw[i] = byte(r.Uint32())
			}
			if err := a.Decode(0, raw); err != nil {
				t.Fatal(err)
			}
			if err := storeArray(t, c, a, shape); err != nil {
				t.Fatal(err)
			}
			calls++
		}
	}
	if s := c.Stats(); s.Faults != 0 {
		t.Fatalf("stats %+v", s)
	}
	report, err := c.Verify(t.Context(), nil)
	if err != nil || len(report.Damaged) != 0 || report.Incomplete != 0 || report.Records != calls {
		t.Fatalf("verify: %+v, %v; %d calls", report, err, calls)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	omitted := len(names) // the long strings
	want := fmt.Sprintf("%d records %d keys %d objects\n", calls, calls-omitted, report.Objects)
	if got := numpy.Run(t, string(script), dir); got != want {
		t.Errorf("Python found %q, want %q", got, want)
	}
}

// TestPythonChecksSignatures has the script check the MACs and content digests of a
// cache with a secret, in which some entries were stored with another one or with none.
func TestPythonChecksSignatures(t *testing.T) {
	numpy.Require(t, "xxhash")
	script, err := os.ReadFile("testdata/read_cache.py")
	if err != nil {
		t.Fatal(err)
	}
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	ours := "\nthirty-two bytes at least, \x00 and \xff among them\n"
	if err := os.WriteFile(file, []byte(ours), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := memo.ReadSecret(file)
	if err != nil {
		t.Fatal(err)
	}
	other := memo.Secret("another secret, of somebody who writes here too")
	signed := 0
	for i, s := range []memo.Secret{secret, other, nil, secret, secret} {
		c, err := memo.Open(dir, &memo.Options{Sync: memo.SyncNone, Secret: s})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 1 << 15, 1<<15 + 1, 100_000} {
			k := memo.NewKey("signed", "").Add(i).Add(n)
			if _, err := memo.Do(t.Context(), c, k, func(context.Context) (everything, error) {
				return everything{Us: make([]uint16, n), V: mat.NewVecDense(n+1, nil), D: dense(i+1, 3), Y: make([]byte, 5000), Bs: []bool{true, n > 1}}, nil
			}); err != nil {
				t.Fatal(err)
			}
			if string(s) == ours {
				signed++
			}
		}
		if s := c.Stats(); s.Faults != 0 {
			t.Errorf("stats %+v", s)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got := numpy.Run(t, string(script), dir, file)
	if want := fmt.Sprintf(" %d signed\n", signed); !strings.HasPrefix(got, "25 records 25 keys ") || !strings.HasSuffix(got, want) {
		t.Errorf("Python found %q, want%q", got, want)
	}
}

// storeArray stores an array of a type known at run time only.
func storeArray(t *testing.T, c *memo.Cache, a array.Any, shape []int) error {
	k := memo.NewKey("array", a.DType().String()).Add(shape).Add(a)
	var err error
	switch a := a.(type) {
	case *array.Array[bool]:
		err = do(t, c, k, a)
	case *array.Array[int8]:
		err = do(t, c, k, a)
	case *array.Array[int16]:
		err = do(t, c, k, a)
	case *array.Array[int32]:
		err = do(t, c, k, a)
	case *array.Array[int64]:
		err = do(t, c, k, a)
	case *array.Array[uint8]:
		err = do(t, c, k, a)
	case *array.Array[uint16]:
		err = do(t, c, k, a)
	case *array.Array[uint32]:
		err = do(t, c, k, a)
	case *array.Array[uint64]:
		err = do(t, c, k, a)
	case *array.Array[array.Half]:
		err = do(t, c, k, a)
	case *array.Array[float32]:
		err = do(t, c, k, a)
	case *array.Array[float64]:
		err = do(t, c, k, a)
	case *array.Array[complex64]:
		err = do(t, c, k, a)
	case *array.Array[complex128]:
		err = do(t, c, k, a)
	default:
		t.Fatalf("%v has no case in this test", a.DType())
	}
	return err
}

// do stores a and checks that the hit is the same.
func do[T array.Element](t *testing.T, c *memo.Cache, k memo.Key, a *array.Array[T]) error {
	t.Helper()
	for range 2 {
		got, err := memo.Do(t.Context(), c, k, func(context.Context) (*array.Array[T], error) { return a, nil })
		if err != nil {
			return err
		}
		if got.Digest() != a.Digest() || array.FormatShape(got.Shape()) != array.FormatShape(a.Shape()) {
			return fmt.Errorf("%v %v: the hit differs", a.DType(), a.Shape())
		}
	}
	return nil
}
