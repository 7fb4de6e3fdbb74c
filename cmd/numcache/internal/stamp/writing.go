package stamp

import (
	"go/ast"
	"go/token"
	"go/types"
)

// writing notes which of the packages' variables a part of the tree sets: by an
// assignment to it or to something in it, or by taking its address. Where a variable
// that holds references is only read, by an index, a field, a loop, that is noted too:
// all else that is done with such a variable may lead to a write.
func (w *walker) writing(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, e := range n.Lhs {
				w.writesTo(e)
			}
		}
	case *ast.IncDecStmt:
		w.writesTo(n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			w.writesTo(n.Key)
			w.writesTo(n.Value)
		}
		w.reads(n.X)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			w.writesTo(n.X)
		}
	case *ast.SliceExpr:
		if t := w.info.TypeOf(n.X); t != nil {
			if _, ok := t.Underlying().(*types.Array); ok {
				w.writesTo(n.X)
			}
		}
	case *ast.IndexExpr:
		w.reads(n.X)
	case *ast.BinaryExpr:
		w.reads(n.X)
		w.reads(n.Y)
	case *ast.SelectorExpr:
		w.selectorWriting(n)
	case *ast.CallExpr:
		w.builtinWriting(n)
	}
}

// selectorWriting looks at x.f: a field is only read, but a method may get the address
// of x.
func (w *walker) selectorWriting(n *ast.SelectorExpr) {
	selection := w.info.Selections[n]
	if selection == nil {
		return
	}
	if selection.Kind() == types.FieldVal {
		w.reads(n.X)
		return
	}
	f, ok := selection.Obj().(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return
	}
	_, wants := types.Unalias(f.Signature().Recv().Type()).(*types.Pointer)
	_, has := types.Unalias(selection.Recv()).(*types.Pointer)
	if v := w.root(n.X); v != nil && wants && !has {
		w.n.escapes[v] = true
	}
}

func (w *walker) builtinWriting(n *ast.CallExpr) {
	if !w.info.Types[n.Fun].IsBuiltin() || len(n.Args) == 0 {
		return
	}
	id, ok := ast.Unparen(n.Fun).(*ast.Ident)
	if !ok {
		return
	}
	switch id.Name {
	case "copy", "delete", "clear":
		w.writesTo(n.Args[0])
		if id.Name == "copy" {
			w.reads(n.Args[1])
		}
	case "len", "cap", "min", "max", "print", "println":
		for _, e := range n.Args {
			w.reads(e)
		}
	}
}

func (w *walker) writesTo(e ast.Expr) {
	if v := w.root(e); v != nil {
		w.n.writes[v] = true
	}
}

// reads notes that a variable is only read where it stands.
func (w *walker) reads(e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		w.plain[e] = true
	case *ast.SelectorExpr:
		if w.info.Selections[e] == nil { // qualified by its package
			w.plain[e.Sel] = true
		}
	}
}

// root returns the node of the variable that an expression is a part of, nil where it
// is none of a local package.
func (w *walker) root(e ast.Expr) *node {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if w.info.Selections[x] == nil {
				return w.variable(w.info.Uses[x.Sel])
			}
			e = x.X
		case *ast.Ident:
			return w.variable(w.info.Uses[x])
		default:
			return nil
		}
	}
}

// holdsReferences reports whether a copy of a value shares memory with it.
func holdsReferences(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Array:
		return holdsReferences(u.Elem())
	case *types.Struct:
		for i := range u.NumFields() {
			if holdsReferences(u.Field(i).Type()) {
				return true
			}
		}
		return false
	case *types.Signature:
		return false
	}
	return true
}
