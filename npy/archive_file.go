package npy

import (
	"archive/zip"
	"fmt"
	"os"
	"sync"
)

// File returns a stored member as if it were a .npy file of its own: to read some
// of its rows, to walk through it, to map it. Its Close does nothing; the Archive
// must stay open as long as it is used, but for mappings, which stay. The checksum
// of the member is not looked at.
//
// A deflated member is [ErrUnsupported], as is an archive that is not in a file;
// [Archive.Read] reads them. Other errors are those of [Open] and [Archive.Open].
func (a *Archive) File(name string) (*File, error) {
	f, err := a.file(name)
	return f, a.fail("open", name, err)
}

func (a *Archive) file(name string) (*File, error) {
	m, err := a.find(name)
	if err != nil {
		return nil, err
	}
	file, ok := a.r.(*os.File)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: the archive is not in a file; use Read", ErrUnsupported)
	case m.method == zip.Deflate:
		return nil, fmt.Errorf("%w: it is deflated, so that its rows can only be had all together; use Read, or write it with Level 0", ErrUnsupported)
	}
	r, err := a.open(m)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	h, start, err := ReadHeader(r)
	if err != nil {
		return nil, damaged(err)
	}
	size, err := h.DataSize()
	if err != nil {
		return nil, err
	}
	if held := m.size - start; held < size {
		return nil, truncated(h, held, size)
	}
	return &File{file: file, member: true, path: a.path, h: h, start: m.offset + start, size: size, held: m.size - start}, nil
}

// Map maps the array of a stored member, as [File.Map] does that of a file. In the
// archives that [CreateArchive] writes, elements are aligned for it; np.savez
// aligns them by chance.
func (a *Archive) Map(name string, mode MapMode) (*Mapping, error) {
	f, err := a.file(name)
	if err != nil {
		return nil, a.fail("map", name, err)
	}
	x, unmap, err := f.mapArray(mode)
	if err != nil {
		return nil, a.fail("map", name, err)
	}
	return &Mapping{f.path, x, sync.OnceValue(unmap)}, nil
}
