package stamp

import (
	"crypto/sha256"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"hash"
	"io"
	"reflect"
	"strconv"
)

// walker writes a declaration in its canonical form, and notes in its node what the
// declaration refers to.
//
// The form is the syntax tree without positions, comments and parentheses. Constant
// expressions are their types and values, types are spelt out, names declared in the
// declaration are numbered, and all others are qualified by their packages' paths.
type walker struct {
	g       *graph
	u       *unit
	info    *types.Info
	n       *node
	h       hash.Hash
	numbers map[types.Object]int
	results *types.Tuple        // of the function that is being walked
	plain   map[*ast.Ident]bool // variables that are only read where they stand
}

func (g *graph) walker(n *node, f *ast.File) *walker {
	w := &walker{g: g, u: n.unit, info: n.unit.info, n: n, h: sha256.New(), numbers: map[types.Object]int{}, plain: map[*ast.Ident]bool{}}
	// Which Go a file is written in decides what its loops mean.
	w.write("go", minorVersion(w.info.FileVersions[f]))
	return w
}

func (w *walker) write(words ...string) {
	for _, s := range words {
		io.WriteString(w.h, strconv.Quote(s))
	}
	io.WriteString(w.h, "\n")
}

func (w *walker) end() { w.n.sum = w.h.Sum(nil) }

func (w *walker) funcDecl(d *ast.FuncDecl) {
	defer w.end()
	obj, ok := w.info.Defs[d.Name].(*types.Func)
	if !ok {
		return
	}
	w.write("func", d.Name.Name)
	if d.Recv != nil {
		w.fields(d.Recv)
	}
	w.function(obj.Signature(), d.Type, d.Body)
}

func (w *walker) typeDecl(obj *types.TypeName) {
	defer w.end()
	if named, ok := obj.Type().(*types.Named); ok {
		for i := range named.TypeParams().Len() {
			p := named.TypeParams().At(i)
			w.number(p.Obj())
			w.typ(p.Constraint())
		}
	}
	w.typ(obj.Type().Underlying())
}

// varDecl writes the variable of a declaration that has this index.
func (w *walker) varDecl(s *ast.ValueSpec, index int) {
	defer w.end()
	obj := w.info.Defs[s.Names[index]]
	if obj == nil {
		return
	}
	w.write("var")
	w.typ(obj.Type())
	w.conversions(s)
	switch {
	case len(s.Values) == len(s.Names):
		w.walk(s.Values[index])
	case len(s.Values) == 1:
		w.write("result", strconv.Itoa(index))
		w.walk(s.Values[0])
	}
	for _, v := range s.Values {
		w.n.runs = w.n.runs || w.calls(v)
	}
}

// calls reports whether an expression calls a function.
func (w *walker) calls(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			tv := w.info.Types[call.Fun]
			found = found || !tv.IsType() && !tv.IsBuiltin()
		}
		return !found
	})
	return found
}

// function writes a function's parameters, which it numbers, and its body.
func (w *walker) function(sig *types.Signature, t *ast.FuncType, body *ast.BlockStmt) {
	for i := range sig.TypeParams().Len() {
		p := sig.TypeParams().At(i)
		w.number(p.Obj())
		w.typ(p.Constraint())
	}
	w.fields(t.Params)
	w.fields(t.Results)
	if sig.Variadic() {
		w.write("variadic")
	}
	if body == nil {
		w.write("no body")
		return
	}
	around := w.results
	w.results = sig.Results()
	w.walk(body)
	w.results = around
}

// fields writes parameters one by one, however they are grouped.
func (w *walker) fields(list *ast.FieldList) {
	w.write("fields")
	if list == nil {
		return
	}
	for _, f := range list.List {
		for _, name := range f.Names {
			w.object(w.info.Defs[name])
			w.typ(w.typeOf(f.Type))
		}
		if len(f.Names) == 0 { // as one that has a name and is not used
			w.write("local", strconv.Itoa(w.number(types.NewParam(token.NoPos, nil, "", nil))))
			w.typ(w.typeOf(f.Type))
		}
	}
}

// typeOf returns the type of an expression; that of a variadic parameter is its
// elements'.
func (w *walker) typeOf(e ast.Expr) types.Type {
	if dots, ok := e.(*ast.Ellipsis); ok && dots.Elt != nil {
		return w.info.TypeOf(dots.Elt)
	}
	return w.info.TypeOf(e)
}

// walk writes a part of the tree.
func (w *walker) walk(n ast.Node) {
	switch n := n.(type) {
	case nil, *ast.CommentGroup, *ast.Comment, *ast.EmptyStmt:
		return
	case *ast.ParenExpr:
		w.walk(n.X)
		return
	case *ast.DeclStmt:
		if w.localDecl(n.Decl.(*ast.GenDecl)) {
			return
		}
	case ast.Expr:
		if w.constantOrType(n) {
			return
		}
	}
	w.conversions(n)
	w.writing(n)
	switch n := n.(type) {
	case *ast.Ident:
		w.ident(n)
		return
	case *ast.IndexExpr:
		if w.info.Types[n.Index].IsType() { // it is written with the function, given or not
			w.walk(n.X)
			return
		}
	case *ast.IndexListExpr:
		w.walk(n.X)
		return
	case *ast.SelectorExpr:
		w.selector(n)
		return
	case *ast.FuncLit:
		w.write("literal")
		if sig, ok := w.info.TypeOf(n).Underlying().(*types.Signature); ok {
			w.function(sig, n.Type, n.Body)
		}
		return
	case *ast.CompositeLit:
		w.write("composite")
		w.typ(w.info.TypeOf(n))
		for _, e := range n.Elts {
			w.walk(e)
		}
		w.write("end")
		return
	case *ast.ValueSpec:
		w.write("var")
		for _, name := range n.Names {
			w.ident(name)
		}
		if n.Type != nil {
			w.walk(n.Type)
		}
		for _, v := range n.Values {
			w.walk(v)
		}
		w.write("end")
		return
	}
	w.write(append([]string{reflect.TypeOf(n).String()}, shape(n)...)...)
	children(n, w.walk)
	w.write("end")
}

// localDecl writes declarations in a function that are not walked as they stand:
// constants, which are their values where they are used, and types.
func (w *walker) localDecl(d *ast.GenDecl) (done bool) {
	switch d.Tok {
	case token.CONST:
		return true
	case token.TYPE:
		for _, spec := range d.Specs {
			obj, ok := w.info.Defs[spec.(*ast.TypeSpec).Name].(*types.TypeName)
			if ok && !obj.IsAlias() {
				w.write("type", strconv.Itoa(w.number(obj)))
				w.typ(obj.Type().Underlying())
			}
		}
		return true
	}
	return false
}

// constantOrType writes an expression that is one of the two.
func (w *walker) constantOrType(e ast.Expr) bool {
	tv, ok := w.info.Types[e]
	switch {
	case !ok:
		return false
	case tv.IsType():
		w.write("type")
		w.typ(tv.Type)
		return true
	case tv.Value == nil:
		return false
	}
	v := tv.Value
	if b, ok := tv.Type.Underlying().(*types.Basic); ok {
		// 1 and 1.0 are one float64.
		switch info := b.Info(); {
		case info&types.IsInteger != 0:
			v = constant.ToInt(v)
		case info&types.IsFloat != 0:
			v = constant.ToFloat(v)
		case info&types.IsComplex != 0:
			v = constant.ToComplex(v)
		}
	}
	w.write("constant", v.ExactString())
	w.typ(tv.Type)
	return true
}
