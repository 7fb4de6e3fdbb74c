package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// Report is what [Cache.Verify] found.
type Report struct {
	Records int   // records that are intact
	Objects int   // objects that are intact
	Bytes   int64 // read
	Damaged []error
	// Incomplete counts intact records that miss one of their objects: their
	// calls are computed anew.
	Incomplete int
}

// Progress tells how far a long operation has come, in files and bytes.
type Progress struct {
	Done, Total           int
	BytesDone, BytesTotal int64
}

// Verify reads every record and object and compares it with its check or digest.
// What is damaged is put aside, into the folder quarantine, and reported. The
// error is that of the cache's folder or of ctx; damage is none. progress, which
// may be nil, is called after every file, from the calling goroutine.
func (c *Cache) Verify(ctx context.Context, progress func(Progress)) (Report, error) {
	var report Report
	if c == nil {
		return report, ErrNil
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	if s == nil {
		return report, nil
	}
	files, err := listFiles(ctx, s, objectsFolder, callsFolder)
	if err != nil {
		return report, err
	}
	at := Progress{Total: len(files), BytesTotal: totalSize(files)}
	intact := map[array.Digest]bool{}
	for _, f := range files {
		err := c.verifyFile(ctx, s, f, intact, &report)
		switch {
		case ctx.Err() != nil:
			return report, ctx.Err()
		case errors.Is(err, fs.ErrNotExist): // removed since it was listed
		case err != nil:
			report.Damaged = append(report.Damaged, c.aside(ctx, s, err))
		}
		at.Done++
		at.BytesDone += f.Size
		report.Bytes += f.Size
		if progress != nil {
			progress(at)
		}
	}
	return report, nil
}

// verifyFile checks one file and counts it. Objects come before the records that
// refer to them; intact has those that are.
func (c *Cache) verifyFile(ctx context.Context, s store.Store, f store.Info, intact map[array.Digest]bool, report *Report) error {
	if strings.HasPrefix(f.Name, callsFolder+"/") {
		r, err := recordAt(ctx, s, f.Name)
		if err != nil {
			return err
		}
		report.Records++
		for _, v := range r.Results {
			for _, a := range v.Arrays() {
				if !intact[a.Digest] {
					report.Incomplete++
					return nil
				}
			}
		}
		return nil
	}
	digest, ok := objectOf(f.Name)
	if !ok {
		return &Error{"read", f.Name, fmt.Errorf("%w: its name is not that of an object", ErrDamaged)}
	}
	h, err := objectHeader(ctx, s, f.Name)
	if err != nil {
		return err
	}
	if _, err := readObjectFile(ctx, s, f.Name, arrayRef{Digest: digest, DType: h.DType, Shape: h.Shape}, false); err != nil {
		return err
	}
	intact[digest] = true
	report.Objects++
	return nil
}

// listFiles returns the files in the given folders, in this order.
func listFiles(ctx context.Context, s store.Store, folders ...string) ([]store.Info, error) {
	var files []store.Info
	for _, folder := range folders {
		for info, err := range s.List(ctx, folder) {
			if err != nil {
				return nil, &Error{"list", folder, err}
			}
			files = append(files, info)
		}
	}
	return files, nil
}
