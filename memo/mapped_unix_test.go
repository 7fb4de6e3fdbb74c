//go:build linux || darwin

package memo

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

var mappedRounds = flag.Int("mapped.rounds", 60, "files that TestMappedFiles changes under a reader")

// mappedFolder names the cache folder of TestMappedProcess.
const mappedFolder = "NUMCACHE_TEST_MAPPED_FOLDER"

// mappedLength is the length of the results, several pages.
const mappedLength = 8 << 10

// mappedResult is the result of call n; no element is 0.
func mappedResult(n int) []float64 {
	data := make([]float64, mappedLength)
	for i := range data {
		data[i] = float64(i+1) + float64(n)/1024
	}
	return data
}

func memoizeMapped(t testing.TB, c *Cache) *Function[func(int) []float64] {
	t.Helper()
	f, err := Func(c, Spec{Name: "mapped", Version: "1"}, mappedResult)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// seen is what a reader saw of a mapping.
type seen struct {
	wrong       int // elements
	first, last int // of them, -1 where there are none
	zero        int // of them
	fault       int // element that could not be read, -1 where all could
}

// look reads the elements of a mapping, which a file that is cut can make impossible.
func look(data []float64, want []float64) (s seen) {
	s = seen{first: -1, last: -1, fault: -1}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	at := 0
	defer func() {
		if v := recover(); v != nil {
			if _, fault := v.(interface{ Addr() uintptr }); !fault {
				panic(v)
			}
			s.fault = at
		}
	}()
	for ; at < len(data); at++ {
		x := data[at]
		if x == want[at] {
			continue
		}
		if s.wrong++; s.first < 0 {
			s.first = at
		}
		s.last = at
		if x == 0 {
			s.zero++
		}
	}
	return s
}

// TestMappedProcess is no test by itself, but the reader of TestMappedFiles: it does as
// it is told, line by line.
func TestMappedProcess(t *testing.T) {
	dir := os.Getenv(mappedFolder)
	if dir == "" {
		t.Skip("for TestMappedFiles only")
	}
	c := openQuiet(t, dir)
	var file *npy.File
	var mapping *npy.Mapping
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		command, argument, _ := strings.Cut(in.Text(), " ")
		var err error
		switch command {
		case "open":
			var ref Ref
			if err = ref.UnmarshalText([]byte(argument)); err == nil {
				file, err = ref.In(c).Open(t.Context(), 0)
			}
		case "map":
			mode := npy.ReadOnly
			if argument == "private" {
				mode = npy.CopyOnWrite
			}
			mapping, err = file.Map(mode)
		case "look", "write":
			var n int
			if _, err = fmt.Sscan(argument, &n); err != nil {
				break
			}
			data, want := mapping.Array().(*array.Array[float64]).Data(), mappedResult(n)
			if command == "write" {
				for i := range data {
					data[i] = -1
				}
				break
			}
			fmt.Println(look(data, want))
			continue
		case "die":
			sum := 0.0
			for _, x := range mapping.Array().(*array.Array[float64]).Data() {
				sum += x
			}
			err = fmt.Errorf("read all elements, their sum is %v", sum)
		case "close":
			if mapping != nil {
				err = mapping.Close()
			}
			if file != nil {
				err = errors.Join(err, file.Close())
			}
			file, mapping = nil, nil
		}
		switch {
		case err == nil:
			fmt.Println("done")
		case errors.Is(err, ErrNotFound):
			fmt.Println("not found")
		case errors.Is(err, npy.ErrFormat):
			fmt.Println("bad format")
		default:
			fmt.Printf("%.200q\n", err.Error())
		}
	}
}

// mapped is a result that a reader has, or is about to have, open or mapped.
type mapped struct {
	t      *testing.T
	dir    string
	c      *Cache
	reader *process
	n      int // of the call
	ref    string
	path   string // of the object
}

