package memo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// large returns a matrix of 69 chunks, in which each row has 8000 bytes.
func large() *mat.Dense {
	x := mat.NewDense(2250, 1000, nil)
	for i := range 2250 {
		x.Set(i, i%1000, float64(i))
	}
	return x
}

// withRow returns a copy in which one row is another.
func withRow(x *mat.Dense, row int) *mat.Dense {
	y := mat.DenseCopyOf(x)
	y.Set(row, 7, -1)
	return y
}

type fitting struct {
	Name string
	X    *mat.Dense
}

// memoizeFit returns a function of a large argument, and of one in a struct.
func memoizeFit(t testing.TB, c *Cache) *Function[func(*mat.Dense, fitting, int) []float64] {
	t.Helper()
	f, err := Func(c, Spec{Name: "fit", Version: "1"}, func(x *mat.Dense, y fitting, n int) []float64 {
		return []float64{mat.Sum(x), mat.Sum(y.X), float64(n)}
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// objectsOfShape returns the names of the objects with the given shape.
func objectsOfShape(t testing.TB, c *Cache, shape string) (names []string) {
	t.Helper()
	for _, name := range filesBelow(t, c.Dir(), objectsFolder) {
		digest, ok := objectOf(filepath.ToSlash(name))
		if !ok {
			t.Fatalf("%s is no object", name)
		}
		a, err := c.Object(t.Context(), digest)
		if err != nil {
			t.Fatal(err)
		}
		if array.FormatShape(a.Shape()) == shape {
			names = append(names, filepath.Join(c.Dir(), name))
		}
	}
	return names
}

// TestExplainNamesRows changes a row of a large array, and asks which.
func TestExplainNamesRows(t *testing.T) {
	for what, o := range map[string]Options{"plain": {}, "compressed": {Compress: 6}, "signed": {Secret: ourSecret}, "durable": {Sync: SyncFull}} {
		t.Run(what, func(t *testing.T) {
			var why Explanation
			o.OnEvent = func(e Event) {
				if e.Kind == Miss {
					why = e.Why(context.Background())
				}
			}
			c, err := Open(t.TempDir(), &o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			f, x := memoizeFit(t, c), large()
			check := func(x *mat.Dense, y fitting, want ...string) {
				t.Helper()
				k, err := f.Key(x, y, 1)
				if err != nil {
					t.Fatal(err)
				}
				beforehand, err := c.Explain(t.Context(), k)
				if err != nil || beforehand.Cause != OtherArguments {
					t.Errorf("%v (%v)", beforehand, err)
				}
				f.Call(x, y, 1)
				r, err := c.Record(t.Context(), k)
				if err != nil {
					t.Fatal(err)
				}
				stored, err := c.Compare(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				for who, said := range map[string]Explanation{"Explain": beforehand, "Event.Why": why, "Compare": stored} {
					for _, want := range want {
						if !strings.Contains(said.String(), want) {
							t.Errorf("%s: %v, want %q", who, said, want)
						}
					}
				}
				if err := f.Forget(x, y, 1); err != nil {
					t.Fatal(err)
				}
			}
			y := fitting{"y", x}
			f.Call(x, y, 1)
			check(withRow(x, 1000), y, "argument 0, float64(2250, 1000), changed in rows 983 to 1015")
			check(x, fitting{"y", withRow(x, 0)}, "argument 1.X, float64(2250, 1000), changed in rows 0 to 32")
			check(withRow(withRow(x, 2249), 0), fitting{"z", withRow(x, 0)}, "in rows 0 to 32, 2228 to 2249", `argument 1.Name changed from "y" to "z"`)
			check(x, fitting{"y", mat.NewDense(10, 10, nil)}, "argument 1.X changed from float64(2250, 1000) to float64(10, 10)")
			// What the folder has is believed only where the array's digest comes of it.
			tables := objectsOfShape(t, c, "(69, 2)")
			if len(tables) < 3 {
				t.Fatalf("tables: %v", tables)
			}
			for i, name := range tables {
				raw, err := os.ReadFile(tables[(i+1)%len(tables)])
				if err == nil {
					err = os.WriteFile(name, raw, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			told := func(what string) {
				t.Helper()
				why, err := f.Explain(withRow(x, 5), fitting{"y", mat.NewDense(10, 10, nil)}, 1)
				if err != nil || len(why.Changes) != 2 || why.Changes[0].Rows != nil {
					t.Errorf("%s: %v, %v", what, why, err)
				}
			}
			told("tables that are not the arrays'")
			for _, name := range tables {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			told("no tables")
			before := c.Stats()
			f.Call(x, y, 1)
			if after := c.Stats(); after.Hits != before.Hits+1 || after.Faults != before.Faults {
				t.Errorf("a call without its tables: %+v, then %+v", before, after)
			}
		})
	}
}

// TestTablesComeAndGo has calls share tables: they are counted, stay as long as a record
// names them, and go with the last.
func TestTablesComeAndGo(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	c, err := Open(t.TempDir(), &Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, x, small := memoizeFit(t, c), large(), mat.NewDense(2048, 1024, nil) // 64 chunks
	y := withRow(x, 3)
	check := func(what string, want int) {
		t.Helper()
		if got := objectsOfShape(t, c, "(69, 2)"); len(got) != want {
			t.Errorf("%s: %d tables, want %d", what, len(got), want)
		}
		if got := objectsOfShape(t, c, "(64, 2)"); got != nil {
			t.Errorf("a small array has a table")
		}
		_, bytes, err := c.Usage(t.Context())
		var onDisk int64
		for _, folder := range []string{callsFolder, objectsFolder} {
			for _, name := range filesBelow(t, c.Dir(), folder) {
				info, statErr := os.Stat(filepath.Join(c.Dir(), name))
				if statErr != nil {
					t.Fatal(statErr)
				}
				onDisk += info.Size()
			}
		}
		if err != nil || bytes != onDisk {
			t.Errorf("%s: usage %d (%v), on disk %d", what, bytes, err, onDisk)
		}
	}
	trim := func(l Limits) {
		t.Helper()
		now = now.Add(2 * time.Hour) // they are nobody's since long, if they are
		if _, err := c.Trim(t.Context(), l, nil); err != nil {
			t.Fatal(err)
		}
	}
	f.Call(x, fitting{"", small}, 1)
	check("one call", 1)
	now = now.Add(time.Minute)
	f.Call(x, fitting{"", small}, 2)
	check("another of the same array", 1)
	now = now.Add(time.Minute)
	f.Call(y, fitting{"", x}, 3)
	check("another array", 2)
	trim(Limits{MaxEntries: 2})
	check("without the first call", 2)
	now = now.Add(time.Minute)
	f.Call(x, fitting{"", small}, 2) // a hit, hours later: x is in use
	k, err := f.Key(x, fitting{"", small}, 2)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Record(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	checkEqual(t, "size", r.Size(), r.size+3*8+69*16)
	trim(Limits{MaxEntries: 1})
	check("without what was not used", 1)
	if err := f.Forget(x, fitting{"", small}, 2); err != nil {
		t.Fatal(err)
	}
	check("forgotten", 1)
	trim(Limits{MaxEntries: 10})
	check("swept", 0)
}

// TestSameArgument compares what writers with and without tables wrote.
func TestSameArgument(t *testing.T) {
	digest, other := strings.Repeat("0a", 16), strings.Repeat("b1", 16)
	plain := `{"map":{"X":{"array":"` + digest + `","dtype":"<f8","shape":[3,4]},"a":[1],"table":"x"}}`
	named := strings.Replace(plain, `[3,4]}`, `[3,4],"table":"`+other+`"}`, 1)
	if plain == named || !sameArgument([]byte(plain), []byte(named)) || !sameArgument([]byte(named), []byte(plain)) {
		t.Errorf("%s and %s are the same argument", plain, named)
	}
	for _, b := range []string{strings.Replace(named, "[1]", "[2]", 1), strings.Replace(named, `"x"`, `"y"`, 1), strings.Replace(named, digest, other, 1)} {
		if sameArgument([]byte(plain), []byte(b)) {
			t.Errorf("%s and %s are not the same argument", plain, b)
		}
	}
	want, err := array.ParseDigest(other)
	if err != nil {
		t.Fatal(err)
	}
	if got := tableDigests([]byte(named)); !slices.Equal(got, []array.Digest{want}) {
		t.Errorf("tables: %v", got)
	}
	if got := tableDigests([]byte(plain)); got != nil {
		t.Errorf("tables: %v", got)
	}
}
