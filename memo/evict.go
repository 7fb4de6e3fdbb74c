package memo

import (
	"container/heap"
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/numcache/numcache/memo/internal/store"
)

// evictAll evicts the candidates, in order, as long as there is need to, several at the
// same time: those that have to go whatever the others free. It is done where one may
// stay.
func (col *collection) evictAll(ctx context.Context, first candidates, target Limits) (done bool, err error) {
	if target.MaxAge == 0 && !target.exceededBy(col.left) {
		return true, nil
	}
	workers := newCrew()
	heap.Init((*firstFirst)(&first))
	var next []leaver
	for most := 1; len(first)+len(next) > 0; most = min(2*most, inFlight) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		for _, c := range (*firstFirst)(&first).take(most - len(next)) {
			next = append(next, leaver{candidate: c})
		}
		going, passed := col.going(ctx, workers, next, target)
		if passed == 0 {
			return true, nil
		}
		col.passed = next[passed-1].candidate
		next = next[passed:]
		removals := make([]removal, len(going))
		workers.each(len(going), func(i int) { removals[i].entry(ctx, col, &going[i]) })
		if err := col.account(removals); err != nil {
			return false, err
		}
	}
	return false, nil
}

// going returns those of the candidates, in order, that have to go for certain, and how
// many were passed until the first of which it is not.
func (col *collection) going(ctx context.Context, workers *crew, next []leaver, target Limits) (going []leaver, passed int) {
	if target.MaxBytes > 0 && col.left.bytes > target.MaxBytes {
		workers.each(len(next), func(i int) { next[i].weigh(ctx, col.s) })
	}
	left := col.left
	for i, l := range next {
		old := target.MaxAge > 0 && col.now.Sub(l.at) > target.MaxAge
		switch {
		case old || target.exceededBy(left):
			going = append(going, l)
			left = left.minus(usage{l.most, 1})
		case target.MaxAge > 0 && col.limits.Policy == LeastCost:
			// By worth, an old entry may come later.
		default:
			return going, i
		}
	}
	return going, len(next)
}

// leaver is a candidate that is looked at more closely.
type leaver struct {
	candidate
	read    bool
	raw     []byte // the record, if it was read
	err     error  // of reading it
	weighed bool
	most    int64 // what it may free at most
}

// readRecord reads the record once.
func (l *leaver) readRecord(ctx context.Context, s store.Store) {
	if !l.read {
		l.raw, _, l.err = s.Get(ctx, l.name, maxRecord)
		l.read = true
	}
}

// weigh finds out what goes with the record at most. Another entry may share an object,
// and use it while this one goes, so that they are looked at again then.
func (l *leaver) weigh(ctx context.Context, s store.Store) {
	if l.weighed {
		return
	}
	l.weighed = true
	l.readRecord(ctx, s)
	l.most = l.size
	for _, digest := range objectDigests(l.raw) {
		if info, err := statObject(ctx, s, digest); err == nil {
			l.most += info.Size
		}
	}
}

// removal is what was removed of an entry, or of what no entry has.
type removal struct {
	record  string // its name
	files   []store.Info
	objects int // of the files
	err     error
}

// entry removes an entry: its record, and the objects that no entry of later use shares.
func (r *removal) entry(ctx context.Context, col *collection, next *leaver) {
	next.readRecord(ctx, col.s)
	if errors.Is(next.err, fs.ErrNotExist) {
		return // somebody else removed it
	}
	if !r.remove(ctx, col, store.Info{Name: next.name, Size: next.size}) {
		return
	}
	r.record = next.name
	for _, digest := range objectDigests(next.raw) {
		info, err := statObject(ctx, col.s, digest)
		if err != nil || info.Modified.After(next.at) {
			continue
		}
		if !r.object(ctx, col, info) {
			return
		}
	}
}

// object removes an object.
func (r *removal) object(ctx context.Context, col *collection, info store.Info) bool {
	if !r.remove(ctx, col, info) {
		return false
	}
	r.objects++
	return true
}

// remove deletes a file.
func (r *removal) remove(ctx context.Context, col *collection, info store.Info) bool {
	if !col.dryRun {
		if err := col.s.Delete(ctx, info.Name); err != nil {
			r.err = &Error{"trim", info.Name, err}
			return false
		}
	}
	r.files = append(r.files, info)
	return true
}

// account counts what was removed at the same time and what that frees, and tells of it.
func (col *collection) account(removals []removal) (err error) {
	freed := map[string]bool{}
	for _, r := range removals {
		if err == nil {
			err = r.err
		}
		for _, f := range r.files {
			if freed[f.Name] { // two entries had it, and one time
				r.objects--
				continue
			}
			freed[f.Name] = true
			col.removed.Bytes += f.Size
			col.left.bytes -= f.Size
			col.look()
		}
		col.removed.Objects += r.objects
		if r.record == "" {
			continue
		}
		col.removed.Entries++
		col.left.entries--
		if col.dryRun {
			continue
		}
		col.c.tellEvicted(r.record)
		_, _, key := callOf(r.record)
		if col.evicted = append(col.evicted, key); len(col.evicted) >= 2*maxEvicted {
			col.evicted = slices.Clone(col.evicted[maxEvicted:])
		}
	}
	return err
}
