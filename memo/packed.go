package memo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/npy"
)

// packedMember is the one member of a compressed object, without its .npy.
const packedMember = "data"

// writePacked writes an array as a compressed object. The bytes depend on nothing
// but the elements and the level.
func writePacked(w io.Writer, src array.Source, level int) error {
	z, err := npy.NewArchiveWriter(w, &npy.ArchiveOptions{Level: level})
	if err != nil {
		return err
	}
	if err := z.Write(packedMember, src); err != nil {
		return err
	}
	return z.Close()
}

// openPacked opens a compressed object, whose member may inflate to limit bytes.
func openPacked(ctx context.Context, blob store.Blob, limit int64) (*npy.Archive, npy.Header, error) {
	r := untilDone{ctx, blob}
	z, err := npy.NewArchive(r, blob.Size(), &npy.ArchiveOptions{MaxInflated: limit})
	if err != nil {
		return nil, npy.Header{}, asDamage(err)
	}
	if names := z.Names(); len(names) != 1 || names[0] != packedMember {
		return nil, npy.Header{}, fmt.Errorf("%w: its members are %.200q, not the one %q", ErrDamaged, names, packedMember)
	}
	h, err := z.Header(packedMember)
	return z, h, asDamage(err)
}

// readPacked reads a compressed object and verifies it. Without keep it returns no
// array, and needs no memory for it.
func readPacked(ctx context.Context, blob store.Blob, ref arrayRef, keep bool, check contentCheck) (array.Any, error) {
	n, err := array.Elements(ref.Shape, ref.DType.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	header := npy.AppendHeader(nil, ref.DType, ref.Shape)
	z, h, err := openPacked(ctx, blob, int64(len(header))+int64(n)*int64(ref.DType.Size()))
	if err != nil {
		return nil, err
	}
	if h.DType != ref.DType || h.BigEndian || h.Fortran || !slices.Equal(h.Shape, ref.Shape) {
		return nil, fmt.Errorf("%w: its header is not that of %s%s", ErrDamaged, ref.DType, array.FormatShape(ref.Shape))
	}
	var a array.Any
	var seen hasher
	if keep {
		if a, err = z.Read(packedMember); err == nil {
			seen, err = hashSource(ctx, a, check != nil)
		}
	} else {
		seen, err = hashPacked(z, ref, check != nil)
	}
	if err == nil {
		err = seen.verify(ref.Digest, check)
	}
	if err != nil {
		return nil, asDamage(err)
	}
	return a, nil
}

// hashPacked returns a hasher that has seen the elements of a compressed object, which
// has the header of ref. It needs memory for one chunk.
func hashPacked(z *npy.Archive, ref arrayRef, content bool) (hasher, error) {
	h, err := newHasher(ref.DType, ref.Shape, content)
	if err != nil {
		return h, err
	}
	r, err := z.Open(packedMember)
	if err != nil {
		return h, err
	}
	defer r.Close()
	if _, _, err := npy.ReadHeader(r); err != nil {
		return h, err
	}
	buffer := chunkBuffers.Get().(*[array.ChunkSize]byte)
	defer chunkBuffers.Put(buffer)
	for i := range h.table.Len() {
		_, length := h.table.Chunk(i)
		chunk := buffer[:length]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return h, early(err)
		}
		if err := h.set(i, chunk); err != nil {
			return h, err
		}
	}
	_, err = io.Copy(io.Discard, r) // at whose end the member's checksum is compared
	return h, err
}

// packedHeader reads the header of a compressed object.
func packedHeader(ctx context.Context, blob store.Blob) (npy.Header, error) {
	_, h, err := openPacked(ctx, blob, math.MaxInt64)
	return h, err
}

// asDamage tells a file that is not what was written from one that cannot be read.
func asDamage(err error) error {
	for _, damage := range []error{npy.ErrFormat, npy.ErrUnsupported, npy.ErrTooLarge, npy.ErrMissing, npy.ErrName, array.ErrDType, array.ErrShape} {
		if errors.Is(err, damage) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return err
}

// untilDone ends reading with its context.
type untilDone struct {
	ctx context.Context
	r   io.ReaderAt
}

func (u untilDone) ReadAt(p []byte, offset int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.ReadAt(p, offset)
}
