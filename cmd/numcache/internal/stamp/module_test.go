package stamp

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// proxy makes a folder that serves modules, as GOPROXY has it, and returns the
// environment for it.
func proxy(t *testing.T, modules map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	for version, source := range modules {
		path, number, _ := strings.Cut(version, "@")
		at := filepath.Join(dir, filepath.FromSlash(path), "@v")
		goMod := "module " + path + "\n\ngo 1.25\n"
		write(t, at, "m", "", map[string]string{
			number + ".info": `{"Version":"` + number + `"}`,
			number + ".mod":  goMod,
		})
		f, err := os.Create(filepath.Join(at, number+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		for name, content := range map[string]string{"go.mod": goMod, filepath.Base(path) + ".go": source} {
			w, err := z.Create(version + "/" + name)
			if err == nil {
				_, err = w.Write([]byte(content))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return append(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(dir), "GONOSUMDB=*", "GONOSUMCHECK=1", "GOWORK=",
		"GOFLAGS=-modcacherw", "GOMODCACHE="+t.TempDir(), "GOTOOLCHAIN=local")
}

// goTool runs the go command in a folder.
func goTool(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestModules holds what versions of other modules do, and their source where a folder
// takes their place.
func TestModules(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the go command two dozen times")
	}
	env := proxy(t, map[string]string{
		"example.com/a@v1.0.0": "package a\n\nimport \"example.com/b\"\n\nfunc A() int { return b.B() }\n",
		"example.com/b@v1.0.0": "package b\n\nfunc B() int { return 1 }\n",
		"example.com/b@v1.1.0": "package b\n\nfunc B() int { return 2 }\n",
		"example.com/c@v1.0.0": "package c\n\nfunc C() int { return 1 }\n",
		"example.com/c@v1.1.0": "package c\n\nfunc C() int { return 1 }\n",
	})
	const require = "module m\n\ngo 1.25\n\nrequire example.com/a v1.0.0\nrequire example.com/b v1.0.0\nrequire example.com/c v1.0.0\n"
	dir := t.TempDir()
	write(t, dir, "m", "", map[string]string{
		"go.mod":     require,
		"p/p.go":     "package p\n\nimport \"example.com/a\"\n\n//numcache:stamp\nfunc WithA() int { return a.A() }\n\n//numcache:stamp\nfunc Alone() int { return 1 }\n",
		"q/q.go":     "package q\n\nimport \"example.com/c\"\n\n//numcache:stamp\nfunc WithC() int { return c.C() }\n",
		"sub/go.mod": "module example.com/b\n\ngo 1.25\n",
		"sub/b.go":   "package b\n\nfunc B() int { return 3 }\n\nfunc Unused() int { return 1 }\n",
	})
	tidy := func() { goTool(t, dir, env, "mod", "tidy") }
	stamps := func() map[string]string { t.Helper(); return compute(t, Options{Dir: dir, Env: env}) }
	last := map[string]string{}
	expect := func(what string, changed ...string) {
		t.Helper()
		now := stamps()
		for _, name := range []string{"WithA", "WithC", "Alone"} {
			want := strings.Contains(strings.Join(changed, " "), name)
			if got := now[name] != last[name]; got != want {
				t.Errorf("%s: the stamp of %s changed: %t, want %t", what, name, got, want)
			}
		}
		last = now
	}
	tidy()
	expect("at first", "WithA", "WithC", "Alone")

	set := func(old, new string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("go.mod has no %q: %v\n%s", old, err, text)
		}
		write(t, dir, "m", "", map[string]string{"go.mod": strings.Replace(string(text), old, new, 1)})
	}
	set("c v1.0.0", "c v1.1.0")
	tidy()
	expect("another version of a module", "WithC")

	set("b v1.0.0", "b v1.1.0")
	tidy()
	expect("another version of a module that a module imports", "WithA")

	set("module m\n", "module m\n\nreplace example.com/b => ./sub\n")
	tidy()
	expect("a folder in place of a module", "WithA")

	write(t, dir, "m", "", map[string]string{"sub/b.go": "package b\n\n// B is another.\nfunc B() int { return 4 }\n\nfunc Unused() int { return 1 }\n"})
	expect("the source in that folder", "WithA")

	set("replace example.com/b => ./sub\n", "replace example.com/b => example.com/b v1.0.0\n")
	tidy()
	expect("another version in place of a module", "WithA")

	goTool(t, dir, env, "mod", "vendor")
	expect("a vendor folder", "WithA", "WithC")
	write(t, dir, "m", "", map[string]string{"vendor/example.com/b/b.go": "package b\n\nfunc B() int { return 5 }\n"})
	expect("an edit in the vendor folder", "WithA")
	if err := os.RemoveAll(filepath.Join(dir, "vendor")); err != nil {
		t.Fatal(err)
	}

	o := Options{Dir: dir, Env: env}
	if err := os.Remove(filepath.Join(dir, "go.sum")); err != nil {
		t.Fatal(err)
	}
	if _, err := Compute(t.Context(), o); err == nil || !strings.Contains(err.Error(), "go.sum") {
		t.Errorf("without go.sum: %v", err)
	}
	set("require", "requires")
	if _, err := Compute(t.Context(), o); err == nil || !strings.Contains(err.Error(), "go.mod:") {
		t.Errorf("with a broken go.mod: %v", err)
	}
}

// TestWorkspace has two modules of a workspace, which are both source.
func TestWorkspace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "m", "", map[string]string{
		"go.work":    "go 1.25\n\nuse ./one\nuse ./two\n",
		"one/go.mod": "module m/one\n\ngo 1.25\n",
		"one/one.go": "package one\n\nimport \"m/two\"\n\n//numcache:stamp\nfunc F() int { return two.Two() }\n",
		"two/go.mod": "module m/two\n\ngo 1.25\n",
		"two/two.go": "package two\n\nfunc Two() int { return 2 }\n",
	})
	o := Options{Dir: filepath.Join(dir, "one"), Env: append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"))}
	before := compute(t, o)
	write(t, dir, "m", "", map[string]string{"two/two.go": "package two\n\nfunc Two() int { return 3 }\n"})
	if after := compute(t, o); before["F"] == after["F"] {
		t.Error("an edit in the other module did not change the stamp")
	}
}

// TestLinkedFolder has a module in a folder that is named by a symbolic link.
func TestLinkedFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "m", "", map[string]string{
		"module/go.mod":         "module m\n\ngo 1.25\n",
		"module/a.go":           "package m\n\nimport \"m/stamp\"\n\n//numcache:stamp\nfunc F() string { return stamp.F }\n",
		"module/stamp/stamp.go": header + "\n\npackage stamp\n\nconst F = \"old\"\n",
	})
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "module"), link); err != nil {
		t.Skip(err)
	}
	direct, linked := compute(t, Options{Dir: filepath.Join(dir, "module")}), compute(t, Options{Dir: link})
	if direct["F"] != linked["F"] {
		t.Errorf("%v directly, %v by way of a link", direct, linked)
	}
	elsewhere := compute(t, Options{Dir: link, Out: "elsewhere"})
	if direct["F"] != elsewhere["F"] {
		t.Errorf("the content of a generated file counts: %v without, %v with it", direct, elsewhere)
	}
}

