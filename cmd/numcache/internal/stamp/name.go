package stamp

import (
	"go/ast"
	"go/types"
	"strconv"
)

// selector writes x.f: a qualified name, a field, or a method.
func (w *walker) selector(e *ast.SelectorExpr) {
	selection := w.info.Selections[e]
	if selection == nil {
		w.ident(e.Sel)
		return
	}
	w.write("select")
	w.walk(e.X)
	w.typ(selection.Recv())
	w.ident(e.Sel)
}

func (w *walker) ident(id *ast.Ident) {
	obj := w.info.Defs[id]
	if obj == nil {
		obj = w.info.Uses[id]
	}
	w.object(obj)
	if v := w.variable(obj); v != nil && !w.plain[id] && holdsReferences(obj.Type()) {
		w.n.escapes[v] = true
	}
	if instance, ok := w.info.Instances[id]; ok {
		for i := range instance.TypeArgs.Len() {
			t := instance.TypeArgs.At(i)
			w.typ(t)
			w.n.to(w.g.allMethods(t))
		}
	}
}

// object writes a name by what it means.
func (w *walker) object(obj types.Object) {
	switch obj := obj.(type) {
	case nil:
		w.write("_")
	case *types.Var:
		switch {
		case obj.IsField():
			w.write("field", obj.Name())
			w.g.toObject(w.n, obj)
		case isGlobal(obj):
			w.write("var", obj.Pkg().Path(), obj.Name())
			w.g.toObject(w.n, obj)
		default:
			w.write("local", strconv.Itoa(w.number(obj)))
		}
	case *types.Func:
		w.reference(obj.Origin())
	case *types.TypeName:
		w.typ(obj.Type())
	case *types.Label:
		w.write("label", strconv.Itoa(w.number(obj)))
	default: // nil, a builtin
		w.write(obj.Name())
	}
}

// reference writes a reference to a function or method.
func (w *walker) reference(f *types.Func) {
	path := ""
	if f.Pkg() != nil {
		path = f.Pkg().Path()
	}
	w.write("func", path, f.Name())
	if recv := f.Signature().Recv(); recv != nil {
		w.typ(recv.Type())
	}
	w.g.toFunc(w.n, f)
}

func isGlobal(obj types.Object) bool {
	return obj != nil && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope()
}

// variable returns the node of a package's variable, nil for anything else.
func (w *walker) variable(obj types.Object) *node {
	if v, ok := obj.(*types.Var); ok && !v.IsField() && isGlobal(v) {
		return w.g.objects[v]
	}
	return nil
}

// number returns the number of a local name: how many came before it.
func (w *walker) number(obj types.Object) int {
	n, ok := w.numbers[obj]
	if !ok {
		n = len(w.numbers)
		w.numbers[obj] = n
	}
	return n
}
