package stamp

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"
)

// directive marks a function to stamp, on a line of its own above it: a function or
// method declaration, a variable that a function literal is assigned to, or the
// literal itself. A name may follow, for the constant.
//
// A mark says which source is meant, and nothing else could: the function given to
// memo.Func is a value, which may come from anywhere, its Spec is another, and one
// function may be memoized twice, or by way of memo.Do. A mark also needs no types,
// so that the constants are known before the code that uses them compiles.
const directive = "//numcache:stamp"

// mark is a function to stamp.
type mark struct {
	name     string // of the constant
	function string // how people call it
	unit     *unit
	file     *ast.File
	pos      token.Pos
	decl     *ast.FuncDecl // or else
	lit      *ast.FuncLit
	within   ast.Decl // the declaration that lit stands in
}

// findMarks returns the marks of the units that were asked for.
func (p *program) findMarks() ([]*mark, error) {
	var marks []*mark
	named := map[string]*mark{}
	var errs []error
	for _, u := range p.local {
		if !u.matched {
			continue
		}
		for _, f := range u.files {
			for _, group := range f.Comments {
				for _, c := range group.List {
					name, ok := markName(c.Text)
					if !ok {
						continue
					}
					m, err := p.markAt(u, f, group, c, name)
					if err == nil && named[m.name] != nil {
						err = p.errorAt(c.Pos(), "%s is the name of %s too, at %s; give one of them another: %s NAME",
							m.name, named[m.name].function, p.position(named[m.name].pos), directive)
					}
					if err != nil {
						errs = append(errs, err)
						continue
					}
					named[m.name] = m
					marks = append(marks, m)
				}
			}
		}
	}
	if len(errs) > 0 {
		return nil, firstOf(errs)
	}
	return marks, nil
}

// markName returns what follows the directive in a comment.
func markName(comment string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(comment, directive)
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// markAt finds what a directive marks.
func (p *program) markAt(u *unit, f *ast.File, group *ast.CommentGroup, c *ast.Comment, name string) (*mark, error) {
	m := &mark{unit: u, file: f, pos: c.Pos()}
	target, within := p.below(f, group)
	switch n := target.(type) {
	case *ast.FuncDecl:
		m.decl = n
		m.name, m.function = n.Name.Name, u.PkgPath+"."+n.Name.Name
		if n.Recv != nil && len(n.Recv.List) == 1 {
			receiver := receiverName(n.Recv.List[0].Type)
			m.name, m.function = receiver+exported(n.Name.Name), u.PkgPath+"."+receiver+"."+n.Name.Name
		}
	case nil:
		return nil, p.errorAt(c.Pos(), "%s marks no function; put it on the line above one", directive)
	default:
		lits := outermost(n, func(lit *ast.FuncLit) bool { return p.line(lit.Pos()) == p.line(group.End())+1 })
		if len(lits) == 0 {
			lits = outermost(n, func(*ast.FuncLit) bool { return true })
		}
		if len(lits) != 1 {
			return nil, p.errorAt(c.Pos(), "%s stands above code with %d function literals; put it above one function", directive, len(lits))
		}
		m.lit, m.within = lits[0], within
		m.name = assignedTo(n, m.lit)
		m.function = "the function literal in " + u.PkgPath
		if decl, ok := within.(*ast.FuncDecl); ok {
			m.function += "." + decl.Name.Name
		}
		if m.name != "" {
			m.function = strings.Replace(m.function, "the function literal", m.name, 1)
		}
	}
	m.name = exported(m.name)
	if name != "" {
		m.name = name
	}
	switch {
	case m.name == "":
		return nil, p.errorAt(c.Pos(), "the function literal has no name; give one: %s NAME", directive)
	case !token.IsIdentifier(m.name) || !token.IsExported(m.name):
		return nil, p.errorAt(c.Pos(), "%q is no exported name; give one: %s NAME", m.name, directive)
	}
	return m, nil
}

// below returns what begins in the line below a comment, the outermost, or what it
// is the documentation of, and the declaration in which that stands.
func (p *program) below(f *ast.File, group *ast.CommentGroup) (target ast.Node, within ast.Decl) {
	next := p.line(group.End()) + 1
	for _, decl := range f.Decls {
		if decl.End() < group.Pos() {
			continue
		}
		if decl, ok := decl.(*ast.FuncDecl); ok && decl.Doc == group {
			return decl, decl
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n.(type) {
			case nil, *ast.CommentGroup, *ast.Comment:
				return false
			}
			if target == nil && n.Pos() > group.End() && p.line(n.Pos()) == next {
				switch n.(type) {
				case *ast.FuncDecl: // one with another comment between
				default:
					target = n
				}
			}
			return target == nil
		})
		if gen, ok := decl.(*ast.GenDecl); ok && target == nil && gen.Doc == group {
			target = gen
		}
		return target, decl
	}
	return nil, nil
}

func (p *program) line(pos token.Pos) int { return p.fset.Position(pos).Line }

// outermost returns the function literals in a node that are wanted, without those
// within another one.
func outermost(n ast.Node, wanted func(*ast.FuncLit) bool) (lits []*ast.FuncLit) {
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.FuncLit)
		if ok && wanted(lit) {
			lits = append(lits, lit)
			return false
		}
		return true
	})
	return lits
}

// assignedTo returns the name of the variable that a literal is assigned to, "" where
// it is none.
func assignedTo(n ast.Node, lit *ast.FuncLit) (name string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, value := range n.Rhs {
				if id, ok := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.Ident); ok && value == lit && len(n.Lhs) == len(n.Rhs) {
					name = id.Name
				}
			}
		case *ast.ValueSpec:
			for i, value := range n.Values {
				if value == lit && len(n.Names) == len(n.Values) {
					name = n.Names[i].Name
				}
			}
		}
		return true
	})
	if name == "_" {
		return ""
	}
	return name
}

// receiverName returns the name of a receiver's type.
func receiverName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiverName(t.X)
	case *ast.ParenExpr:
		return receiverName(t.X)
	case *ast.IndexExpr:
		return receiverName(t.X)
	case *ast.IndexListExpr:
		return receiverName(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// exported makes an exported name of a name.
func exported(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + name[size:]
}

// captures reports whether a literal refers to variables or types of the function
// around it.
func (m *mark) captures() bool {
	found := false
	ast.Inspect(m.lit, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return !found
		}
		obj := m.unit.info.Uses[id]
		if obj == nil || obj.Pkg() != m.unit.types || obj.Parent() == nil || obj.Parent() == obj.Pkg().Scope() {
			return true
		}
		switch obj.(type) {
		case *types.Var, *types.TypeName, *types.Label:
			if obj.Pos() < m.lit.Pos() || obj.Pos() >= m.lit.End() {
				found = true
			}
		}
		return !found
	})
	return found
}
