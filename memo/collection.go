package memo

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// collection evicts entries, lowest rank first, until a folder is within limits.
//
// It needs the names, sizes and times of the files, and reads no records but those
// that it evicts: an entry is stored, and used, with one time for its record and its
// objects, so that an object with a later time than a record's has been used since by
// another entry, and stays. Only where objects may be nobody's it reads all, see sweep.
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

func (col *collection) run(ctx context.Context) error {
	defer func() { noteEvicted(context.WithoutCancel(ctx), col.s, col.evicted) }()
	var used timesOfUse
	var referenced *references
	if col.sweepNow {
		referenced = newReferences(ctx, col)
	}
	first, more, err := col.lookThrough(ctx, &used, referenced)
	var unread error
	if referenced != nil {
		unread = referenced.known() // which also ends the reading
	}
	if err != nil {
		return err
	}
	known := col.sweepNow && len(used.nanos) == 0
	if !known || unread != nil {
		referenced = nil
	}
	doubtful, unswept, err := col.countObjects(ctx, referenced, &used)
	if err != nil {
		return err
	}
	if col.sweepNow || col.limits.exceededBy(col.left) && col.sweepPays() {
		switch {
		case known:
			col.unswept = cmp.Or(unread, unswept)
		case doubtful:
			col.unswept = col.sweep(ctx)
		}
		if col.unswept == nil {
			col.unswept = col.sweepStaging(ctx)
		}
		if ctx.Err() != nil {
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
		if first, more, err = col.lookThrough(ctx, nil, nil); err != nil {
			return err
		}
		col.left = left // the records were counted before
	}
}

// lookThrough counts the records, and returns those that go first, and whether there are
// more. It notes their times, but for those that tell nothing: such records are read at
// once, where the references are wanted.
func (col *collection) lookThrough(ctx context.Context, used *timesOfUse, referenced *references) (first candidates, more bool, err error) {
	add := func(next candidate) {
		if next.compare(col.passed) > 0 { // else it was written again, or this is a dry run
			more = first.add(next) || more
		}
	}
	var weighing sync.Mutex // of what weighers add
	weighers := newCrew()
	for info, err := range col.s.List(ctx, callsFolder) {
		if err != nil {
			weighers.wait()
			return nil, false, &Error{"list", callsFolder, err}
		}
		col.look()
		col.left.bytes += info.Size
		if !isRecord(info.Name) {
			continue
		}
		col.left.entries++
		switch {
		case used != nil && used.tells(info.Modified):
			used.note(info.Modified)
		case referenced != nil && !referenced.read(info.Name):
			referenced = nil // it has failed
		}
		if ahead(info.Modified, col.now) {
			info.Modified = col.redate(ctx, info.Name)
		}
		next := candidate{name: info.Name, size: info.Size, at: info.Modified}
		if col.limits.Policy != LeastCost {
			add(next)
			continue
		}
		weighers.do(func() {
			next.rank = col.worth(ctx, info)
			weighing.Lock()
			defer weighing.Unlock()
			add(next)
		})
	}
	weighers.wait()
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

// look tells of one more file.
func (col *collection) look() {
	col.looked++
	if col.progress != nil {
		col.progress(Progress{Done: col.looked, BytesDone: col.removed.Bytes})
	}
}
