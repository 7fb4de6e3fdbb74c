package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// arrayPart is what a page shows of an array.
type arrayPart struct {
	Digest       string
	Type         string // and shape
	Bytes        int64  // of the elements
	URL, Picture string // "" where there is nothing to see

	File       int64 // its bytes
	Compressed bool
	Problem    string // why it cannot be shown

	Summary *summary
	Drawn   string // what the picture shows
	Table   *table
}

// maxElements is how many bytes of elements an array may have to be looked into.
// A larger one would take the memory of many; numcache show and cat read it.
const maxElements = 256 << 20

func (s *Site) array(r *http.Request) (any, error) {
	digest, err := array.ParseDigest(r.URL.Query().Get("d"))
	if err != nil {
		return nil, &problem{http.StatusBadRequest, "That is no digest", "A digest has 32 hex digits."}
	}
	ctx := r.Context()
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	part := arrayPart{Digest: digest.String()}
	s.fill(ctx, &part, digest)
	return part, ctx.Err()
}

// arrayPart looks into an array of a result.
func (s *Site) arrayPart(ctx context.Context, a memo.ArrayInfo) arrayPart {
	part := newArrayPart(a)
	s.fill(ctx, &part, a.Digest)
	return part
}

// argumentPart tells of an array of an argument, of which the record has the digest
// only.
func (s *Site) argumentPart(ctx context.Context, a memo.ArrayInfo) arrayPart {
	part := newArrayPart(a)
	if _, err := s.config.Cache.StatObject(ctx, a.Digest); err == nil {
		part.URL = arrayURL("/array", a.Digest)
	}
	return part
}

func newArrayPart(a memo.ArrayInfo) arrayPart {
	return arrayPart{Digest: a.Digest.String(), Type: a.DType.String() + array.FormatShape(a.Shape), Bytes: elementBytes(a)}
}

func elementBytes(a memo.ArrayInfo) int64 {
	n, err := array.Elements(a.Shape, a.DType.Size())
	if err != nil {
		return 0
	}
	return int64(n) * int64(a.DType.Size())
}

func arrayURL(path string, digest array.Digest) string {
	return path + "?" + url.Values{"d": {digest.String()}}.Encode()
}

// fill tells of the array that the cache holds under a digest, as far as it can be read.
func (s *Site) fill(ctx context.Context, part *arrayPart, digest array.Digest) {
	info, a, err := s.load(ctx, digest)
	if info.Bytes > 0 {
		part.File, part.Compressed = info.Bytes, info.Compressed
		part.Type, part.Bytes = info.DType.String()+array.FormatShape(info.Shape), elementBytes(info.ArrayInfo)
	}
	if err != nil {
		part.Problem = s.arrayProblem(err)
		return
	}
	part.URL = arrayURL("/array", digest)
	v := newValues(a)
	part.Summary, part.Table = summarise(v), tableOf(a)
	if p := layout(v.shape); p != nil {
		part.Picture, part.Drawn = arrayURL("/array.png", digest), p.words()
	}
}

// errLarge is an array that is not looked into.
var errLarge = errors.New("it is too large to be shown here")

// load reads an array, verified, that is not too large.
func (s *Site) load(ctx context.Context, digest array.Digest) (memo.ObjectInfo, array.Any, error) {
	info, err := s.config.Cache.StatObject(ctx, digest)
	if err == nil && elementBytes(info.ArrayInfo) > maxElements {
		err = errLarge
	}
	if err != nil {
		return info, nil, err
	}
	a, err := s.config.Cache.Object(ctx, digest)
	return info, a, err
}

func (s *Site) arrayProblem(err error) string {
	switch {
	case errors.Is(err, memo.ErrNotFound):
		return "it is not in the cache: the call will be computed anew"
	case errors.Is(err, errLarge):
		return "it is too large to be shown here; numcache cat prints it, by its digest"
	}
	return s.config.Reason(err)
}
