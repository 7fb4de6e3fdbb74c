package memo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/numcache/numcache/memo/internal/store"
)

// The files that make a folder a cache, beside its entries.
const (
	tagFile = "CACHEDIR.TAG"
	// tagText is what bford.info/cachedir asks for, so that backup programs
	// pass over the cache.
	tagText = "Signature: 8a477f597d28d172789f06886806bc55\n" +
		"# This file is a cache directory tag created by numcache.\n" +
		"# For information about cache directory tags see https://bford.info/cachedir/\n"
	readmeText = `This folder is a numcache cache: results of functions, kept so that they need
not be computed again. It can be deleted at any time.

calls/    one record (JSON) for each cached call, by function and version
objects/  the arrays, by digest of their content. Python opens them:
          numpy.load("objects/ab/abcd….npy")

  numcache ls     lists what is here
  numcache clear  empties it
`
)

// ownNames are the names that may stand in a cache folder before it has its
// format file: what another process is just making.
var ownNames = []string{callsFolder, objectsFolder, quarantineFolder, stagingFolder, "lock", usageFile, statsFile, evictedFile, sourcesFile, tagFile, ".gitignore", "README.txt", formatFile}

// opener opens the files of a cache's folder, which it makes where that is missing
// and the cache may write.
type opener func(dir string, options Options) (store.Files, error)

// openFiles is the opener of folders of the operating system.
func openFiles(dir string, options Options) (store.Files, error) {
	if !options.ReadOnly {
		err := makeFolder(dir, options.Group, stagingFolder)
		// A folder above it that others make too may be replaced just when it is used.
		for try := 0; errors.Is(err, fs.ErrNotExist) && try < makeTries; try++ {
			err = makeFolder(dir, options.Group, stagingFolder)
		}
		if err != nil {
			return nil, err
		}
	}
	return store.OpenFiles(dir)
}

// openFolder returns the store in the cache folder dir. With a store, the error is
// ErrDamaged and tells what it repaired.
func openFolder(dir string, options Options, open opener) (store.Store, error) {
	files, err := open(dir, options)
	if err != nil {
		return nil, err
	}
	d := store.NewDir(files, options.Group)
	if err = checkOwner(d, dir, options); err == nil {
		err = prepare(context.Background(), d, options.ReadOnly)
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, errors.Join(err, d.Close())
	}
	return d, err
}

// makeTries bounds the retries of makeFolder.
const makeTries = 20

// makeFolder makes the folder dir, and those it is in, where they are missing: private
// ones, or a group's, and within that the folders of the given names.
func makeFolder(dir string, group bool, names ...string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeFolder(parent, group); err != nil {
		return err
	}
	var err error
	if group {
		err = makeGroupFolder(dir, names)
	} else if err = os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		err = nil // another process was faster
	}
	if err == nil {
		// What is in the folder survives a power cut only if its name does. Best effort:
		// who may make a folder may not always open the one it is in.
		_ = store.SyncFolder(parent)
	}
	return err
}

// makeGroupFolder makes a folder of the group, with others in it. It gets its mode
// before it gets its name, so that no other member meets a folder that cannot be used,
// nor the same user in another process one that is refused. What is in it keeps the
// folder of one who is just as fast, and who may have opened it, from being replaced.
func makeGroupFolder(dir string, names []string) error {
	staged, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	err = os.Chmod(staged, store.GroupFolder)
	for _, name := range names {
		inner := filepath.Join(staged, name)
		if err == nil {
			err = os.Mkdir(inner, 0o700)
		}
		if err == nil {
			err = os.Chmod(inner, store.GroupFolder)
		}
	}
	if err == nil {
		err = os.Rename(staged, dir)
	}
	if err == nil {
		return nil
	}
	err = errors.Join(err, os.RemoveAll(staged))
	if _, missing := os.Stat(dir); missing == nil {
		return nil // another process was faster
	}
	return err
}

