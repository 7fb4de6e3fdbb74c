package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"numcache": main})
}

// TestScript runs the scripts in testdata/script. Beside testscript's own commands
// they have
//
//	fill             make a small cache in $NUMCACHE_DIR; set $KEY, $DIGEST and
//	                 $OBJECT to a call of test/ramp, its result and that one's file
//	fill N           add a call of test/ramp that has 2×N numbers, and set these
//	fill -compress   fill with results that are compressed
//	fill -sign FILE  fill with records that are signed with the secret in the file
//	twins            put two calls whose keys begin alike into the cache; set
//	                 $PREFIX to what they share
//	damage PATTERN   change one byte in the middle of each file that matches
//	older TIME PATTERN
//	                 set the time of modification of each file that matches back
//	json N [MEMBER…] the last output is N lines of JSON objects with these members
//
// and $NPY, $NPZ and $JOBLIB, the folders of files that NumPy and joblib wrote.
func TestScript(t *testing.T) {
	vectors, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NPY", filepath.Join(vectors, "npy"))
			env.Setenv("NPZ", filepath.Join(vectors, "npz"))
			env.Setenv("JOBLIB", filepath.Join(filepath.Dir(vectors), "npy", "joblib", "testdata"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LocalAppData", filepath.Join(env.WorkDir, "home"))
			env.Setenv("GOCACHE", strings.TrimSpace(string(cache))) // a new home has an empty one
			env.Setenv("NUMCACHE_DIR", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fill":   scriptFill,
			"twins":  scriptTwins,
			"damage": scriptDamage,
			"older":  scriptOlder,
			"json":   scriptJSON,
		},
	})
}

// ramp is a function to fill caches with.
func ramp(n int) *mat.Dense {
	m := mat.NewDense(2, n, nil)
	for i := range 2 {
		for j := range n {
			m.Set(i, j, float64(i*n+j))
		}
	}
	return m
}

func store[T any](t interface{ Check(error) }, c *memo.Cache, k memo.Key, result T) {
	_, err := memo.Do(context.Background(), c, k, func(context.Context) (T, error) { return result, nil })
	t.Check(err)
}

func scriptFill(ts *testscript.TestScript, neg bool, args []string) {
	var options memo.Options
	if len(args) > 0 && args[0] == "-compress" {
		options.Compress, args = 6, args[1:]
	}
	if len(args) > 1 && args[0] == "-sign" {
		var err error
		options.Secret, err = memo.ReadSecret(ts.MkAbs(args[1]))
		ts.Check(err)
		args = args[2:]
	}
	if neg || len(args) > 1 {
		ts.Fatalf("usage: fill [-compress] [-sign FILE] [N]")
	}
	c, err := memo.Open(ts.Getenv("NUMCACHE_DIR"), &options)
	ts.Check(err)
	sizes := []int{2, 4, 3}
	if len(args) == 1 {
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		sizes = []int{n}
	} else {
		store(ts, c, memo.NewKey("test/greet", "2.0").Add("world").Add([]float64{1, 2}), "hello, world")
	}
	var k memo.Key
	for _, n := range sizes {
		k = memo.NewKey("test/ramp", "1").Add(n)
		store(ts, c, k, ramp(n))
	}
	for r, err := range c.Find(context.Background(), k.String()) {
		ts.Check(err)
		ts.Setenv("KEY", r.Key.String())
		digest := r.Results[0].Arrays()[0].Digest
		ts.Setenv("DIGEST", digest.String())
		ts.Setenv("OBJECT", filepath.FromSlash(c.ObjectPath(digest)))
	}
	ts.Check(c.Close())
}

func scriptTwins(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: twins")
	}
	c, err := memo.Open(ts.Getenv("NUMCACHE_DIR"), nil)
	ts.Check(err)
	seen := map[string]memo.Key{}
	for i := 0; ; i++ { // some hundred keys until two of 65536 beginnings are the same
		k := memo.NewKey("test/twin", "1").Add(i)
		prefix := k.String()[:minPrefix]
		if twin, ok := seen[prefix]; ok {
			store(ts, c, twin, 1)
			store(ts, c, k, 2)
			ts.Setenv("PREFIX", prefix)
			break
		}
		seen[prefix] = k
	}
	ts.Check(c.Close())
}

func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage PATTERN")
	}
	for _, file := range matching(ts, args[0]) {
		b, err := os.ReadFile(file)
		ts.Check(err)
		b[len(b)/2] ^= 1
		ts.Check(os.WriteFile(file, b, 0o600))
	}
}

func scriptOlder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: older TIME PATTERN")
	}
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	for _, file := range matching(ts, args[1]) {
		at := time.Now().Add(-by)
		ts.Check(os.Chtimes(file, at, at))
	}
}

