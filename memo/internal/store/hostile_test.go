//go:build linux || darwin

package store_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

const secret = "outside of the cache"

// patience is far more than any operation takes; one that waits for the other
// end of a FIFO would wait for ever.
const patience = 20 * time.Second

// promptly runs f and fails the test where it hangs.
func promptly(t *testing.T, what string, f func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatalf("%s hangs", what)
	}
}

// obstacles are things that are no blobs, each with what makes it at path.
// outside is a folder beside the store with the file secret in it, inside the
// store's own folder with the blob real.
var obstacles = map[string]func(path, outside, inside string) error{
	"symlink to a file outside":   func(path, outside, _ string) error { return os.Symlink(filepath.Join(outside, "secret"), path) },
	"symlink to a folder outside": func(path, outside, _ string) error { return os.Symlink(outside, path) },
	"relative way out":            func(path, _, _ string) error { return os.Symlink("../../outside/secret", path) },
	"symlink to a blob":           func(path, _, inside string) error { return os.Symlink(filepath.Join(inside, "real"), path) },
	"relative symlink to a blob":  func(path, _, _ string) error { return os.Symlink("../real", path) },
	"dangling symlink":            func(path, outside, _ string) error { return os.Symlink(filepath.Join(outside, "new"), path) },
	"symlink to itself":           func(path, _, _ string) error { return os.Symlink(filepath.Base(path), path) },
	"device":                      func(path, _, _ string) error { return os.Symlink("/dev/zero", path) },
	"FIFO":                        func(path, _, _ string) error { return syscall.Mkfifo(path, 0o600) },
	"folder":                      func(path, _, _ string) error { return os.MkdirAll(filepath.Join(path, "full"), 0o700) },
	"socket": func(path, _, _ string) error {
		dir, err := os.MkdirTemp("", "s") // a socket's path must be short
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
		if err != nil {
			return err
		}
		defer l.Close()
		return os.Rename(filepath.Join(dir, "s"), path)
	},
}

// checkOutside fails if anything beside the store changed.
func checkOutside(t *testing.T, outside string) {
	t.Helper()
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside of the store stand %v, %v", entries, err)
	}
	if b, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(b) != secret {
		t.Errorf("the file outside holds %q, %v", b, err)
	}
}

