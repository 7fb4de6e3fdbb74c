package array_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/parallel"
)

func TestRowBlocks(t *testing.T) {
	for _, shape := range [][]int{{10}, {10, 3}, {7, 2, 5}, {1, 1}, {4, 0}, {100_000}, {3, 100_000}} {
		a, err := array.New[float32](shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Data() {
			a.Data()[i] = float32(i)
		}
		for _, rows := range []int{0, 1, 3, 1000, math.MaxInt} {
			blocks, err := a.RowBlocks(rows)
			if err != nil {
				t.Fatal(err)
			}
			next, offset := 0, 0
			for _, b := range blocks {
				s := b.Rows.Shape()
				if b.Start != next || len(s) != len(shape) || rows > 0 && s[0] != min(rows, shape[0]-next) {
					t.Fatalf("%v, %d rows: a block of %v at %d", shape, rows, s, b.Start)
				}
				if data := b.Rows.Data(); len(data) > 0 && &data[0] != &a.Data()[offset] {
					t.Fatalf("%v, %d rows: the block at %d is a copy", shape, rows, b.Start)
				}
				if size := b.Rows.Len() * 4; rows == 0 && s[0] > 1 && size > 256<<10 {
					t.Errorf("%v: an automatic block of %d bytes", shape, size)
				}
				next, offset = next+s[0], offset+b.Rows.Len()
			}
			if next != shape[0] {
				t.Errorf("%v, %d rows: the blocks end at %d", shape, rows, next)
			}
		}
	}
}

func TestRowBlocksRefuse(t *testing.T) {
	scalar, err := array.New[int8]()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scalar.RowBlocks(0); !errors.Is(err, array.ErrShape) {
		t.Errorf("0-d: %v", err)
	}
	empty := new(array.Array[int8])
	if _, err := empty.RowBlocks(-1); !errors.Is(err, array.ErrShape) {
		t.Errorf("negative rows: %v", err)
	}
	if blocks, err := empty.RowBlocks(0); len(blocks) != 0 || err != nil {
		t.Errorf("no rows: %v, %v", blocks, err)
	}
}

// A reduction over the blocks of a large array, with the same bits for any number of
// workers.
func ExampleArray_RowBlocks() {
	ctx := context.Background()
	a, err := array.New[float32](1000, 300)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range a.Data() {
		a.Data()[i] = 1 / float32(i+1)
	}
	blocks, err := a.RowBlocks(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	total := func(o *parallel.Options) float64 {
		sum, err := parallel.MapReduce(ctx, o, blocks, func(_ context.Context, b array.RowBlock[float32]) (sum float64, err error) {
			for _, x := range b.Rows.Data() {
				sum += float64(x)
			}
			return sum, nil
		}, func(a, b float64) float64 { return a + b })
		if err != nil {
			fmt.Println(err)
		}
		return sum
	}
	one, many := total(&parallel.Options{Workers: 1}), total(&parallel.Options{Workers: 64})
	fmt.Printf("%d blocks, sum %.4f, same bits: %t\n", len(blocks), one, one == many)
	// Output: 5 blocks, sum 13.1888, same bits: true
}
