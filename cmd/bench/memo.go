package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
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

// digest hashes an array; the limit is to read it.
func (b *memoBench) digest(size int) (part, error) {
	times, xs := b.times(size), vector(size)
	src, err := array.Of(xs)
	if err != nil {
		return part{}, err
	}
	return b.part("digest", "the digest of an array", size, times, []contestant{
		repeated("array.Hash", times, func(ctx context.Context) error {
			_, err := array.Hash(ctx, src)
			return err
		}),
		repeated("reading it, a goroutine each CPU", times, func(context.Context) error {
			if b.small(size) {
				sink.Add(readWords(xs))
				return nil
			}
			return twoGoroutines(len(xs), func(lo, hi int) { sink.Add(readWords(xs[lo:hi])) })
		}),
		b.peer.does("joblib.hash", "hash", size, times),
	}), nil
}

// sink keeps the compiler from leaving out what has no other use.
var sink atomic.Uint64

// readWords does as little with each element as can be done.
func readWords(xs []float64) (sum uint64) {
	var a, b, c, d uint64
	for ; len(xs) >= 8; xs = xs[8:] {
		a ^= math.Float64bits(xs[0]) ^ math.Float64bits(xs[4])
		b ^= math.Float64bits(xs[1]) ^ math.Float64bits(xs[5])
		c ^= math.Float64bits(xs[2]) ^ math.Float64bits(xs[6])
		d ^= math.Float64bits(xs[3]) ^ math.Float64bits(xs[7])
	}
	return a ^ b ^ c ^ d
}

func identity(x []float64) []float64 { return x }

// hit is a call from the folder: the argument is hashed, the result verified and copied
// out. The limit is to read its two files.
func (b *memoBench) hit(size int) (part, error) {
	c, err := b.open(memo.Options{})
	if err != nil {
		return part{}, err
	}
	f, err := memo.Func(c, memo.Spec{Name: "identity"}, identity)
	if err != nil {
		return part{}, err
	}
	xs, times := vector(size), b.times(size)
	f.Call(xs)
	var files []string
	for _, folder := range []string{"calls", "objects"} {
		err := filepath.WalkDir(filepath.Join(c.Dir(), folder), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return part{}, err
		}
	}
	before := c.Stats().Misses
	return b.part("hit", "a hit on disk, argument and result", size, times, []contestant{
		repeated("memo.Func", times, func(context.Context) error {
			f.Call(xs)
			if s := c.Stats(); s.Misses != before {
				return fmt.Errorf("it was no hit: %+v", s)
			}
			return nil
		}),
		repeated("open and read of the same files", times, func(context.Context) error {
			for _, name := range files {
				if _, err := os.ReadFile(name); err != nil {
					return err
				}
			}
			return nil
		}),
		b.peer.does("joblib.Memory", "hit", size, times),
	}), nil
}

// mapped is a hit of which the result is mapped and not copied.
func (b *memoBench) mapped(size int) (part, error) {
	if b.small(size) {
		return part{}, nil
	}
	c, err := b.open(memo.Options{})
	if err != nil {
		return part{}, err
	}
	f, err := memo.Func(c, memo.Spec{Name: "identity"}, identity)
	if err != nil {
		return part{}, err
	}
	xs, times := vector(size), b.times(size)
	f.Call(xs)
	return b.part("mapped", "a hit whose result is mapped, argument and result", size, times, []contestant{
		repeated("Shelve and Ref.Open", times, func(ctx context.Context) error {
			ref, err := f.Shelve(ctx, xs)
			if err != nil {
				return err
			}
			file, err := ref.Open(ctx, 0)
			if err != nil {
				return err
			}
			defer file.Close()
			m, err := file.Map(npy.ReadOnly)
			if err != nil {
				return err
			}
			return m.Close()
		}),
		b.peer.does("joblib.Memory, mmap_mode='r'", "mapped", size, times),
	}), nil
}

