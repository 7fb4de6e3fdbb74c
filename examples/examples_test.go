package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo/python"
	"github.com/numcache/numcache/testdata/numpy"
)

// build compiles the example in a folder and returns the program's path.
func build(t *testing.T, folder string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), folder)
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./"+folder).CombinedOutput(); err != nil {
		t.Fatalf("go build ./%s: %v\n%s", folder, err, out)
	}
	return program
}

// run starts a program in a folder and returns what it printed.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func TestQuickstart(t *testing.T) {
	program, dir := build(t, "quickstart"), t.TempDir()
	for _, want := range []string{"[0.5 -1 -0.5 2] hits: 0 misses: 1\n", "[0.5 -1 -0.5 2] hits: 1 misses: 0\n"} {
		if got := run(t, dir, program); got != want {
			t.Errorf("quickstart printed %q, want %q", got, want)
		}
	}
}

// TestPython runs both halves of the pipeline that Go and Python share, in either order:
// the second one computes nothing.
func TestPython(t *testing.T) {
	numpy.Require(t, "xxhash")
	program := build(t, "python")
	script, err := os.ReadFile(filepath.Join("python", "pipeline.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{{"Go", "Python"}, {"Python", "Go"}} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "numcache.py"), []byte(python.Source), 0o600); err != nil {
			t.Fatal(err)
		}
		for i, language := range order {
			cmd := exec.CommandContext(t.Context(), program)
			if language == "Python" {
				cmd = numpy.Command(t, string(script))
				cmd.Env = append(cmd.Env, "PYTHONPATH="+dir)
			}
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			want := "means [5.001 4.998 4.995], scale [1.000 0.999 0.998]; hits: 0 misses: 2\n"
			if i == 1 {
				want = strings.Replace(want, "hits: 0 misses: 2", "hits: 2 misses: 0", 1)
			}
			if err != nil || string(out) != want {
				t.Errorf("%v, %s: %v, %q, want %q", order, language, err, out, want)
			}
		}
	}
}

func TestGrowing(t *testing.T) {
	program, dir := build(t, "growing"), t.TempDir()
	for i, want := range []string{
		"2000 rows: 0 blocks from the cache, 2 computed\n",
		"4000 rows: 2 blocks from the cache, 2 computed\n",
		"6000 rows: 4 blocks from the cache, 2 computed\n",
	} {
		got := run(t, dir, program)
		if !strings.HasSuffix(got, want) || !strings.Contains(got, "column 2: mean 20.0, deviation 1.0\n") {
			t.Errorf("run %d printed %q, want it to end with %q", i, got, want)
		}
	}
}

func TestBigfile(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("no file is mapped here")
	}
	program, dir := build(t, "bigfile"), t.TempDir()
	for _, counts := range []string{"74 computed, 0 from the cache", "0 computed, 74 from the cache"} {
		want := "lowest station: from -11.5 to 31.1 degrees\nnoon of day 181: 24.3; " + counts + "\n67 MB of data, a heap within 32 MB: true\n"
		if got := run(t, dir, program); got != want {
			t.Errorf("bigfile printed %q, want %q", got, want)
		}
	}
}

// TestArguments has the calls of one run, and what makes each of them another one.
func TestArguments(t *testing.T) {
	program, dir := build(t, "arguments"), t.TempDir()
	const cached, similar = "it is in the cache", "since the most similar call that is in the cache, argument "
	steps := []struct{ call, why string }{
		{"a first call: middle 33.60", "no call of rod/diffuse is in the cache"},
		{"the same: middle 33.60", cached},
		{"another label, a field that is left out: middle 33.60", cached},
		{"with progress, an argument that is ignored: middle 33.60", cached},
		{"equal temperatures in another slice: middle 33.60", cached},
		{"another rod: middle 56.29", similar + "0.diffusivity changed from 0.00011 to 2.3e-05"},
		{"more steps: middle 42.23", similar + "2.Steps changed from 2000 to 4000"},
		{"held ends: middle 32.89", similar + "2.Ends changed from nil to {Left: 20.0, Right: 20.0}"},
		{"equal ends behind another pointer: middle 32.89", cached},
		{"one point more: middle 34.69", similar + "1 changed from float64(61,) to float64(62,)"},
	}
	for round := range 2 {
		var want strings.Builder
		for _, s := range steps {
			if round == 1 {
				s.why = cached
			}
			want.WriteString(s.call + "\n\t" + s.why + "\n")
		}
		want.WriteString("true the time step is too long for the distance of the points: 0.5 s for 601 points\n")
		if got := run(t, dir, program); got != want.String() {
			t.Errorf("arguments printed %q, want %q", got, want.String())
		}
	}
}

