package array_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// reference computes a digest straight from its definition.
func reference(descr string, shape []int, elements []byte) array.Digest {
	head := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	if len(shape) == 1 {
		head += ","
	}
	b := []byte("numcache/array/1\n" + descr + "\n(" + head + ")\n")
	for len(elements) > 0 {
		chunk := elements[:min(len(elements), 262144)]
		b = binary.BigEndian.AppendUint64(b, xxhash.Sum64(chunk))
		b = binary.BigEndian.AppendUint64(b, xxh3.Hash(chunk))
		elements = elements[len(chunk):]
	}
	sum := sha256.Sum256(b)
	return array.Digest(sum[:16])
}

// setProcs sets GOMAXPROCS for a test.
func setProcs(t *testing.T, n int) {
	old := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

// Random shapes, around the ends of chunks, and random strides: the digest is
// that of the definition, on any number of cores.
func TestHashOfRandomShapes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	setProcs(t, runtime.GOMAXPROCS(0))
	const perChunk = array.ChunkSize / 8
	for range 30 {
		n := perChunk*rng.IntN(7) + rng.IntN(5) - 2 // elements, about
		cols := []int{1, 2, 3, 7, 8, 9, 100, perChunk - 1, perChunk, perChunk + 1}[rng.IntN(10)]
		rows := max(1, n/cols+rng.IntN(2))
		stride := cols + rng.IntN(4)
		wide := mat.NewDense(rows, stride, nil)
		for k := range wide.RawMatrix().Data {
			wide.RawMatrix().Data[k] = math.Float64frombits(rng.Uint64())
		}
		from := rng.IntN(stride - cols + 1)
		m := wide.Slice(0, rows, from, from+cols)
		for _, v := range []mat.Matrix{m, m.T(), m.(*mat.Dense).ColView(cols - 1), m.(*mat.Dense).RowView(rows - 1)} {
			shape, elements := plain(v)
			want := reference("<f8", shape, elements)
			src, err := array.Of(v)
			if err != nil {
				t.Fatal(err)
			}
			for _, procs := range []int{1, 2, 7} {
				runtime.GOMAXPROCS(procs)
				if d, err := array.Hash(context.Background(), src); d != want || err != nil {
					t.Fatalf("%T %v, stride %d, GOMAXPROCS %d: %v, %v, want %v", v, shape, stride, procs, d, err, want)
				}
			}
		}
	}
}

// Anything that is not equal has another digest.
func TestDigestTellsApart(t *testing.T) {
	seen := map[array.Digest]string{}
	add := func(name string, a array.Any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[a.Digest()]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[a.Digest()] = name
	}
	for _, d := range allDTypes {
		for _, shape := range [][]int{{}, {0}, {1}, {16}, {1, 16}, {16, 1}, {4, 4}, {2, 2, 4}, {0, 3}, {3, 0}} {
			a, err := array.Make(d, shape...)
			add(d.String()+array.FormatShape(shape), a, err)
		}
	}
	for name, f := range map[string]float64{
		"−0": math.Copysign(0, -1), "NaN": math.Float64frombits(0x7ff8000000000000), "another NaN": math.Float64frombits(0x7ff8000000000001),
	} {
		a, err := array.FromSlice([]float64{f}, 1)
		add(name, a, err)
	}
	big := fill(3 * array.ChunkSize / 8)
	for _, k := range []int{0, array.ChunkSize/8 - 1, array.ChunkSize / 8, len(big) - 1} {
		big[k]++
		a, err := array.FromSlice(big)
		add(fmt.Sprint("element ", k), a, err)
		big[k]--
	}
}

// source is a Source that is not made by Of.
type source struct {
	dtype  array.DType
	shape  []int
	encode func(dst []byte, first int) error
}

func (s source) DType() array.DType                 { return s.dtype }
func (s source) Shape() []int                       { return s.shape }
func (s source) Encode(dst []byte, first int) error { return s.encode(dst, first) }

