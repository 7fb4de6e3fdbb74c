package memo

import (
	"context"

	"github.com/numcache/numcache/memo/internal/store"
)

// Clear empties the cache: records first, then objects and what was put aside.
// Calls that go on meanwhile compute, and may store again. progress may be nil;
// see [Cache.Verify].
func (c *Cache) Clear(ctx context.Context, progress func(Progress)) error {
	err := c.clear(ctx, progress, callsFolder, objectsFolder, quarantineFolder)
	if c != nil {
		c.memory.clear("") // last, so that nobody fills it from the folder again
	}
	return err
}

// ClearFunction removes the records of all versions of the function. Their
// results stay until the whole cache is cleared, as other calls may share them.
// It returns how many records it removed, or calls in memory where those are more.
func (c *Cache) ClearFunction(ctx context.Context, name string) (removed int, err error) {
	err = c.clear(ctx, func(p Progress) { removed = p.Done }, callsFolder+"/"+segment(name))
	if c != nil && name != "" {
		removed = max(removed, c.memory.clear(name))
	}
	return removed, err
}

func (c *Cache) clear(ctx context.Context, progress func(Progress), folders ...string) error {
	if c == nil {
		return ErrNil
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	if s == nil {
		return nil
	}
	if c.options.ReadOnly {
		return &Error{"clear", c.dir, ErrReadOnly}
	}
	files, err := listFiles(ctx, s, folders...)
	if err != nil {
		return err
	}
	at := Progress{Total: len(files), BytesTotal: totalSize(files)}
	for _, f := range files {
		from := s
		if !isRecord(f.Name) { // of an array at the second level others may have use
			from = localLevel(s)
		}
		if err := from.Delete(ctx, f.Name); err != nil {
			return &Error{"clear", f.Name, err}
		}
		at.Done++
		at.BytesDone += f.Size
		if progress != nil {
			progress(at)
		}
	}
	return nil
}

func totalSize(files []store.Info) (total int64) {
	for _, f := range files {
		total += f.Size
	}
	return total
}
