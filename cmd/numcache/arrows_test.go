package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/numcache/numcache"

// mayImport says which rooms of the house a room may depend on, directly or not.
// CONTRIBUTING.md shows the same table.
var mayImport = map[string][]string{
	"parallel": {"parallel"},
	"array":    {"array", "parallel"},
	"npy":      {"npy", "array", "parallel"},
	"memo":     {"memo", "npy", "array", "parallel"},
	"testdata": {"testdata"},
	"cmd":      {"cmd", "memo", "npy", "array", "parallel", "testdata"},
	"examples": {"examples", "memo", "npy", "array", "parallel", "testdata"},
}

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath   string
	Dir          string
	Doc          string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

// rootPackages returns the packages of the module, as built for a system.
func rootPackages(t *testing.T, system string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Dir,Doc,Imports,Deps,TestImports,XTestImports",
		module+"/...", module+"/testdata/digits", module+"/testdata/joblib", module+"/testdata/numpy")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var found []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if room(p.ImportPath) != "" {
			found = append(found, p)
		}
	}
}

// room returns the top-level folder of a package of the module, "" for others.
func room(path string) string {
	rest, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// TestArrows holds what each room may import.
func TestArrows(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		packages := rootPackages(t, system)
		if len(packages) < 5 {
			t.Fatalf("%s: go list found %d packages only", system, len(packages))
		}
		for _, path := range []string{module + "/npy/joblib", module + "/memo/python"} {
			if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == path }) {
				t.Errorf("%s: there is no %s", system, path)
			}
		}
		for _, p := range packages {
			may, known := mayImport[room(p.ImportPath)]
			if !known {
				t.Errorf("%s: the house has no room %s", p.ImportPath, room(p.ImportPath))
				continue
			}
			for _, dep := range p.Deps {
				if r := room(dep); r != "" && !slices.Contains(may, r) {
					t.Errorf("%s: %s depends on %s", system, p.ImportPath, dep)
				}
				forTests := strings.HasPrefix(dep, module+"/testdata/numpy") || strings.HasPrefix(dep, module+"/testdata/joblib")
				if forTests && room(p.ImportPath) != "testdata" {
					t.Errorf("%s: %s depends on %s, which is for tests", system, p.ImportPath, dep)
				}
				// Only files are compressed.
				if r := room(p.ImportPath); (r == "array" || r == "parallel") && strings.HasPrefix(dep, "github.com/klauspost/compress") {
					t.Errorf("%s: %s depends on %s", system, p.ImportPath, dep)
				}
				// Who does not read joblib's files need not pay for them.
				joblibs := strings.HasPrefix(dep, "github.com/ulikunitz/xz") || strings.HasPrefix(dep, "github.com/pierrec/lz4") || dep == module+"/npy/joblib"
				if joblibs && room(p.ImportPath) != "cmd" && p.ImportPath != module+"/npy/joblib" {
					t.Errorf("%s: %s depends on %s", system, p.ImportPath, dep)
				}
				// What the command line needs is none of the library's business.
				for _, prefix := range []string{"github.com/spf13/", "golang.org/x/tools/", "golang.org/x/term", "gonum.org/v1/plot"} {
					if strings.HasPrefix(dep, prefix) && room(p.ImportPath) != "cmd" {
						t.Errorf("%s: %s depends on %s", system, p.ImportPath, dep)
					}
				}
			}
			for _, dep := range slices.Concat(p.TestImports, p.XTestImports) {
				if room(dep) == "cmd" && room(p.ImportPath) != "cmd" {
					t.Errorf("%s: tests of %s import %s", system, p.ImportPath, dep)
				}
			}
		}
	}
}

// TestLibraryOpensNothing holds what the README says of security: nothing that the
// library is made of, at any depth, can open the network, start a program or load
// code, and none of its own packages reads values that say of which type they are. (The
// tier in memory, otter, imports encoding/gob to save itself to a file, which nothing
// here asks it to do.)
func TestLibraryOpensNothing(t *testing.T) {
	const gob = "encoding/gob"
	opens := []string{"net", "net/http", "os/exec", "plugin"}
	for _, system := range []string{"linux", "darwin", "windows"} {
		library := 0
		for _, p := range rootPackages(t, system) {
			if !slices.Contains([]string{"memo", "npy", "array", "parallel"}, room(p.ImportPath)) {
				continue
			}
			library++
			for _, dep := range p.Deps {
				if slices.Contains(opens, dep) {
					t.Errorf("%s: %s depends on %s", system, p.ImportPath, dep)
				}
			}
			if slices.Contains(p.Imports, gob) || room(p.ImportPath) != "memo" && slices.Contains(p.Deps, gob) {
				t.Errorf("%s: %s depends on %s", system, p.ImportPath, gob)
			}
		}
		if library < 5 {
			t.Errorf("%s: only %d packages of the library", system, library)
		}
	}
}

// TestPackageComments holds that each room's package has its comment in doc.go, and
// every other package has one somewhere.
func TestPackageComments(t *testing.T) {
	for _, p := range rootPackages(t, "linux") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		rel := strings.TrimPrefix(p.ImportPath, module+"/")
		if strings.Contains(rel, "/") && rel != "cmd/numcache" {
			continue
		}
		doc, err := os.ReadFile(filepath.Join(p.Dir, "doc.go"))
		if err != nil {
			t.Errorf("%s: %v", p.ImportPath, err)
			continue
		}
		if text := string(doc); !strings.HasPrefix(text, "/*") && !strings.HasPrefix(text, "//") {
			t.Errorf("%s: doc.go does not begin with the package comment", p.ImportPath)
		}
	}
}

// topLevel is all that may stand in the root of the repository, beside dotfiles.
var topLevel = []string{
	"go.mod", "go.sum", "array", "memo", "npy", "parallel", "cmd", "testdata", "examples",
	"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md",
}

func TestTopLevel(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, ".git")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("not a git checkout")
	}
	// Git declines to answer in a clone that another user owns, unless told.
	cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("git is not installed")
	}
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var seen []string
	for _, file := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		name, _, _ := strings.Cut(file, "/")
		if strings.HasPrefix(name, ".") || slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		if !slices.Contains(topLevel, name) {
			t.Errorf("%s stands in the root of the repository; see CONTRIBUTING.md for where things live", name)
		}
	}
}