func TestHashEndsWithItsContext(t *testing.T) {
	for _, procs := range []int{1, 4} {
		setProcs(t, procs)
		// The bubble ends only when every goroutine begun in it has.
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			var calls atomic.Int64
			src := source{array.Uint8, []int{1000 * array.ChunkSize}, func([]byte, int) error {
				if calls.Add(1) == 10 {
					cancel()
				}
				return nil
			}}
			d, err := array.Hash(ctx, src)
			if !errors.Is(err, context.Canceled) || d != (array.Digest{}) {
				t.Errorf("%v, %v", d, err)
			}
			if n := calls.Load(); n > int64(10+procs) {
				t.Errorf("%d chunks were read, 10 of them before the end", n)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, n := range []int{0, 1, 100 * array.ChunkSize} {
		src, err := array.Of(make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := array.Hash(ctx, src); !errors.Is(err, context.Canceled) {
			t.Errorf("%d bytes under an ended context: error %v", n, err)
		}
	}
	var none context.Context
	if _, err := array.Hash(none, source{}); !errors.Is(err, array.ErrNil) {
		t.Errorf("no context: error %v", err)
	}
}

func TestErrorsOfSources(t *testing.T) {
	broken := errors.New("broken")
	ok := func([]byte, int) error { return nil }
	for _, tt := range []struct {
		name string
		src  source
		want error
	}{
		{"Encode fails", source{array.Int8, []int{5}, func([]byte, int) error { return broken }}, broken},
		{"Encode fails late", source{array.Int8, []int{9 * array.ChunkSize}, func(dst []byte, first int) error {
			if first+len(dst) > 7*array.ChunkSize {
				return broken
			}
			return nil
		}}, broken},
		{"no type", source{0, []int{5}, ok}, array.ErrDType},
		{"not a type", source{99, []int{5}, ok}, array.ErrDType},
		{"negative", source{array.Int8, []int{-5}, ok}, array.ErrShape},
		{"too large", source{array.Int64, []int{math.MaxInt}, ok}, array.ErrShape},
		{"65 dimensions", source{array.Int64, make([]int, 65), ok}, array.ErrShape},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := array.Hash(context.Background(), tt.src); !errors.Is(err, tt.want) {
				t.Errorf("Hash: error %v", err)
			} else if strings.Contains(err.Error(), "parallel") {
				t.Errorf("Hash: error %v names a part of its works", err)
			}
			if a, err := array.Copy(tt.src); a != nil || !errors.Is(err, tt.want) {
				t.Errorf("Copy: %T, %v", a, err)
			}
			if s, err := array.Format(tt.src); s != "" || !errors.Is(err, tt.want) {
				t.Errorf("Format: %s, %v", s, err)
			}
			last := error(nil)
			for chunk, err := range array.Chunks(tt.src) {
				if last != nil || (chunk == nil) != (err != nil) {
					t.Errorf("Chunks: %d bytes, %v after %v", len(chunk), err, last)
				}
				last = err
			}
			if !errors.Is(last, tt.want) {
				t.Errorf("Chunks: error %v", last)
			}
		})
	}
}

func TestChunksEndsWithItsLoop(t *testing.T) {
	src, err := array.Of(mat.NewDense(300, 300, nil).T())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range array.Chunks(src) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d chunks", n)
	}
}

// A bool that a foreign Source writes as 2 must not become a Go bool that is
// neither true nor false.
func TestCopyOfForeignBools(t *testing.T) {
	a, err := array.Copy(source{array.Bool, []int{2}, func(dst []byte, first int) error {
		copy(dst, []byte{2, 0}[first:])
		return nil
	}})
	if err != nil || encoded(t, a)[0] != 1 {
		t.Errorf("%v, %v", a, err)
	}
}

// overridden changes the shape of the Any that it embeds.
type overridden struct{ array.Any }

func (overridden) Shape() []int { return []int{1000} }

func TestEmbeddedArrayOfAnotherShape(t *testing.T) {
	a := overridden{mustSlice(t, fill(10))}
	if _, err := array.Hash(context.Background(), a); !errors.Is(err, array.ErrShape) {
		t.Errorf("error %v", err)
	}
}

