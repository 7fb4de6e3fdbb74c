package stamp

import (
	"go/ast"
	"go/token"
	"go/types"
)

// conversions notes the values that become interfaces in a part of the tree, whether
// it says so or not. Whoever has the interface may call any method of such a value:
// fmt calls String, sort calls Less. What is handed on as an interface already, to
// code that is not local, may be any type of the local packages that fits.
func (w *walker) conversions(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN {
			to := make([]types.Type, len(n.Lhs))
			for i, e := range n.Lhs {
				to[i] = w.info.TypeOf(e)
			}
			w.becomeAll(to, n.Rhs)
		}
	case *ast.ValueSpec:
		if n.Type != nil {
			to := make([]types.Type, len(n.Names))
			for i := range to {
				to[i] = w.info.TypeOf(n.Type)
			}
			w.becomeAll(to, n.Values)
		}
	case *ast.ReturnStmt:
		to := make([]types.Type, w.results.Len())
		for i := range to {
			to[i] = w.results.At(i).Type()
		}
		w.becomeAll(to, n.Results)
	case *ast.SendStmt:
		if c, ok := core(w.info.TypeOf(n.Chan)).(*types.Chan); ok {
			w.becomes(c.Elem(), w.info.TypeOf(n.Value))
		}
	case *ast.IndexExpr:
		if m, ok := core(w.info.TypeOf(n.X)).(*types.Map); ok {
			w.becomes(m.Key(), w.info.TypeOf(n.Index))
		}
	case *ast.RangeStmt:
		w.rangeConversions(n)
	case *ast.CompositeLit:
		w.compositeConversions(n)
	case *ast.CallExpr:
		w.callConversions(n)
	}
}

// becomes notes that a value of one type becomes another.
func (w *walker) becomes(to, from types.Type) {
	if to == nil || from == nil || !types.IsInterface(to) || types.IsInterface(from) {
		return
	}
	if _, ok := types.Unalias(to).(*types.TypeParam); !ok {
		w.n.to(w.g.allMethods(from))
	}
}

// becomeAll notes an assignment of values, or of the results of one call.
func (w *walker) becomeAll(to []types.Type, values []ast.Expr) {
	if len(values) == 1 && len(to) != 1 {
		if results, ok := w.info.TypeOf(values[0]).(*types.Tuple); ok {
			for i := range min(len(to), results.Len()) {
				w.becomes(to[i], results.At(i).Type())
			}
		}
		return
	}
	for i := range min(len(to), len(values)) {
		w.becomes(to[i], w.info.TypeOf(values[i]))
	}
}

func (w *walker) rangeConversions(n *ast.RangeStmt) {
	if n.Tok != token.ASSIGN {
		return
	}
	becomes := func(to ast.Expr, from types.Type) {
		if to != nil {
			w.becomes(w.info.TypeOf(to), from)
		}
	}
	switch t := core(w.info.TypeOf(n.X)).(type) {
	case *types.Map:
		becomes(n.Key, t.Key())
		becomes(n.Value, t.Elem())
	case *types.Slice:
		becomes(n.Value, t.Elem())
	case *types.Array:
		becomes(n.Value, t.Elem())
	case *types.Pointer:
		if a, ok := t.Elem().Underlying().(*types.Array); ok {
			becomes(n.Value, a.Elem())
		}
	case *types.Chan:
		becomes(n.Key, t.Elem())
	case *types.Signature: // an iterator
		if yield, ok := core(t.Params().At(0).Type()).(*types.Signature); ok {
			for i, e := range []ast.Expr{n.Key, n.Value} {
				if i < yield.Params().Len() {
					becomes(e, yield.Params().At(i).Type())
				}
			}
		}
	}
}

