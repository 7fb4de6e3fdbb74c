package memo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/numcache/numcache/array"
)

// contentDigest is an array digest for which nobody can make another array. It is
// made like array.Digest, with SHA-256 in place of the fast hashes of the chunks: two
// arrays with one array.Digest can be written down by who knows how these work.
// Signed records have it of their arrays.
type contentDigest [sha256.Size]byte

// contentCheck judges an array that has the digest it should have by its content
// digest. A nil one judges nothing, and spares making the content digest.
type contentCheck func(contentDigest) error

// hasher makes the digest of an array of its chunks, and the content digest too
// where it is wanted.
type hasher struct {
	table  *array.Table
	chunks [][sha256.Size]byte // nil where no content digest is wanted
}

func newHasher(d array.DType, shape []int, content bool) (hasher, error) {
	table, err := array.NewTable(d, shape...)
	if err != nil || !content {
		return hasher{table: table}, err
	}
	return hasher{table, make([][sha256.Size]byte, table.Len())}, nil
}

// set hashes chunk i. Several goroutines may set different chunks at once.
func (h hasher) set(i int, chunk []byte) error {
	if err := h.table.Set(i, chunk); err != nil || h.chunks == nil {
		return err
	}
	h.chunks[i] = sha256.Sum256(chunk)
	return nil
}

// content returns the content digest. All chunks must have been set.
func (h hasher) content() (sum contentDigest) {
	s := sha256.New()
	fmt.Fprintf(s, "numcache/content/1\n%s\n%s\n", h.table.DType().Descr(), array.FormatShape(h.table.Shape()))
	for i := range h.chunks {
		s.Write(h.chunks[i][:])
	}
	s.Sum(sum[:0])
	return sum
}

// verify compares the array with its digest, and has check judge it.
func (h hasher) verify(want array.Digest, check contentCheck) error {
	if err := checkDigest(h.table.Digest(), want); err != nil || check == nil {
		return err
	}
	return check(h.content())
}

// checkDigest compares the digest of an array with the one that it should have.
func checkDigest(found, want array.Digest) error {
	if found != want {
		return errContent
	}
	return nil
}

// hashSource returns a hasher that has seen all of src.
func hashSource(ctx context.Context, src array.Source, content bool) (hasher, error) {
	if !content {
		table, err := array.HashTable(ctx, src)
		return hasher{table: table}, err
	}
	h, err := newHasher(src.DType(), src.Shape(), content)
	if err == nil {
		err = array.ForChunks(ctx, src, h.set)
	}
	return h, err
}

// UnmarshalText reads 64 hex digits.
func (d *contentDigest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("%.100q is not %d hex digits", text, 2*len(d))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// appendContents writes the content digests of arrays, by their digests. Two arrays
// that differ and have one digest cannot both be objects: that is ErrUnsupported.
func appendContents(dst []byte, objects []object) ([]byte, error) {
	sorted := slices.Clone(objects)
	slices.SortFunc(sorted, func(a, b object) int { return bytes.Compare(a.digest[:], b.digest[:]) })
	dst = append(dst, `"sha256":{`...)
	for i, o := range sorted {
		if i > 0 {
			if last := sorted[i-1]; o.digest == last.digest && o.content == last.content {
				continue
			} else if o.digest == last.digest {
				return nil, fmt.Errorf("%w as results: two arrays that were made to have one digest, %v", ErrUnsupported, o.digest)
			}
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), o.digest.String()...), `":"`...)
		dst = append(hex.AppendEncode(dst, o.content[:]), '"')
	}
	return append(dst, `},`...), nil
}

// parseContents reads what appendContents wrote.
func parseContents(raw json.RawMessage) (map[array.Digest]contentDigest, error) {
	contents := map[array.Digest]contentDigest{}
	if err := json.Unmarshal(raw, &contents); err != nil {
		return nil, fmt.Errorf("%w: its content digests: %w", ErrDamaged, err)
	}
	if contents == nil { // null
		return nil, fmt.Errorf("%w: it has no content digests", ErrDamaged)
	}
	return contents, nil
}

// errForged is an object that has its digest and is another array.
var errForged = fmt.Errorf("%w: it has its digest, and is not the array that the signed record tells of", ErrDamaged)

// checkOf returns what judges an array of the record's: nothing, where the cache has
// no secret.
func (r *Record) checkOf(digest array.Digest) contentCheck {
	if r.contents == nil {
		return nil
	}
	return func(found contentDigest) error {
		if want, ok := r.contents[digest]; !ok || found != want {
			return errForged
		}
		return nil
	}
}
