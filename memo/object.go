package memo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/parallel"
)

// Object returns the array with the given digest, verified, as a copy that
// belongs to the caller. One that the cache does not hold is [ErrNotFound], one
// that does not match its digest [ErrDamaged]; it is put aside. No record is read, and
// so none that [Options.Secret] has signed.
func (c *Cache) Object(ctx context.Context, digest array.Digest) (array.Any, error) {
	if c == nil {
		return nil, ErrNil
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	if s == nil {
		return nil, &Error{"read", objectName(digest), ErrNotFound}
	}
	ref, err := refOfObject(ctx, s, digest)
	if err == nil {
		var a array.Any
		if a, err = readObject(ctx, s, ref, true, nil); err == nil {
			return a, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{"read", objectName(digest), ErrNotFound}
	}
	return nil, c.aside(ctx, s, err)
}

// ObjectPath returns where the array with the given digest stands in the cache's
// folder, whether or not it is there: a path that np.load takes. It ends in .npz
// for one that was compressed, and is the array data of that file.
func (c *Cache) ObjectPath(digest array.Digest) string {
	name := objectName(digest)
	if c != nil {
		s, release := c.use()
		defer release()
		if s != nil {
			if info, err := statObject(context.Background(), s, digest); err == nil {
				name = info.Name
			}
		}
	}
	if dir := c.Dir(); store.Scheme(dir) == "" {
		return path.Join(strings.ReplaceAll(dir, "\\", "/"), name)
	}
	return c.pathOf(name)
}

// pathOf returns where a file of the cache stands, as errors have it.
func (c *Cache) pathOf(name string) string {
	if store.Scheme(c.dir) != "" {
		return strings.TrimSuffix(c.dir, "/") + "/" + name
	}
	return filepath.Join(c.dir, filepath.FromSlash(name))
}

// inEitherForm calls f with the name of an object, and where that is missing with
// the name it has compressed.
func inEitherForm[T any](digest array.Digest, f func(name string) (T, error)) (T, error) {
	v, err := f(objectName(digest))
	if errors.Is(err, fs.ErrNotExist) {
		if packed, packedErr := f(packedName(digest)); !errors.Is(packedErr, fs.ErrNotExist) {
			return packed, packedErr
		}
	}
	return v, err
}

// statObject tells of an object in either form.
func statObject(ctx context.Context, s store.Store, digest array.Digest) (store.Info, error) {
	return inEitherForm(digest, func(name string) (store.Info, error) {
		info, err := s.Stat(ctx, name)
		if err != nil {
			err = &Error{"stat", name, err}
		}
		return info, err
	})
}

// refOfObject reads the header of an object in either form.
func refOfObject(ctx context.Context, s store.Store, digest array.Digest) (arrayRef, error) {
	return inEitherForm(digest, func(name string) (arrayRef, error) {
		h, err := objectHeader(ctx, s, name)
		return arrayRef{Digest: digest, DType: h.DType, Shape: h.Shape}, err
	})
}

// objectHeader reads the header in an object's file.
func objectHeader(ctx context.Context, s store.Store, name string) (h npy.Header, err error) {
	blob, err := s.Open(ctx, name)
	if err != nil {
		return h, &Error{"read", name, err}
	}
	defer blob.Close()
	if isPacked(name) {
		h, err = packedHeader(ctx, blob)
	} else {
		h, _, err = npy.ReadHeader(io.NewSectionReader(blob, 0, blob.Size()))
	}
	if err = asDamage(err); err != nil {
		return h, &Error{"read", name, err}
	}
	return h, nil
}

// readObject reads an array, in either form, and verifies it. Without keep it
// returns none, and needs no memory for it.
func readObject(ctx context.Context, s store.Store, ref arrayRef, keep bool, check contentCheck) (array.Any, error) {
	return inEitherForm(ref.Digest, func(name string) (array.Any, error) {
		return readObjectFile(ctx, s, name, ref, keep, check)
	})
}

// readObjectFile is readObject for the one form that the file of this name has.
func readObjectFile(ctx context.Context, s store.Store, name string, ref arrayRef, keep bool, check contentCheck) (array.Any, error) {
	blob, err := s.Open(ctx, name)
	if err != nil {
		return nil, &Error{"read", name, err}
	}
	defer blob.Close()
	read := readPlain
	if isPacked(name) {
		read = readPacked
	}
	a, err := read(ctx, blob, ref, keep, check)
	if err != nil {
		return nil, &Error{"read", name, err}
	}
	return a, nil
}

// readPlain reads and verifies an object that is a .npy file.
func readPlain(ctx context.Context, blob store.Blob, ref arrayRef, keep bool, check contentCheck) (a array.Any, err error) {
	if size := blob.Size(); size <= array.ChunkSize {
		buffer := chunkBuffers.Get().(*[array.ChunkSize]byte)
		defer chunkBuffers.Put(buffer)
		held := heldBlob{blob, buffer[:size]}
		if err := readAt(blob, held.content, 0); err != nil {
			return nil, err
		}
		blob = held
	}
	start, err := checkHeader(blob, ref)
	if err == nil && keep {
		a, err = array.Uninitialized(ref.DType, ref.Shape...)
	}
	if err != nil {
		return nil, err
	}
	if held, ok := blob.(heldBlob); ok && keep && check == nil && ref.DType != array.Bool {
		return a, held.decode(ctx, start, ref, a)
	}
	return a, scan(ctx, blob, start, ref, a, check)
}

// heldBlob is a small blob that was read at once: header and elements by one call of the
// system.
type heldBlob struct {
	store.Blob
	content []byte
}

func (b heldBlob) ReadAt(p []byte, offset int64) (int, error) {
	n := copy(p, b.content[min(offset, int64(len(b.content))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// decode is scan for elements of which all bytes are kept, so that those that are kept can
// be hashed: it needs neither a table nor anything else for many chunks.
func (b heldBlob) decode(ctx context.Context, start int64, ref arrayRef, a array.Any) error {
	if err := a.Decode(0, b.content[start:]); err != nil {
		return err
	}
	digest, err := array.Hash(ctx, a)
	if err != nil {
		return err
	}
	return checkDigest(digest, ref.Digest)
}

// errContent is an object that has the right form and other elements.
var errContent = fmt.Errorf("%w: its content does not match its digest", ErrDamaged)

// checkHeader compares the length and header of an object with those that an
// array of its type and shape has, and returns where the elements start. Nothing
// is allocated for them before.
func checkHeader(blob store.Blob, ref arrayRef) (start int64, err error) {
	var room [192]byte // for nearly all
	header := npy.AppendHeader(room[:0], ref.DType, ref.Shape)
	n, err := array.Elements(ref.Shape, ref.DType.Size())
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if want := int64(len(header)) + int64(n)*int64(ref.DType.Size()); blob.Size() != want {
		return 0, fmt.Errorf("%w: it has %d bytes, not %d", ErrDamaged, blob.Size(), want)
	}
	var found []byte
	if held, ok := blob.(heldBlob); ok {
		found = held.content[:len(header)]
	} else {
		found = make([]byte, len(header))
		if err := readAt(blob, found, 0); err != nil {
			return 0, err
		}
	}
	if !bytes.Equal(found, header) {
		return 0, fmt.Errorf("%w: its header is not that of %s%s", ErrDamaged, ref.DType, array.FormatShape(ref.Shape))
	}
	return int64(len(header)), nil
}

// scan reads the elements of an object, into a where that is not nil, and hashes
// each chunk while it is in the processor's cache. array.Hash over a Source that
// reads would be shorter, but takes each chunk through a buffer: half as long again
// for 8 MB.
func scan(ctx context.Context, blob store.Blob, start int64, ref arrayRef, a array.Any, check contentCheck) error {
	h, err := newHasher(ref.DType, ref.Shape, check != nil)
	if err != nil {
		return err
	}
	some := func(ctx context.Context, lo, hi int) error {
		read, done := chunkReader(blob, start, ref.DType, a)
		defer done()
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			chunk, err := read(h.table.Chunk(i))
			if err == nil {
				err = h.set(i, chunk)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if h.table.Len() == 1 {
		err = some(ctx, 0, 1)
	} else {
		err = parallel.ForRange(ctx, nil, h.table.Len(), some)
	}
	if err != nil {
		return err
	}
	return h.verify(ref.Digest, check)
}

// chunkBuffers holds buffers for chunks that cannot be read in place.
var chunkBuffers = sync.Pool{New: func() any { return new([array.ChunkSize]byte) }}

// chunkReader returns a function that reads a chunk of an object, into a where
// that is not nil, and one that gives its buffer back. It serves one goroutine.
func chunkReader(blob store.Blob, start int64, d array.DType, a array.Any) (read func(offset, length int) ([]byte, error), done func()) {
	if a != nil && d != array.Bool { // Decode makes sure that a bool is 0 or 1
		if memory, ok := a.Bytes(); ok {
			return func(offset, length int) ([]byte, error) {
				chunk := memory[offset : offset+length]
				return chunk, readAt(blob, chunk, start+int64(offset))
			}, func() {}
		}
	}
	buffer := chunkBuffers.Get().(*[array.ChunkSize]byte)
	read = func(offset, length int) ([]byte, error) {
		chunk := buffer[:length]
		err := readAt(blob, chunk, start+int64(offset))
		if err == nil && a != nil {
			err = a.Decode(offset/d.Size(), chunk)
		}
		return chunk, err
	}
	return read, func() { chunkBuffers.Put(buffer) }
}

func readAt(blob store.Blob, b []byte, offset int64) error {
	n, err := blob.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	return early(err)
}

// early tells of a file that has less than it should.
func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends early", ErrDamaged)
	}
	return err
}
