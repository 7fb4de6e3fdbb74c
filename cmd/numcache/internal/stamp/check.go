package stamp

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// parse reads the source of the local units, and returns the marks in those that
// were asked for, in the order of packages and files.
func (p *program) parse() ([]*mark, error) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, u := range p.local {
		group.Go(func() error {
			for _, name := range u.CompiledGoFiles {
				if name == p.out {
					continue // it is made of the marks, below
				}
				if !isSource(name) {
					continue
				}
				f, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
				if err != nil {
					return err
				}
				if isGenerated(f) {
					blankConstants(f)
				}
				u.files = append(u.files, f)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	marks, err := p.findMarks()
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseFile(p.fset, p.out, p.blank(marks), parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, u := range p.local {
		if slices.Contains(u.CompiledGoFiles, p.out) {
			u.files = append(u.files, f)
		}
	}
	return marks, nil
}

// check finds the types of everything. Of packages that are not local only what
// they export is looked at.
func (p *program) check() error {
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for _, u := range p.units {
		all.Go(func() { p.checkUnit(u, slots) })
	}
	all.Wait()
	var errs []error
	for _, u := range p.local {
		errs = append(errs, u.errs...)
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if len(errs) > 0 {
		return firstOf(errs)
	}
	return nil
}

// checkUnit checks a package after those it imports. Imports make no circle, so that
// waiting for them ends.
func (p *program) checkUnit(u *unit, slots chan struct{}) {
	u.once.Do(func() {
		var imports sync.WaitGroup
		for _, i := range u.Imports {
			imports.Go(func() { p.checkUnit(p.units[i.ID], slots) })
		}
		imports.Wait()
		slots <- struct{}{}
		defer func() { <-slots }()
		if u.PkgPath == "unsafe" {
			u.types = types.Unsafe
			return
		}
		if p.ctx.Err() != nil {
			return
		}
		config := types.Config{
			Importer:         importer{p, u},
			Sizes:            types.SizesFor("gc", p.arch),
			IgnoreFuncBodies: !u.local,
			FakeImportC:      !u.local,
			Error:            func(err error) { u.errs = append(u.errs, p.typeError(err)) },
		}
		if m := u.Module; m != nil && m.GoVersion != "" {
			config.GoVersion = "go" + m.GoVersion
		}
		if u.local {
			u.info = &types.Info{
				Types:        map[ast.Expr]types.TypeAndValue{},
				Defs:         map[*ast.Ident]types.Object{},
				Uses:         map[*ast.Ident]types.Object{},
				Implicits:    map[ast.Node]types.Object{},
				Selections:   map[*ast.SelectorExpr]*types.Selection{},
				Instances:    map[*ast.Ident]types.Instance{},
				FileVersions: map[*ast.File]string{},
			}
		} else {
			p.parseForeign(u)
		}
		// Errors of local packages are in u.errs; others are not ours to mend, and show
		// where local code needs what is missing.
		u.types, _ = config.Check(u.PkgPath, p.fset, u.files, u.info)
		if !u.local {
			u.files = nil
		}
	})
}

func (p *program) parseForeign(u *unit) {
	for _, name := range u.CompiledGoFiles {
		if !isSource(name) {
			continue
		}
		f, err := parser.ParseFile(p.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			u.errs = append(u.errs, err)
		}
		if f != nil {
			u.files = append(u.files, f)
		}
	}
}

// isSource reports whether a file that the go command lists as compiled is Go. What
// cgo made has no extension, as it stands in the build cache.
func isSource(name string) bool {
	extension := filepath.Ext(name)
	return extension == ".go" || extension == ""
}

func (p *program) typeError(err error) error {
	var at types.Error
	if errors.As(err, &at) {
		return p.errorAt(at.Pos, "%s", at.Msg)
	}
	return err
}

// importer gives a package what it imports.
type importer struct {
	p *program
	u *unit
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := i.u.Imports[path]; pkg != nil {
		if t := i.p.units[pkg.ID].types; t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the package %s was not loaded", path)
}