// TestObstacles puts everything but a blob in a blob's place, and checks that each
// operation ends, touches nothing else, and can be undone by a Put.
func TestObstacles(t *testing.T) {
	eachReader(t, func(t *testing.T, open func(*testing.T, string) *store.Dir) {
		for name, make := range obstacles {
			t.Run(name, func(t *testing.T) {
				base := t.TempDir()
				outside, inside := filepath.Join(base, "outside"), filepath.Join(base, "inside")
				for _, dir := range []string{outside, inside, filepath.Join(inside, "a")} {
					if err := os.Mkdir(dir, 0o700); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(filepath.Join(outside, "secret"), []byte(secret), 0o600); err != nil {
					t.Fatal(err)
				}
				d := open(t, inside)
				ctx := t.Context()
				if err := d.Put(ctx, "real", store.PutOptions{}, write("real")); err != nil {
					t.Fatal(err)
				}
				place := func() {
					t.Helper()
					if err := make(filepath.Join(inside, "a", "b"), outside, inside); err != nil {
						t.Skip(err) // such as a path too long for a socket
					}
				}
				place()
				promptly(t, "reading", func() {
					if b, _, err := d.Get(ctx, "a/b", 1<<20); !errors.Is(err, store.ErrForeign) {
						t.Errorf("Get: %q, %v; want ErrForeign", b, err)
					}
					if _, err := d.Open(ctx, "a/b"); !errors.Is(err, store.ErrForeign) {
						t.Errorf("Open: %v; want ErrForeign", err)
					}
					if _, err := d.Stat(ctx, "a/b"); !errors.Is(err, store.ErrForeign) {
						t.Errorf("Stat: %v; want ErrForeign", err)
					}
					for info, err := range d.List(ctx, "a") {
						if err != nil || info.Name == "a/b" {
							t.Errorf("List: %v, %v", info, err)
						}
					}
				})
				promptly(t, "Quarantine", func() {
					if err := d.Quarantine(ctx, "a/b"); err != nil {
						t.Errorf("Quarantine: %v", err)
					}
				})
				if _, err := d.Stat(ctx, "a/b"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("after Quarantine: %v", err)
				}
				for _, put := range []func() error{
					func() error { return d.Put(ctx, "a/b", store.PutOptions{Durable: true}, write("new")) },
					func() error {
						_, err := d.PutIfAbsent(ctx, "a/b", 3, store.PutOptions{Durable: true}, write("new"))
						return err
					},
				} {
					if err := os.RemoveAll(filepath.Join(inside, "a", "b")); err != nil {
						t.Fatal(err)
					}
					place()
					promptly(t, "Put", func() {
						if err := put(); err != nil {
							t.Errorf("Put: %v", err)
						}
					})
					if b, _, err := d.Get(ctx, "a/b", 10); err != nil || string(b) != "new" {
						t.Errorf("after Put: %q, %v", b, err)
					}
				}
				if b, _, err := d.Get(ctx, "real", 10); err != nil || string(b) != "real" {
					t.Errorf("another blob: %q, %v", b, err)
				}
				checkOutside(t, outside)
			})
		}
	})
}

// TestFoldersThatLeadOut makes folders on the way to a blob, the store's own ones
// too, symbolic links to the outside.
func TestFoldersThatLeadOut(t *testing.T) {
	eachReader(t, func(t *testing.T, open func(*testing.T, string) *store.Dir) {
		for _, link := range []string{"a", "a/b", "tmp", "quarantine"} {
			for _, target := range []string{"absolute", "relative"} {
				t.Run(link+" "+target, func(t *testing.T) {
					base := t.TempDir()
					outside, inside := filepath.Join(base, "outside"), filepath.Join(base, "inside")
					for _, dir := range []string{outside, inside, filepath.Dir(filepath.Join(inside, link))} {
						if err := os.MkdirAll(dir, 0o700); err != nil {
							t.Fatal(err)
						}
					}
					if err := os.WriteFile(filepath.Join(outside, "secret"), []byte(secret), 0o600); err != nil {
						t.Fatal(err)
					}
					to := outside
					if target == "relative" {
						var err error
						if to, err = filepath.Rel(filepath.Dir(filepath.Join(inside, link)), outside); err != nil {
							t.Fatal(err)
						}
					}
					if err := os.Symlink(to, filepath.Join(inside, link)); err != nil {
						t.Fatal(err)
					}
					d := open(t, inside)
					ctx := t.Context()
					for _, name := range []string{link + "/secret", link + "/new", "a/b/secret", "plain"} {
						promptly(t, name, func() {
							if b, _, err := d.Get(ctx, name, 1<<20); err == nil && string(b) == secret {
								t.Errorf("Get %s reads the file outside", name)
							}
							_, _ = d.Stat(ctx, name)
							// What these return does not matter here, only what they do.
							_ = d.Put(ctx, name, store.PutOptions{Durable: true}, write("x"))
							_, _ = d.PutIfAbsent(ctx, name, int64(len(secret)), store.PutOptions{Durable: true}, write(secret))
							_ = d.Quarantine(ctx, name)
							_ = d.Delete(ctx, name)
						})
					}
					for info, err := range d.List(ctx, link) {
						t.Errorf("List %s: %v, %v", link, info, err)
					}
					checkOutside(t, outside)
				})
			}
		}
	})
}

// TestFoldersThatBecameOthers: something else has a folder's name by the time that its
// names are made durable. Nothing waits for it, and what is outside is left alone.
func TestFoldersThatBecameOthers(t *testing.T) {
	for name, make := range obstacles {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			outside, inside := filepath.Join(base, "outside"), filepath.Join(base, "inside")
			if err := errors.Join(os.Mkdir(outside, 0o700), os.Mkdir(inside, 0o700), os.WriteFile(filepath.Join(outside, "secret"), []byte(secret), 0o600)); err != nil {
				t.Fatal(err)
			}
			d, err := store.OpenDir(inside)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := make(filepath.Join(inside, "a"), outside, inside); err != nil {
				t.Skip(err) // such as a path too long for a socket
			}
			promptly(t, "syncing", func() {
				if err := d.SyncFolders("a"); (err == nil) != (name == "folder") && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%v", err)
				}
			})
			checkOutside(t, outside)
		})
	}
}