func TestTable(t *testing.T) {
	elements := make([]byte, 2*array.ChunkSize+5*8)
	for i := range elements {
		elements[i] = byte(i * 7)
	}
	shape := []int{len(elements) / 8}
	table, err := array.NewTable(array.Float64, shape...)
	if err != nil {
		t.Fatal(err)
	}
	want := reference("<f8", shape, elements)
	shape[0] = 0 // the caller's own
	if table.Len() != 3 {
		t.Fatalf("%d chunks", table.Len())
	}
	for i := table.Len() - 1; i >= 0; i-- {
		offset, length := table.Chunk(i)
		if err := table.Set(i, elements[offset:offset+length]); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []struct{ i, length int }{
		{-1, 0}, {3, 0}, {math.MaxInt, array.ChunkSize}, {math.MinInt, array.ChunkSize},
		{0, array.ChunkSize - 1}, {0, array.ChunkSize + 1}, {2, 0}, {2, 39}, {2, 41}, {2, array.ChunkSize},
	} {
		if err := table.Set(bad.i, make([]byte, bad.length)); !errors.Is(err, array.ErrShape) {
			t.Errorf("Set(%d) of %d bytes: error %v", bad.i, bad.length, err)
		}
	}
	for _, i := range []int{-1, 3, math.MaxInt, math.MinInt} {
		if offset, length := table.Chunk(i); offset != 0 || length != 0 {
			t.Errorf("Chunk(%d) = %d, %d", i, offset, length)
		}
	}
	if d := table.Digest(); d != want {
		t.Errorf("digest %v, want %v", d, want)
	}
	if d := table.Digest(); d != want {
		t.Errorf("a second time %v, want %v", d, want)
	}
	for _, d := range []array.DType{0, 15} {
		if table, err := array.NewTable(d, 1); table != nil || !errors.Is(err, array.ErrDType) {
			t.Errorf("NewTable(%v): %v, %v", d, table, err)
		}
	}
	if table, err := array.NewTable(array.Int8, -1); table != nil || !errors.Is(err, array.ErrShape) {
		t.Errorf("NewTable(-1): %v, %v", table, err)
	}
}

// A chunk more costs no allocation, whatever its elements are gathered from.
func TestHashAllocationsPerChunk(t *testing.T) {
	const row = array.ChunkSize / 8 // a chunk
	for name, of := range map[string]func(chunks int) any{
		"contiguous": func(n int) any { return make([]float64, n*row) },
		"strided":    func(n int) any { return mat.NewDense(n, row+1, nil).Slice(0, n, 0, row) },
		"transposed": func(n int) any { return mat.NewDense(row, n, nil).T() },
		"upper band": func(n int) any { return mat.NewBandDense(n, row, 0, 9, nil) },
		"complex":    func(n int) any { return mat.NewCDense(n, row/2+1, nil).Slice(0, n, 0, row/2) },
		"conjugate":  func(n int) any { return mat.NewCDense(row/2, n, nil).H() },
		"foreign":    func(n int) any { return foreign{mat.NewDense(n, row, nil)} },
	} {
		t.Run(name, func(t *testing.T) {
			allocs := func(chunks int) float64 {
				src, err := array.Of(of(chunks))
				if err != nil {
					t.Fatal(err)
				}
				return testing.AllocsPerRun(5, func() {
					if _, err := array.Hash(context.Background(), src); err != nil {
						t.Fatal(err)
					}
				})
			}
			// Beyond a few chunks the work is shared out, which costs a little
			// once, and a long table is hashed in parts.
			one, some, many := allocs(1), allocs(40), allocs(100)
			if many > one+30 || many > some+2 && !poolDrops {
				t.Errorf("%v allocations for 1 chunk, %v for 40, %v for 100", one, some, many)
			}
		})
	}
}

// Hashing 64 MB (less of it where reading is slow) takes the table and a buffer for each core, however it is laid
// out.
func TestHashAllocations(t *testing.T) {
	const n = 64 << 20 / 8
	for name, v := range map[string]any{
		"contiguous": make([]float64, n),
		"strided":    mat.NewDense(1<<11, n/(1<<11)+1, nil).Slice(0, 1<<11, 1, n/(1<<11)+1),
		"transposed": mat.NewDense(1<<11, n/(1<<11), nil).T(),
		"symmetric":  mat.NewSymDense(1448, nil),
		"foreign":    foreign{mat.NewDense(1<<10, 1<<10, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			src, err := array.Of(v)
			if err != nil {
				t.Fatal(err)
			}
			hash := func() {
				if _, err := array.Hash(context.Background(), src); err != nil {
					t.Fatal(err)
				}
			}
			// AllocsPerRun uses one core; a worker more costs a few objects more.
			if allocs := testing.AllocsPerRun(1, hash); allocs > 40 {
				t.Errorf("%v allocations", allocs)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			hash()
			runtime.ReadMemStats(&after)
			limit := uint64(256*16 + runtime.GOMAXPROCS(0)*array.ChunkSize + 64<<10)
			if got := after.TotalAlloc - before.TotalAlloc; got > limit && !poolDrops {
				t.Errorf("%d bytes, more than %d", got, limit)
			}
		})
	}
}

// TestForChunks: each chunk of the source comes once, with its number, on any number
// of cores; an error ends it.
func TestForChunks(t *testing.T) {
	setProcs(t, 4)
	for _, n := range []int{0, 1, array.ChunkSize, array.ChunkSize + 1, 9*array.ChunkSize - 5} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i>>18 + i)
		}
		src, err := array.Of(data)
		if err != nil {
			t.Fatal(err)
		}
		table, err := array.NewTable(array.Uint8, n)
		if err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int64
		err = array.ForChunks(t.Context(), src, func(i int, chunk []byte) error {
			calls.Add(1)
			return table.Set(i, chunk)
		})
		want, hashErr := array.Hash(t.Context(), src)
		if err != nil || hashErr != nil || int(calls.Load()) != table.Len() || table.Digest() != want {
			t.Errorf("%d bytes: %d calls, %v %v", n, calls.Load(), err, hashErr)
		}
		failure := errors.New("failure")
		if err := array.ForChunks(t.Context(), src, func(int, []byte) error { return failure }); n > 0 && err != failure {
			t.Errorf("%d bytes: the error is %v", n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := array.ForChunks(ctx, src, table.Set); !errors.Is(err, context.Canceled) {
			t.Errorf("%d bytes: the error is %v", n, err)
		}
	}
	var none context.Context
	if err := array.ForChunks(none, nil, nil); !errors.Is(err, array.ErrNil) {
		t.Error(err)
	}
	if err := array.ForChunks(t.Context(), nil, nil); !errors.Is(err, array.ErrNil) {
		t.Error(err)
	}
}
