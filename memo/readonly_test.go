package memo_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// listing returns all that a folder shows of itself but the times of access: names,
// modes, sizes, times of modification, contents.
func listing(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprint(info.Mode(), " ", info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d %x", info.Size(), sha256.Sum256(b))
		}
		all[must(filepath.Rel(dir, path))(t)] = line
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkUntouched fails the test if a folder is not as it was.
func checkUntouched(t testing.TB, dir string, before map[string]string) {
	t.Helper()
	after := listing(t, dir)
	for name, line := range before {
		if after[name] != line {
			t.Errorf("%s is %q, was %q", name, after[name], line)
		}
		delete(after, name)
	}
	for name := range maps.Keys(after) {
		t.Errorf("%s is new", name)
	}
}

// readOnly returns a cache that is opened read-only on the folder of one that holds
// squares of 1 and 2.
func readOnly(t testing.TB) *memo.Cache {
	t.Helper()
	dir := t.TempDir()
	c, err := memo.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := squares(t, c, memo.Spec{})
	for _, x := range []float64{1, 2} {
		if _, err := f.Call(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return openIn(t, dir, &memo.Options{ReadOnly: true})
}

// TestReadOnlyLeavesNoTrace uses every verb: hits are served, misses are computed and
// are no faults, and not a byte nor a time of the folder changes.
func TestReadOnlyLeavesNoTrace(t *testing.T) {
	ctx := t.Context()
	c := readOnly(t)
	before := listing(t, c.Dir())
	f, computed := squares(t, c, memo.Spec{})
	call := func(x float64) {
		t.Helper()
		if v, err := f.Call(x); err != nil || v.AtVec(1) != x*x {
			t.Error(v, err)
		}
	}
	call(1)
	call(2)
	checkCounts(t, c, 2, 0, 0)
	for range 2 {
		call(3)
	}
	checkCounts(t, c, 2, 2, 0)
	if v, err := f.Refresh(1); err != nil || v.AtVec(1) != 1 || *computed != 3 {
		t.Error(v, err, *computed)
	}
	checkHas(t, f, true, 1)
	checkHas(t, f, false, 3)
	if r, err := f.Record(1); err != nil || r.Function != "squares" {
		t.Error(r, err)
	}
	for x := 1.0; x <= 3; x++ {
		ref := must(f.Shelve(x))(t)
		checkSquares(t, "shelved", ref, x)
		if x == 3 {
			continue
		}
		file := must(ref.Open(ctx, 0))(t)
		if a := must(file.Read())(t); a.Len() != 2 {
			t.Error(a)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		if err := ref.Forget(ctx); !errors.Is(err, memo.ErrReadOnly) {
			t.Errorf("Ref.Forget: %v", err)
		}
		checkSquares(t, "not forgotten", ref, x)
	}
	k := must(f.Key(1))(t)
	_, clearErr := f.Clear(ctx)
	_, clearFunctionErr := c.ClearFunction(ctx, "no such function")
	for verb, err := range map[string]error{
		"Forget": f.Forget(1), "Cache.Forget": c.Forget(ctx, k), "Forget, what is not there": f.Forget(3),
		"Clear": c.Clear(ctx, nil), "Function.Clear": clearErr, "ClearFunction": clearFunctionErr,
	} {
		if !errors.Is(err, memo.ErrReadOnly) {
			t.Errorf("%s: %v, want ErrReadOnly", verb, err)
		}
	}
	n := 0
	for r, err := range c.Records(ctx) {
		if n++; err != nil {
			t.Error(err)
			continue
		}
		if a, err := c.Object(ctx, r.Results[0].Arrays()[0].Digest); err != nil || a.Len() != 2 {
			t.Error(a, err)
		}
	}
	if report, err := c.Verify(ctx, nil); n != 2 || err != nil || report.Records != 2 || report.Objects != 2 {
		t.Errorf("%d records; %+v, %v", n, report, err)
	}
	if s := c.Stats(); s.Faults != 0 {
		t.Errorf("what is not stored counts as a fault: %+v", s)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	checkUntouched(t, c.Dir(), before)
}

// TestReadOnlyLeavesDamage to those who may write: it is found and told, the call is
// computed, and the file stays.
func TestReadOnlyLeavesDamage(t *testing.T) {
	for _, folder := range []string{"calls", "objects"} {
		t.Run(folder, func(t *testing.T) {
			c := readOnly(t)
			for _, name := range files(t, c.Dir(), folder) {
				if err := os.WriteFile(filepath.Join(c.Dir(), name), []byte("garbage"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, c.Dir())
			f, computed := squares(t, c, memo.Spec{})
			for n := 1; n <= 2; n++ {
				if v, err := f.Call(1); err != nil || v.AtVec(1) != 1 || *computed != n {
					t.Error(v, err, *computed)
				}
				checkCounts(t, c, 0, int64(n), int64(n))
			}
			var v *mat.VecDense
			ref := c.Ref(must(f.Key(1))(t))
			if err := ref.Get(t.Context(), &v); !errors.Is(err, memo.ErrNotFound) {
				t.Errorf("%v, %v", v, err)
			}
			if _, err := ref.Open(t.Context(), 0); !errors.Is(err, memo.ErrNotFound) {
				t.Error(err)
			}
			if report, err := c.Verify(t.Context(), nil); err != nil || len(report.Damaged) != 2 {
				t.Errorf("%+v, %v", report, err)
			}
			checkUntouched(t, c.Dir(), before)
		})
	}
	t.Run("format.json", func(t *testing.T) {
		dir := readOnly(t).Dir()
		if err := os.WriteFile(filepath.Join(dir, "format.json"), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		before := listing(t, dir)
		c := openIn(t, dir, &memo.Options{ReadOnly: true})
		f, computed := squares(t, c, memo.Spec{})
		if v, err := f.Call(1); err != nil || v.AtVec(1) != 1 || *computed != 0 {
			t.Error(v, err, *computed)
		}
		checkCounts(t, c, 1, 0, 1)
		checkUntouched(t, dir, before)
	})
}

// TestReadOnlyWithoutFolder: a missing one is a fault and is not made; what is no
// cache is an error, and stays.
func TestReadOnlyWithoutFolder(t *testing.T) {
	dir := t.TempDir()
	before := listing(t, dir)
	c := openIn(t, filepath.Join(dir, "missing", "cache"), &memo.Options{ReadOnly: true})
	checkCounts(t, c, 0, 0, 1)
	f, computed := squares(t, c, memo.Spec{})
	for n := 1; n <= 2; n++ {
		if v, err := f.Call(1); err != nil || v.AtVec(1) != 1 || *computed != n {
			t.Error(v, err, *computed)
		}
	}
	checkHas(t, f, false, 1)
	checkSquares(t, "shelved", must(f.Shelve(1))(t), 1)
	if err := f.Forget(1); err != nil {
		t.Errorf("there is nothing to forget: %v", err)
	}
	checkCounts(t, c, 0, 3, 1)
	if _, err := c.Object(t.Context(), array.Digest{1}); !errors.Is(err, memo.ErrNotFound) {
		t.Error(err)
	}

	for name, file := range map[string]string{"an empty folder": "", "a document": "thesis.tex"} {
		other := t.TempDir()
		if file != "" {
			if err := os.WriteFile(filepath.Join(other, file), []byte("…"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := listing(t, other)
		if c, err := memo.Open(other, &memo.Options{ReadOnly: true, Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, memo.ErrNotCache) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
		checkUntouched(t, other, before)
	}
	checkUntouched(t, dir, before)
}

// TestReadOnlySeesWhatOthersStore afterwards.
func TestReadOnlySeesWhatOthersStore(t *testing.T) {
	c := readOnly(t)
	f, computed := squares(t, c, memo.Spec{})
	writer, written := squares(t, openIn(t, c.Dir(), nil), memo.Spec{})
	checkHas(t, f, false, 5)
	if _, err := writer.Call(5); err != nil {
		t.Fatal(err)
	}
	if v, err := f.Call(5); err != nil || v.AtVec(1) != 25 || *computed != 0 || *written != 1 {
		t.Error(v, err, *computed, *written)
	}
	if err := writer.Forget(5); err != nil {
		t.Fatal(err)
	}
	checkHas(t, f, false, 5)
}