func (w *walker) compositeConversions(n *ast.CompositeLit) {
	t := core(w.info.TypeOf(n))
	if p, ok := t.(*types.Pointer); ok { // &T left out
		t = core(p.Elem())
	}
	for i, e := range n.Elts {
		var key ast.Expr
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			key, e = pair.Key, pair.Value
		}
		value := w.info.TypeOf(e)
		switch t := t.(type) {
		case *types.Struct:
			if id, ok := key.(*ast.Ident); ok {
				if field := w.info.Uses[id]; field != nil {
					w.becomes(field.Type(), value)
				}
			} else if i < t.NumFields() {
				w.becomes(t.Field(i).Type(), value)
			}
		case *types.Slice:
			w.becomes(t.Elem(), value)
		case *types.Array:
			w.becomes(t.Elem(), value)
		case *types.Map:
			w.becomes(t.Elem(), value)
			if key != nil {
				w.becomes(t.Key(), w.info.TypeOf(key))
			}
		}
	}
}

func (w *walker) callConversions(n *ast.CallExpr) {
	if w.info.Types[n.Fun].IsType() {
		w.becomes(w.info.TypeOf(n.Fun), w.info.TypeOf(n.Args[0]))
		return
	}
	var given []types.Type
	for _, e := range n.Args {
		given = append(given, w.info.TypeOf(e))
	}
	if len(given) == 1 {
		if results, ok := given[0].(*types.Tuple); ok {
			given = nil
			for i := range results.Len() {
				given = append(given, results.At(i).Type())
			}
		}
	}
	if w.leavesModule(n) {
		for _, t := range given {
			w.handsOn(t, map[types.Type]bool{})
		}
	}
	sig, ok := core(w.info.TypeOf(n.Fun)).(*types.Signature)
	if !ok {
		return
	}
	for i, t := range given {
		last := sig.Params().Len() - 1
		if sig.Variadic() && i >= last && !n.Ellipsis.IsValid() {
			if s, ok := core(sig.Params().At(last).Type()).(*types.Slice); ok {
				w.becomes(s.Elem(), t)
			}
		} else if i <= last {
			w.becomes(sig.Params().At(i).Type(), t)
		}
	}
}

// leavesModule reports whether a call is of a function that is not local.
func (w *walker) leavesModule(n *ast.CallExpr) bool {
	fun := ast.Unparen(n.Fun)
	switch e := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(e.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(e.X)
	}
	var id *ast.Ident
	switch e := fun.(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return false
	}
	f, ok := w.info.Uses[id].(*types.Func)
	if !ok {
		return false
	}
	u := w.g.unitOf(f)
	return u != nil && !u.local
}

// handsOn notes the interfaces in what is given to code that is not local.
func (w *walker) handsOn(t types.Type, seen map[types.Type]bool) {
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Interface:
		w.n.to(w.g.mayImplement(t))
	case *types.Pointer:
		w.handsOn(u.Elem(), seen)
	case *types.Slice:
		w.handsOn(u.Elem(), seen)
	case *types.Array:
		w.handsOn(u.Elem(), seen)
	case *types.Map:
		w.handsOn(u.Key(), seen)
		w.handsOn(u.Elem(), seen)
	case *types.Chan:
		w.handsOn(u.Elem(), seen)
	case *types.Struct:
		if named, ok := types.Unalias(t).(*types.Named); ok {
			if v := w.g.unitOf(named.Obj()); v == nil || !v.local {
				return // what it holds is its own package's affair
			}
		}
		for i := range u.NumFields() {
			w.handsOn(u.Field(i).Type(), seen)
		}
	}
}

// core is the type that all types of a type parameter have beneath, where there is
// one, and the underlying type of any other.
func core(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	p, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return t.Underlying()
	}
	var found types.Type
	constraint := p.Constraint().Underlying().(*types.Interface)
	for i := range constraint.NumEmbeddeds() {
		switch e := constraint.EmbeddedType(i).(type) {
		case *types.Union:
			for j := range e.Len() {
				found = e.Term(j).Type().Underlying()
			}
		default:
			found = e.Underlying()
		}
	}
	return found
}
