package memo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// shelved is what several results were shelved as.
func shelved(t testing.TB, c *memo.Cache) memo.Ref {
	t.Helper()
	return must(memoize(t, c, memo.Spec{Name: "several", Version: "1"}, func() (*mat.Dense, []int32, string, twins, *mat.Dense, []byte) {
		return dense(4, 3), []int32{1, 2, 3}, "text", twins{1, 2}, nil, make([]byte, 5000)
	}).Shelve())(t)
}

func TestRefGet(t *testing.T) {
	for name, dir := range map[string]string{"folder": t.TempDir(), "held": ""} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			ref := shelved(t, openIn(t, dir, nil))
			var (
				m, none *mat.Dense
				ints    []int32
				text    string
				pair    twins
				long    []byte
			)
			for range 2 {
				if err := ref.Get(ctx, &m, &ints, &text, &pair, &none, &long); err != nil {
					t.Fatal(err)
				}
				if !mat.Equal(m, dense(4, 3)) || len(ints) != 3 || ints[2] != 3 || text != "text" || pair != (twins{1, 2}) || none != nil || len(long) != 5000 {
					t.Errorf("%v %v %q %v %v %d bytes", m, ints, text, pair, none, len(long))
				}
				m.Set(0, 0, 100) // what Get returned is the caller's own
				ints[2], long[0], none = 100, 1, m
			}
			for what, into := range map[string][]any{
				"nothing":            {},
				"too few":            {&m, &ints, &text, &pair, &none},
				"too many":           {&m, &ints, &text, &pair, &none, &long, &text},
				"another order":      {&ints, &m, &text, &pair, &none, &long},
				"a value":            {m, &ints, &text, &pair, &none, &long},
				"nil":                {nil, &ints, &text, &pair, &none, &long},
				"a nil pointer":      {(**mat.Dense)(nil), &ints, &text, &pair, &none, &long},
				"another matrix":     {new(*mat.VecDense), &ints, &text, &pair, &none, &long},
				"another array":      {new(*array.Array[float32]), &ints, &text, &pair, &none, &long},
				"other integers":     {&m, new([]int64), &text, &pair, &none, &long},
				"an interface":       {new(mat.Matrix), &ints, &text, &pair, &none, &long},
				"any":                {&m, new(any), &text, &pair, &none, &long},
				"another struct":     {&m, &ints, &text, new(struct{ A, C int }), &none, &long},
				"a channel":          {&m, &ints, new(chan int), &pair, &none, &long},
				"a number":           {&m, &ints, &text, &pair, &none, new(float64)},
				"a string for bytes": {&m, &ints, &text, &pair, &none, new(string)},
			} {
				m, ints, text, pair = nil, nil, "", twins{}
				if err := ref.Get(ctx, into...); !errors.Is(err, memo.ErrArguments) {
					t.Errorf("into %s: %v", what, err)
				}
				if m != nil || ints != nil || text != "" || pair != (twins{}) {
					t.Errorf("into %s: some variables were set", what)
				}
			}
			ended, cancel := context.WithCancel(ctx)
			cancel()
			if err := ref.Get(ended, &m, &ints, &text, &pair, &none, &long); name == "folder" && !errors.Is(err, context.Canceled) {
				t.Errorf("with a context that has ended: %v", err)
			}
		})
	}
}

// TestRefGetTakesAlikeTypes: types that a hit of the function could have.
func TestRefGetTakesAlikeTypes(t *testing.T) {
	ref := shelved(t, openIn(t, t.TempDir(), nil))
	var (
		a    *array.Array[float64]
		ints [3]int32
		text label
		m    map[string]int
		none *array.Array[float64]
		long []byte
	)
	if err := ref.Get(t.Context(), &a, &ints, &text, &m, &none, &long); err != nil {
		t.Fatal(err)
	}
	if a.Len() != 12 || ints != [3]int32{1, 2, 3} || text != "text" || m["B"] != 2 || none != nil {
		t.Error(a, ints, text, m, none)
	}
}

// TestRefRecord tells when and how long, whether the results are in a folder or held.
func TestRefRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, dir := range map[string]string{"folder": t.TempDir(), "held": ""} {
			f := memoize(t, openIn(t, dir, nil), memo.Spec{Name: "f", Version: "v"}, func(x string) int {
				time.Sleep(2 * time.Second)
				return 1
			})
			ref := must(f.Shelve("x"))(t)
			now := time.Now()
			time.Sleep(time.Minute)
			r := must(ref.Record(t.Context()))(t)
			if r.Duration != 2*time.Second || !r.Created.Equal(now) || r.Function != "f" || r.Version != "v" || r.Key != ref.Key() || r.Writer == "" {
				t.Errorf("%s: %+v, want 2s and %v", name, r, now)
			}
			if dir != "" && (len(r.Args) != 1 || len(r.Results) != 1) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	})
}

