package memo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

var (
	ourSecret   = Secret("for tests: thirty-two bytes and a few more")
	otherSecret = Secret("another one, for what somebody else has stored")
)

// openSigned opens the cache in dir with a secret.
func openSigned(t testing.TB, dir string, s Secret, change ...func(*Options)) *Cache {
	t.Helper()
	o := quiet()
	o.Secret = s
	for _, f := range change {
		f(o)
	}
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSecretsThatAreNone(t *testing.T) {
	for _, s := range []Secret{{}, Secret("short"), Secret(strings.Repeat("x", minSecret-1)), make(Secret, maxSecret+1)} {
		c, err := Open(t.TempDir(), &Options{Secret: s})
		if c != nil || !errors.Is(err, ErrSecret) || !strings.Contains(err.Error(), "/dev/urandom") || strings.Contains(err.Error(), "short") {
			t.Errorf("%d bytes: %v", len(s), err)
		}
	}
}

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if _, err := ReadSecret(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, content := range []string{"", strings.Repeat("x", minSecret-1), strings.Repeat("x", maxSecret+1)} {
		overwrite(t, []byte(content), path)
		if s, err := ReadSecret(path); s != nil || !errors.Is(err, ErrSecret) || !strings.Contains(err.Error(), path) {
			t.Errorf("%d bytes: %v", len(content), err)
		}
	}
	content := "\n as it is, line ends and all, thirty-two bytes \n"
	overwrite(t, []byte(content), path)
	if s, err := ReadSecret(path); string(s) != content || err != nil {
		t.Errorf("%q, %v", []byte(s), err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, mode := range []os.FileMode{0o604, 0o602, 0o646} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if s, err := ReadSecret(path); s != nil || !errors.Is(err, ErrSecret) || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

// TestSecretsShowNothing prints, logs and marshals a secret and what has one.
func TestSecretsShowNothing(t *testing.T) {
	s := Secret("hush, hush, hush, hush, hush, hush")
	hidden := [][]byte{s, fmt.Appendf(nil, "%x", []byte(s)), fmt.Appendf(nil, "%X", []byte(s)), []byte(base64.StdEncoding.EncodeToString(s)),
		[]byte("104 117 115 104"), []byte("0x68, 0x75, 0x73, 0x68")}
	var log bytes.Buffer
	options := Options{Secret: s, Sync: SyncNone, Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	dir := t.TempDir()
	c, err := Open(dir, &options)
	if err != nil {
		t.Fatal(err)
	}
	f := memoizeSample(t, c)
	f.Call(t.Context(), 1)
	overwrite(t, forge(NewKey("sample", "1").Add(1), `[1]`), dir, recordName("sample", "1", NewKey("sample", "1").Add(1).Digest()))
	f.Call(t.Context(), 1) // a fault, which is logged
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), errUnsigned.Error()) {
		t.Errorf("the fault was not logged: %s", log.String())
	}
	options.Logger = nil
	for _, v := range []any{s, &s, []Secret{s}, options, &options, c, map[string]any{"secret": s}, struct{ O Options }{options}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%08b"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", v)
		if b, err := json.Marshal(v); err == nil {
			log.Write(b)
		}
	}
	for _, b := range hidden {
		if i := bytes.Index(log.Bytes(), b); i >= 0 {
			t.Errorf("the secret was shown as %s: %.200s", b, log.Bytes()[max(0, i-100):])
		}
	}
}

// TestSecretIsACopy: the caller may wipe the secret once the cache is open.
func TestSecretIsACopy(t *testing.T) {
	dir, s := t.TempDir(), Secret(bytes.Clone(ourSecret))
	c := openSigned(t, dir, s)
	clear(s)
	memoizeSample(t, c).Call(t.Context(), 1)
	again := openSigned(t, dir, ourSecret)
	memoizeSample(t, again).Call(t.Context(), 1)
	checkEqual(t, "hits", again.Stats().Hits, int64(1))
}

// TestWhoReadsWhat stores an entry with each of two secrets and without one, and reads
// it with each: what is not one's own is computed and replaced, never put aside, and
// without a secret everything is read.
func TestWhoReadsWhat(t *testing.T) {
	for _, packed := range []int{0, 3} {
		for _, writer := range []Secret{nil, ourSecret, otherSecret} {
			for _, reader := range []Secret{nil, ourSecret, otherSecret} {
				dir := t.TempDir()
				compress := func(o *Options) { o.Compress = packed }
				memoizeSample(t, openSigned(t, dir, writer, compress)).Call(t.Context(), 1)
				c := openSigned(t, dir, reader, compress)
				f := memoizeSample(t, c)
				what := fmt.Sprintf("compressed %d, written with %q, read with %q", packed, []byte(writer), []byte(reader))
				hit := reader == nil || bytes.Equal(writer, reader)
				k := NewKey("sample", "1").Add(1)
				if has, err := f.Has(1); has != hit || err != nil {
					t.Errorf("%s: Has: %v, %v", what, has, err)
				}
				_, err := c.Record(t.Context(), k)
				if hit != (err == nil) || !hit && (!errors.Is(err, ErrNotFound) || !errors.Is(err, ErrUnsigned)) {
					t.Errorf("%s: Record: %v", what, err)
				}
				var got sample
				err = c.Ref(k).Get(t.Context(), &got)
				if hit != (err == nil) || !hit && (!errors.Is(err, ErrNotFound) || !errors.Is(err, ErrUnsigned)) {
					t.Errorf("%s: Ref.Get: %v", what, err)
				}
				for _, err := range c.Records(t.Context()) {
					if hit != (err == nil) || !hit && !errors.Is(err, ErrUnsigned) {
						t.Errorf("%s: Records: %v", what, err)
					}
				}
				report, err := c.Verify(t.Context(), nil)
				if err != nil || len(report.Damaged) > 0 || report.Incomplete > 0 || report.Objects == 0 || hit != (len(report.Unsigned) == 0) || hit != (report.Records == 1) {
					t.Errorf("%s: Verify: %+v, %v", what, report, err)
				}
				checkEqual(t, what+": put aside", len(filesBelow(t, dir, quarantineFolder)), 0)
				for range 2 {
					got, err := f.Call(t.Context(), 1)
					checkSample(t, 1, got, err)
				}
				want := Stats{Hits: 2}
				if !hit {
					want = Stats{Hits: 1, Misses: 1, Faults: 1}
				}
				s := c.Stats()
				checkEqual(t, what, Stats{Hits: s.Hits, Misses: s.Misses, Faults: s.Faults}, want)
				checkEqual(t, what+": put aside", len(filesBelow(t, dir, quarantineFolder)), 0)
			}
		}
	}
}

// TestSignedInFrontOfMemory: the tier in memory is filled with nothing that is not
// signed, and is asked first, as ever.
func TestSignedInFrontOfMemory(t *testing.T) {
	dir := t.TempDir()
	memoizeSample(t, openSigned(t, dir, nil)).Call(t.Context(), 1)
	c := openSigned(t, dir, ourSecret, func(o *Options) { o.Memory = &Memory{} })
	f := memoizeSample(t, c)
	for range 3 {
		got, err := f.Call(t.Context(), 1)
		checkSample(t, 1, got, err)
	}
	s := c.Stats()
	checkEqual(t, "stats", []int64{s.Hits, s.MemoryHits, s.Misses, s.Faults}, []int64{2, 2, 1, 1})
}

// TestReadOnlySigned: who only reads leaves what is not signed, and computes each time.
func TestReadOnlySigned(t *testing.T) {
	dir := t.TempDir()
	memoizeSample(t, openSigned(t, dir, otherSecret)).Call(t.Context(), 1)
	c := openSigned(t, dir, ourSecret, func(o *Options) { o.ReadOnly = true })
	for range 2 {
		got, err := memoizeSample(t, c).Call(t.Context(), 1)
		checkSample(t, 1, got, err)
	}
	s := c.Stats()
	checkEqual(t, "stats", []int64{s.Hits, s.Misses, s.Faults}, []int64{0, 2, 2})
}

// TestTwoResultsOfOneDigest: they cannot both be stored, and are computed each time.
func TestTwoResultsOfOneDigest(t *testing.T) {
	a, b := colliding(200)
	c := openSigned(t, t.TempDir(), ourSecret)
	f, err := Func(c, Spec{Name: "two"}, func() ([]uint64, []uint64) { return a, b })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		gotA, gotB := f.Call()
		checkEqual(t, "the first", gotA, a)
		checkEqual(t, "the second", gotB, b)
	}
	s := c.Stats()
	checkEqual(t, "stats", []int64{s.Hits, s.Misses}, []int64{0, 2})
	if s.Faults < 2 { // one for each call, and more for each that took the other's place
		t.Errorf("%d faults", s.Faults)
	}
}

// TestObjectsOfOneDigest has calls with results that collide: each replaces the
// other's object, and neither gets the other's result.
func TestObjectsOfOneDigest(t *testing.T) {
	a, b := colliding(200)
	c := openSigned(t, t.TempDir(), ourSecret)
	f, err := Func(c, Spec{Name: "either"}, func(first bool) []uint64 {
		if first {
			return a
		}
		return b
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		checkEqual(t, "the first", f.Call(true), a)
		checkEqual(t, "the second", f.Call(false), b)
	}
}

// signedVector is signed.json, which make_signed.py wrote.
type signedVector struct {
	Secret   []byte
	Record   string
	Objects  map[string][]byte
	Contents []struct{ Numpy, Digest string }
}

func readSignedVector(t testing.TB) (v signedVector) {
	t.Helper()
	if err := json.Unmarshal(read(t, "testdata", "signed.json"), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSignedVector calls a function whose results an independent implementation has
// stored and signed.
func TestSignedVector(t *testing.T) {
	v := readSignedVector(t)
	x := mat.NewDense(3, 4, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	var gram mat.Dense
	gram.Mul(x, x.T())
	body, _, _ := strings.Cut(v.Record, `"sha256":`)
	results, err := storeResults(t.Context(), reflectValues(&gram, "é", []int64{2}, &gram), true)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := newSigner(v.Secret).sign([]byte(body), results.objects)
	if string(seal(signed)) != v.Record || err != nil {
		t.Errorf("signed here: %s, %v", seal(signed), err)
	}
	call := func(s Secret) ([]any, Stats) {
		dir := t.TempDir()
		c := openSigned(t, dir, s)
		overwrite(t, []byte(v.Record), dir, recordName("gram", "2", NewKey("gram", "2").Add(x).Add(0.5).Digest()))
		for digest, npy := range v.Objects {
			overwrite(t, npy, dir, objectsFolder, digest[:2], digest+".npy")
		}
		f, err := Func(c, Spec{Name: "gram", Version: "2"}, func(*mat.Dense, float64) (*mat.Dense, string, []int64, *mat.Dense, error) {
			return nil, "computed", nil, nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		gram, text, rank, again, err := f.Call(x, 0.5)
		return []any{bits(gram), text, fmt.Sprint(rank), bits(again), err}, c.Stats()
	}
	for _, s := range []Secret{v.Secret, nil} {
		got, stats := call(s)
		checkEqual(t, "results", got, []any{bits(&gram), "é", "[2]", bits(&gram), error(nil)})
		checkEqual(t, "stats", []int64{stats.Hits, stats.Misses, stats.Faults}, []int64{1, 0, 0})
	}
	if got, stats := call(ourSecret); got[1] != "computed" || stats.Hits != 0 || stats.Faults != 1 {
		t.Errorf("with another secret: %v, %+v", got, stats)
	}
}

// TestContentVectors compares content digests with those of an independent
// implementation.
func TestContentVectors(t *testing.T) {
	count := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(i)
		}
		return v
	}
	small := make([]uint8, 300000)
	for i := range small {
		small[i] = uint8(i)
	}
	one, err := array.FromSlice([]float64{1.5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := one.Reshape()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"np.zeros(0)": []float64{}, "np.array(1.5)": scalar, "np.arange(12.).reshape(3,4)": mat.NewDense(3, 4, count(12)),
		"np.arange(32768.)": count(32768), "np.arange(32769.)": count(32769), "np.arange(200000.)": mat.NewVecDense(200000, count(200000)),
		"np.arange(300000, dtype='u1')": small,
	}
	vectors := readSignedVector(t).Contents
	checkEqual(t, "vectors", len(vectors), len(values))
	for _, v := range vectors {
		src, err := array.Of(values[v.Numpy])
		if err != nil {
			t.Fatal(err)
		}
		h, err := hashSource(t.Context(), src, true)
		if err != nil {
			t.Fatal(err)
		}
		checkEqual(t, v.Numpy, fmt.Sprintf("%x", h.content()), v.Digest)
	}
}

// TestForgedFiles has every way to read an object from a folder meet one that was made
// to have the digest of another.
func TestForgedFiles(t *testing.T) {
	a, b := colliding(40000) // two chunks
	k := NewKey("f", "1")
	for _, level := range []int{0, 3} {
		for what, check := range map[string]func(c *Cache) error{
			"Get": func(c *Cache) error {
				var got []uint64
				return c.Ref(k).Get(t.Context(), &got)
			},
			"Open": func(c *Cache) error {
				f, err := c.Ref(k).Open(t.Context(), 0)
				if err == nil {
					f.Close()
				}
				return err
			},
			"Verify": func(c *Cache) error {
				report, err := c.Verify(t.Context(), nil)
				if err != nil || len(report.Damaged) != 1 || report.Objects != 0 || report.Records != 1 || report.Incomplete != 1 || len(report.Unsigned) != 0 {
					t.Errorf("%+v, %v", report, err)
				}
				return errors.Join(report.Damaged...)
			},
		} {
			if level > 0 && what == "Open" {
				continue // it opens no compressed object
			}
			dir := t.TempDir()
			c := openSigned(t, dir, ourSecret, func(o *Options) { o.Compress = level })
			store := func(want []uint64, miss bool) {
				t.Helper()
				before := c.Stats().Misses
				got, err := Do(t.Context(), c, k, func(context.Context) ([]uint64, error) { return want, nil })
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || (c.Stats().Misses > before) != miss {
					t.Errorf("%s: wrong result, or %v, %+v", what, err, c.Stats())
				}
			}
			store(a, true)
			forged := writeObject(t, dir, b, level)
			if err := check(c); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), forged) {
				t.Errorf("%s, level %d: %v", what, level, err)
			}
			if _, err := os.Stat(filepath.Join(dir, forged)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s, level %d: the forged object was left in place: %v", what, level, err)
			}
			store(a, true)
			store(a, false)
			// Without a secret nobody can know.
			writeObject(t, dir, b, level)
			var got []uint64
			if err := openQuiet(t, dir).Ref(k).Get(t.Context(), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(b) {
				t.Errorf("%s, level %d: the arrays do not collide: %v", what, level, err)
			}
		}
	}
}

// writeObject writes the object of an array in place of the one of its digest, and
// returns its name.
func writeObject(t testing.TB, dir string, data []uint64, level int) string {
	t.Helper()
	src, err := array.Of(data)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := array.Hash(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	name := objectName(digest)
	if level > 0 {
		name, err = packedName(digest), writePacked(&file, src, level)
	} else {
		err = npy.Write(&file, src)
	}
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, file.Bytes(), dir, name)
	return name
}
