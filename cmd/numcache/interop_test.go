package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// numcache runs a command that must succeed, and returns what it prints.
func numcache(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); status != statusDone {
		t.Fatalf("numcache %s: exit status %d, %s", strings.Join(args, " "), status, stderr.String())
	}
	return stdout.String()
}

// TestNumPyOpensDemo holds that np.load opens every object the demo writes, and
// that np.save of what it gets has the same bytes.
func TestNumPyOpensDemo(t *testing.T) {
	dir := t.TempDir()
	numcache(t, "demo", "--dir", dir)
	var objects []string
	err := filepath.WalkDir(filepath.Join(dir, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			objects = append(objects, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 6 { // standardised, scores, explained, distances, predicted, the chunk table of the distances
		t.Errorf("the demo wrote %d objects, want 6: %v", len(objects), objects)
	}
	out := numpy.Run(t, `
import io, sys
import numpy as np
for path in sys.argv[1:]:
    a = np.load(path)
    saved = io.BytesIO()
    np.save(saved, a)
    assert saved.getvalue() == open(path, "rb").read(), path
    print(a.dtype, a.shape)
`, objects...)
	for _, want := range []string{"float64 (1797, 64)", "float64 (1797, 10)", "float64 (10,)", "float64 (1797, 1797)", "int64 (1797,)", "uint64 (99, 2)"} {
		if strings.Count(out, want+"\n") != 1 {
			t.Errorf("NumPy opened\n%swant %s once", out, want)
		}
	}
}

// TestPythonLine runs the command that the demo prints for its readers, as the shell
// would understand it, for folders with any name, and for compressed objects.
func TestPythonLine(t *testing.T) {
	for _, name := range []string{"plain", "it's a cache", "$HOME `x` \"y\" it's"} {
		if runtime.GOOS == "windows" && strings.Contains(name, `"`) {
			continue // no such names there
		}
		path := filepath.Join(t.TempDir(), name, "x.npy")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		err := npy.WriteFile(path, []float64{1, 2, 3, 4})
		if name == "plain" {
			path = strings.TrimSuffix(path, "npy") + "npz"
			err = npy.WriteArchive(path, map[string]any{"data": []float64{1, 2, 3, 4}}, &npy.ArchiveOptions{Level: 6})
		}
		if err != nil {
			t.Fatal(err)
		}
		script, ok := strings.CutPrefix(pythonLine(path), "python3 -c ")
		if !ok {
			t.Fatalf("%s is no call of Python", script)
		}
		quote := script[:1]
		script = strings.TrimSuffix(strings.TrimPrefix(script, quote), quote)
		if quote == "'" {
			script = strings.ReplaceAll(script, `'\''`, "'")
		}
		if got := strings.TrimSpace(numpy.Run(t, script)); got != "(4,)" {
			t.Errorf("%s prints %q", script, got)
		}
	}
}

// TestHashOfNumPyFiles has NumPy save each golden array in several layouts; all
// have the golden digest.
func TestHashOfNumPyFiles(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Arrays []struct{ Name, NumPy, Digest string }
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Arrays) == 0 {
		t.Fatal("golden.json has no arrays")
	}
	dir := t.TempDir()
	args := []string{dir}
	for _, g := range golden.Arrays {
		args = append(args, g.NumPy)
	}
	out := numpy.Run(t, `
import os, sys
import numpy as np
for i, expression in enumerate(sys.argv[2:]):
    a = eval(expression)
    layouts = {
        "c": np.ascontiguousarray(a).reshape(a.shape),
        "fortran": np.asfortranarray(a).reshape(a.shape, order="F"),
        "big": a.astype(a.dtype.newbyteorder(">")),
        "big-fortran": np.asfortranarray(a.astype(a.dtype.newbyteorder(">"))).reshape(a.shape, order="F"),
    }
    for name, layout in layouts.items():
        path = os.path.join(sys.argv[1], "%d-%s.npy" % (i, name))
        np.save(path, layout)
        print(i, path)
`, args...)
	byIndex := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		i, path, _ := strings.Cut(line, " ")
		byIndex[i] = append(byIndex[i], strings.TrimRight(path, "\r"))
	}
	for i, g := range golden.Arrays {
		files := byIndex[strconv.Itoa(i)]
		var want strings.Builder
		for _, file := range files {
			want.WriteString(g.Digest + "  " + file + "\n")
		}
		if len(files) != 4 {
			t.Errorf("%s: %d files", g.Name, len(files))
			continue
		}
		if got := numcache(t, append([]string{"hash"}, files...)...); got != want.String() {
			t.Errorf("%s: got\n%swant\n%s", g.Name, got, want.String())
		}
	}
}
