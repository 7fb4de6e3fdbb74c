// Package storetest holds the conformance suite that every [store.Store] must
// pass, and a store that fails on purpose.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// limit is more than any blob of the suite has.
const limit = 1 << 24

// Abilities say what a kind of store cannot do, through no fault of its own. The zero
// value is one that can do all.
type Abilities struct {
	// FixedTimes is a store whose times of modification are its server's: a blob was
	// modified when it was last written, whatever time it is given.
	FixedTimes bool
	// NoBubble is a store that cannot be used in a bubble of synctest, since a process
	// that is not in it answers. Locks are tested in real time then, for some seconds
	// where the bubble has minutes.
	NoBubble bool
}

// Run tests the stores that open returns, each empty. The test closes them.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	RunWith(t, Abilities{}, open)
}

// RunWith is Run for stores that cannot do everything.
func RunWith(t *testing.T, can Abilities, open func(t *testing.T) store.Store) {
	times := testModified
	if can.FixedTimes {
		times = testFixedTimes
	}
	for _, test := range []struct {
		name string
		f    func(*testing.T, store.Store)
	}{
		{"Missing", testMissing},
		{"PutAndGet", testPutAndGet},
		{"Range", testRange},
		{"TooLarge", testTooLarge},
		{"Replace", testReplace},
		{"FailedPut", testFailedPut},
		{"PutIfAbsent", testPutIfAbsent},
		{"PutTogether", testPutTogether},
		{"Modified", times},
		{"List", testList},
		{"ListStops", testListStops},
		{"Delete", testDelete},
		{"Quarantine", testQuarantine},
		{"InvalidNames", testInvalidNames},
		{"Cancelled", testCancelled},
		{"OpenBlobsStay", testOpenBlobsStay},
		{"AtomicReplace", testAtomicReplace},
		{"ConcurrentUse", testConcurrentUse},
		{"Closed", testClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil && test.name != "Closed" {
					t.Errorf("Close: %v", err)
				}
			}()
			test.f(t, s)
		})
	}
	runLocks(t, !can.NoBubble, open)
}

// content returns a write callback for b.
func content(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func put(t *testing.T, s store.Store, name, text string) {
	t.Helper()
	if err := s.Put(t.Context(), name, store.PutOptions{}, content([]byte(text))); err != nil {
		t.Fatalf("Put %s: %v", name, err)
	}
}

func checkContent(t *testing.T, s store.Store, name, want string) {
	t.Helper()
	if b, _, err := s.Get(t.Context(), name, limit); err != nil || string(b) != want {
		t.Errorf("Get %s: %.40q, %v; want %.40q", name, b, err, want)
	}
}

func checkMissing(t *testing.T, s store.Store, name string) {
	t.Helper()
	ctx := t.Context()
	if b, _, err := s.Get(ctx, name, limit); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get %s: %.40q, %v; want ErrNotExist", name, b, err)
	}
	if blob, err := s.Open(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open %s: %v; want ErrNotExist", name, err)
		if err == nil {
			blob.Close()
		}
	}
	if info, err := s.Stat(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat %s: %v, %v; want ErrNotExist", name, info, err)
	}
}

// list returns the names below prefix.
func list(t *testing.T, s store.Store, prefix string) []string {
	t.Helper()
	var names []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("List %s: %v", prefix, err)
		}
		names = append(names, info.Name)
	}
	return names
}

func checkList(t *testing.T, s store.Store, prefix string, want ...string) {
	t.Helper()
	if got := list(t, s, prefix); !slices.Equal(got, want) {
		t.Errorf("List %s: %q, want %q", prefix, got, want)
	}
}

func testMissing(t *testing.T, s store.Store) {
	checkMissing(t, s, "a")
	checkMissing(t, s, "a/b/c")
	put(t, s, "a/b", "x")
	checkMissing(t, s, "a/c")
	checkMissing(t, s, "a/bb")
}

