package npy

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/numcache/numcache/array"
)

// minHashMapped is the size of the elements from which on to map them costs less than to
// copy them out of the system's memory.
const minHashMapped = 8 << 20

// errNotMapped is a file whose elements cannot be hashed where they lie.
var errNotMapped = errors.New("it cannot be mapped")

// hashMapped makes the chunk table of the elements where they lie in the system's memory,
// and copies none of them. Whatever goes wrong with that is errNotMapped: reading them says
// what it is.
func (f *File) hashMapped(ctx context.Context) (*array.Table, error) {
	if _, ok := f.file.(*os.File); !ok || f.h.DType == array.Bool || f.size < minHashMapped {
		return nil, errNotMapped // of bools other bytes may be hashed than there are
	}
	a, unmap, err := f.mapArray(ReadOnly)
	if err != nil {
		return nil, errNotMapped
	}
	defer unmap()
	t, err := array.NewTable(f.h.DType, f.h.Shape...)
	if err != nil {
		return nil, err
	}
	page := int64(os.Getpagesize())
	begun := int((page - f.start%page) % page) // of a chunk, the rest of the page that it begins in
	err = array.ForChunks(ctx, a, func(i int, chunk []byte) error {
		populate(chunk[min(begun, len(chunk)):])
		return setMapped(t, i, chunk)
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// setMapped hashes a chunk of a mapping. A page that is not there, because the file was
// cut meanwhile or its disk fails, is errNotMapped and does not kill the process.
func setMapped(t *array.Table, i int, chunk []byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		v := recover()
		if _, fault := v.(interface { // see debug.SetPanicOnFault
			runtime.Error
			Addr() uintptr
		}); fault {
			err = errNotMapped
		} else if v != nil {
			panic(v)
		}
	}()
	return t.Set(i, chunk)
}
