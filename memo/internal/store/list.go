package store

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// maxFoldersAhead is how many folders a list reads at the same time. On a disk that is at
// hand two cores want three or four; a network file system takes more.
const maxFoldersAhead = 8

// List implements [Store]. Folders are read ahead of who asks, several at a time.
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := valid("list", prefix); err != nil && prefix != "." {
			yield(Info{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		l := listing{d: d, ctx: ctx, yield: yield}
		defer l.reading.Wait()
		defer cancel()
		entries, err := d.readDir(prefix)
		l.walk(prefix, contentsOf(prefix, entries, err))
	}
}

// listing is a List that is going on.
type listing struct {
	d     *Dir
	ctx   context.Context
	yield func(Info, error) bool

	reading sync.WaitGroup
	ahead   int // so many folders are read at the same time
}

// contents is what is in a folder, in order.
type contents struct {
	found []found
	err   error
}

// found is a file in a folder, or a folder in it, of which only the name is told.
type found struct {
	Info
	base   string
	folder bool
}

// walk yields the files in a folder and below; false where yield said stop.
func (l *listing) walk(folder string, c contents) bool {
	if c.err == nil {
		c.err = l.ctx.Err()
	}
	if c.err != nil {
		// Folders come and go while others write and clear.
		return isNoFolder(c.err) || l.yield(Info{}, c.err) && false
	}
	var begun []<-chan contents // of the folders from here to begin
	begin := 0
	for _, f := range c.found {
		if !f.folder {
			if !l.yield(f.Info, nil) {
				return false
			}
			continue
		}
		// It begins with one, so that who wants no more than the first files waits for
		// no more.
		l.ahead = min(l.ahead+1, maxFoldersAhead)
		for ; begin < len(c.found) && len(begun) < l.ahead; begin++ {
			if c.found[begin].folder {
				begun = append(begun, l.read(c.found[begin].Name))
			}
		}
		next := <-begun[0]
		begun = begun[1:]
		if !l.walk(f.Name, next) {
			return false
		}
	}
	return true
}

// read reads a folder meanwhile.
func (l *listing) read(folder string) <-chan contents {
	done := make(chan contents, 1)
	l.reading.Go(func() {
		if err := l.ctx.Err(); err != nil {
			done <- contents{err: err}
			return
		}
		entries, err := l.d.files.ReadDir(folder)
		done <- contentsOf(folder, entries, err)
	})
	return done
}

// contentsOf is what is in a folder whose entries are given in any order.
func contentsOf(folder string, entries []fs.DirEntry, err error) contents {
	if err != nil {
		return contents{err: err}
	}
	c := contents{found: make([]found, 0, len(entries))}
	for _, entry := range entries {
		name := entry.Name()
		if folder != "." {
			name = folder + "/" + name
		}
		switch {
		case entry.IsDir():
			c.found = append(c.found, found{Info{Name: name}, entry.Name(), true})
		case entry.Type().IsRegular():
			info, err := again2(entry.Info)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return contents{err: err}
			}
			c.found = append(c.found, found{Info{name, info.Size(), info.ModTime()}, entry.Name(), false})
		}
	}
	slices.SortFunc(c.found, found.compare)
	return c
}

// compare has files come in the order of their whole names: a-b/x before a/x.
func (f found) compare(g found) int {
	if f.folder || g.folder {
		return strings.Compare(f.sortName(), g.sortName())
	}
	return strings.Compare(f.base, g.base)
}

func (f found) sortName() string {
	if f.folder {
		return f.base + "/"
	}
	return f.base
}

// isNoFolder reports whether what was to be listed is gone, or is no folder: a foreign
// file where a folder is expected holds no blobs.
func isNoFolder(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrForeign) || errors.Is(err, syscall.ENOTDIR)
}

// readDir lists a folder, by name, and follows no symbolic link there. What is no folder
// holds nothing.
func (d *Dir) readDir(folder string) ([]fs.DirEntry, error) {
	info, err := d.files.Lstat(folder)
	if err != nil || !info.IsDir() {
		return nil, err
	}
	entries, err := d.files.ReadDir(folder)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}