// matching returns the files that match a pattern, at least one.
func matching(ts *testscript.TestScript, pattern string) []string {
	files, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file matches %s", pattern)
	}
	return files
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: json N [MEMBER…]")
	}
	lines := strings.SplitAfter(ts.ReadFile("stdout"), "\n")
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	if fmt.Sprint(len(lines)) != args[0] {
		ts.Fatalf("%d lines, want %s", len(lines), args[0])
	}
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%q: %v", line, err)
		}
		for _, member := range args[1:] {
			if _, ok := object[member]; !ok {
				ts.Fatalf("%q has no member %s", line, member)
			}
		}
	}
}

// TestStatus holds the exit statuses, and that an error is one line.
func TestStatus(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	t.Setenv("NUMCACHE_DIR", missing)
	for _, tc := range []struct {
		status int
		args   string
		says   string
	}{
		{0, "", ""},
		{0, "--help", ""},
		{0, "help demo", ""},
		{0, "ls --help", ""},
		{0, "completion", ""},
		{0, "completion bash", ""},
		{1, "ls", "there is no cache in " + missing},
		{1, "ls --json", "there is no cache in " + missing},
		{1, "show 3dbbec46", "there is no cache in " + missing},
		{1, "cat 3dbbec467ceba150bd0e18328cc3a754", "there is no cache in " + missing},
		{1, "stats", "there is no cache in " + missing},
		{1, "verify", "there is no cache in " + missing},
		{1, "trim", "there is no cache in " + missing},
		{1, "forget 3dbbec46", "there is no cache in " + missing},
		{1, "export 3dbbec46", "there is no cache in " + missing},
		{1, "import nosuch.pkl", "nosuch.pkl: "},
		{1, "import main.go", "main.go: not a valid joblib file"},
		{1, "import " + dir, dir + ": not a valid joblib file: it holds no output.pkl"},
		{1, "clear --yes", "there is no cache in " + missing},
		{1, "ls --dir " + dir, dir + " is not a cache"},
		{1, "ls --dir main.go", filepath.Join(here, "main.go") + " is not a folder"},
		{1, "hash nosuch.npy", "nosuch.npy: "},
		{1, "hash main.go", "main.go: not a valid .npy or .npz file"},
		{1, "hash .", ".: "},
		{1, "cat nosuch.npy", "nosuch.npy: "},
		{1, "show nosuch.npy", "nosuch.npy: "},
		{1, "demo --dir main.go", ""},
		{1, "stamp --out ../../..", "the folder "},
		{1, "stamp ./nosuch", ""},
		{2, "stamp --out", "flag needs an argument: --out"},
		{2, "nosuch", `unknown command "nosuch"; see numcache --help`},
		{2, "help nosuch", `there is no command "nosuch"`},
		{2, "help ls nosuch", ""},
		{2, "completion nosuch", "completion takes bash, fish, powershell or zsh"},
		{2, "--nosuch", "unknown flag: --nosuch; see numcache --help"},
		{2, "ls --nosuch", "unknown flag: --nosuch; see numcache ls --help"},
		{2, "ls a b", "ls takes at most one FUNCTION, and was given 2 arguments"},
		{2, "ls --sort colour", `invalid argument "colour" for "--sort" flag: it is no order; choose name, size, age, time or hits`},
		{2, "ls --filter [a", `invalid argument "[a" for "--filter" flag: it is no pattern; `},
		{2, "ls --rows 0", "--rows is 0; it begins with 1"},
		{2, "stats --max-bytes 2X", `invalid argument "2X" for "--max-bytes" flag: it is no size; `},
		{2, "show", "show takes one KEY or FILE"},
		{2, "cat", "cat takes one KEY, DIGEST or FILE"},
		{2, "cat x.npy --csv --json", "--csv and --json are two forms; choose one"},
		{2, "head", "head takes one KEY, DIGEST or FILE"},
		{2, "head x.npy -n 0", "--rows is 0; it begins with 1"},
		{1, "head nosuch.npy", "nosuch.npy: "},
		{2, "diff x.npy", "diff takes two arrays, A and B, and was given 1 arguments"},
		{2, "diff x.npy y.npy --tol -1", "--tol is -1; it is a difference"},
		{2, "diff x.npy y.npy --tol NaN", "--tol is NaN; it is a difference"},
		{1, "diff nosuch.npy nosuch.npy", "nosuch.npy: "},
		{2, "plot", "plot takes one KEY, DIGEST or FILE"},
		{2, "plot x.npy --kind pie", `--kind: kind "pie"; choose line, hist, heat or image`},
		{2, "plot x.npy --width 0", "--width is 0; it begins with 1"},
		{2, "plot x.npy --height -4", "--height is -4; it begins with 1"},
		{2, "plot x.npy -o x.jpg", `--out "x.jpg": a picture's name ends in .png or .svg`},
		{1, "plot nosuch.npy", "nosuch.npy: "},
		{2, "hash", "hash takes at least one FILE"},
		{2, "verify x", "verify takes no argument"},
		{2, "stats a b", "stats takes at most one FUNCTION"},
		{2, "trim x", "trim takes no argument"},
		{2, "trim --max-bytes 2X", `invalid argument "2X" for "--max-bytes" flag: it is no size; `},
		{2, "trim --max-bytes -1", `invalid argument "-1" for "--max-bytes" flag: it is no size; `},
		{2, "trim --max-bytes 9E", `invalid argument "9E" for "--max-bytes" flag: it is no size; `},
		{2, "trim --max-bytes 0", `invalid argument "0" for "--max-bytes" flag: it is no limit; numcache clear `},
		{2, "trim --max-bytes 0.5", `invalid argument "0.5" for "--max-bytes" flag: it is no limit; `},
		{2, "trim --max-entries many", `invalid argument "many" for "--max-entries" flag: it is no number of entries`},
		{2, "trim --max-entries -1", `invalid argument "-1" for "--max-entries" flag: it is no number of entries`},
		{2, "trim --max-entries 0", `invalid argument "0" for "--max-entries" flag: it is no limit; `},
		{2, "trim --max-age soon", `invalid argument "soon" for "--max-age" flag: it is no time; `},
		{2, "trim --max-age d", `invalid argument "d" for "--max-age" flag: it is no time; `},
		{2, "trim --max-age 30", `invalid argument "30" for "--max-age" flag: it is no time; `},
		{2, "trim --max-age -1h", `invalid argument "-1h" for "--max-age" flag: it is no time; `},
		{2, "trim --max-age -1d", `invalid argument "-1d" for "--max-age" flag: it is no time; `},
		{2, "trim --max-age 106752d", `invalid argument "106752d" for "--max-age" flag: it is no time; `},
		{2, "trim --max-age 0s", `invalid argument "0s" for "--max-age" flag: it is no limit; `},
		{2, "trim --max-age 0d", `invalid argument "0d" for "--max-age" flag: it is no limit; `},
		{2, "trim --policy fifo", `invalid argument "fifo" for "--policy" flag: it is no policy; `},
		{2, "trim --max-bytes", "flag needs an argument: --max-bytes"},
		{2, "forget", "forget takes at least one KEY"},
		{2, "forget abc", `"abc" is no key; give 4 to 32 of its hex digits`},
		{2, "forget 3dbbec46 wxyz", `"wxyz" is no key; `},
		{2, "forget 3dbbec467ceba150bd0e18328cc3a7540", `"3dbbec467ceba150bd0e18328cc3a7540" is no key; `},
		{2, "import", "import takes at least one FILE or JOBLIB_CACHE_DIR"},
		{2, "export", "export takes one KEY"},
		{2, "export xyz", `"xyz" is no key; give 4 to 32 of its hex digits`},
		{2, "doctor x", "doctor takes no argument"},
		{2, "python x", "python takes no argument"},
		{2, "demo x", "demo takes no argument"},
		{2, "demo --components ten", `invalid argument "ten" for "--components"`},
		{2, "demo --components 0", "--components is 0; choose 1 to 64"},
		{2, "demo --components 65", "--components is 65; choose 1 to 64"},
		{2, "demo --neighbours 0", "--neighbours is 0; choose 1 to 1796"},
		{2, "demo --neighbours 1797", "--neighbours is 1797; choose 1 to 1796"},
		{2, "ls --dir=", "--dir is empty"},
		{1, "ls --dir=s3://user:pass@bucket/p", "s3://… is a URL, and this command reads folders"},
		{1, "demo --dir=s3://bucket/p", "s3://… is a URL"},
		{1, "doctor --dir=s3://bucket/p", "s3://… is a URL"},
		{2, "ls --dir", "flag needs an argument: --dir"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), strings.Fields(tc.args), strings.NewReader(""), &stdout, &stderr)
			if status != tc.status {
				t.Errorf("exit status %d, want %d; stderr %q", status, tc.status, stderr.String())
			}
			text := stderr.String()
			switch {
			case status == statusDone && text != "":
				t.Errorf("stderr %q, want nothing", text)
			case status != statusDone && (strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "numcache: "+tc.says)):
				t.Errorf("stderr %q, want one line that begins with %q", text, "numcache: "+tc.says)
			case status != statusDone && stdout.Len() > 0:
				t.Errorf("stdout %q, want nothing", stdout.String())
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the commands made %v (%v)", entries, err)
	}
}

// TestDocListsCommands holds that doc.go has a line for every command, and each command
// an example where it takes arguments.
func TestDocListsCommands(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	commands := (&program{}).command().Commands()
	for _, c := range commands {
		if !strings.Contains(string(doc), "\n\tnumcache "+c.Name()+" ") {
			t.Errorf("doc.go does not list %s", c.Name())
		}
		if takes := strings.Contains(c.Use, " "); takes && c.Example == "" {
			t.Errorf("%s has no example", c.Name())
		}
	}
	if len(commands) < 15 {
		t.Errorf("%d commands", len(commands))
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"demo", "--dir", filepath.Join(t.TempDir(), "cache")}, strings.NewReader(""), &stdout, &stderr)
	if got := stderr.String(); status != statusFailed || got != "numcache: interrupted\n" {
		t.Errorf("status %d, stderr %q", status, got)
	}
}
