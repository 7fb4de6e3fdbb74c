package stamp

import (
	"go/types"
)

// implementations is the node of a method of an interface: of every type of the local
// packages that may stand behind it.
func (g *graph) implementations(iface types.Type, method *types.Func) *node {
	under, ok := iface.Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	key := "dynamic " + typeText(iface) + "." + method.Name()
	if n := g.methods[key]; n != nil {
		return n
	}
	n := &node{name: key}
	g.methods[key] = n
	for _, t := range g.named {
		if !implements(t, under) {
			continue
		}
		obj, _, _ := types.LookupFieldOrMethod(t.Type(), true, method.Pkg(), method.Name())
		if m, ok := obj.(*types.Func); ok {
			g.toFunc(n, m)
			n.to(g.objects[t])
		}
	}
	return n
}

// implements reports whether a type, or a pointer to it, may be behind an interface.
// With type parameters on either side the names of the methods decide.
func implements(t *types.TypeName, iface *types.Interface) bool {
	named, ok := t.Type().(*types.Named)
	if !ok {
		return false
	}
	pointer := types.NewPointer(named)
	if named.TypeParams().Len() == 0 && iface.IsMethodSet() && types.Implements(pointer, iface) {
		return true
	}
	if named.TypeParams().Len() == 0 && iface.IsMethodSet() && !mentionsTypeParam(iface) {
		return false
	}
	for i := range iface.NumMethods() {
		m := iface.Method(i)
		if obj, _, _ := types.LookupFieldOrMethod(pointer, true, m.Pkg(), m.Name()); obj == nil {
			return false
		}
	}
	return iface.NumMethods() > 0
}

// allMethods is the node of all methods of a type and of the types in it: of a value
// that became an interface, and that anybody may ask for any of them.
func (g *graph) allMethods(t types.Type) *node {
	key := "methods " + typeText(t)
	if n := g.wholes[key]; n != nil {
		return n
	}
	n := &node{name: key}
	g.wholes[key] = n
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		for i := range named.TypeArgs().Len() {
			n.to(g.allMethods(named.TypeArgs().At(i)))
		}
		if u := g.unitOf(named.Obj()); u == nil || !u.local {
			g.toObject(n, named.Obj())
			return n
		}
	}
	if _, ok := t.(*types.TypeParam); ok || types.IsInterface(t) {
		return n
	}
	set := types.NewMethodSet(t)
	if _, ok := t.(*types.Pointer); !ok {
		set = types.NewMethodSet(types.NewPointer(t))
	}
	for i := range set.Len() {
		g.toFunc(n, set.At(i).Obj().(*types.Func))
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		n.to(g.allMethods(u.Elem()))
	case *types.Slice:
		n.to(g.allMethods(u.Elem()))
	case *types.Array:
		n.to(g.allMethods(u.Elem()))
	case *types.Chan:
		n.to(g.allMethods(u.Elem()))
	case *types.Map:
		n.to(g.allMethods(u.Key()))
		n.to(g.allMethods(u.Elem()))
	case *types.Struct:
		for i := range u.NumFields() {
			n.to(g.allMethods(u.Field(i).Type()))
		}
	}
	return n
}

// mayImplement is the node of all that an interface may stand for, with all methods:
// of a value of it that is handed to code which is not local.
func (g *graph) mayImplement(iface types.Type) *node {
	under, ok := iface.Underlying().(*types.Interface)
	if !ok || under.NumMethods() == 0 {
		return nil
	}
	key := "any " + typeText(iface)
	if n := g.methods[key]; n != nil {
		return n
	}
	n := &node{name: key}
	g.methods[key] = n
	for _, t := range g.named {
		if implements(t, under) {
			n.to(g.allMethods(t.Type()))
			n.to(g.objects[t])
		}
	}
	return n
}