// TestHandedOn hands an interface of the standard library on to it, whose type may be
// any of the module's. It is a module of its own, as that is true of the whole module.
func TestHandedOn(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module m\n\ngo 1.25\n",
		"a.go":   "package m\n\nimport \"fmt\"\n\n//numcache:stamp\nfunc F(values []fmt.Formatter) string { return fmt.Sprint(values) }\n",
		"b/b.go": "package b\n\nimport \"fmt\"\n\ntype B int\n\nfunc (B) Format(f fmt.State, _ rune) { fmt.Fprint(f, 1) }\n\nfunc (B) GoString() string { return \"B\" }\n\ntype C int\n\nfunc (C) GoString() string { return \"C\" }\n",
	}
	write(t, dir, "m", "", files)
	before := compute(t, Options{Dir: dir})
	for old, edit := range map[string]struct {
		new       string
		different bool
	}{
		"Fprint(f, 1)":   {"Fprint(f, 2)", true},
		`return "B"`:     {`return "b"`, true},
		`return "C"`:     {`return "c"`, false},
		"type C int\n\n": {"type C int\n\nfunc (C) Format(f fmt.State, _ rune) {}\n\n", true},
	} {
		write(t, dir, "m", "", map[string]string{"b/b.go": strings.Replace(files["b/b.go"], old, edit.new, 1)})
		if changed := compute(t, Options{Dir: dir})["F"] != before["F"]; changed != edit.different {
			t.Errorf("%q becomes %q: changed is %t, want %t", old, edit.new, changed, edit.different)
		}
	}
}

// TestTags holds that build tags count, from the command line as from GOFLAGS.
func TestTags(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "m", "", map[string]string{
		"go.mod": "module m\n\ngo 1.25\n",
		"a.go":   "package m\n\n//numcache:stamp\nfunc F() int { return g() }\n",
		"b.go":   "//go:build !special\n\npackage m\n\nfunc g() int { return 1 }\n",
		"c.go":   "//go:build special\n\npackage m\n\nfunc g() int { return 2 }\n",
	})
	plain := compute(t, Options{Dir: dir})
	special := compute(t, Options{Dir: dir, Tags: "special"})
	inFlags := compute(t, Options{Dir: dir, Env: append(os.Environ(), "GOFLAGS=-tags=special")})
	if plain["F"] == special["F"] || special["F"] != inFlags["F"] {
		t.Errorf("plain %v, with a tag %v, with the tag in GOFLAGS %v", plain, special, inFlags)
	}
}

// TestCgo holds that C counts, and that what cgo makes of it does not stand in the way.
func TestCgo(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "go", "env", "CGO_ENABLED").Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Skip("there is no cgo here")
	}
	const source = "package m\n\n// int two(void);\n// static int one(void) { return 1; }\nimport \"C\"\n\n// F calls C.\n//\n//numcache:stamp\nfunc F(x int) int { return x + int(C.one()) + int(C.two()) }\n\nfunc unrelated() int { return int(C.one()) }\n"
	const c = "int two(void) { return 2; }\n"
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module m\n\ngo 1.25\n", "a.go": source, "two.c": c}
	write(t, dir, "m", "", files)
	before := compute(t, Options{Dir: dir})
	for what, edit := range map[string]struct {
		file, old, new string
		different      bool
	}{
		"C in a Go file":        {"a.go", "return 1;", "return 3;", true},
		"C":                     {"two.c", "return 2;", "return 3;", true},
		"the Go":                {"a.go", "return x + int", "return x - int", true},
		"a comment and a local": {"a.go", "// F calls C.\n//\n//numcache:stamp\nfunc F(x int) int { return x", "// F calls.\n//\n//numcache:stamp\nfunc F(y int) int { return y", false},
		"an unrelated function": {"a.go", "return int(C.one())", "return int(C.two())", false},
	} {
		write(t, dir, "m", "", map[string]string{edit.file: strings.Replace(files[edit.file], edit.old, edit.new, 1)})
		if changed := compute(t, Options{Dir: dir})["F"] != before["F"]; changed != edit.different {
			t.Errorf("%s: changed is %t, want %t", what, changed, edit.different)
		}
		write(t, dir, "m", "", files)
	}
}