func testPutAndGet(t *testing.T, s store.Store) {
	for i, name := range []string{"top", "a/b", "a/c/d.json", "%2E/%/%41", "calls/" + string(bytes.Repeat([]byte("n"), 200)) + "/x"} {
		for _, text := range []string{"", "x", string(bytes.Repeat([]byte("0123456789abcdef"), 20000))} {
			if err := s.Put(t.Context(), name, store.PutOptions{Durable: i%2 == 0}, content([]byte(text))); err != nil {
				t.Fatalf("Put %s: %v", name, err)
			}
			checkContent(t, s, name, text)
			if info, err := s.Stat(t.Context(), name); err != nil || info.Name != name || info.Size != int64(len(text)) || info.Modified.IsZero() {
				t.Errorf("Stat %s: %+v, %v", name, info, err)
			}
		}
	}
	// A callback may write in pieces, and keep nothing for itself.
	if err := s.Put(t.Context(), "pieces", store.PutOptions{Durable: true}, func(w io.Writer) error {
		piece := make([]byte, 7)
		for i := range 1000 {
			for j := range piece {
				piece[j] = byte('a' + i%26)
			}
			if n, err := w.Write(piece); n != 7 || err != nil {
				return fmt.Errorf("wrote %d: %w", n, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if b, _, err := s.Get(t.Context(), "pieces", limit); err != nil || len(b) != 7000 || b[0] != 'a' || b[7] != 'b' {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func testRange(t *testing.T, s store.Store) {
	put(t, s, "a/b", "0123456789")
	blob, err := s.Open(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if blob.Size() != 10 {
		t.Errorf("size %d", blob.Size())
	}
	for offset := range int64(12) {
		for length := range 12 {
			b := make([]byte, length)
			n, err := blob.ReadAt(b, offset)
			want := "0123456789"[min(offset, 10):min(offset+int64(length), 10)]
			if string(b[:n]) != want || n < length && err != io.EOF || n == length && err != nil && err != io.EOF {
				t.Errorf("ReadAt %d bytes at %d: %q, %v; want %q", length, offset, b[:n], err, want)
			}
		}
	}
}

func testTooLarge(t *testing.T, s store.Store) {
	put(t, s, "a", "12345")
	if _, _, err := s.Get(t.Context(), "a", 4); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Get with limit 4: %v, want ErrTooLarge", err)
	}
	if b, _, err := s.Get(t.Context(), "a", 5); err != nil || len(b) != 5 {
		t.Errorf("Get with limit 5: %q, %v", b, err)
	}
}

func testReplace(t *testing.T, s store.Store) {
	for _, text := range []string{"first", "second, longer", "3rd", ""} {
		put(t, s, "a/b", text)
		checkContent(t, s, "a/b", text)
	}
	checkList(t, s, "a", "a/b")
}

func testFailedPut(t *testing.T, s store.Store) {
	broken := errors.New("broken")
	fail := func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1000)); err != nil {
			return err
		}
		return broken
	}
	if err := s.Put(t.Context(), "a/new", store.PutOptions{Durable: true}, fail); !errors.Is(err, broken) {
		t.Errorf("Put: %v, want the callback's error", err)
	}
	if _, err := s.PutIfAbsent(t.Context(), "a/new", 1000, store.PutOptions{Durable: true}, fail); !errors.Is(err, broken) {
		t.Errorf("PutIfAbsent: %v, want the callback's error", err)
	}
	checkMissing(t, s, "a/new")
	put(t, s, "a/old", "old")
	if err := s.Put(t.Context(), "a/old", store.PutOptions{}, fail); !errors.Is(err, broken) {
		t.Errorf("Put: %v, want the callback's error", err)
	}
	checkContent(t, s, "a/old", "old")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic of the callback was swallowed")
			}
		}()
		_ = s.Put(t.Context(), "a/old", store.PutOptions{}, func(io.Writer) error { panic("broken") })
	}()
	checkContent(t, s, "a/old", "old")
	checkList(t, s, "a", "a/old")
}

func testPutIfAbsent(t *testing.T, s store.Store) {
	if _, err := s.PutIfAbsent(t.Context(), "a/b", 3, store.PutOptions{}, content([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	checkContent(t, s, "a/b", "one")
	before, err := s.Stat(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	for _, durable := range []bool{false, true} {
		_, err := s.PutIfAbsent(t.Context(), "a/b", 3, store.PutOptions{Durable: durable}, func(w io.Writer) error {
			if !durable {
				t.Error("a blob of this size is there, yet it is written")
			}
			_, err := io.WriteString(w, "one")
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if after, err := s.Stat(t.Context(), "a/b"); err != nil || after.Modified.Before(before.Modified) {
			t.Errorf("modified %v, then %v (%v)", before.Modified, after.Modified, err)
		}
	}
	if _, err := s.PutIfAbsent(t.Context(), "a/b", 5, store.PutOptions{}, content([]byte("three"))); err != nil {
		t.Fatal(err)
	}
	checkContent(t, s, "a/b", "three")
	for _, size := range []int64{3, -1} {
		testPutMeanwhile(t, s, size)
	}
}

// testPutMeanwhile checks that a blob that is not durable does not take the place of one
// that is, and came while the other was written, but does take that of another size.
func testPutMeanwhile(t *testing.T, s store.Store, size int64) {
	ctx := t.Context()
	for came, want := range map[string]string{"two": "two", "four": "one"} {
		if size < 0 {
			want = came
		}
		name := fmt.Sprint("b/", came, size)
		written, err := s.PutIfAbsent(ctx, name, size, store.PutOptions{}, func(w io.Writer) error {
			if err := s.Put(ctx, name, store.PutOptions{Durable: true}, content([]byte(came))); err != nil {
				return err
			}
			_, err := io.WriteString(w, "one")
			return err
		})
		if err != nil || written != (want == "one") {
			t.Errorf("written: %v, %v", written, err)
		}
		checkContent(t, s, name, want)
	}
	checkList(t, s, "tmp")
}

// testModified checks that a blob has the time of modification that it was given.
func testModified(t *testing.T, s store.Store) {
	at := time.Date(2038, 1, 19, 3, 14, 8, 500, time.UTC)
	check := func(step string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", step, err)
		}
		if info, err := s.Stat(t.Context(), "a/b"); err != nil || !info.Modified.Equal(at) {
			t.Errorf("%s: modified %v (%v), want %v", step, info.Modified, err, at)
		}
		if _, modified, err := s.Get(t.Context(), "a/b", limit); err != nil || !modified.Equal(at) {
			t.Errorf("%s: Get tells %v (%v), want %v", step, modified, err, at)
		}
		at = at.Add(time.Hour)
	}
	check("Put", s.Put(t.Context(), "a/b", store.PutOptions{Modified: at}, content([]byte("x"))))
	for _, size := range []int64{1, 2, -1} { // there already, of another size, there already
		_, err := s.PutIfAbsent(t.Context(), "a/b", size, store.PutOptions{Modified: at}, content([]byte("xx")))
		check(fmt.Sprint("PutIfAbsent ", size), err)
	}
	checkContent(t, s, "a/b", "xx")
	before := at.Add(-time.Hour)
	_, err := s.PutIfAbsent(t.Context(), "a/b", 2, store.PutOptions{Modified: before.Add(-store.MaxAhead)}, content([]byte("xx")))
	at = before
	check("PutIfAbsent with an earlier time", err)
	at = before.Add(-store.MaxAhead - 1)
	_, err = s.PutIfAbsent(t.Context(), "a/b", 2, store.PutOptions{Modified: at}, content([]byte("xx")))
	check("PutIfAbsent with a time before that of a clock that was set back", err)
	at = at.Add(-48 * time.Hour)
	check("Freshen", s.Freshen(t.Context(), "a/b", at))
	if err := s.Freshen(t.Context(), "a/c", at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Freshen of a missing blob: %v, want ErrNotExist", err)
	}
}

// testFixedTimes is testModified of a store that has times of its own: they never go
// back, and all who tell of a blob agree.
func testFixedTimes(t *testing.T, s store.Store) {
	at := time.Date(2038, 1, 19, 3, 14, 8, 500, time.UTC)
	var last time.Time
	check := func(step string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", step, err)
		}
		info, err := s.Stat(t.Context(), "a/b")
		if err != nil || info.Modified.IsZero() || info.Modified.Before(last) {
			t.Errorf("%s: modified %v (%v), after %v", step, info.Modified, err, last)
		}
		last = info.Modified
		if _, modified, err := s.Get(t.Context(), "a/b", limit); err != nil || !modified.Equal(last) {
			t.Errorf("%s: Get tells %v (%v), and Stat %v", step, modified, err, last)
		}
		for info, err := range s.List(t.Context(), "a") {
			if err != nil || !info.Modified.Equal(last) {
				t.Errorf("%s: List tells %v (%v), and Stat %v", step, info.Modified, err, last)
			}
		}
	}
	check("Put", s.Put(t.Context(), "a/b", store.PutOptions{Modified: at}, content([]byte("x"))))
	for _, size := range []int64{1, 2, -1} {
		_, err := s.PutIfAbsent(t.Context(), "a/b", size, store.PutOptions{Modified: at}, content([]byte("xx")))
		check(fmt.Sprint("PutIfAbsent ", size), err)
	}
	checkContent(t, s, "a/b", "xx")
	check("Freshen", s.Freshen(t.Context(), "a/b", at))
	checkContent(t, s, "a/b", "xx")
	if err := s.Freshen(t.Context(), "a/c", at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Freshen of a missing blob: %v, want ErrNotExist", err)
	}
}

func testList(t *testing.T, s store.Store) {
	checkList(t, s, "a")
	checkList(t, s, "a/b")
	checkList(t, s, ".")
	names := []string{"a/a-b/x", "a/a.json", "a/a/x", "a/a/y/z", "a/a0", "a/b"}
	for _, name := range []string{"a/a/y/z", "a/b", "a/a0", "a/a.json", "a/a/x", "a/a-b/x", "ab/c", "b"} {
		put(t, s, name, name)
	}
	checkList(t, s, "a", names...)
	checkList(t, s, "a/a", "a/a/x", "a/a/y/z")
	checkList(t, s, "ab", "ab/c")
	checkList(t, s, ".", append(slices.Clone(names), "ab/c", "b")...)
	for info, err := range s.List(t.Context(), "a") {
		if err != nil || info.Size != int64(len(info.Name)) || info.Modified.IsZero() {
			t.Errorf("%+v, %v", info, err)
		}
	}
	for _, name := range names {
		if err := s.Delete(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	checkList(t, s, "a")
	checkList(t, s, "ab", "ab/c")
}

func testListStops(t *testing.T, s store.Store) {
	for _, name := range []string{"a/1", "a/2/x", "a/2/y", "a/3"} {
		put(t, s, name, "")
	}
	for stop := range 4 {
		seen := 0
		for range s.List(t.Context(), "a") {
			if seen == stop {
				break
			}
			seen++
		}
		if seen != stop {
			t.Errorf("%d blobs listed, want %d", seen, stop)
		}
	}
}

func testDelete(t *testing.T, s store.Store) {
	put(t, s, "a/b/c", "x")
	put(t, s, "a/b/d", "y")
	for range 2 { // the second time it is missing, which is no error
		if err := s.Delete(t.Context(), "a/b/c"); err != nil {
			t.Error(err)
		}
		checkMissing(t, s, "a/b/c")
		checkContent(t, s, "a/b/d", "y")
	}
	if err := s.Delete(t.Context(), "nothing/of/the/sort"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), "a/b/d"); err != nil {
		t.Error(err)
	}
	put(t, s, "a/b", "now a blob") // nothing is left of what was below
	checkContent(t, s, "a/b", "now a blob")
}

func testQuarantine(t *testing.T, s store.Store) {
	for i := range 3 { // the same name may be put aside again
		put(t, s, "a/b", fmt.Sprint("bad ", i))
		put(t, s, "a/c", "good")
		for range 2 { // the second time it is gone already
			if err := s.Quarantine(t.Context(), "a/b"); err != nil {
				t.Error(err)
			}
			checkMissing(t, s, "a/b")
		}
		checkContent(t, s, "a/c", "good")
	}
	checkList(t, s, "a", "a/c")
}
