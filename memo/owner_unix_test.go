//go:build unix

package memo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// chmod sets all bits of a folder, which Mkdir leaves to the umask.
func chmod(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

// TestFoldersThatOthersCanWrite opens folders of every mode: the refused ones are
// left empty, and the error says what to do.
func TestFoldersThatOthersCanWrite(t *testing.T) {
	for _, test := range []struct {
		mode  fs.FileMode
		group bool
		fix   string // "" where Open takes the folder
	}{
		{mode: 0o700},
		{mode: 0o755},
		{mode: 0o755 | fs.ModeSetgid},
		{mode: 0o777, fix: "chmod o-w "},
		{mode: 0o777 | fs.ModeSticky, fix: "chmod o-w "},
		{mode: 0o702, fix: "chmod o-w "},
		{mode: 0o777 | fs.ModeSetgid, group: true, fix: "chmod o-w "},
		{mode: 0o775},
		{mode: 0o770 | fs.ModeSetgid},
		{mode: 0o770, group: true, fix: "chmod 2770 "},
		{mode: 0o700 | fs.ModeSetgid, group: true, fix: "chmod 2770 "},
		{mode: 0o770 | fs.ModeSetgid, group: true},
		{mode: 0o775 | fs.ModeSetgid, group: true},
	} {
		t.Run(fmt.Sprintf("%v group=%v", test.mode, test.group), func(t *testing.T) {
			dir := t.TempDir()
			chmod(t, dir, test.mode)
			o := quiet()
			o.Group = test.group
			c, err := Open(dir, o)
			if test.fix == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), test.fix) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v; want ErrUnsafe that says %q", err, test.fix)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("the refused folder holds %v, %v", left, err)
			}
		})
	}
}

// TestReadOnlyThatOthersCanWrite checks that who only reads is warned of forgers too.
func TestReadOnlyThatOthersCanWrite(t *testing.T) {
	dir := t.TempDir()
	openQuiet(t, dir)
	for mode, want := range map[fs.FileMode]error{0o777: ErrUnsafe, 0o775: nil, 0o755: nil} {
		chmod(t, dir, mode)
		o := quiet()
		o.ReadOnly = true
		c, err := Open(dir, o)
		if !errors.Is(err, want) {
			t.Errorf("%v: %v; want %v", mode, err, want)
		}
		if err == nil {
			c.Close()
		}
	}
}

// TestFoldersOfOthers gives a cache to another user: it is read at most.
func TestFoldersOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	const other = 12345
	dir := t.TempDir()
	openQuiet(t, dir)
	if err := os.Chown(dir, other, other); err != nil {
		t.Fatal(err)
	}
	o := quiet()
	if _, err := Open(dir, o); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "Options.ReadOnly") {
		t.Errorf("for writing: %v; want ErrUnsafe that names Options.ReadOnly", err)
	}
	o.ReadOnly = true
	c, err := Open(dir, o)
	if err != nil {
		t.Fatalf("for reading: %v", err)
	}
	c.Close()
	chmod(t, dir, 0o770|fs.ModeSetgid)
	o = quiet()
	o.Group = true
	if c, err = Open(dir, o); err != nil {
		t.Fatalf("as one of the group: %v", err)
	}
	c.Close()
}

// TestUmask makes caches, private ones and a group's, under each umask and looks at
// every bit.
func TestUmask(t *testing.T) { // not parallel: the umask is the process's
	for _, umask := range []int{0o000, 0o027, 0o077} {
		for _, group := range []bool{false, true} {
			t.Run(fmt.Sprintf("%03o group=%v", umask, group), func(t *testing.T) {
				folder, file := 0o700|fs.ModeDir, fs.FileMode(0o600)
				if group {
					folder, file = 0o770|fs.ModeDir|fs.ModeSetgid, 0o660
				}
				dir := filepath.Join(t.TempDir(), "new", "cache")
				defer syscall.Umask(syscall.Umask(umask))
				o := quiet()
				o.Group = group
				o.Limits.MaxBytes = 1 << 20 // for usage.json
				c, err := Open(dir, o)
				if err != nil {
					t.Fatal(err)
				}
				_, err = memoizeSample(t, c).Call(t.Context(), 3)
				if err := errors.Join(err, c.Close()); err != nil {
					t.Fatal(err)
				}
				kinds := map[bool]int{}
				err = filepath.WalkDir(filepath.Dir(dir), func(path string, e fs.DirEntry, err error) error {
					if err != nil {
						return err
					}
					info, err := e.Info()
					if err != nil {
						return err
					}
					want := file
					if e.IsDir() {
						want = folder
					}
					if info.Mode() != want {
						t.Errorf("%s: %v; want %v", path, info.Mode(), want)
					}
					kinds[e.IsDir()]++
					return nil
				})
				if err != nil || kinds[true] < 7 || kinds[false] < 8 {
					t.Errorf("looked at %v, %v", kinds, err)
				}
			})
		}
	}
}