// TestRefThroughText carries a reference to another cache on the same folder, as text
// and in JSON.
func TestRefThroughText(t *testing.T) {
	dir := t.TempDir()
	c := openIn(t, dir, nil)
	for _, name := range []string{"f", "imaging/pca", "a%2Fb", "héllo wörld", "..", " ", "\xff\x00", strings.Repeat("long/", 100), "a&b<c>\"'?#;+"} {
		for _, version := range []string{"", "1", "1/2", "ü"} {
			f := memoize(t, c, memo.Spec{Name: name, Version: version}, func(x float64) float64 { return 2 * x })
			ref := must(f.Shelve(3))(t)
			text := must(ref.MarshalText())(t)
			if string(text) != ref.String() || bytes.Count(text, []byte("/")) != 2 {
				t.Errorf("text %q, String %q", text, ref)
			}
			type letter struct {
				Subject string
				Results []memo.Ref
				ByName  map[string]*memo.Ref
			}
			raw := must(json.Marshal(letter{"x", []memo.Ref{ref}, map[string]*memo.Ref{"x": &ref}}))(t)
			var read letter
			if err := json.Unmarshal(raw, &read); err != nil {
				t.Errorf("%s: %v", raw, err)
				continue
			}
			var plain memo.Ref
			if err := plain.UnmarshalText(text); err != nil {
				t.Error(err)
			}
			for _, got := range []memo.Ref{plain, read.Results[0], *read.ByName["x"]} {
				if got.Key() != ref.Key() || got.Function() != name || got.Version() != version || got.String() != ref.String() {
					t.Errorf("%s: it is %v %q %q", raw, got.Key(), got.Function(), got.Version())
				}
				var y float64
				if err := got.Get(t.Context(), &y); !errors.Is(err, memo.ErrNil) {
					t.Errorf("read from no cache: %v", err)
				}
				if err := got.In(openIn(t, dir, nil)).Get(t.Context(), &y); err != nil || y != 6 {
					t.Errorf("%q: %v, %v", text, y, err)
				}
				if err := got.In(openIn(t, "", nil)).Get(t.Context(), &y); !errors.Is(err, memo.ErrNotFound) {
					t.Errorf("read from another cache: %v", err)
				}
			}
		}
	}
}

// TestRefRefusesText that no reference has written, and stays what it was.
func TestRefRefusesText(t *testing.T) {
	const digest = "3dbbec467ceba150bd0e18328cc3a754"
	ref := new(memo.Cache).Ref(key(1))
	before := ref.String()
	for _, text := range []string{
		"/", "//", "f", "f/1", "f/1/", "f/1/" + digest[1:], "f/1/" + digest + "0", "f/1/" + strings.ToUpper(digest), "f/1/ " + digest[1:],
		"f/1/x" + digest[1:], "f/1/2/" + digest, "/1/" + digest, "//" + digest, "f%/1/" + digest, "f/%zz/" + digest, "f/1/" + digest + "\n", digest,
	} {
		if err := ref.UnmarshalText([]byte(text)); !errors.Is(err, memo.ErrArguments) || ref.String() != before {
			t.Errorf("%q: %v, now %v", text, err, ref)
		}
	}
	for _, raw := range []string{"1", "{}", "[]", `"x"`, "true"} {
		if err := json.Unmarshal([]byte(raw), &ref); err == nil || ref.String() != before {
			t.Errorf("JSON %s: %v, now %v", raw, err, ref)
		}
	}
}

// TestRefToNothing: the zero reference, and those of invalid keys and of calls that
// never were.
func TestRefToNothing(t *testing.T) {
	ctx := t.Context()
	c := openIn(t, t.TempDir(), nil)
	for name, ref := range map[string]memo.Ref{
		"zero": {}, "zero in a cache": memo.Ref{}.In(c), "zero key": c.Ref(memo.Key{}), "invalid key": c.Ref(key(func() {})), "no such call": c.Ref(key(1)),
	} {
		var n int
		if err := ref.Get(ctx, &n); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("%s: Get: %v", name, err)
		}
		if _, err := ref.Record(ctx); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("%s: Record: %v", name, err)
		}
		if _, err := ref.Open(ctx, 0); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("%s: Open: %v", name, err)
		}
		if err := ref.Forget(ctx); err != nil && !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("%s: Forget: %v", name, err)
		}
		// What MarshalText writes, UnmarshalText reads.
		raw := must(json.Marshal(ref))(t)
		var got memo.Ref
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Errorf("%s: %s: %v", name, raw, err)
		}
		if got.String() != ref.String() || got.Key() != ref.Key() || got.Function() != ref.Function() || got.Version() != ref.Version() {
			t.Errorf("%s: %v became %v", name, ref, got)
		}
	}
	var none *memo.Cache
	var n int
	if err := none.Ref(key(1)).Get(ctx, &n); !errors.Is(err, memo.ErrNil) {
		t.Errorf("in a nil cache: %v", err)
	}
}

