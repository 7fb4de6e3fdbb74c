// Keyer ranks the pages of a small web by how often a random surfer is there, and gives a
// key to types that the cache cannot look into: a sparse matrix, which is known by its
// elements in one fixed order, and a file, which is known by the digest of its array.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// Sparse is a square matrix by its elements, at row and column; those that are missing
// are 0.
type Sparse struct {
	size     int
	elements map[[2]int]float64
}

// places returns where the elements are that are not 0, in order.
func (s Sparse) places() [][2]int {
	places := slices.SortedFunc(maps.Keys(s.elements), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return slices.DeleteFunc(places, func(p [2]int) bool { return s.elements[p] == 0 })
}

// MemoKey implements memo.Keyer: however a matrix was put together, with zeros or
// without, it is one argument.
func (s Sparse) MemoKey() any {
	var rows, columns []int
	var values []float64
	for _, p := range s.places() {
		rows, columns, values = append(rows, p[0]), append(columns, p[1]), append(values, s.elements[p])
	}
	return []any{s.size, rows, columns, values}
}

// rank returns how often a surfer is on each page who follows one of its links with the
// probability damping, and else goes anywhere. Each page must have a link.
func rank(links Sparse, damping float64) []float64 {
	places := links.places()
	out := make([]float64, links.size)
	for _, p := range places {
		out[p[0]] += links.elements[p]
	}
	now := slices.Repeat([]float64{1 / float64(links.size)}, links.size)
	for range 100 {
		next := slices.Repeat([]float64{(1 - damping) / float64(links.size)}, links.size)
		for _, p := range places {
			next[p[1]] += damping * now[p[0]] * links.elements[p] / out[p[0]]
		}
		now = next
	}
	return now
}

// Dataset is a .npy file of visits: the number of the page that each one was to. It is the
// same wherever the file lies.
type Dataset struct {
	path   string
	digest array.Digest
}

// openDataset reads the file once, in pieces, for its digest.
func openDataset(ctx context.Context, path string) (Dataset, error) {
	digest, _, err := npy.HashFile(ctx, path)
	return Dataset{path, digest}, err
}

// MemoKey implements memo.Keyer.
func (d Dataset) MemoKey() any { return d.digest.String() }

// shares returns the share of the visits that each page had.
func shares(d Dataset, pages int) ([]float64, error) {
	visits, err := npy.ReadFileAs[int64](d.path)
	if err != nil {
		return nil, err
	}
	s := make([]float64, pages)
	for _, page := range visits.Data() {
		if page < 0 || page >= int64(pages) {
			return nil, fmt.Errorf("%s: there is no page %d", d.path, page)
		}
		s[page] += 1 / float64(visits.Len())
	}
	return s, nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	cache, err := memo.Open("cache", &memo.Options{OnEvent: func(e memo.Event) {
		if e.Kind != memo.Computing {
			fmt.Printf("%v of %s: ", e.Kind, e.Function)
		}
	}})
	if err != nil {
		return err
	}
	defer cache.Close()
	cachedRank, err1 := memo.Func(cache, memo.Spec{Name: "web/rank", Version: "1"}, rank)
	cachedShares, err2 := memo.Func(cache, memo.Spec{Name: "web/shares", Version: "1"}, shares)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}

	// The first two matrices are one, put together differently.
	web := Sparse{4, map[[2]int]float64{{0, 1}: 1, {0, 2}: 1, {1, 2}: 1, {2, 0}: 1, {3, 2}: 1}}
	again := Sparse{4, map[[2]int]float64{{3, 2}: 1, {3, 3}: 0, {2, 0}: 1, {1, 2}: 1, {0, 2}: 1, {0, 1}: 1}}
	linked := Sparse{4, maps.Clone(web.elements)}
	linked.elements[[2]int{1, 3}] = 1
	for _, links := range []Sparse{web, again, linked} {
		fmt.Printf("%.3f\n", cachedRank.Call(links, 0.85))
	}

	// The first two files hold the same array.
	visits := []int64{2, 0, 2, 1, 0, 2, 2, 3}
	for _, f := range []struct {
		path   string
		visits []int64
	}{{"monday.npy", visits}, {"archive.npy", visits}, {"tuesday.npy", append(visits, 3, 3)}} {
		if err := npy.WriteFile(f.path, f.visits); err != nil {
			return err
		}
		d, err := openDataset(ctx, f.path)
		if err != nil {
			return err
		}
		s, err := cachedShares.Call(d, 4)
		if err != nil {
			return err
		}
		fmt.Printf("%.3f of %s\n", s, f.path)
	}
	return nil
}
