package memo

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// maxCandidates bounds the names of records that a collection holds in memory. A
// folder with more to evict is listed several times.
var maxCandidates = 50_000

// collection evicts entries, lowest rank first, until a folder is within limits.
//
// It needs the names, sizes and times of the files, and reads no records but those
// that it evicts: an entry is stored, and used, with one time for its record and its
// objects, so that an object with a later time than a record's has been used since by
// another entry, and stays.
type collection struct {
	c        *Cache
	s        store.Store
	limits   Limits // what sets it going
	target   Limits // what it goes on to
	now      time.Time
	swept    time.Time // the last sweep
	sweepNow bool      // sweep, whenever the last one was
	dryRun   bool
	progress func(Progress)

	looked  int       // files
	unswept error     // why unreferenced objects stay; entries are evicted all the same
	passed  candidate // the last one that was decided on
	left    usage
	removed Trimmed
	evicted []array.Digest // the last ones
}

// candidate is a record that may be evicted.
type candidate struct {
	name string
	size int64
	rank float64 // with equal rank, the earlier goes first
	at   time.Time
}

func (a candidate) compare(b candidate) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), a.at.Compare(b.at), strings.Compare(a.name, b.name))
}

// candidates is a heap with the last to go on top.
type candidates []candidate

func (h candidates) Len() int           { return len(h) }
func (h candidates) Less(i, j int) bool { return h[i].compare(h[j]) > 0 }
func (h candidates) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *candidates) Push(x any)        { *h = append(*h, x.(candidate)) }
func (h *candidates) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (col *collection) run(ctx context.Context) error {
	defer func() { noteEvicted(context.WithoutCancel(ctx), col.s, col.evicted) }()
	first, more, err := col.lookThrough(ctx)
	if err != nil {
		return err
	}
	for info, err := range col.s.List(ctx, objectsFolder) {
		if err != nil {
			return &Error{"list", objectsFolder, err}
		}
		col.left.bytes += info.Size
		col.look()
	}
	if col.sweepNow || col.limits.exceededBy(col.left) && col.sweepPays() {
		if col.unswept = col.sweep(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	target := col.limits
	if target.exceededBy(col.left) {
		target = col.target
	}
	for {
		done, err := col.evictAll(ctx, first, target)
		if done || err != nil || !more {
			return err
		}
		left := col.left
		if first, more, err = col.lookThrough(ctx); err != nil {
			return err
		}
		col.left = left // the records were counted before
	}
}

// lookThrough counts the records, and returns those that go first, in order, and
// whether there are more.
func (col *collection) lookThrough(ctx context.Context) (first candidates, more bool, err error) {
	for info, err := range col.s.List(ctx, callsFolder) {
		if err != nil {
			return nil, false, &Error{"list", callsFolder, err}
		}
		col.look()
		col.left.bytes += info.Size
		if !isRecord(info.Name) {
			continue
		}
		col.left.entries++
		if ahead(info.Modified, col.now) {
			info.Modified = col.redate(ctx, info.Name)
		}
		next := candidate{name: info.Name, size: info.Size, at: info.Modified}
		if col.limits.Policy == LeastCost {
			next.rank = col.worth(ctx, info)
		}
		switch {
		case next.compare(col.passed) <= 0: // it was written again, or this is a dry run
		case len(first) < maxCandidates:
			heap.Push(&first, next)
		case next.compare(first[0]) < 0:
			first[0] = next
			heap.Fix(&first, 0)
			fallthrough
		default:
			more = true
		}
	}
	slices.SortFunc(first, candidate.compare)
	return first, more, nil
}

// worth is the time that an entry took to compute, for each byte and for the time
// since it was used. A damaged record is worth nothing; one that cannot be read now may
// be worth much, and goes last.
func (col *collection) worth(ctx context.Context, info store.Info) float64 {
	r, err := col.c.recordAt(ctx, col.s, info.Name)
	switch {
	case isGone(err):
		return 0
	case err != nil:
		return math.Inf(1)
	}
	age := max(col.now.Sub(info.Modified), time.Second)
	return r.Duration.Seconds() / float64(max(r.Size(), 1)) / age.Seconds()
}

// evictAll evicts the candidates, in order, as long as there is need to. It is done
// where one may stay.
func (col *collection) evictAll(ctx context.Context, first candidates, target Limits) (done bool, err error) {
	for _, next := range first {
		col.passed = next
		old := target.MaxAge > 0 && col.now.Sub(next.at) > target.MaxAge
		if !old && !target.exceededBy(col.left) {
			// By worth, an old entry may come later.
			if target.MaxAge > 0 && col.limits.Policy == LeastCost {
				continue
			}
			return true, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if err := col.evict(ctx, next); err != nil {
			return false, err
		}
	}
	return false, nil
}

// evict removes an entry: its record, and the objects that no entry of later use
// shares.
func (col *collection) evict(ctx context.Context, next candidate) error {
	raw, _, err := col.s.Get(ctx, next.name, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody else removed it
	}
	if err := col.remove(ctx, store.Info{Name: next.name, Size: next.size}); err != nil {
		return err
	}
	col.removed.Entries++
	col.left.entries--
	if !col.dryRun {
		col.c.tellEvicted(next.name)
		_, _, key := callOf(next.name)
		if col.evicted = append(col.evicted, key); len(col.evicted) >= 2*maxEvicted {
			col.evicted = slices.Clone(col.evicted[maxEvicted:])
		}
	}
	for _, digest := range objectDigests(raw) {
		info, err := statObject(ctx, col.s, digest)
		if err != nil || info.Modified.After(next.at) {
			continue
		}
		if err := col.removeObject(ctx, info); err != nil {
			return err
		}
	}
	return nil
}

func (col *collection) removeObject(ctx context.Context, info store.Info) error {
	if err := col.remove(ctx, info); err != nil {
		return err
	}
	col.removed.Objects++
	return nil
}

// remove deletes a file, and counts what that frees.
func (col *collection) remove(ctx context.Context, info store.Info) error {
	if !col.dryRun {
		if err := col.s.Delete(ctx, info.Name); err != nil {
			return &Error{"trim", info.Name, err}
		}
	}
	col.removed.Bytes += info.Size
	col.left.bytes -= info.Size
	col.look()
	return nil
}

// look tells of one more file.
func (col *collection) look() {
	col.looked++
	if col.progress != nil {
		col.progress(Progress{Done: col.looked, BytesDone: col.removed.Bytes})
	}
}

// objectDigests returns the objects that a record refers to, its results' and the chunk
// tables of its arguments, none where it is damaged. It does without reading the JSON, for sweeping reads every record: within
// a string a quotation mark stands behind a backslash, so that these marks can only be
// what they seem.
func objectDigests(record []byte) (digests []array.Digest) {
	if !unseal(record) {
		return nil
	}
	digests = tableDigests(record)
	const results, reference = `],"results":[`, `{"array":"`
	_, rest, _ := strings.Cut(string(record), results)
	for {
		var found bool
		if _, rest, found = strings.Cut(rest, reference); !found || len(rest) < 32 {
			return digests
		}
		if digest, err := array.ParseDigest(rest[:32]); err == nil {
			digests = append(digests, digest)
		}
	}
}
