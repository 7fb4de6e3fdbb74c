package npy

import (
	"crypto/rand"
	"io"
	"os"

	"github.com/numcache/numcache/array"
)

// Write writes v to w as np.save would: version 1.0, C order, little-endian,
// byte for byte. It takes what [array.Of] takes: arrays, numeric slices, gonum
// matrices and vectors of every layout, which are written as their logical
// elements without a second copy in memory. v must not be written to meanwhile.
func Write(w io.Writer, v any) error {
	src, err := array.Of(v)
	if err != nil {
		return err
	}
	// Shape and type are checked before the first byte is out.
	shape := src.Shape()
	if _, err := array.Elements(shape, src.DType().Size()); err != nil {
		return err
	}
	if _, err := w.Write(AppendHeader(nil, src.DType(), shape)); err != nil {
		return err
	}
	if a, ok := src.(array.Any); ok {
		if b, ok := a.Bytes(); ok {
			_, err := w.Write(b)
			return err
		}
	}
	for chunk, err := range array.Chunks(src) {
		if err != nil {
			return err
		}
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile writes v to the file at path as [Write] does, atomically: other
// processes see the old file or the new one, whole. After an error the old file
// stands as it was. The new file has the permissions that os.Create would give.
func WriteFile(path string, v any) error {
	return onFile("write", path, writeFile(path, v))
}

func writeFile(path string, v any) (err error) {
	// The staging file lies beside the final one: only within a file system is
	// a rename atomic.
	staging := path + ".tmp-" + rand.Text()
	f, err := os.OpenFile(staging, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(staging)
		}
	}()
	if err = Write(f, v); err == nil {
		// Without this, a power cut could leave the new name on an empty file.
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(staging, path)
}
