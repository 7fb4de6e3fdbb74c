package memo_test

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

// joblibRow is a row of the table in testdata/joblib.md.
type joblibRow struct {
	file  string // joblib's
	test  string
	ours  []string
	notes string
}

// joblibTable reads the table.
func joblibTable(t *testing.T) (rows []joblibRow) {
	t.Helper()
	quoted := regexp.MustCompile("`([^`]+)`")
	file := ""
	for _, line := range strings.Split(string(must(os.ReadFile("testdata/joblib.md"))(t)), "\n") {
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
		row := joblibRow{file: file, test: strings.Trim(cells[1], " `"), notes: strings.TrimSpace(cells[3])}
		for _, name := range quoted.FindAllStringSubmatch(cells[2], -1) {
			row.ours = append(row.ours, name[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// testFunctions returns the tests, fuzz targets and examples of a package, and the
// strings that each has in it.
func testFunctions(t *testing.T, folder string) map[string]map[string]bool {
	t.Helper()
	functions := map[string]map[string]bool{}
	for _, name := range must(filepath.Glob(filepath.Join(folder, "*_test.go")))(t) {
		parsed := must(parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution))(t)
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			texts := map[string]bool{}
			ast.Inspect(f, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					texts[must(strconv.Unquote(literal.Value))(t)] = true
				}
				return true
			})
			functions[f.Name.Name] = texts
		}
	}
	return functions
}

// TestJoblibTable: every test that the table names exists, every row says something,
// and every test of the installed joblib's test_memory.py has one.
func TestJoblibTable(t *testing.T) {
	rows := joblibTable(t)
	packages := map[string]map[string]map[string]bool{
		"memo": testFunctions(t, "."), "array": testFunctions(t, "../array"), "npy": testFunctions(t, "../npy"),
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
				room, plain = "memo", function
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
	if len(rows) < 90 {
		t.Errorf("the table has %d rows only", len(rows))
	}

	numpy.Require(t, "joblib")
	found := strings.Fields(numpy.Run(t, `
import ast, importlib.util, pathlib
file = pathlib.Path(importlib.util.find_spec("joblib").origin).parent / "test" / "test_memory.py"
if file.exists():
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            print(node.name)
`))
	if len(found) == 0 {
		message := "the installed joblib came without its tests"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	for _, test := range found {
		if !seen["test_memory.py "+test] {
			t.Errorf("joblib's %s has no row", test)
		}
	}
	t.Logf("%d rows, %d tests of the installed joblib", len(rows), len(found))
}
