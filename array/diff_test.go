package array_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"

	"github.com/numcache/numcache/array"
)

func tableOf(t *testing.T, v any) *array.Table {
	t.Helper()
	src, err := array.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	table, err := array.HashTable(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// expectedBlocks computes by its definition what Diff returns: the rows of every
// chunk in which one of the changed elements lies.
func expectedBlocks(shape []int, size int, changed []int) []array.RowRange {
	n, row := 1, 1
	for axis, extent := range shape {
		n *= extent
		if axis > 0 {
			row *= extent
		}
	}
	perChunk := array.ChunkSize / size
	rows := map[int]bool{}
	for _, e := range changed {
		lo := e / perChunk * perChunk
		for k := lo; k < min(lo+perChunk, n); k++ {
			rows[k/row] = true
		}
	}
	var blocks []array.RowRange
	for i := range n/row + 1 {
		switch last := len(blocks) - 1; {
		case !rows[i]:
		case last >= 0 && blocks[last].Hi == i:
			blocks[last].Hi++
		default:
			blocks = append(blocks, array.RowRange{Lo: i, Hi: i + 1})
		}
	}
	return blocks
}

func TestDiff(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for _, shape := range [][]int{{}, {1}, {500_000}, {300, 1000}, {1000, 300}, {3, 100_000}, {1, 200_000}, {200_000, 1}, {7, 11, 13, 100}, {32768, 4}, {32768}, {2, 32768}} {
		n, err := array.Elements(shape, 8)
		if err != nil {
			t.Fatal(err)
		}
		a := mustSlice(t, fill(n), shape...)
		if len(shape) == 0 {
			a, _ = array.New[float64]()
		}
		before := tableOf(t, a)
		if blocks, err := array.Diff(before, tableOf(t, a)); err != nil || len(blocks) != 0 {
			t.Errorf("%v: an array differs from itself in %v, %v", shape, blocks, err)
		}
		for _, changes := range []int{1, 1, 1, 2, 3, 5, 20} {
			var changed []int
			for range changes {
				i := r.IntN(n)
				if !slices.Contains(changed, i) {
					changed = append(changed, i)
					a.Data()[i]++
				}
			}
			blocks, err := array.Diff(before, tableOf(t, a))
			if want := expectedBlocks(shape, 8, changed); err != nil || !slices.Equal(blocks, want) {
				t.Errorf("%v, elements %v: blocks %v, %v; want %v", shape, changed, blocks, err, want)
			}
			for _, i := range changed {
				a.Data()[i]--
			}
		}
	}
	for _, shape := range [][]int{{0}, {0, 3}, {3, 0}} {
		a, err := array.New[int8](shape...)
		if err != nil {
			t.Fatal(err)
		}
		if blocks, err := array.Diff(tableOf(t, a), tableOf(t, a)); err != nil || len(blocks) != 0 {
			t.Errorf("%v: %v, %v", shape, blocks, err)
		}
	}
}

func TestDiffRefuses(t *testing.T) {
	a := tableOf(t, []float64{1, 2})
	for _, tt := range []struct {
		b    *array.Table
		want error
	}{
		{tableOf(t, []float64{1, 2, 3}), array.ErrShape},
		{tableOf(t, mustSlice(t, []float64{1, 2}, 2, 1)), array.ErrShape},
		{tableOf(t, []int64{1, 2}), array.ErrDType},
		{nil, array.ErrNil},
	} {
		if blocks, err := array.Diff(a, tt.b); blocks != nil || !errors.Is(err, tt.want) {
			t.Errorf("%v, %v, want %v", blocks, err, tt.want)
		}
		if blocks, err := array.Diff(tt.b, a); blocks != nil || !errors.Is(err, tt.want) {
			t.Errorf("the other way: %v, %v, want %v", blocks, err, tt.want)
		}
	}
}

// A table survives as an array, whose numbers are the hashes of the chunks.
func TestTableArray(t *testing.T) {
	for _, n := range []int{0, 1, 32768, 32769, 100_000} {
		a := mustSlice(t, fill(n), n)
		table := tableOf(t, a)
		kept := table.Array()
		if !slices.Equal(kept.Shape(), []int{table.Len(), 2}) || table.DType() != array.Float64 || !slices.Equal(table.Shape(), []int{n}) {
			t.Fatalf("%d: %v of %v%v", n, kept.Shape(), table.DType(), table.Shape())
		}
		i := 0
		for chunk, err := range array.Chunks(a) {
			if err != nil || kept.Data()[2*i] != xxhash.Sum64(chunk) || kept.Data()[2*i+1] != xxh3.Hash(chunk) {
				t.Errorf("%d: chunk %d, %v", n, i, err)
			}
			i++
		}
		back, err := array.TableOf(array.Float64, []int{n}, kept)
		if err != nil || back.Digest() != a.Digest() {
			t.Errorf("%d: %v", n, err)
		}
		clear(kept.Data())
		if back.Digest() != a.Digest() || table.Digest() != a.Digest() {
			t.Errorf("%d: the table shares the memory of its array", n)
		}
	}
	sums := func(shape ...int) *array.Array[uint64] {
		a, err := array.New[uint64](shape...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, tt := range []struct {
		d     array.DType
		shape []int
		sums  *array.Array[uint64]
		want  error
	}{
		{array.Float64, []int{5}, nil, array.ErrNil}, {0, []int{5}, sums(1, 2), array.ErrDType}, {array.Float64, []int{-5}, sums(1, 2), array.ErrShape},
		{array.Float64, []int{5}, sums(2, 2), array.ErrShape}, {array.Float64, []int{5}, sums(0, 2), array.ErrShape}, {array.Float64, []int{5}, sums(2), array.ErrShape},
		{array.Float64, []int{5}, sums(2, 1), array.ErrShape}, {array.Float64, []int{0}, sums(0), array.ErrShape}, {array.Float64, []int{1 << 27}, sums(1, 2), array.ErrShape},
	} {
		if table, err := array.TableOf(tt.d, tt.shape, tt.sums); table != nil || !errors.Is(err, tt.want) {
			t.Errorf("TableOf(%v, %v): %v, %v; want %v", tt.d, tt.shape, table, err, tt.want)
		}
	}
}
