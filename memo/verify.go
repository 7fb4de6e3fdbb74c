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
	// Unsigned are records that [Options.Secret] has not signed; each is an
	// [ErrUnsigned]. Their calls are computed anew.
	Unsigned []error
	// Incomplete counts intact records that miss one of their objects: their
	// calls are computed anew.
	Incomplete int
}

// Progress tells how far a long operation has come, in files and bytes.
type Progress struct {
	Done, Total           int
	BytesDone, BytesTotal int64
}

// Verify reads every record and object and compares it with its check or digest, and
// with Options.Secret also with its MAC and content digests. What is damaged is
// reported, and put aside, into the folder quarantine; with Options.ReadOnly, and
// where the folder cannot be written, it is left where it is, and so are records that
// are not signed. The error is that of the cache's folder or of ctx; damage is none.
// progress, which may be nil, is called after every file, from the calling goroutine.
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
	intact := map[array.Digest]verified{}
	for _, f := range files {
		err := c.verifyFile(ctx, s, f, intact, &report)
		switch {
		case ctx.Err() != nil:
			return report, ctx.Err()
		case errors.Is(err, fs.ErrNotExist): // removed since it was listed
		case errors.Is(err, ErrUnsigned):
			report.Unsigned = append(report.Unsigned, err)
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

// verified is an object that has its digest.
type verified struct {
	name    string
	content contentDigest // where the cache has a secret
}

// verifyFile checks one file and counts it. Objects come before the records that
// refer to them; intact has those that are.
func (c *Cache) verifyFile(ctx context.Context, s store.Store, f store.Info, intact map[array.Digest]verified, report *Report) error {
	if strings.HasPrefix(f.Name, callsFolder+"/") {
		return c.verifyRecord(ctx, s, f.Name, intact, report)
	}
	digest, ok := objectOf(f.Name)
	if !ok {
		return &Error{"read", f.Name, fmt.Errorf("%w: its name is not that of an object", ErrDamaged)}
	}
	h, err := objectHeader(ctx, s, f.Name)
	if err != nil {
		return err
	}
	object := verified{name: f.Name}
	var note contentCheck
	if c.signer != nil {
		note = func(content contentDigest) error {
			object.content = content
			return nil
		}
	}
	if _, err := readObjectFile(ctx, s, f.Name, arrayRef{Digest: digest, DType: h.DType, Shape: h.Shape}, false, note); err != nil {
		return err
	}
	if _, plain := intact[digest]; !plain { // which is read before the compressed one, and was listed before
		intact[digest] = object
	}
	report.Objects++
	return nil
}

// verifyRecord checks a record and counts it, and puts aside objects that are not the
// arrays it tells of.
func (c *Cache) verifyRecord(ctx context.Context, s store.Store, name string, intact map[array.Digest]verified, report *Report) error {
	r, err := c.recordAt(ctx, s, name)
	if err != nil {
		return err
	}
	report.Records++
	complete := true
	for _, v := range r.Results {
		for _, a := range v.Arrays() {
			object, ok := intact[a.Digest]
			complete = complete && ok
			check := r.checkOf(a.Digest)
			if !ok || check == nil {
				continue
			}
			if err := check(object.content); err != nil {
				complete = false
				delete(intact, a.Digest)
				report.Objects--
				report.Damaged = append(report.Damaged, c.aside(ctx, s, &Error{"read", object.name, err}))
			}
		}
	}
	if !complete {
		report.Incomplete++
	}
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