func TestKeyer(t *testing.T) {
	program, dir := build(t, "keyer"), t.TempDir()
	for _, other := range []string{"miss", "hit"} { // the first run, and the second
		want := other + " of web/rank: [0.373 0.196 0.394 0.038]\n" +
			"hit of web/rank: [0.373 0.196 0.394 0.038]\n" +
			other + " of web/rank: [0.343 0.183 0.359 0.115]\n" +
			other + " of web/shares: [0.250 0.125 0.500 0.125] of monday.npy\n" +
			"hit of web/shares: [0.250 0.125 0.500 0.125] of archive.npy\n" +
			other + " of web/shares: [0.200 0.100 0.400 0.300] of tuesday.npy\n"
		if got := run(t, dir, program); got != want {
			t.Errorf("keyer printed %q, want %q", got, want)
		}
	}
}

// TestExamplesAreListed holds that doc.go names every example, that each has a test, and
// that none is long.
func TestExamplesAreListed(t *testing.T) {
	programs, err := filepath.Glob("*/main.go")
	if err != nil || len(programs) < 7 {
		t.Fatalf("%v, %v", programs, err)
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("examples_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range programs {
		name := filepath.Dir(file)
		if !strings.Contains(string(doc), "//   - "+name+": ") {
			t.Errorf("doc.go does not list %s", name)
		}
		if !strings.Contains(string(tests), `build(t, "`+name+`")`) {
			t.Errorf("no test runs %s", name)
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), "\n"); n >= 150 {
			t.Errorf("%s has %d lines, of which it should have less than 150", file, n)
		}
	}
}

// codeBlocks returns the fenced blocks of a language in a Markdown text.
func codeBlocks(markdown, language string) []string {
	var blocks []string
	for rest := markdown; ; {
		_, after, found := strings.Cut(rest, "\n```"+language+"\n")
		if !found {
			return blocks
		}
		block, next, _ := strings.Cut(after, "\n```")
		blocks = append(blocks, block+"\n")
		rest = next
	}
}

// TestReadmeShowsQuickstart holds the README's program to the one that the test
// above runs.
func TestReadmeShowsQuickstart(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("quickstart/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(source), "\npackage main\n")
	blocks := codeBlocks(string(readme), "go")
	if len(blocks) != 1 || blocks[0] != "package main\n"+program {
		t.Errorf("README.md has %d blocks of Go; the one that it should have is examples/quickstart/main.go from its package line on", len(blocks))
	}
	for _, command := range []string{"go run ./cmd/numcache demo", "./.ci/test"} {
		if !strings.Contains(string(readme), command) {
			t.Errorf("README.md does not name the command %s", command)
		}
	}
	if n := strings.Count(string(readme), "\n"); n > 200 {
		t.Errorf("README.md has %d lines, more than 200", n)
	}
}

// TestPipeline runs the two steps, again, with another width, and with one sample that
// is not the same: each says why it is computed.
func TestPipeline(t *testing.T) {
	program, dir := build(t, "pipeline"), t.TempDir()
	const similar = "since the most similar call that is in the cache, argument "
	for _, step := range []struct{ args, want string }{
		{"", "computed smooth: no call of smooth is in the cache\ncomputed power: no call of power is in the cache\nmean power 183.54\n"},
		{"", "smooth is in the cache\npower is in the cache\nmean power 183.54\n"},
		{"-width 7", "computed smooth: " + similar + "1 changed from 5 to 7\ncomputed power: " + similar + "0, float64(3000, 1000), changed\nmean power 135.60\n"},
		{"-touch 1234", "computed smooth: " + similar + "0, float64(3000, 1000), changed in rows 1212 to 1245\ncomputed power: " + similar +
			"0, float64(3000, 1000), changed\nmean power 183.57\n"},
	} {
		if got := run(t, dir, program, strings.Fields(step.args)...); got != step.want {
			t.Errorf("pipeline %s printed %q, want %q", step.args, got, step.want)
		}
	}
}

// TestStamps checks that the stamps of the pipeline are those of its code. Another release
// of Go than they were made with has others.
func TestStamps(t *testing.T) {
	const file = "pipeline/stamp/stamp.go"
	generated, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, made, _ := strings.Cut(string(generated), "Made with ")
	made, _, _ = strings.Cut(made, ".\n")
	if now := runtime.Version(); !strings.HasPrefix(now+".", made+".") {
		t.Skipf("%s was made with %s, and this is %s", file, made, now)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "github.com/numcache/numcache/cmd/numcache", "stamp", "--check", "--out", "stamp", ".")
	cmd.Dir = "pipeline"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("numcache stamp --check: %v\n%s", err, out)
	}
}