// tell has the reader do something, and returns what it says.
func (m *mapped) tell(format string, arguments ...any) string {
	m.t.Helper()
	if _, err := fmt.Fprintf(m.reader.in, format+"\n", arguments...); err != nil {
		m.t.Fatal(err)
	}
	return m.reader.read()
}

// want has the reader do something that must turn out in one of some ways.
func (m *mapped) want(what, command string, outcomes ...string) string {
	m.t.Helper()
	said := m.tell("%s", command)
	for _, outcome := range outcomes {
		if said == outcome {
			return said
		}
	}
	m.t.Errorf("%s: %s: %s; want %v", what, command, said, outcomes)
	return said
}

// store has the entry of the next call stored.
func (m *mapped) store() {
	m.t.Helper()
	m.n++
	ref, err := memoizeMapped(m.t, m.c).Shelve(m.n)
	if err != nil {
		m.t.Fatal(err)
	}
	record, err := ref.Record(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	m.ref, m.path = ref.String(), m.c.ObjectPath(record.Results[0].Arrays()[0].Digest)
}

// change is what is done to a file while it is read.
type change struct {
	what string
	do   func(m *mapped, offset int64) error
	// within reports whether the file that the reader has open changes: else it has one
	// that has lost its name.
	within bool
	cut    bool
}

var changes = []change{
	{what: "removed", do: func(m *mapped, _ int64) error { return os.Remove(m.path) }},
	{what: "forgotten, and trimmed", do: func(m *mapped, _ int64) error { return m.c.Clear(m.t.Context(), nil) }},
	{what: "replaced", do: func(m *mapped, _ int64) error { return npy.WriteFile(m.path, mappedResult(m.n+1)) }},
	{what: "replaced by a shorter one", do: func(m *mapped, _ int64) error { return npy.WriteFile(m.path, mappedResult(m.n)[:100]) }},
	{what: "changed", within: true, do: func(m *mapped, offset int64) error {
		f, err := os.OpenFile(m.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		b := make([]byte, 1)
		_, err = f.ReadAt(b, offset)
		b[0] ^= 0x55
		_, writeErr := f.WriteAt(b, offset)
		return errors.Join(err, writeErr, f.Close())
	}},
	{what: "cut", within: true, cut: true, do: func(m *mapped, offset int64) error { return os.Truncate(m.path, offset) }},
}

// headerSize is where the elements begin.
const headerSize = 128

// checkSeen compares what the reader saw of a mapping with what a change at an offset can
// do: nothing to a file that lost its name; one element, where one was changed; and where
// the file was cut zeros up to the end of the page, and faults behind it.
func (m *mapped) checkSeen(what string, c change, offset int64, said string) {
	m.t.Helper()
	var s seen
	if _, err := fmt.Sscanf(said, "{%d %d %d %d %d}", &s.wrong, &s.first, &s.last, &s.zero, &s.fault); err != nil {
		m.t.Fatalf("%s: the reader says %q", what, said)
	}
	page := int64(os.Getpagesize())
	element := int((offset - headerSize) / 8)
	pages := (offset + page - 1) / page * page // that are still there
	fault, last := -1, mappedLength-1
	if behind := int((pages - headerSize) / 8); behind < mappedLength {
		fault, last = behind, behind-1
	}
	right := s == seen{first: -1, last: -1, fault: -1}
	switch {
	case !c.within:
		if !right {
			m.t.Errorf("%s: WRONG %+v; want the old elements", what, s)
		}
	case !c.cut:
		if (s != seen{wrong: 1, first: element, last: element, fault: -1}) {
			m.t.Errorf("%s: WRONG %+v; want element %d alone", what, s, element)
		}
	case s.fault != fault || s.wrong > 0 && (s.first < element || s.last > last || s.zero < s.wrong-1):
		m.t.Errorf("%s: WRONG %+v; want zeros from element %d on and a fault at %d", what, s, element, fault)
	}
}

// TestMappedFiles changes objects in every way before a reader in another process opens
// them, after that, and after it has mapped them. What was verified stays what it is,
// unless somebody writes to the very file; then Map says so where it can, and the system
// shows zeros, the change, or a fault. That is never what a digest is checked of.
func TestMappedFiles(t *testing.T) {
	if _, err := array.FromBytes(array.Uint8, []byte{1}, 1); errors.Is(err, array.ErrNotShared) {
		t.Skip("this build cannot map arrays")
	}
	m := &mapped{t: t, dir: t.TempDir()}
	m.c = openQuiet(t, m.dir)
	m.reader = startProcess(t, "TestMappedProcess", mappedFolder+"="+m.dir)
	r := rand.New(rand.NewPCG(30, 31))
	tried := map[string]int{}
	for round := range *mappedRounds {
		c := changes[round%len(changes)]
		moment := []string{"before it is opened", "before it is mapped", "when it is mapped"}[round/len(changes)%3]
		mode := []string{"shared", "private"}[r.IntN(2)]
		offset := headerSize + r.Int64N(8*mappedLength)
		if c.cut && r.IntN(2) == 0 {
			offset = max(offset&^int64(os.Getpagesize()-1), headerSize) // where a page ends
		}
		what := fmt.Sprintf("%s %s at %d, %s", c.what, moment, offset, mode)
		tried[moment]++
		m.store()
		change := func() {
			if err := c.do(m, offset); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		switch moment {
		case "before it is opened":
			change()
			if m.want(what, "open "+m.ref, "not found") == "done" {
				m.tell("close")
			}
			// The damage is gone by now, and the call is computed.
			if got := memoizeMapped(t, m.c).Call(m.n); len(got) != mappedLength || got[0] != mappedResult(m.n)[0] {
				t.Errorf("%s: WRONG result", what)
			}
			continue
		case "before it is mapped":
			m.want(what, "open "+m.ref, "done")
			change()
			if c.cut {
				m.want(what, "map "+mode, "bad format")
				m.want(what, "close", "done")
				continue
			}
			m.want(what, "map "+mode, "done")
		case "when it is mapped":
			m.want(what, "open "+m.ref, "done")
			m.want(what, "map "+mode, "done")
			change()
		}
		m.checkSeen(what, c, offset, m.tell("look %d", m.n))
		if mode == "private" && !c.cut {
			before, readErr := os.ReadFile(m.path)
			m.want(what, fmt.Sprint("write ", m.n), "done")
			if after, err := os.ReadFile(m.path); (err == nil) != (readErr == nil) || !bytes.Equal(before, after) {
				t.Errorf("%s: a private mapping was written to the file: %v", what, err)
			}
		}
		m.want(what, "close", "done")
	}
	t.Logf("%d files changed: %v", *mappedRounds, tried)
	if len(tried) < 3 {
		t.Error("not every moment was tried")
	}
	m.checkExit()
}

// checkExit has the reader die of a file that is cut, as the documentation says.
func (m *mapped) checkExit() {
	m.t.Helper()
	var stderr bytes.Buffer
	cmd := rerun("TestMappedProcess", mappedFolder+"="+m.dir)
	m.store()
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	cmd.Stderr = &stderr
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		m.t.Fatal(err)
	}
	m.reader = &process{m.t, cmd, in, bufio.NewReader(out)}
	if line := m.reader.read(); line != "ready" {
		m.t.Fatalf("the reader says %q", line)
	}
	m.want("exit", "open "+m.ref, "done")
	m.want("exit", "map shared", "done")
	if err := os.Truncate(m.path, headerSize); err != nil {
		m.t.Fatal(err)
	}
	if _, err := fmt.Fprintln(in, "die"); err != nil {
		m.t.Fatal(err)
	}
	said, readErr := io.ReadAll(out)
	err := cmd.Wait()
	if readErr != nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), "unexpected fault address") || len(said) > 0 {
		m.t.Errorf("%s: the reader ended with %v and said %q\n%.500s", runtime.GOOS, err, said, stderr.String())
	}
	if !strings.HasPrefix(m.path, filepath.ToSlash(m.dir)) {
		m.t.Errorf("the object is at %s", m.path)
	}
}
