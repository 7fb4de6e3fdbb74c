package stamp

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// addFiles adds what a package is made of beside Go: assembly, C and libraries, the C
// in its Go files, and the packages that it imports for what they do when the program
// begins. They count for everything in the package.
func (g *graph) addFiles(u *unit) error {
	n := g.units[u]
	for _, name := range u.OtherFiles {
		if err := n.toFile(u, name); err != nil {
			return err
		}
	}
	for _, name := range u.GoFiles {
		if slices.Contains(u.CompiledGoFiles, name) || name == g.p.out {
			continue
		}
		// The go command compiles what cgo made of it.
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			if spec.Path.Value == `"C"` {
				sum := sha256.Sum256([]byte(preamble(f, spec)))
				n.to(&node{name: fmt.Sprintf("cgo %s %x", u.PkgPath, sum), sum: sum[:]})
			}
		}
	}
	for _, f := range u.files {
		for _, spec := range f.Imports {
			if spec.Name == nil || spec.Name.Name != "_" {
				continue
			}
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if v := u.Imports[importPath]; v != nil {
				w := g.p.units[v.ID]
				if w.local {
					n.to(g.units[w])
				} else {
					n.to(g.foreignUnit(w))
				}
			}
		}
	}
	return nil
}

// preamble is the C above the import of a Go file.
func preamble(f *ast.File, spec *ast.ImportSpec) (text string) {
	for _, decl := range f.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && slices.Contains(gen.Specs, ast.Spec(spec)) {
			for _, doc := range []*ast.CommentGroup{gen.Doc, spec.Doc} {
				if doc != nil {
					for _, c := range doc.List {
						text += c.Text + "\n"
					}
				}
			}
		}
	}
	return text
}

// madeByCgo reports a file of declarations for C, which are named by a digest of all
// there is in the package; the C itself counts in their place.
func madeByCgo(p *program, f *ast.File) bool {
	return filepath.Ext(p.fset.Position(f.Package).Filename) != ".go" // what is ours says which file it was
}

// toFile makes an edge to the content of a file of a package.
func (n *node) toFile(u *unit, name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(u.Dir, name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	n.to(&node{name: "file " + u.PkgPath + "/" + filepath.ToSlash(rel), sum: sum[:]})
	return nil
}

// addEmbedded adds the files that are embedded in a variable.
func (g *graph) addEmbedded(n *node, d *ast.GenDecl, s *ast.ValueSpec) error {
	for _, doc := range []*ast.CommentGroup{d.Doc, s.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			args, ok := strings.CutPrefix(c.Text, "//go:embed")
			if !ok || args == "" || !strings.ContainsAny(args[:1], " \t") {
				continue
			}
			patterns, err := embedPatterns(args)
			if err != nil {
				return g.p.errorAt(c.Pos(), "%w", err)
			}
			if err := n.toEmbedded(patterns); err != nil {
				return err
			}
		}
	}
	return nil
}

// toEmbedded makes edges to the embedded files that patterns match, as they are or
// within a folder that matches.
func (n *node) toEmbedded(patterns []string) error {
	for _, name := range n.unit.EmbedFiles {
		rel, err := filepath.Rel(n.unit.Dir, name)
		if err != nil {
			return err
		}
		matches := false
		for _, pattern := range patterns {
			pattern = strings.TrimPrefix(pattern, "all:")
			for part := filepath.ToSlash(rel); part != "."; part = path.Dir(part) {
				ok, err := path.Match(pattern, part)
				if err != nil {
					return err
				}
				matches = matches || ok || pattern == "."
			}
		}
		if matches {
			if err := n.toFile(n.unit, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// embedPatterns splits the patterns of a go:embed line, which may be quoted.
func embedPatterns(args string) (patterns []string, err error) {
	for args = strings.TrimSpace(args); args != ""; args = strings.TrimSpace(args) {
		var pattern string
		if args[0] == '"' || args[0] == '`' {
			quoted, err := strconv.QuotedPrefix(args)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", args, err)
			}
			if pattern, err = strconv.Unquote(quoted); err != nil {
				return nil, fmt.Errorf("%s: %w", args, err)
			}
			args = args[len(quoted):]
		} else {
			end := bytes.IndexAny([]byte(args), " \t")
			if end < 0 {
				end = len(args)
			}
			pattern, args = args[:end], args[end:]
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}
