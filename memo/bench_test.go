package memo

import (
	"context"
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// sizes of arguments and results, in float64s, named by their bytes.
var benchSizes = []struct {
	name string
	n    int
}{{"1KB", 128}, {"64KB", 8 << 10}, {"8MB", 1 << 20}}

// benchFunc memoizes a function from a vector to one of another size.
func benchFunc(b *testing.B, result int) (*Cache, func(context.Context, []float64) ([]float64, error)) {
	c := openQuiet(b, b.TempDir())
	f, err := Func(c, Spec{Name: "f", Version: "1"}, func(context.Context, []float64) ([]float64, error) { return make([]float64, result), nil })
	if err != nil {
		b.Fatal(err)
	}
	return c, f.Call
}

// BenchmarkHit measures a call that is in the cache: the hash of the argument and
// one verified read of the result.
func BenchmarkHit(b *testing.B) {
	for _, argument := range benchSizes {
		for _, result := range benchSizes {
			b.Run(fmt.Sprintf("argument=%s/result=%s", argument.name, result.name), func(b *testing.B) {
				c, call := benchFunc(b, result.n)
				x := make([]float64, argument.n)
				if _, err := call(b.Context(), x); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(8 * (argument.n + result.n)))
				b.ReportAllocs()
				for b.Loop() {
					if v, err := call(b.Context(), x); err != nil || len(v) != result.n {
						b.Fatal(len(v), err)
					}
				}
				if s := c.Stats(); s.Misses != 1 || s.Faults != 0 {
					b.Fatalf("%+v", s)
				}
			})
		}
	}
}

// BenchmarkHitOf measures hits on results and arguments of other types.
func BenchmarkHitOf(b *testing.B) {
	const n = 1 << 20
	b.Run("scalar", func(b *testing.B) {
		benchmarkHit(b, 0, 3, 1.5)
	})
	b.Run("struct", func(b *testing.B) {
		benchmarkHit(b, 0, rbf{1}, makeSample(1))
	})
	b.Run("Dense=8MB", func(b *testing.B) {
		benchmarkHit(b, 16*n, mat.NewDense(1024, 1024, nil), mat.NewDense(1024, 1024, nil))
	})
	b.Run("ints=8MB", func(b *testing.B) {
		benchmarkHit(b, 16*n, make([]int, n), make([]int, n))
	})
	b.Run("bytes=8MB", func(b *testing.B) {
		benchmarkHit(b, 16*n, make([]byte, 8*n), make([]byte, 8*n))
	})
}

func benchmarkHit[In, Out any](b *testing.B, bytes int64, in In, out Out) {
	c := openQuiet(b, b.TempDir())
	f, err := Func(c, Spec{Name: "f", Version: "1"}, func(In) (Out, error) { return out, nil })
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.Call(in); err != nil {
		b.Fatal(err)
	}
	if bytes > 0 {
		b.SetBytes(bytes)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Call(in); err != nil {
			b.Fatal(err)
		}
	}
	if s := c.Stats(); s.Misses != 1 || s.Faults != 0 {
		b.Fatalf("%+v", s)
	}
}

// BenchmarkMiss measures what a miss costs beside the function itself, without
// syncs: the objects are new in "new", and there already in "known".
func BenchmarkMiss(b *testing.B) {
	for _, size := range benchSizes {
		for _, kind := range []string{"new", "known"} {
			b.Run(fmt.Sprintf("result=%s/%s", size.name, kind), func(b *testing.B) {
				c := openQuiet(b, b.TempDir())
				result := make([]float64, size.n)
				calls := 0
				f, err := Func(c, Spec{Name: "f", Version: "1"}, func(n int) ([]float64, error) { return result, nil })
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(8 * size.n))
				b.ReportAllocs()
				for b.Loop() {
					calls++
					if kind == "new" {
						result[0] = float64(calls)
					}
					if _, err := f.Call(calls); err != nil {
						b.Fatal(err)
					}
					if calls%64 == 0 { // so that the folder does not grow without end
						b.StopTimer()
						if err := c.Clear(b.Context(), nil); err != nil {
							b.Fatal(err)
						}
						b.StartTimer()
					}
				}
				if s := c.Stats(); s.Hits != 0 || s.Faults != 0 {
					b.Fatalf("%+v", s)
				}
			})
		}
	}
}

// BenchmarkKey measures keys alone.
func BenchmarkKey(b *testing.B) {
	for _, size := range benchSizes {
		x := make([]float64, size.n)
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(8 * size.n))
			b.ReportAllocs()
			for b.Loop() {
				if NewKey("f", "1").Add(x).Add(3).Digest() == [16]byte{} {
					b.Fatal("no digest")
				}
			}
		})
	}
}

// BenchmarkSync stores small new entries, with and without syncing them: the
// difference is what SyncThreshold weighs.
func BenchmarkSync(b *testing.B) {
	for name, sync := range map[string]Sync{"none": SyncNone, "full": SyncFull} {
		b.Run(name, func(b *testing.B) {
			c, err := Open(b.TempDir(), &Options{Sync: sync})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			f, err := Func(c, Spec{Name: "f"}, func(n int) []float64 { return []float64{float64(n)} })
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				n++
				f.Call(n)
			}
			if s := c.Stats(); s.Hits != 0 || s.Faults != 0 {
				b.Fatalf("%+v", s)
			}
		})
	}
}

// BenchmarkSecret measures what signing costs: hits, and misses whose results are new,
// with a secret and without.
func BenchmarkSecret(b *testing.B) {
	for _, size := range benchSizes {
		for kind, secret := range map[string]Secret{"none": nil, "signed": ourSecret} {
			for _, miss := range []bool{false, true} {
				what := map[bool]string{false: "hit", true: "miss"}[miss]
				b.Run(fmt.Sprintf("%s/result=%s/%s", what, size.name, kind), func(b *testing.B) {
					c := openSigned(b, b.TempDir(), secret)
					result := make([]float64, size.n)
					f, err := Func(c, Spec{Name: "f"}, func(n int) ([]float64, error) {
						result[0] = float64(n)
						return result, nil
					})
					if err != nil {
						b.Fatal(err)
					}
					b.SetBytes(int64(8 * size.n))
					for n := 0; b.Loop(); {
						if _, err := f.Call(n); err != nil {
							b.Fatal(err)
						}
						if miss {
							n++
						}
						if miss && n%64 == 0 { // so that the folder does not grow without end
							b.StopTimer()
							if err := c.Clear(b.Context(), nil); err != nil {
								b.Fatal(err)
							}
							b.StartTimer()
						}
					}
					if s := c.Stats(); s.Faults != 0 || !miss && s.Misses != 1 {
						b.Fatalf("%+v", s)
					}
				})
			}
		}
	}
}
