package memo

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

const (
	// sweepGrace is the age from which on an object without a record is nobody's:
	// a writer puts the objects of an entry before its record.
	sweepGrace = 5 * time.Minute
	// sweepInterval and fewEntries say when an eviction sweeps first: it may have to
	// read every record.
	sweepInterval = time.Hour
	fewEntries    = 10_000
)

// sweepPays reports whether it is worth while to look for objects without a record
// before entries are evicted.
func (col *collection) sweepPays() bool {
	return col.left.entries <= fewEntries || !recent(col.swept, col.now, sweepInterval)
}

// countObjects counts the objects, and removes those that no record refers to where
// the references are known. Where they are not, it reports whether there may be such
// objects: the times of the records and objects may tell that there are none.
func (col *collection) countObjects(ctx context.Context, known *references, used *timesOfUse) (doubtful bool, unswept, err error) {
	w := waste{col: col, referenced: known}
	for info, err := range col.s.List(ctx, objectsFolder) {
		if err != nil {
			return false, nil, &Error{"list", objectsFolder, err}
		}
		col.left.bytes += info.Size
		col.look()
		switch {
		case known != nil:
			w.judge(ctx, info)
		case !doubtful && !recent(info.Modified, col.now, sweepGrace):
			doubtful = !used.has(info.Modified)
		}
	}
	w.remove(ctx)
	return doubtful, w.err, nil
}

// sweep removes the objects that no record refers to: of entries that were forgotten
// or refreshed, of writers that were killed. It lists records and objects once more. What
// a record refers to has to be known before an object is looked at, whose time tells then
// whether somebody has put it meanwhile, for a record that was not seen.
func (col *collection) sweep(ctx context.Context) error {
	referenced := newReferences(ctx, col)
	for info, err := range col.s.List(ctx, callsFolder) {
		if err != nil {
			_ = referenced.known()
			return &Error{"list", callsFolder, err}
		}
		col.look()
		if isRecord(info.Name) && !referenced.read(info.Name) {
			break
		}
	}
	if err := referenced.known(); err != nil {
		return err
	}
	w := waste{col: col, referenced: referenced}
	for info, err := range col.s.List(ctx, objectsFolder) {
		if err != nil {
			return &Error{"list", objectsFolder, err}
		}
		col.look()
		if w.judge(ctx, info); w.err != nil {
			return w.err
		}
	}
	w.remove(ctx)
	return w.err
}

// sweepStaging removes what writers left that have no name yet, and notes that the folder
// is swept.
func (col *collection) sweepStaging(ctx context.Context) error {
	if !col.dryRun {
		freed, err := col.s.Sweep(ctx, col.now)
		col.removed.Bytes += freed
		if err != nil {
			return &Error{"sweep", stagingFolder, err}
		}
	}
	col.swept = col.now
	return nil
}

// waste are objects that no record refers to.
type waste struct {
	col        *collection
	referenced *references
	found      []store.Info // to be removed, inFlight at most
	err        error        // why no more are
}

// judge removes an object if it is waste, now or with some others.
func (w *waste) judge(ctx context.Context, info store.Info) {
	digest, ok := objectOf(info.Name)
	if w.err != nil || !ok || w.referenced.has(digest) {
		return
	}
	switch {
	case w.col.old(info.Modified):
		if w.found = append(w.found, info); len(w.found) == inFlight {
			w.remove(ctx)
		}
	case info.Modified.After(w.col.now):
		// It may be fresh, by the clock of the writer: its grace begins now.
		w.err = w.col.freshen(ctx, info.Name)
	}
}

// old reports whether an object of this time is nobody's if no record refers to it. One
// of a time to come is not.
func (col *collection) old(at time.Time) bool { return col.now.Sub(at) >= sweepGrace }

// remove removes what was found.
func (w *waste) remove(ctx context.Context) {
	if w.err != nil {
		return
	}
	removals := make([]removal, len(w.found))
	newCrew().each(len(w.found), func(i int) {
		// A list is read ahead of what is done with it, so this is a second look: who
		// uses the object for a new record gave it the time of that since.
		info, err := w.col.s.Stat(ctx, w.found[i].Name)
		if err == nil && w.col.old(info.Modified) {
			removals[i].object(ctx, w.col, info)
		}
	})
	w.found = w.found[:0]
	w.err = w.col.account(removals)
}

// freshen sets the time of a file to now. One that is gone needs none.
func (col *collection) freshen(ctx context.Context, name string) error {
	if col.dryRun {
		return nil
	}
	if err := col.s.Freshen(ctx, name, col.now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{"freshen", name, err}
	}
	return nil
}
