package memo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/numcache/numcache/array"
)

// referenceBatch is how many records are read one after another: so many that to hand
// them over costs little beside reading them.
const referenceBatch = 16

// references are the arrays that records refer to, in short: eight bytes each. The
// records are read beside who lists them.
type references struct {
	ctx   context.Context
	col   *collection
	crew  *crew
	batch []string // the records that are read next

	mu     sync.Mutex
	shorts []uint64 // sorted when all are known
	err    error    // why they are not known
}

func newReferences(ctx context.Context, col *collection) *references {
	return &references{ctx: ctx, col: col, crew: newCrew()}
}

// short is a part of a digest, enough to tell whether an object is referred to: two
// digests that share it mean an object that stays.
func short(d array.Digest) uint64 { return binary.BigEndian.Uint64(d[:8]) }

// read reads a record some time soon; false where that is of no use any more.
func (r *references) read(name string) bool {
	if r.batch = append(r.batch, name); len(r.batch) < referenceBatch {
		return true
	}
	r.begin()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err == nil
}

// begin has the records read that are next.
func (r *references) begin() {
	names := r.batch
	r.batch = nil
	if len(names) == 0 {
		return
	}
	r.crew.do(func() {
		shorts := make([]uint64, 0, 2*len(names))
		var failed error
		for _, name := range names {
			digests, err := r.col.digestsOf(r.ctx, name)
			if err != nil {
				failed = err
				break
			}
			for _, digest := range digests {
				shorts = append(shorts, short(digest))
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.shorts = append(r.shorts, shorts...)
		if r.err == nil {
			r.err = failed
		}
	})
}

// known returns when all records are read. An error says why some are not known.
func (r *references) known() error {
	r.begin()
	r.crew.wait()
	slices.Sort(r.shorts)
	r.shorts = slices.Compact(r.shorts)
	return r.err
}

// has reports whether a record refers to the object of the array.
func (r *references) has(digest array.Digest) bool {
	_, found := slices.BinarySearch(r.shorts, short(digest))
	return found
}

// digestsOf reads which objects a record refers to.
func (col *collection) digestsOf(ctx context.Context, name string) ([]array.Digest, error) {
	raw, _, err := col.s.Get(ctx, name, maxRecord)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, &Error{"read", name, err}
	case !strings.HasPrefix(string(raw[:min(len(raw), 16)]), formatHead) && unseal(raw):
		// What a later format refers to is not known here.
		return nil, &Error{"read", name, fmt.Errorf("%w: its objects are not known, so that none is removed; use a newer numcache", ErrFormat)}
	}
	return objectDigests(raw), nil
}

// formatHead is how a record begins.
var formatHead = fmt.Sprintf(`{"format":%d,`, format)

// objectDigests returns the objects that a record refers to, its results' and the chunk
// tables of its arguments, none where it is damaged. It does without reading the JSON, for
// sweeping reads every record: within a string a quotation mark stands behind a backslash,
// so that these marks can only be what they seem.
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
