package stamp

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// edit is a change of a small package, and whether the stamp of its function changes.
type edit struct {
	name      string
	different bool
	before    map[string]string // files
	after     map[string]string
}

// edits reads testdata/edits. Each archive there has the files of a package with one
// mark, and then edits, named by their verdict and what they do: the names of files
// and, below each, lines to take out (-) and lines to put in their place (+).
func edits(t *testing.T) (all []edit) {
	archives, err := filepath.Glob("testdata/edits/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no edits: %v", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		base := map[string]string{}
		theme := strings.TrimSuffix(filepath.Base(path), ".txtar")
		for _, f := range archive.Files {
			verdict, what, isEdit := strings.Cut(f.Name, ": ")
			if !isEdit {
				base[f.Name] = string(f.Data)
				continue
			}
			if verdict != "same" && verdict != "different" {
				t.Fatalf("%s: the edit %q has no verdict", path, f.Name)
			}
			name := theme + ": " + what
			all = append(all, edit{name, verdict == "different", base, apply(t, name, base, string(f.Data))})
		}
		// A copy that stays, among those that change, tells whether they bear upon each
		// other.
		all = append(all, edit{theme + ": no edit", false, base, base})
	}
	return all
}

// apply returns files with an edit.
func apply(t *testing.T, name string, files map[string]string, text string) map[string]string {
	edited := map[string]string{}
	for file, content := range files {
		edited[file] = content
	}
	var file, out, in string
	change := func() {
		if file == "" {
			return
		}
		if out != "" && strings.Count(edited[file], out) != 1 {
			t.Fatalf("%s: %q stands %d times in %s", name, out, strings.Count(edited[file], out), file)
		}
		if out == "" {
			edited[file] += in
		} else {
			edited[file] = strings.Replace(edited[file], out, in, 1)
		}
		out, in = "", ""
	}
	for _, line := range strings.SplitAfter(text, "\n") {
		switch {
		case line == "":
		case line[0] == '-':
			if in != "" {
				change()
			}
			out += line[1:]
		case line[0] == '+':
			in += line[1:]
		default:
			change()
			file = strings.TrimSuffix(line, "\n")
		}
	}
	change()
	return edited
}

// write writes files, as packages of the module under a path that replaces m.
func write(t testing.TB, dir, path, mark string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		content = strings.ReplaceAll(content, `"m/`, `"`+path+"/")
		content = strings.ReplaceAll(content, " m/impl.", " "+path+"/impl.")
		if mark != "" {
			content = strings.ReplaceAll(content, "_N(", "_"+mark+"(") // methods, that no other package's interface should mean
			content = strings.ReplaceAll(content, directive+" F\n", directive+"\n")
			content = strings.ReplaceAll(content, directive+"\n", directive+" "+mark+"\n")
		}
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// compute returns the stamps of a module by name.
func compute(t *testing.T, o Options) map[string]string {
	t.Helper()
	s, err := Compute(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stamps := map[string]string{}
	for _, f := range s.Functions {
		stamps[f.Name] = f.Stamp
	}
	return stamps
}

// TestEdits makes every edit and looks what becomes of the stamp. To load a module
// costs more than to stamp it: so all of them are packages of one.
func TestEdits(t *testing.T) {
	all := edits(t)
	before, after := t.TempDir(), t.TempDir()
	for _, dir := range []string{before, after} {
		write(t, dir, "m", "", map[string]string{"go.mod": "module m\n\ngo 1.25\n"})
	}
	for i, e := range all {
		name := fmt.Sprint("F", i)
		write(t, filepath.Join(before, name), "m/"+name, name, e.before)
		write(t, filepath.Join(after, name), "m/"+name, name, e.after)
	}
	was, is := compute(t, Options{Dir: before}), compute(t, Options{Dir: after})
	count := map[bool]int{}
	for i, e := range all {
		name := fmt.Sprint("F", i)
		if !regexp.MustCompile("^v1-[0-9a-f]{32}$").MatchString(was[name]) || is[name] == "" {
			t.Errorf("%s: the stamps are %q and %q", e.name, was[name], is[name])
		}
		if changed := was[name] != is[name]; changed != e.different {
			t.Errorf("%s: changed is %t, want %t", e.name, changed, e.different)
		}
		count[e.different]++
	}
	if count[true] < 40 || count[false] < 40 {
		t.Errorf("%d edits that change a stamp, %d that do not; want forty of each", count[true], count[false])
	}
}
