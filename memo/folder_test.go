package memo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// snapshot returns the content of every file below dir, and "" for folders.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			files[path] = ""
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = "file: " + string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestForeignFoldersAreLeftAlone opens folders that hold something else: an
// error, and not a byte changed. Files of a cache's names are no exception.
func TestForeignFoldersAreLeftAlone(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"a document":               {"thesis.tex": "…"},
		"a new repository":         {".gitignore": "*.o\n", "README.txt": "mine"},
		"a README":                 {"README.txt": "mine"},
		"a file called lock":       {"lock": "mine"},
		"a folder called objects":  {"objects/ab/x": "mine"},
		"a folder called calls":    {"calls/log.txt": "mine"},
		"another program's format": {"format.json": `{"format":1}`},
		"another program's tag":    {"CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# ccache\n", "format.json": "{}"},
		"another tag alone":        {"CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n"},
		"a large format file":      {"format.json": strings.Repeat(" ", 1<<17)},
		"a folder called format":   {"format.json/x": "mine"},
		"a hidden file":            {".profile": "mine"},
		"a cache within":           {"cache/format.json": "{}"},
	} {
		dir := t.TempDir()
		for path, text := range files {
			overwrite(t, []byte(text), dir, filepath.FromSlash(path))
		}
		before := snapshot(t, dir)
		c, err := Open(dir, quiet())
		if !errors.Is(err, ErrNotCache) {
			t.Errorf("%s: %v, want ErrNotCache", name, err)
		}
		if err == nil {
			c.Close()
		}
		checkEqual(t, name, snapshot(t, dir), before)
	}
	file := filepath.Join(t.TempDir(), "file")
	overwrite(t, []byte("mine"), file)
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(path, quiet()); err == nil {
			t.Errorf("Open(%s), a file: no error", path)
		}
	}
}

// TestHalfMadeFolders: what a process that died while it made the cache left
// behind, or what another is just making.
func TestHalfMadeFolders(t *testing.T) {
	for name, files := range map[string][]string{
		"empty":        {},
		"staging":      {"tmp/abc"},
		"tag":          {tagFile},
		"tag, staging": {tagFile, "tmp/abc"},
		"all but last": {tagFile, ".gitignore", "README.txt"},
		"format lost":  {tagFile, ".gitignore", "README.txt", "objects/ab/x", "calls/f/1/ab/x", "quarantine/x", "lock"},
	} {
		dir := t.TempDir()
		for _, file := range files {
			overwrite(t, []byte(tagText), dir, filepath.FromSlash(file))
		}
		c, err := Open(dir, quiet())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for range 2 {
			got, err := memoizeSample(t, c).Call(t.Context(), 1)
			checkSample(t, 1, got, err)
		}
		if s := c.Stats(); s.Hits != 1 || s.Faults != 0 {
			t.Errorf("%s: %+v", name, s)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	got, err := memoizeSample(t, openQuiet(t, dir)).Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	for _, body := range []string{`{"format":2,"writer":"numcache 9",`, `{"format":0,`, `{"format":-1,`, `{"format":"two",`, `{"writer":"x",`, `{"format":1e9,`} {
		overwrite(t, seal([]byte(body)), dir, formatFile)
		before := snapshot(t, dir)
		if _, err := Open(dir, quiet()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", body, err)
		}
		checkEqual(t, body, snapshot(t, dir), before)
	}
}

// TestRecordsOfANewerFormat are misses, no faults, and are not put aside.
func TestRecordsOfANewerFormat(t *testing.T) {
	dir := t.TempDir()
	c := openQuiet(t, dir)
	f := memoizeSample(t, c)
	k, err := f.Key(1)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(forge(k, "[]")), `"format":1`, `"format":2`, 1)
	newer = string(seal([]byte(newer[:len(newer)-sealSize])))
	overwrite(t, []byte(newer), dir, recordName("sample", "1", k.Digest()))
	if _, err := c.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if string(read(t, dir, recordName("sample", "1", k.Digest()))) != newer {
		t.Error("Verify took it away")
	}
	got, err := f.Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	if s := c.Stats(); s.Misses != 1 || s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}

// TestReadOnlyFolder: permissions do not bind root, so TestReadOnlyStore has the
// same for every user.
func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("permissions do not bind this user; TestReadOnlyStore does this with faults")
	}
	dir := t.TempDir()
	w := openQuiet(t, dir)
	got, err := memoizeSample(t, w).Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	chmod := func(file, folder fs.FileMode) {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.IsDir() {
				return os.Chmod(path, folder)
			}
			return os.Chmod(path, file)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	chmod(0o400, 0o500)
	defer chmod(0o600, 0o700)
	c := openQuiet(t, dir)
	for n := 1; n <= 2; n++ {
		got, err := memoizeSample(t, c).Call(t.Context(), n)
		checkSample(t, n, got, err)
	}
	if s := c.Stats(); s.Hits != 1 || s.Misses != 1 || s.Faults != 1 {
		t.Errorf("%+v", s)
	}
	// A folder that cannot be made is no error either.
	below := openQuiet(t, filepath.Join(dir, "below"))
	got, err = memoizeSample(t, below).Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	if s := below.Stats(); s.Misses != 1 || s.Faults != 1 {
		t.Errorf("%+v", s)
	}
}

// TestFolderRemovedUnderneath: calls go on, with faults.
func TestFolderRemovedUnderneath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not remove a folder in use")
	}
	dir := filepath.Join(t.TempDir(), "cache")
	c := openQuiet(t, dir)
	f := memoizeSample(t, c)
	for range 2 {
		got, err := f.Call(t.Context(), 1)
		checkSample(t, 1, got, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := f.Call(t.Context(), 1)
		checkSample(t, 1, got, err)
	}
	if s := c.Stats(); s.Misses != 3 || s.Faults == 0 {
		t.Errorf("%+v", s)
	}
}

func TestFolderIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such bits")
	}
	dir := filepath.Join(t.TempDir(), "new", "cache")
	got, err := memoizeSample(t, openQuiet(t, dir)).Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
