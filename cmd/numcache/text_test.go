package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

func TestTexts(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{bytesText(0), "0 B"},
		{bytesText(999), "999 B"},
		{bytesText(1000), "1.00 kB"},
		{bytesText(25_833_672), "25.8 MB"},
		{bytesText(999_499), "999 kB"},
		{bytesText(999_500), "1.00 MB"},
		{bytesText(math.MaxInt64), "9223 PB"},
		{durationText(0), "0 ns"},
		{durationText(330 * time.Nanosecond), "330 ns"},
		{durationText(1250 * time.Nanosecond), "1.25 µs"},
		{durationText(99960 * time.Microsecond), "100 ms"},
		{durationText(1490 * time.Millisecond), "1.49 s"},
		{durationText(61 * time.Second), "1m01s"},
		{durationText(3*time.Hour + 12*time.Minute), "3h12m"},
		{durationText(-1490 * time.Millisecond), "-1.49 s"},
		{durationText(math.MinInt64), "-2562047h47m"},
		{ageText(-time.Second), "0s"},
		{ageText(59 * time.Second), "59s"},
		{ageText(59 * time.Minute), "59m"},
		{ageText(23 * time.Hour), "23h"},
		{ageText(49 * time.Hour), "2d"},
		{times(time.Second, 2*time.Second), "0.5×"},
		{times(time.Second, 0), "1000000000×"},
		{count(1, "call"), "1 call"},
		{count(2, "array"), "2 arrays"},
		{count(0, "call"), "0 calls"},
		{count(1, "entry"), "1 entry"},
		{count(2, "entry"), "2 entries"},
		{shorten("abcdef", 6), "abcdef"},
		{shorten("äöüßab", 5), "äöüß…"},
		{printable("a\x1b[31mb\n→"), "a\uFFFD[31mb\uFFFD→"},
		{shellQuote("/a/b-c.npy"), "/a/b-c.npy"},
		{shellQuote("/a b"), `"/a b"`},
		{shellQuote("/it's"), `"/it's"`},
		{shellQuote("$a"), "'$a'"},
		{shellQuote(`"it's"`), `'"it'\''s"'`},
		{shellQuote(""), `""`},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestMessage(t *testing.T) {
	missing := &fs.PathError{Op: "open", Path: "/x/y.npy", Err: fs.ErrNotExist}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{errors.Join(errors.New("a"), errors.New("b")), "a; b"},
		{errors.New("evil \x1b[2J"), "evil \uFFFD[2J"},
		{&npy.Error{Op: "read", Path: "y.npy", Err: missing}, "y.npy: file does not exist"},
		{&memo.Error{Op: "open", Path: "/x", Err: fmt.Errorf("%w: why", memo.ErrNotCache)}, "/x: not a cache: why"},
		{errReported, ""},
		{fmt.Errorf("write: %w", syscall.EPIPE), ""},
	} {
		if got := message(tc.err); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.err, got, tc.want)
		}
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	if progress, finish := progressBar(&out, "verify"); progress != nil {
		t.Error("progress where there is no terminal")
	} else {
		finish()
	}
	progress, finish := progressLine(&out, "verify", 0)
	finish()
	if out.Len() > 0 {
		t.Errorf("%q before any progress", out.String())
	}
	for done := range 1000 { // faster than anybody reads
		progress(memo.Progress{Done: done + 1, Total: 1000, BytesDone: 3e5, BytesTotal: 1e6})
	}
	finish()
	line := "\rverify: ██████░░░░░░░░░░░░░░  30 %  1 of 1000 files, 300 kB of 1.00 MB\x1b[K"
	if got := out.String(); !strings.HasPrefix(got, line) || !strings.HasSuffix(got, "\r\x1b[K") || len(got) > 10*len(line) {
		t.Errorf("got %q, want %q first", got, line)
	}
	out.Reset()
	progress, _ = progressLine(&out, "trim", 0)
	progress(memo.Progress{Done: 7, BytesDone: 2000})
	if got, want := out.String(), "\rtrim: 7 files, 2.00 kB freed\x1b[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	out.Reset()
	progress, _ = progressLine(&out, "clear", 20)
	progress(memo.Progress{Done: 3, Total: 3})
	if got, want := out.String(), "\rclear: ███████████…\x1b[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func catText(t *testing.T, a array.Any, asJSON bool) string {
	t.Helper()
	var b bytes.Buffer
	v := newArrayValues(t.Context(), &b, a, asJSON)
	write := v.rows
	if asJSON {
		write = v.nested
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func filled[T array.Element](t *testing.T, data []T, shape ...int) array.Any {
	t.Helper()
	a, err := array.New[T](shape...)
	if err != nil {
		t.Fatal(err)
	}
	copy(a.Data(), data)
	return a
}

func TestCat(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tc := range []struct {
		a          array.Any
		text, json string
	}{
		{filled(t, []float64{0.1, math.Copysign(0, -1), 1e300, nan, inf, -inf}, 2, 3),
			"0.1\t-0\t1e+300\nnan\tinf\t-inf\n", `[[0.1,-0,1e+300],["NaN","Infinity","-Infinity"]]`},
		{filled(t, []array.Half{array.ToHalf(0.1), 0x7bff, 0x7e00, 0xfc00}, 4), "0.1\t65500\tnan\t-inf\n", `[0.1,65500,"NaN","-Infinity"]`},
		{filled(t, []float32{0.1, 16777216}, 2), "0.1\t1.6777216e+07\n", "[0.1,1.6777216e+07]"},
		{filled(t, []complex128{1 + 2i, complex(-0.5, -1), complex(nan, inf)}, 3),
			"1+2j\t-0.5-1j\tnan+infj\n", `[[1,2],[-0.5,-1],["NaN","Infinity"]]`},
		{filled(t, []complex64{0.1 - 0.2i}, 1), "0.1-0.2j\n", "[[0.1,-0.2]]"},
		{filled(t, []bool{true, false}, 2, 1), "true\nfalse\n", "[[true],[false]]"},
		{filled(t, []int8{-128, 127}, 2), "-128\t127\n", "[-128,127]"},
		{filled(t, []int16{-300}, 1), "-300\n", "[-300]"},
		{filled(t, []int32{-70000}, 1), "-70000\n", "[-70000]"},
		{filled(t, []int64{math.MinInt64}, 1), "-9223372036854775808\n", "[-9223372036854775808]"},
		{filled(t, []uint8{255}, 1), "255\n", "[255]"},
		{filled(t, []uint16{65535}, 1), "65535\n", "[65535]"},
		{filled(t, []uint32{1 << 31}, 1), "2147483648\n", "[2147483648]"},
		{filled(t, []uint64{math.MaxUint64}, 1), "18446744073709551615\n", "[18446744073709551615]"},
		{filled(t, []float64{3}), "3\n", "3"},
		{filled[float64](t, nil, 0), "\n", "[]"},
		{filled[float64](t, nil, 0, 3), "", "[]"},
		{filled[float64](t, nil, 2, 0), "\n\n", "[[],[]]"},
		{filled(t, []uint8{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2), "1\t2\n3\t4\n5\t6\n7\t8\n", "[[[1,2],[3,4]],[[5,6],[7,8]]]"},
	} {
		if got := catText(t, tc.a, false); got != tc.text {
			t.Errorf("%s%v: got %q, want %q", tc.a.DType(), tc.a.Shape(), got, tc.text)
		}
		if got := catText(t, tc.a, true); got != tc.json+"\n" {
			t.Errorf("%s%v: got %q, want %q", tc.a.DType(), tc.a.Shape(), got, tc.json)
		}
	}
}

// TestCatMember prints what a .npz file with one member holds.
func TestCatMember(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.npz")
	for _, tc := range []struct {
		member any
		want   string
	}{
		{[]float64{1, 2.5}, "1\t2.5\n"},
		{[]string{"a", "b c"}, "a\tb c\n"},
	} {
		if err := npy.WriteArchive(path, map[string]any{"x": tc.member}, &npy.ArchiveOptions{Level: 6}); err != nil {
			t.Fatal(err)
		}
		if got := numcache(t, "cat", path); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

// failing is a reader that went away.
type failing struct{ writes int }

func (f *failing) Write([]byte) (int, error) {
	f.writes++
	return 0, syscall.EPIPE
}

func TestCatStops(t *testing.T) {
	a := filled[float64](t, nil, 1000, 1000)
	for _, asJSON := range []bool{false, true} {
		var out failing
		v := newArrayValues(t.Context(), &out, a, asJSON)
		err := v.rows()
		if asJSON {
			err = v.nested()
		}
		if !errors.Is(err, syscall.EPIPE) || out.writes != 1 {
			t.Errorf("error %v after %d writes", err, out.writes)
		}
	}
}

func TestPythonLineQuotes(t *testing.T) {
	for path, want := range map[string]string{
		"/c/a.npy":     `python3 -c "import numpy as np; print(np.load('/c/a.npy').shape)"`,
		`C:\a.npy`:     `'C:\\a.npy'`,
		"/c/a.npz":     `python3 -c "import numpy as np; print(np.load('/c/a.npz')['data'].shape)"`,
		"/it's/a.npy":  `\'`,
		"/$HOME/a.npy": `python3 -c 'import`,
	} {
		if got := pythonLine(path); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s in it", path, got, want)
		}
	}
}