// TestRefToWhatIsGone: evicted, forgotten, damaged in each of its files. A reference
// says so, and the next call computes.
func TestRefToWhatIsGone(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, c *memo.Cache, ref memo.Ref){
		"forgotten": func(t *testing.T, _ *memo.Cache, ref memo.Ref) {
			if err := ref.Forget(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"cleared": func(t *testing.T, c *memo.Cache, _ memo.Ref) {
			if err := c.Clear(t.Context(), nil); err != nil {
				t.Error(err)
			}
		},
		"object removed": func(t *testing.T, c *memo.Cache, _ memo.Ref) {
			if err := os.Remove(filepath.Join(c.Dir(), files(t, c.Dir(), "objects")[0])); err != nil {
				t.Error(err)
			}
		},
		"object damaged": func(t *testing.T, c *memo.Cache, _ memo.Ref) { spoil(t, c.Dir(), "objects") },
		"object is no .npy file": func(t *testing.T, c *memo.Cache, _ memo.Ref) {
			if err := os.WriteFile(filepath.Join(c.Dir(), files(t, c.Dir(), "objects")[0]), []byte("garbage"), 0o600); err != nil {
				t.Error(err)
			}
		},
		"object is of another type": func(t *testing.T, c *memo.Cache, _ memo.Ref) {
			if err := npy.WriteFile(filepath.Join(c.Dir(), files(t, c.Dir(), "objects")[0]), []int8{1, 2}); err != nil {
				t.Error(err)
			}
		},
		"record damaged": func(t *testing.T, c *memo.Cache, _ memo.Ref) { spoil(t, c.Dir(), "calls") },
	} {
		for _, how := range []string{"Get", "Open"} {
			t.Run(name+", "+how, func(t *testing.T) {
				c := openIn(t, t.TempDir(), nil)
				f, computed := squares(t, c, memo.Spec{})
				ref := must(f.Shelve(3))(t)
				lose(t, c, ref)
				for range 2 {
					var err error
					var v *mat.VecDense
					if how == "Get" {
						err = ref.Get(t.Context(), &v)
					} else {
						var file *npy.File
						if file, err = ref.Open(t.Context(), 0); err == nil {
							file.Close()
						}
					}
					if !errors.Is(err, memo.ErrNotFound) || v != nil {
						t.Errorf("%v, %v", v, err)
					}
				}
				checkSquares(t, "shelved again", must(f.Shelve(3))(t), 3)
				checkSquares(t, "the old reference", ref, 3)
				if *computed != 2 {
					t.Errorf("computed %d times", *computed)
				}
			})
		}
	}
}

// TestRefOpen reads rows of a result, and maps it, without reading it whole into
// memory; neither ends when the entry goes.
func TestRefOpen(t *testing.T) {
	ctx := t.Context()
	c := openIn(t, t.TempDir(), nil)
	ref := shelved(t, c)
	file := must(ref.Open(ctx, 0))(t)
	defer file.Close()
	if file.Rows() != 4 || array.FormatShape(file.Shape()) != "(4, 3)" || file.Header().DType != array.Float64 {
		t.Errorf("%+v", file.Header())
	}
	if rows := must(file.ReadRowsDense(1, 3))(t); !mat.Equal(rows, dense(4, 3).Slice(1, 3, 0, 3)) {
		t.Errorf("rows 1 and 2: %v", rows.RawMatrix().Data)
	}
	ints := must(ref.Open(ctx, 1))(t)
	if a := must(ints.Read())(t); a.DType() != array.Int32 || a.Len() != 3 {
		t.Errorf("%v", a)
	}
	if err := ints.Close(); err != nil {
		t.Error(err)
	}
	for result, want := range map[int]error{
		2: memo.ErrUnsupported, 3: memo.ErrUnsupported, 4: memo.ErrUnsupported, 5: memo.ErrUnsupported, // no arrays
		-1: memo.ErrArguments, 6: memo.ErrArguments,
	} {
		if _, err := ref.Open(ctx, result); !errors.Is(err, want) {
			t.Errorf("result %d: %v, want %v", result, err, want)
		}
	}
	if _, err := shelved(t, openIn(t, "", nil)).Open(ctx, 0); !errors.Is(err, memo.ErrUnsupported) {
		t.Errorf("in a disabled cache: %v", err)
	}
	if runtime.GOOS == "windows" {
		return // it removes no file that is open
	}
	mapped, err := file.Map(npy.ReadOnly)
	if runtime.GOOS == "linux" && err != nil && !errors.Is(err, array.ErrNotShared) {
		t.Fatal(err)
	}
	if err := c.Clear(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if rows := must(file.ReadRowsDense(0, 4))(t); !mat.Equal(rows, dense(4, 3)) {
		t.Errorf("after Clear: %v", rows.RawMatrix().Data)
	}
	if mapped != nil {
		if m := must(mapped.Dense())(t); !mat.Equal(m, dense(4, 3)) {
			t.Errorf("mapped, after Clear: %v", m.RawMatrix().Data)
		}
		if err := mapped.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRefInSeveralGoroutines reads and forgets one reference, stored or held, at once.
func TestRefInSeveralGoroutines(t *testing.T) {
	for name, dir := range map[string]string{"folder": t.TempDir(), "held": ""} {
		f, _ := squares(t, openIn(t, dir, nil), memo.Spec{})
		ref := must(f.Shelve(3))(t)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 10 {
					var v *mat.VecDense
					if err := ref.Get(context.Background(), &v); err == nil {
						if v.AtVec(0) != 3 {
							t.Errorf("%s: WRONG result %v", name, v.RawVector().Data)
						}
						v.SetVec(0, float64(i))
					} else if !errors.Is(err, memo.ErrNotFound) {
						t.Errorf("%s: %v", name, err)
					}
					if i == 7 && n == 5 {
						if err := ref.Forget(context.Background()); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// FuzzRefText reads anything as a reference: an error, or a reference that comes
// through its own text again and of which nothing is found.
func FuzzRefText(f *testing.F) {
	c := openIn(f, f.TempDir(), nil)
	memoize(f, c, memo.Spec{Name: "f", Version: "1"}, func() int { return 1 }).Call()
	for _, text := range []string{
		"", "/", "//", "///", "f/1/3dbbec467ceba150bd0e18328cc3a754", "f//3dbbec467ceba150bd0e18328cc3a754", "/1/3dbbec467ceba150bd0e18328cc3a754",
		"f/1/3DBBEC467CEBA150BD0E18328CC3A754", "f/1/3dbbec", "%2e%2e/%00/3dbbec467ceba150bd0e18328cc3a754", "f/%zz/3dbbec467ceba150bd0e18328cc3a754",
		"f/1/2/3dbbec467ceba150bd0e18328cc3a754", "../../3dbbec467ceba150bd0e18328cc3a754", "f/1/00000000000000000000000000000000", "\xff/\xfe/\xfd",
		strings.Repeat("%2f", 5000) + "/1/3dbbec467ceba150bd0e18328cc3a754",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before := new(memo.Cache).Ref(memo.NewKey("f", "1"))
		ref := before
		if err := ref.UnmarshalText([]byte(text)); err != nil {
			if !errors.Is(err, memo.ErrArguments) || len(err.Error()) > 1000 {
				t.Errorf("%v", err)
			}
			if ref.String() != before.String() {
				t.Errorf("an error, and yet the reference became %v", ref)
			}
			return
		}
		if text != "" && !strings.HasSuffix(text, "/"+ref.Key().String()) {
			t.Errorf("%q has key %v", text, ref.Key())
		}
		written, err := ref.MarshalText()
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		var again memo.Ref
		if err := again.UnmarshalText(written); err != nil || again.Function() != ref.Function() || again.Version() != ref.Version() || again.Key() != ref.Key() {
			t.Errorf("%q was read as %q, which is read as %q, %v", text, written, again, err)
		}
		var s string
		if err := ref.In(c).Get(context.Background(), &s); !errors.Is(err, memo.ErrNotFound) && !errors.Is(err, memo.ErrArguments) {
			t.Errorf("%q: %q, %v", text, s, err)
		}
		raw, err := json.Marshal(map[string]memo.Ref{"x": ref})
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]memo.Ref
		if err := json.Unmarshal(raw, &read); err != nil || read["x"].String() != ref.String() {
			t.Errorf("JSON %s: %v", raw, err)
		}
	})
}
