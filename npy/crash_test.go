package npy_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// journal notes what is written.
type journal struct {
	w      io.WriterAt
	writes []written
}

type written struct {
	b  []byte
	at int64
}

func (j *journal) WriteAt(b []byte, at int64) (int, error) {
	j.writes = append(j.writes, written{bytes.Clone(b), at})
	return j.w.WriteAt(b, at)
}

// A process can be killed at any byte of the elements, and before or after the
// header: the file is whole, with the old rows or the new ones, and an Appender
// that comes later makes of it what it would have been.
func TestKilledAtEveryByte(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, d := range []array.DType{array.Uint8, array.Float64} {
		old, more := random(t, r, d, 9, 2), random(t, r, d, 3, 2)
		for _, big := range []bool{false, true} {
			path := write(t, "x.npy", layout(t, old, false, big))
			a, err := npy.OpenAppend(path)
			if err != nil {
				t.Fatal(err)
			}
			before := content(t, path)
			var j *journal
			a.Writes(func(w io.WriterAt) io.WriterAt { j = &journal{w: w}; return j })
			if err := errors.Join(a.Append(more), a.Close()); err != nil {
				t.Fatal(err)
			}
			after := content(t, path)
			last := len(j.writes) - 1
			if last < 1 || j.writes[last].at >= 128 {
				t.Fatalf("%d writes, of which the header is not the last", last+1)
			}
			crash := bytes.Clone(before)
			for i, w := range j.writes {
				for n := range len(w.b) + 1 {
					if i == last && n > 0 && n < len(w.b) {
						continue // one write within a page
					}
					state := bytes.Clone(crash)
					if end := int(w.at) + n; end > len(state) {
						state = append(state, make([]byte, end-len(state))...)
					}
					copy(state[w.at:], w.b[:n])
					if n == len(w.b) {
						crash = state
					}
					path := write(t, "crashed.npy", state)
					want, rest := old, more
					if i == last && n == len(w.b) {
						want = join(t, old, more)
						rest = rowsOf(t, more, 0, 0)
					}
					if got, err := npy.ReadFile(path); err != nil || !equal(got, want) {
						t.Fatalf("%v: %d bytes of write %d: %v", d, n, i, err)
					}
					again, err := npy.OpenAppend(path)
					if err != nil {
						t.Fatal(err)
					}
					if err := errors.Join(again.Append(rest), again.Close()); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(content(t, path), after) {
						t.Fatalf("%v: %d bytes of write %d: another file in the end", d, n, i)
					}
				}
			}
		}
	}
}

// join returns the rows of a and then those of b.
func join(t testing.TB, a, b array.Any) array.Any {
	t.Helper()
	shape := a.Shape()
	shape[0] += b.Shape()[0]
	all, err := array.Make(a.DType(), shape...)
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Decode(0, append(elementsOf(t, a), elementsOf(t, b)...)); err != nil {
		t.Fatal(err)
	}
	return all
}

// faulty fails write number n, after half of it.
type faulty struct {
	w io.WriterAt
	n int
}

func (f *faulty) WriteAt(b []byte, at int64) (int, error) {
	if f.n--; f.n == -1 {
		n, err := f.w.WriteAt(b[:len(b)/2], at)
		return n, errors.Join(errBroken, err)
	}
	return f.w.WriteAt(b, at)
}

// A write that fails, as on a full disk, leaves the old rows; the next Append
// makes up for it. A header that fails is written again.
func TestAppendFails(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	const chunks = 3
	all := random(t, r, array.Float64, 9+chunks*array.ChunkSize/16, 2)
	n := all.Shape()[0]
	old, more := rowsOf(t, all, 0, 9), rowsOf(t, all, 9, n)
	for fail := range chunks + 2 {
		path := write(t, "x.npy", layout(t, old, false, true)) // big-endian goes by chunks
		a, err := npy.OpenAppend(path)
		if err != nil {
			t.Fatal(err)
		}
		a.Writes(func(w io.WriterAt) io.WriterAt { return &faulty{w, fail} })
		err = a.Append(more)
		if fail == chunks+1 { // there are no more writes
			if err != nil {
				t.Error(err)
			}
			a.Close()
			continue
		}
		if !errors.Is(err, errBroken) || a.Rows() != 9 {
			t.Errorf("write %d: error %v, %d rows", fail, err, a.Rows())
		}
		if got, err := npy.ReadFile(path); fail < chunks && (err != nil || !equal(got, old)) {
			t.Errorf("write %d: the old rows do not stand, %v", fail, err)
		}
		if err := errors.Join(a.Append(more), a.Close()); err != nil {
			t.Error(err)
		}
		if got, err := npy.ReadFile(path); err != nil || !equal(got, all) {
			t.Errorf("write %d: other rows in the end, %v", fail, err)
		}
	}
}

// After a power cut the header may be there and the elements not.
func TestOpenAppendAfterAPowerCut(t *testing.T) {
	all := values(t, array.Float64, []int{12, 2})
	file := fileOf(t, all)
	for size := 128; size <= len(file); size++ {
		path := write(t, "x.npy", file[:size])
		a, err := npy.OpenAppend(path)
		if err != nil {
			t.Fatal(err)
		}
		rows := (size - 128) / 16
		if got, err := npy.ReadFile(path); a.Rows() != rows || err != nil || !equal(got, rowsOf(t, all, 0, rows)) {
			t.Errorf("%d bytes: %d rows, %v", size, a.Rows(), err)
		}
		if err := errors.Join(a.Append(rowsOf(t, all, rows, 12)), a.Close()); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(content(t, path), file) {
			t.Errorf("%d bytes: another file in the end", size)
		}
	}
}

// TestKilledProcess kills a process that appends and reads what is there.
func TestKilledProcess(t *testing.T) {
	const path = "NPY_TEST_APPEND"
	if path := os.Getenv(path); path != "" {
		a, err := npy.Create(path, array.Int64, 1000)
		for i := int64(0); err == nil; i++ {
			row := make([]int64, 1000)
			for k := range row {
				row[k] = i
			}
			err = a.Append(row)
			fmt.Println("appended", i)
		}
		t.Fatal(err)
	}
	for appended := range 5 {
		file := filepath.Join(t.TempDir(), "x.npy")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcess$")
		cmd.Env = append(os.Environ(), path+"="+file)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 1 + 20*appended {
			if !lines.Scan() {
				t.Fatal("it ended by itself")
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait() // which says that it was killed
		all, err := npy.ReadFileAs[int64](file)
		if err != nil {
			t.Fatal(err)
		}
		if rows := all.Shape()[0]; rows < 1+20*appended {
			t.Errorf("%d rows of %d that were appended", rows, 1+20*appended)
		}
		for k, v := range all.Data() {
			if v != int64(k/1000) {
				t.Fatalf("element %d is %d", k, v)
			}
		}
		a, err := npy.OpenAppend(file) // the lock went with the process
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