// miss is a call of a function that takes no time.
func (b *memoBench) miss(size int) (part, error) {
	if !b.small(size) {
		return part{}, nil
	}
	times := b.times(size)
	all := make([]contestant, 0, 4)
	for _, sync := range []struct {
		name string
		sync memo.Sync
	}{{"memo.Func, SyncNone", memo.SyncNone}, {"memo.Func, SyncFull", memo.SyncFull}} {
		c, err := b.open(memo.Options{Sync: sync.sync})
		if err != nil {
			return part{}, err
		}
		f, err := memo.Func(c, memo.Spec{Name: "identity"}, identity)
		if err != nil {
			return part{}, err
		}
		xs := vector(size)
		all = append(all, repeated(sync.name, times, func(context.Context) error {
			xs[0] = float64(b.number.Add(1))
			f.Call(xs)
			if s := c.Stats(); s.Hits > 0 || s.Faults > 0 {
				return fmt.Errorf("it was no miss: %+v", s)
			}
			return nil
		}))
	}
	dir, err := os.MkdirTemp(b.dir, "raw")
	if err != nil {
		return part{}, err
	}
	object, record := make([]byte, size+128), make([]byte, 400)
	all = append(all, repeated("write, sync, rename, sync of the folder, of two files", times, func(context.Context) error {
		n := b.number.Add(1)
		for i, content := range [][]byte{object, record} {
			if err := writeDurable(dir, fmt.Sprint(n, "-", i), content); err != nil {
				return err
			}
		}
		return nil
	}), b.peer.does("joblib.Memory", "miss", size, times))
	return b.part("miss", "a miss, argument and result", size, times, all), nil
}

// writeDurable is the least that a file takes which a power cut is not to lose.
func writeDurable(dir, name string, content []byte) error {
	temporary := filepath.Join(dir, "new")
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, filepath.Join(dir, name))
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// store puts a large result on disk, digest and sync included.
func (b *memoBench) store(size int) (part, error) {
	if !b.large(size) {
		return part{}, nil
	}
	c, err := b.open(memo.Options{Sync: memo.SyncFull})
	if err != nil {
		return part{}, err
	}
	xs := vector(size)
	f, err := memo.Func(c, memo.Spec{Name: "made"}, func(n int) []float64 {
		xs[0] = float64(n)
		return xs
	})
	if err != nil {
		return part{}, err
	}
	raw := make([]byte, size+128)
	return b.part("store", "storing a result, synced", size, 1, []contestant{
		timed("memo.Func", func(context.Context) error {
			n := int(b.number.Add(1))
			f.Call(n)
			if s := c.Stats(); s.Faults > 0 {
				return fmt.Errorf("it was not stored: %+v", s)
			}
			return f.Forget(n)
		}),
		timed("write, sync, rename, sync of the folder", func(context.Context) error {
			raw[0]++
			return writeDurable(b.dir, "raw", raw)
		}),
	}), nil
}

// tier is a hit in memory.
func (b *memoBench) tier(size int) (part, error) {
	if !b.small(size) {
		return part{}, nil
	}
	c, err := b.open(memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		return part{}, err
	}
	scalar, err := memo.Func(c, memo.Spec{Name: "scalar"}, func(n int) float64 { return float64(n) })
	if err != nil {
		return part{}, err
	}
	same, err := memo.Func(c, memo.Spec{Name: "identity"}, identity)
	if err != nil {
		return part{}, err
	}
	xs, times := vector(size), 100*b.times(size)
	ctx := context.Background()
	do := func(context.Context) error {
		_, err := memo.Do(ctx, c, memo.NewKey("scalar", "do").Add(7), func(context.Context) (float64, error) { return 7, nil })
		return err
	}
	return b.part("memory", "a hit in memory; a scalar, and an array where it is said", size, times, []contestant{
		repeated("memo.Func", times, func(context.Context) error { scalar.Call(7); return nil }),
		repeated("memo.Do", times, do),
		repeated("memo.Func, an array", times, func(context.Context) error { same.Call(xs); return nil }),
		b.peer.does("functools.lru_cache", "lru", size, times),
		b.peer.slow("joblib.Memory, an array, on disk", "hit", size, times, 100),
	}), nil
}

// read and write are those of a .npy file.
func (b *memoBench) read(size int) (part, error) {
	if b.small(size) {
		return part{}, nil
	}
	name, times := filepath.Join(b.dir, "read.npy"), b.times(size)
	if err := npy.WriteFile(name, vector(size)); err != nil {
		return part{}, err
	}
	return b.part("read", "reading a .npy file", size, times, []contestant{
		repeated("npy.ReadFile", times, func(context.Context) error {
			_, err := npy.ReadFile(name)
			return err
		}),
		b.peer.does("np.load", "load", size, times),
	}), nil
}

func (b *memoBench) write(size int) (part, error) {
	if b.small(size) {
		return part{}, nil
	}
	name, xs, times := filepath.Join(b.dir, "write.npy"), vector(size), b.times(size)
	return b.part("write", "writing a .npy file, not synced", size, times, []contestant{
		repeated("npy.Create", times, func(context.Context) error { return writeFile(name, xs) }),
		b.peer.does("np.save", "save", size, times),
	}), nil
}

// writeFile writes as np.save does: in place, and without a sync.
func writeFile(name string, xs []float64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = npy.Write(f, xs)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
