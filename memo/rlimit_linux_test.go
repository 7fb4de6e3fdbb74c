package memo

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fileSizes has files that may have no more than so many bytes. The Go runtime passes
// over the signal that comes with the error.
func fileSizes(t *testing.T, calls int, did *fullCounts) {
	limit := func(bytes uint64) {
		t.Helper()
		setLimit(t, unix.RLIMIT_FSIZE, bytes)
	}
	defer limit(unix.RLIM_INFINITY)
	limit(1)
	dir := t.TempDir()
	f := openFull(t, filepath.Join(dir, "none"), Limits{}, did) // not even the files of a cache
	for n := range 4 {
		f.call(n)
	}
	f.close()
	limit(5000)
	f = openFull(t, filepath.Join(dir, "cache"), Limits{MaxEntries: 10}, did)
	for i := range calls {
		n := i % 8
		hit := f.call(n)
		if small := n%4 < 2; i >= 8 && hit != small {
			t.Errorf("call %d was a hit: %v", n, hit)
		}
	}
	for _, err := range f.faults {
		if !errors.Is(err, syscall.EFBIG) {
			t.Errorf("fault: %v", err)
		}
	}
	if len(f.faults) == 0 {
		t.Error("no file was too large")
	}
	limit(unix.RLIM_INFINITY)
	f.checkSound()
	if f.call(3); !f.call(3) {
		t.Errorf("files may be large again, and nothing is stored: %v", f.faults)
	}
	f.close()
}

// descriptors lets the process open no more than so many files, from none on.
func descriptors(t *testing.T, calls int, did *fullCounts) {
	f := openFull(t, t.TempDir(), Limits{MaxEntries: 20}, did)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		f.call(i % 7) // some to be hits
		setLimit(t, unix.RLIMIT_NOFILE, 100)
		var open []int
		for {
			fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				break
			}
			open = append(open, fd)
		}
		closeOne := func() {
			_ = unix.Close(open[len(open)-1])
			open = open[:len(open)-1]
		}
		for range min(i%12, len(open)) {
			closeOne()
		}
		for n := range 10 {
			f.call(i + n)
		}
		for len(open) > 0 {
			closeOne()
		}
		setLimit(t, unix.RLIMIT_NOFILE, before.Cur)
	}
	for _, err := range f.faults {
		if !errors.Is(err, syscall.EMFILE) {
			t.Errorf("fault: %v", err)
		}
	}
	if len(f.faults) == 0 {
		t.Error("there were files enough")
	}
	f.checkSound()
	f.checkStores("with files enough")
	f.close()
}

// An entry of more arrays than a process may have open files is stored, durable too.
func TestMoreArraysThanOpenFiles(t *testing.T) {
	c, err := Open(t.TempDir(), &Options{Sync: SyncFull})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := Func(c, Spec{Name: "many"}, func(n int) [][]float64 {
		arrays := make([][]float64, n)
		for i := range arrays {
			arrays[i] = []float64{float64(i)}
		}
		return arrays
	})
	if err != nil {
		t.Fatal(err)
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer setLimit(t, unix.RLIMIT_NOFILE, before.Cur)
	setLimit(t, unix.RLIMIT_NOFILE, 200)
	for range 2 {
		if arrays := f.Call(300); len(arrays) != 300 || arrays[299][0] != 299 {
			t.Fatal(len(arrays))
		}
	}
	if s := c.Stats(); s.Hits != 1 || s.Misses != 1 || s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}

func setLimit(t *testing.T, which int, soft uint64) {
	t.Helper()
	var limit unix.Rlimit
	err := unix.Getrlimit(which, &limit)
	if err == nil {
		limit.Cur = min(soft, limit.Max)
		err = unix.Setrlimit(which, &limit)
	}
	if err != nil {
		t.Fatal(err)
	}
}