// prepare checks that a store is a cache of this format, or makes it one.
func prepare(ctx context.Context, s store.Store, readOnly bool) error {
	var repaired error
	raw, _, err := s.Get(ctx, formatFile, 1<<16)
	switch {
	case err == nil && unseal(raw):
		return checkFormat(raw)
	case err == nil || errors.Is(err, store.ErrForeign) || errors.Is(err, store.ErrTooLarge):
		// Damaged, or somebody else's: a cache's tag tells.
		if ours, err := tagged(ctx, s); err != nil {
			return err
		} else if !ours {
			return fmt.Errorf("%w: its %s is not numcache's; choose another folder", ErrNotCache, formatFile)
		}
		if readOnly {
			return fmt.Errorf("%w: %s; open the cache for writing once, which writes it anew", ErrDamaged, formatFile)
		}
		if err := s.Quarantine(ctx, formatFile); err != nil {
			return err
		}
		repaired = fmt.Errorf("%w: %s, which is written anew", ErrDamaged, formatFile)
	case errors.Is(err, fs.ErrNotExist):
		ours := false
		for name, err := range topNames(ctx, s) {
			if err != nil {
				return err
			}
			// Without the tag, which is written first, even files of our names
			// are somebody else's: a .gitignore, a README.txt. It is looked for once one
			// is seen, for another process may be making the cache just now.
			if slices.Contains(ownNames, name) && !ours {
				if ours, err = tagged(ctx, s); err != nil {
					return err
				}
			}
			if !isStaging(name) && !(slices.Contains(ownNames, name) && ours) {
				return fmt.Errorf("%w: the folder holds %s; choose an empty folder or a new one", ErrNotCache, name)
			}
		}
		if readOnly {
			return fmt.Errorf("%w: it has no %s; name the folder of a cache", ErrNotCache, formatFile)
		}
	default:
		return err
	}
	formatText := seal([]byte(`{"format":` + strconv.Itoa(format) + `,"writer":"` + writer + `",`))
	// The tag and the format are synced, once for each folder and whatever Options.Sync
	// says: a folder in which a power cut had left them empty would be taken for
	// somebody else's.
	for _, file := range []struct {
		name, text string
		durable    bool
	}{
		{tagFile, tagText, true}, {".gitignore", "*\n", false}, {"README.txt", readmeText, false}, {formatFile, string(formatText), true},
	} {
		err := s.Put(ctx, file.name, store.PutOptions{Durable: file.durable}, func(w io.Writer) error {
			_, err := io.Copy(w, strings.NewReader(file.text))
			return err
		})
		if err != nil {
			return err
		}
	}
	return repaired
}

// topNames yields the first parts of the names in a store, those in a folder also of
// what is no blob. A name may come several times.
func topNames(ctx context.Context, s store.Store) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if d, ok := s.(*store.Dir); ok {
			names, err := d.Names()
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if err != nil {
				yield("", err)
			}
			return
		}
		for info, err := range s.List(ctx, ".") {
			name, _, _ := strings.Cut(info.Name, "/")
			if !yield(name, err) {
				return
			}
		}
	}
}

// tagged reports whether a store has the tag of a numcache cache. An error means
// that it cannot be read now.
func tagged(ctx context.Context, s store.Store) (bool, error) {
	tag, _, err := s.Get(ctx, tagFile, 1<<16)
	if unavailable(err) {
		return false, err
	}
	return err == nil && bytes.Contains(tag, []byte("numcache")), nil
}

// checkFormat reads an intact format file.
func checkFormat(raw []byte) error {
	var f struct{ Format int }
	if err := json.Unmarshal(raw, &f); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFormat, formatFile, err)
	}
	if f.Format != format {
		return fmt.Errorf("%w: the cache has format %d, this version knows %d; use another folder or a newer numcache", ErrFormat, f.Format, format)
	}
	return nil
}

// unavailable reports whether err means that the folder cannot be had now, through
// no mistake of the program: a cache then computes everything.
func unavailable(err error) bool {
	for _, cause := range []error{
		fs.ErrPermission, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ESTALE, syscall.EMFILE, syscall.ENFILE, syscall.EFBIG,
		syscall.EINTR, io.ErrShortWrite, // of a close; of a disk that takes nothing more
		store.ErrUnavailable,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
