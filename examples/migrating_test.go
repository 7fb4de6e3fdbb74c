package examples_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// migratingNames declares what the snippets of MIGRATING.md take for granted, but for f,
// which is one thing in a row and another in the next.
const migratingNames = `package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/npy/joblib"
	"github.com/numcache/numcache/parallel"
)

type T struct{ Width float64 }

func (T) Method(x *mat.Dense) *mat.Dense { return x }

var (
	_ = fmt.Sprint
	_ = sync.OnceFunc
	_ = time.Now
	_ = joblib.Load
	_ = parallel.Sum

	ctx     context.Context
	c       *memo.Cache
	spec    memo.Spec
	Spec    memo.Spec
	Options memo.Options
	Memory  memo.Memory
	key     memo.Key
	src     array.Source
	x, y, a *mat.Dense
	xs      []float64
	model   struct{ Weights *mat.Dense }
	lo, hi  int
	stamp   struct{ PCA string }
)

func load() *mat.Dense                                    { return nil }
func compute(context.Context) (*mat.Dense, error)         { return nil, nil }
func plain(x *mat.Dense, k int) *mat.Dense                { return x }
func item(ctx context.Context, x float64) (float64, error) { return x, nil }

var (
	one *memo.Function[func(*mat.Dense) *mat.Dense]
	two *memo.Function[func(*mat.Dense, int) *mat.Dense]
)

func main() {}
`

var (
	codeSpan  = regexp.MustCompile("`([^`]+)`")
	fieldSet  = regexp.MustCompile(`^([A-Z]\w*\.[A-Z]\w*): (.+)$`)
	fieldName = regexp.MustCompile(`^[A-Z]\w*$`)
)

// TestMigrating compiles every call of ours that MIGRATING.md names, each row for itself,
// and looks for the commands and flags in cmd/numcache.
func TestMigrating(t *testing.T) {
	text, err := os.ReadFile("MIGRATING.md")
	if err != nil {
		t.Fatal(err)
	}
	var source bytes.Buffer
	source.WriteString(migratingNames)
	compiled, commands := 0, 0
	for n, line := range strings.Split(string(text), "\n") {
		if columns := strings.Split(line, " | "); len(columns) == 2 {
			line = columns[1] // the first one is Python
		}
		p := &program{silent: map[string]bool{}, captured: map[string]int{}}
		previous := ""
		for _, match := range codeSpan.FindAllStringSubmatch(line, -1) {
			span := match[1]
			switch {
			case span == "lru_cache" || span == "np.load": // Python's
			case strings.HasPrefix(span, "//numcache:stamp") || strings.HasPrefix(span, "memo:"): // no calls
			case isCommand(span):
				if err := findCommand(span); err != nil {
					t.Errorf("line %d: %v", n+1, err)
				}
				commands++
			default:
				if err := p.addStatement(0, statement(span, previous), false); err != nil {
					t.Errorf("line %d: %s: %v", n+1, span, err)
				}
				compiled++
			}
			if !fieldName.MatchString(span) {
				previous = span
			}
		}
		if p.body.Len() > 0 {
			fmt.Fprintf(&source, "func _() {\nf := %s\n_ = f\n{\n//line MIGRATING.md:%d\n%s}\n}\n", meaning(line), n+1, p.body.Bytes())
		}
	}
	t.Logf("%d snippets, %d commands", compiled, commands)
	if compiled < 60 || commands < 4 {
		t.Errorf("%d snippets and %d commands were found", compiled, commands)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "migrating.go")
	if err := os.WriteFile(file, source.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "-o", filepath.Join(dir, "migrating.exe"), file).CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

// meaning returns what f is in a line: a function to memoize, one of items, or a memoized
// one.
func meaning(line string) string {
	switch {
	case strings.Contains(line, "memo.Func(") || strings.Contains(line, "memo.Do("):
		return "plain"
	case strings.Contains(line, "parallel."):
		return "item"
	case strings.Contains(line, "f.Refresh(x)"):
		return "one"
	}
	return "two"
}

// statement makes a statement of a snippet. A field alone is one of what stands before it.
func statement(span, previous string) string {
	switch {
	case span == "int" || span == "int64":
		return "var _ " + span
	case span == "array.Array":
		return "var _ array.Array[float64]"
	case fieldName.MatchString(span):
		return "_ = " + previous + "." + span
	case strings.HasPrefix(span, "for "):
		return span + " { _, _ = y, err }"
	}
	if set := fieldSet.FindStringSubmatch(span); set != nil {
		return set[1] + " = " + set[2]
	}
	if x, err := parser.ParseExpr(span); err == nil {
		if _, call := x.(*ast.CallExpr); !call {
			return "_ = " + span
		}
	}
	return span
}

// isCommand reports whether a snippet is for a shell.
func isCommand(span string) bool {
	return strings.HasPrefix(span, "numcache ") || strings.Contains(span, " --")
}

// findCommand looks for a command of numcache and its flags.
func findCommand(span string) error {
	words := strings.Fields(strings.TrimPrefix(span, "numcache "))
	source, err := os.ReadFile(filepath.Join("..", "cmd", "numcache", words[0]+".go"))
	if err != nil {
		return fmt.Errorf("%s: there is no such command: %w", span, err)
	}
	for _, w := range words[1:] {
		if flag, ok := strings.CutPrefix(w, "--"); ok && !strings.Contains(string(source), `"`+flag+`"`) {
			return fmt.Errorf("%s: numcache %s has no flag %s", span, words[0], w)
		}
	}
	return nil
}
