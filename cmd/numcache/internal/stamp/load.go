package stamp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/tools/go/packages"
)

// program is the code of the modules whose source may be edited, and the types of
// all that it imports.
type program struct {
	ctx  context.Context
	dir  string   // where the go command runs
	out  string   // the generated file
	tags string   // that were asked for
	env  []string // of the go command

	goVersion string // go1.26
	buildTags string // all that the go command heeds
	arch      string
	modules   []module // the main ones
	sumFiles  []string // with the hashes of other modules
	vendors   []string // folders in which other modules' packages may stand

	fset  *token.FileSet
	units map[string]*unit // by ID
	local []*unit          // those whose source counts, in the order of their paths
}

// module is a main module: the one in whose folder the go command runs, or those of
// its workspace.
type module struct{ path, dir string }

// unit is a package of the program.
type unit struct {
	*packages.Package
	local   bool // its source counts
	matched bool // its marks do

	once  sync.Once
	files []*ast.File
	types *types.Package
	info  *types.Info // nil where it is not local
	errs  []error
}

// load asks the go command which packages there are.
func (p *program) load(patterns []string) error {
	if err := p.environment(); err != nil {
		return err
	}
	all := make([]string, len(p.modules))
	for i, m := range p.modules {
		all[i] = m.path + "/..."
	}
	// Whatever the patterns, the whole module is loaded: what implements an interface,
	// or sets a variable, may stand anywhere in it. The generated file may be missing,
	// stale or broken, and is taken for an empty one.
	mode := packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
		packages.NeedModule | packages.NeedEmbedFiles | packages.NeedEmbedPatterns
	var loaded, matched []*packages.Package
	var both errgroup.Group
	both.Go(func() (err error) {
		loaded, err = packages.Load(p.config(mode), all...)
		return err
	})
	both.Go(func() (err error) {
		matched, err = packages.Load(p.config(packages.NeedName|packages.NeedFiles), patterns...)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	p.fset = token.NewFileSet()
	p.units = map[string]*unit{}
	var errs []error
	packages.Visit(append(loaded, matched...), nil, func(pkg *packages.Package) {
		for _, err := range pkg.Errors {
			errs = append(errs, errors.New(strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "-: ")))
		}
	})
	if len(errs) > 0 {
		return firstOf(errs)
	}
	packages.Visit(loaded, nil, func(pkg *packages.Package) {
		u := &unit{Package: pkg, local: isLocal(pkg.Module)}
		p.units[pkg.ID] = u
		if u.local {
			p.local = append(p.local, u)
		}
	})
	slices.SortFunc(p.local, func(a, b *unit) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	for _, pkg := range matched {
		u := p.units[pkg.ID]
		if u == nil || !u.local {
			return fmt.Errorf("the package %s is not in the module %s; stamp what is", pkg.PkgPath, p.modules[0].path)
		}
		u.matched = true
	}
	return nil
}

// config is how the go command is asked.
func (p *program) config(mode packages.LoadMode) *packages.Config {
	c := &packages.Config{Context: p.ctx, Mode: mode, Dir: p.dir, Env: p.env, Overlay: map[string][]byte{p.out: p.blank(nil)}}
	if p.tags != "" {
		c.BuildFlags = []string{"-tags=" + p.tags}
	}
	return c
}

// environment asks for the main modules and the build configuration.
func (p *program) environment() error {
	var list, env string
	var group errgroup.Group
	group.Go(func() (err error) {
		list, err = p.goCommand("list", "-m", "-f", "{{.Path}}\t{{.Dir}}")
		return err
	})
	group.Go(func() (err error) {
		env, err = p.goCommand("env", "GOVERSION", "GOARCH", "GOFLAGS", "GOWORK")
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(list), "\n") {
		path, dir, _ := strings.Cut(line, "\t")
		if dir == "" || path == "command-line-arguments" {
			return fmt.Errorf("%s is not in a module; make one with go mod init", p.dir)
		}
		p.modules = append(p.modules, module{path, dir})
	}
	inside := func(m module) bool { return isBeneath(filepath.Dir(p.out), m.dir) }
	if !slices.ContainsFunc(p.modules, inside) {
		return fmt.Errorf("the folder %s is not in the module %s; choose one that is", filepath.Dir(p.out), p.modules[0].path)
	}
	values := strings.Split(env, "\n")
	if len(values) < 4 {
		return fmt.Errorf("go env printed %q; four values were asked for", env)
	}
	p.goVersion, p.arch = minorVersion(values[0]), values[1]
	p.buildTags = buildTags(p.tags, values[2])
	p.findSums(values[3])
	return nil
}

// buildTags returns the tags that the go command heeds, in order: those given, or else
// those in GOFLAGS.
func buildTags(given, flags string) string {
	if given == "" {
		for _, flag := range strings.Fields(flags) {
			if tags, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); ok {
				given = tags
			}
		}
	}
	tags := strings.FieldsFunc(given, func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(tags)
	return strings.Join(slices.Compact(tags), ",")
}

// minorVersion is go1.26 of go1.26.3, go1.26rc1 and the like, and a development version
// as it is.
func minorVersion(version string) string {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return version
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return version
	}
	return "go1." + rest[:end]
}

func (p *program) goCommand(args ...string) (string, error) {
	cmd := exec.CommandContext(p.ctx, "go", args...)
	var stderr bytes.Buffer
	// With PWD, the go command names files beneath the folder as it was given, even if
	// there is a symbolic link in it.
	cmd.Dir, cmd.Env, cmd.Stderr = p.dir, append(slices.Clip(p.env), "PWD="+p.dir), &stderr
	out, err := cmd.Output()
	if err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			err = errors.New(strings.Join(strings.Fields(strings.TrimPrefix(text, "go: ")), " "))
		}
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return string(out), nil
}

// isLocal reports whether the source of a module counts: it is a main module, or
// one that a folder stands in for. Others have a version, which is never edited. The
// standard library is no module.
func isLocal(m *packages.Module) bool {
	return m != nil && (m.Main || m.Replace != nil && m.Replace.Version == "")
}

func isBeneath(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// position is a place in the source, relative to the folder of the program.
func (p *program) position(pos token.Pos) string {
	at := p.fset.Position(pos)
	if rel, err := filepath.Rel(p.dir, at.Filename); err == nil && filepath.IsLocal(rel) {
		at.Filename = rel
	}
	return at.String()
}

// errorAt is an error at a place in the source.
func (p *program) errorAt(pos token.Pos, format string, args ...any) error {
	return fmt.Errorf("%s: %w", p.position(pos), fmt.Errorf(format, args...))
}

// firstOf returns the first of several errors, and says how many there are.
func firstOf(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	return fmt.Errorf("%w (and %d more)", errs[0], len(errs)-1)
}
