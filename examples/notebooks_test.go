package examples_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/numcache/numcache/testdata/numpy"
)

var update = flag.Bool("update", false, "write what the notebooks put out into them")

// readNotebooks returns the notebooks, by name.
func readNotebooks(t *testing.T) map[string]*notebook {
	t.Helper()
	files, err := filepath.Glob("notebooks/*.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4 {
		t.Fatalf("there are %d notebooks", len(files))
	}
	notebooks := map[string]*notebook{}
	for _, f := range files {
		n, err := readNotebook(f)
		if err != nil {
			t.Fatal(err)
		}
		notebooks[notebookName(f)] = n
	}
	return notebooks
}

// clone makes a folder like a clone of the project, as far as notebooks look at one, and
// returns the folder of the notebooks in it: what they leave behind, they leave there.
func clone(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, room := range []string{"array", "memo", "npy", "parallel", "testdata/digits"} {
		if err := os.CopyFS(filepath.Join(root, room), os.DirFS(filepath.Join("..", room))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(root, "examples", "notebooks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// providePython has python3 be the Python of the tests for the programs that a test
// starts.
func providePython(t *testing.T) {
	t.Helper()
	numpy.Require(t, "xxhash")
	if runtime.GOOS == "windows" {
		t.Skip("python3 is a shell script here")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nexec '" + numpy.Command(t, "").Path + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// TestNotebooks compiles the cells of all notebooks, as an ordinary program, runs them,
// and compares what they put out with what is saved in the notebooks:
//
//	go test ./examples -run Notebooks -update
//
// saves it.
func TestNotebooks(t *testing.T) {
	notebooks := readNotebooks(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "notebooks.exe")
	args := []string{"build", "-o", program}
	write := func(name, source string) {
		file := filepath.Join(dir, name+".go")
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	lent, err := os.ReadFile(filepath.Join("testdata", "gophernotes.go"))
	if err != nil {
		t.Fatal(err)
	}
	write("gophernotes", string(lent))
	for name, n := range notebooks {
		source, err := translate(name, n.cells)
		if err != nil {
			t.Fatal(err)
		}
		write("notebook_"+name, source)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for name, n := range notebooks {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(n.source(), "python3") {
				providePython(t)
			}
			cmd := exec.CommandContext(t.Context(), program, name)
			cmd.Dir = clone(t)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("%v\n%s%s", err, stdout, stderr.String())
			}
			outputs, err := parseOutputs(stdout)
			if err != nil {
				t.Fatal(err)
			}
			if len(outputs) != len(n.cells) {
				t.Fatalf("%d cells ended, of %d", len(outputs), len(n.cells))
			}
			if *update {
				if err := n.write(outputs); err != nil {
					t.Fatal(err)
				}
				return
			}
			for i, c := range n.cells {
				if d := difference(outputs[i], c.saved); d != "" {
					t.Errorf("cell %d: %s\n%s", i+1, d, c.source)
				}
			}
		})
	}
}

// TestNotebooksInGophernotes runs the notebooks in a real kernel, where one is installed,
// and compares what it puts out with what is saved.
func TestNotebooksInGophernotes(t *testing.T) {
	for name, n := range readNotebooks(t) {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(n.source(), "python3") {
				providePython(t)
			}
			k := startKernel(t, clone(t))
			for i, c := range n.cells {
				outputs, err := k.run(c.source)
				if err != nil {
					t.Fatalf("cell %d: %v\n%s", i+1, err, c.source)
				}
				if d := difference(outputs, c.saved); d != "" {
					t.Errorf("cell %d: %s\n%s", i+1, d, c.source)
				}
			}
		})
	}
}

// TestNotebooksReadme holds what the page says of the notebooks, and of the versions that
// gophernotes is to be built with.
func TestNotebooksReadme(t *testing.T) {
	readme, err := os.ReadFile("notebooks/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range readNotebooks(t) {
		if !strings.Contains(string(readme), "]("+name+".ipynb)") {
			t.Errorf("README.md does not name %s.ipynb", name)
		}
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.Contains(string(readme), fields[0]+"@") {
			continue
		}
		if shared++; !strings.Contains(string(readme), fields[0]+"@"+fields[1]) {
			t.Errorf("README.md builds gophernotes with another version of %s than %s", fields[0], fields[1])
		}
	}
	if shared != 3 {
		t.Errorf("README.md names versions of %d modules of go.mod, not of 3", shared)
	}
}

// TestRefusedCells has cells that an ordinary program would not run as the interpreter
// does.
func TestRefusedCells(t *testing.T) {
	for _, c := range []struct {
		cells []string
		want  string // "" where it is taken
	}{
		{[]string{"x := 1", "x := \"two\"\nx"}, ""},
		{[]string{"func f(x int) int { return x }", "x := f(1)\nf := x"}, ""},
		{[]string{"x := 1\nfunc f() int { return x }", "x := 2"}, "x is declared anew"},
		{[]string{"x := 1\nf := func() int { return x }", "var x = 2"}, "x is declared anew"},
		{[]string{"func f() int { return 1 }", "func g() int { return f() }", "func f() int { return 2 }"}, "f is declared anew"},
		{[]string{"type T int\nfunc (T) M() {}"}, "expected"},
		{[]string{"func f[T any](x T) T { return x }"}, "not a plain function"},
		{[]string{"x := 1; y := 2"}, "several statements"},
		{[]string{"x := ("}, "expected"},
	} {
		var cells []cell
		for _, source := range c.cells {
			cells = append(cells, cell{source: source})
		}
		_, err := translate("n", cells)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.cells, err, c.want)
		}
	}
}

// TestDifference has outputs that show the same, and that do not.
func TestDifference(t *testing.T) {
	stream := func(name, text string) output { return output{Type: "stream", Name: name, Text: text} }
	result := func(text any) output {
		return output{Type: "execute_result", Data: map[string]any{"text/plain": text}}
	}
	picture := func(shade uint8) output {
		m := image.NewGray(image.Rect(0, 0, 2, 2))
		m.Pix[3] = shade
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return output{Type: "display_data", Data: map[string]any{"image/png": base64.StdEncoding.EncodeToString(b.Bytes())}}
	}
	for _, c := range []struct {
		a, b []output
		same bool
	}{
		{[]output{stream("stdout", "a\n"), stream("stdout", "b")}, []output{stream("stdout", "a\nb\n")}, true},
		{[]output{stream("stdout", "\r1 of 9\r9 of 9")}, []output{stream("stdout", "9 of 9")}, true},
		{[]output{stream("stdout", "// warning: skipping import of func f\n")}, nil, true},
		{[]output{result("a\nb")}, []output{result([]any{"a\n", "b"})}, true},
		{[]output{picture(7)}, []output{picture(8)}, true},
		{[]output{picture(7)}, []output{picture(9)}, false},
		{[]output{stream("stdout", "a")}, []output{stream("stderr", "a")}, false},
		{[]output{stream("stdout", "a")}, []output{stream("stdout", "b")}, false},
		{[]output{stream("stdout", "a")}, []output{result("a")}, false},
		{[]output{result("a")}, []output{result("b")}, false},
		{[]output{result("a")}, nil, false},
	} {
		if d := difference(c.a, c.b); (d == "") != c.same {
			t.Errorf("%s and %s: %q", summary(c.a), summary(c.b), d)
		}
	}
}
