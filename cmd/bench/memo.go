package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/numcache/numcache/memo"
)

// memoTable measures packages array, npy and memo in a folder of its own.
func memoTable(ctx context.Context, w io.Writer, o options) (err error) {
	dir, err := os.MkdirTemp(o.dir, "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	banner(w)
	p, err := newMemoryPeer(ctx, w, dir)
	if err != nil {
		return err
	}
	defer p.close()
	b := &memoBench{dir: dir, peer: p, sizes: []int{1 << 10, 8 << 20, 256 << 20}}
	if o.quick {
		b.sizes = []int{1 << 10, 1 << 20, 2 << 20}
		b.quick = true
	}
	for _, makePart := range []func(size int) (part, error){b.digest, b.hit, b.mapped, b.miss, b.store, b.tier, b.read, b.write} {
		for _, size := range b.sizes {
			part, err := makePart(size)
			if err != nil {
				return err
			}
			if len(part.contestants) == 0 || o.only != "" && o.only != part.name {
				continue
			}
			if err := part.measure(ctx, w, o.rounds); err != nil {
				return err
			}
		}
	}
	return b.close()
}

// memoBench is what the parts share.
type memoBench struct {
	dir    string
	peer   *memoryPeer
	sizes  []int // of arrays, in bytes: small, middle, large
	quick  bool
	caches []*memo.Cache
	number atomic.Int64 // that makes an argument another
}

func (b *memoBench) close() (err error) {
	for _, c := range b.caches {
		if closeErr := c.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}

func (b *memoBench) small(size int) bool { return size == b.sizes[0] }
func (b *memoBench) large(size int) bool { return size == b.sizes[2] }

// times is how often a work on arrays of a size is done for one figure.
func (b *memoBench) times(size int) int {
	if b.quick {
		return 2
	}
	return max(1, min(1000, (64<<20)/size))
}

// part is one of which each contestant does its work so many times in a turn.
func (b *memoBench) part(name, what string, size, times int, all []contestant) part {
	if b.peer.python == nil {
		all = slices.DeleteFunc(all, func(c contestant) bool { return c.peer })
	}
	p := part{name: name, what: fmt.Sprintf("%s, %s, %d in a turn", what, sizeText(size), times), contestants: all, reference: all[0].name,
		unit: "µs each", figure: func(d time.Duration) float64 { return float64(d) / float64(times) / 1000 }}
	if !b.small(size) {
		p.unit, p.figure = "GB/s", func(d time.Duration) float64 { return float64(size) * float64(times) / float64(d) }
	}
	return p
}

func sizeText(size int) string {
	if size < 1<<20 {
		return fmt.Sprintf("%d KB", size>>10)
	}
	return fmt.Sprintf("%d MB", size>>20)
}

// repeated is a contestant of this process that does its work so many times.
func repeated(name string, times int, f func(ctx context.Context) error) contestant {
	return timed(name, func(ctx context.Context) error {
		for range times {
			if err := f(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func vector(size int) []float64 { return randomDense(1, size/8).RawMatrix().Data }

// open returns an empty cache.
func (b *memoBench) open(o memo.Options) (*memo.Cache, error) {
	dir, err := os.MkdirTemp(b.dir, "cache")
	if err != nil {
		return nil, err
	}
	c, err := memo.Open(dir, &o)
	if err == nil {
		b.caches = append(b.caches, c)
	}
	return c, err
}
