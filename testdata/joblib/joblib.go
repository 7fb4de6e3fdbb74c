// Package joblib holds a table of joblib's tests and ours to what it says. It is for
// tests only, as package numpy beside it is.
package joblib

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/numcache/numcache/testdata/numpy"
)

// Table is a page of rows: joblib's test, ours, and what is different. The headings
// before them are the names of joblib's files.
type Table struct {
	Path  string            // of the page, such as testdata/joblib.md
	Room  string            // the package that tests without a prefix are in
	Rooms map[string]string // the folders of all packages whose tests are named
	File  string            // joblib's, all of whose tests must have a row if it is installed
	Least int               // rows
}

// row is a row of the table.
type row struct {
	file  string // joblib's
	test  string
	ours  []string
	notes string
}

// Check fails t unless every test that the table names exists, every row says
// something, and every test of the installed joblib's file has one.
func (x Table) Check(t *testing.T) {
	t.Helper()
	rows := x.rows(t)
	packages := map[string]map[string]map[string]bool{}
	for room, folder := range x.Rooms {
		packages[room] = functions(t, folder)
	}
	seen := map[string]bool{}
	for _, row := range rows {
		if at := row.file + " " + row.test; seen[at] {
			t.Errorf("%s has two rows", at)
		} else {
			seen[at] = true
		}
		if len(row.ours) == 0 && row.notes == "" {
			t.Errorf("%s: neither a test nor a reason", row.test)
		}
		for _, name := range row.ours {
			function, part, hasPart := strings.Cut(name, "/")
			room, plain, qualified := strings.Cut(function, ".")
			if !qualified {
				room, plain = x.Room, function
			}
			texts, ok := packages[room][plain]
			if !ok || !regexp.MustCompile("^(Test|Example|Fuzz)").MatchString(plain) {
				t.Errorf("%s: there is no %s in %s", row.test, plain, room)
			}
			// The test prints spaces as underscores.
			if hasPart && ok && !texts[part] && !texts[strings.ReplaceAll(part, "_", " ")] {
				t.Errorf("%s: %s has no part %q", row.test, plain, part)
			}
		}
	}
	if len(rows) < x.Least {
		t.Errorf("the table has %d rows only", len(rows))
	}

	numpy.Require(t, "joblib")
	found := strings.Fields(numpy.Run(t, `
import ast, importlib.util, pathlib, sys
file = pathlib.Path(importlib.util.find_spec("joblib").origin).parent / "test" / sys.argv[1]
if file.exists():
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            print(node.name)
`, x.File))
	if len(found) == 0 {
		message := "the installed joblib came without its tests"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	for _, test := range found {
		if !seen[x.File+" "+test] {
			t.Errorf("joblib's %s has no row", test)
		}
	}
	t.Logf("%d rows, %d tests of the installed joblib", len(rows), len(found))
}

// rows reads the page.
func (x Table) rows(t *testing.T) (rows []row) {
	t.Helper()
	text, err := os.ReadFile(x.Path)
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	file := ""
	for _, line := range strings.Split(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			file = heading
		}
		cells := strings.Split(line, "|")
		if len(cells) < 2 || !strings.Contains(cells[1], "`") {
			continue
		}
		if len(cells) != 5 {
			t.Fatalf("a row of %d cells: %s", len(cells)-2, line)
		}
		row := row{file: file, test: strings.Trim(cells[1], " `"), notes: strings.TrimSpace(cells[3])}
		for _, name := range quoted.FindAllStringSubmatch(cells[2], -1) {
			row.ours = append(row.ours, name[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// functions returns the tests, fuzz targets and examples of a package, and the
// strings that each has in it.
func functions(t *testing.T, folder string) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]bool{}
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			texts := map[string]bool{}
			ast.Inspect(f, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						texts[text] = true
					}
				}
				return true
			})
			all[f.Name.Name] = texts
		}
	}
	return all
}
