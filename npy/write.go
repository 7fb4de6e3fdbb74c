package npy

import (
	"fmt"
	"io"
	"os"

	"github.com/numcache/numcache/array"
)

// Write writes v to w as np.save would: version 1.0, C order, little-endian,
// byte for byte. It takes what [array.Of] takes: arrays, numeric slices, gonum
// matrices and vectors of every layout, which are written as their logical
// elements without a second copy in memory. It takes text, too: [*Strings], and a
// string or a slice of them as np.array takes a str or a list of them. v must not be
// written to meanwhile.
//
// Errors are those of [array.Of], before anything is written, and of w. Text that
// NumPy would not give back, which ends with a NUL or is not UTF-8, is
// [ErrUnsupported]. After an error in between, w holds a part of a file.
func Write(w io.Writer, v any) error {
	if s, ok := asStrings(v); ok {
		return s.write(w)
	}
	src, err := array.Of(v)
	if err != nil {
		return err
	}
	// A Source of the caller's own may have a type or a shape that no array has.
	if !src.DType().Valid() {
		return fmt.Errorf("%w: %v", array.ErrDType, src.DType())
	}
	h := Header{Type: numeric(src.DType(), false), Shape: src.Shape()}
	size, err := h.DataSize()
	if err != nil {
		return err
	}
	header := AppendHeader(nil, h.DType, h.Shape)
	if f, ok := w.(*os.File); ok && size >= minReserved {
		if err := reserve(f, int64(len(header))+size); err != nil {
			return err
		}
	}
	if err := writeAll(w, header); err != nil {
		return err
	}
	if a, ok := src.(array.Any); ok {
		if b, ok := a.Bytes(); ok {
			return writeAll(w, b)
		}
	}
	for chunk, err := range array.Chunks(src) {
		if err != nil {
			return err
		}
		if err := writeAll(w, chunk); err != nil {
			return err
		}
	}
	return nil
}

// minReserved is the size of the elements from which on their room in a file is
// reserved before they are written, the same as NumPy's.
const minReserved = 16 << 20

// writeAll also notices a w that breaks io.Writer's contract: what it did not take
// must not pass for written.
func writeAll(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// WriteFile writes v to the file at path as [Write] does, atomically: other
// processes see the old file or the new one, whole, and so does whoever comes after
// a crash or a power cut. After an error the old file stands as it was, and nothing
// is left beside it. Every error is an [*Error].
//
// The new file has the permissions that os.Create would give it, whatever those of
// the old one. A symbolic link at path is replaced, not followed.
func WriteFile(path string, v any) error {
	return onFile("write", path, writeFile(path, v))
}

func writeFile(path string, v any) error {
	s, err := stage(path)
	if err != nil {
		return err
	}
	defer s.discard() // also where a foreign matrix panics
	if err := Write(s.File, v); err != nil {
		return err
	}
	return s.publish()
}
