package stamp

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// typ writes a type, and notes the declarations that it refers to.
func (w *walker) typ(t types.Type) {
	text := typeWriter{
		number: w.number,
		named:  func(obj *types.TypeName) { w.g.toObject(w.n, obj) },
	}
	text.write(t)
	w.write(text.String())
}

// typeText is the text of a type, the same for identical types.
func typeText(t types.Type) string {
	var w typeWriter
	w.write(t)
	return w.String()
}

// typeWriter writes types: named ones by package and name, all others in full, aliases
// as what they stand for. Names of parameters do not count.
type typeWriter struct {
	strings.Builder
	number func(types.Object) int // of a local type; nil gives names and places
	named  func(*types.TypeName)  // is told of the types that have a declaration
}

func (w *typeWriter) write(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case nil:
		w.WriteString("none")
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			w.WriteString("unsafe.Pointer")
			return
		}
		w.WriteString(types.Typ[t.Kind()].Name()) // byte is uint8
	case *types.Named:
		w.object(t.Obj())
		if args := t.TypeArgs(); args.Len() > 0 {
			w.WriteByte('[')
			for i := range args.Len() {
				w.write(args.At(i))
				w.WriteByte(',')
			}
			w.WriteByte(']')
		}
	case *types.TypeParam:
		w.local(t.Obj())
	case *types.Pointer:
		w.WriteByte('*')
		w.write(t.Elem())
	case *types.Slice:
		w.WriteString("[]")
		w.write(t.Elem())
	case *types.Array:
		fmt.Fprintf(w, "[%d]", t.Len())
		w.write(t.Elem())
	case *types.Map:
		w.WriteString("map[")
		w.write(t.Key())
		w.WriteByte(']')
		w.write(t.Elem())
	case *types.Chan:
		fmt.Fprintf(w, "chan %d ", t.Dir())
		w.write(t.Elem())
	case *types.Tuple:
		w.WriteByte('(')
		for i := range t.Len() {
			w.write(t.At(i).Type())
			w.WriteByte(',')
		}
		w.WriteByte(')')
	case *types.Signature:
		w.WriteString("func")
		if t.Variadic() {
			w.WriteString("...")
		}
		w.write(t.Params())
		w.write(t.Results())
	case *types.Struct:
		w.WriteString("struct{")
		for i := range t.NumFields() {
			f := t.Field(i)
			fmt.Fprintf(w, "%s %t ", f.Name(), f.Embedded())
			w.write(f.Type())
			w.WriteString(strconv.Quote(t.Tag(i)) + ";")
		}
		w.WriteByte('}')
	case *types.Interface:
		w.WriteString("interface{")
		for i := range t.NumMethods() { // in the order of their names, embedded ones too
			m := t.Method(i)
			w.WriteString(m.Name())
			w.write(m.Signature())
			w.WriteByte(';')
		}
		for i := range t.NumEmbeddeds() {
			if e := t.EmbeddedType(i); !isMethodSet(e) {
				w.write(e)
				w.WriteByte(';')
			}
		}
		w.WriteByte('}')
	case *types.Union:
		for i := range t.Len() {
			if term := t.Term(i); term.Tilde() {
				w.WriteByte('~')
			}
			w.write(t.Term(i).Type())
			w.WriteByte('|')
		}
	default:
		w.WriteString(t.String())
	}
}

// isMethodSet reports whether an embedded type has methods only, which are in the
// interface around it anyway.
func isMethodSet(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.IsMethodSet()
}

func (w *typeWriter) object(obj *types.TypeName) {
	switch {
	case obj.Pkg() == nil: // error, comparable
		w.WriteString(obj.Name())
	case isGlobal(obj):
		w.WriteString(obj.Pkg().Path() + "." + obj.Name())
		if w.named != nil {
			w.named(obj)
		}
	default:
		w.local(obj)
	}
}

// local writes a type that is declared in a function, or a type parameter.
func (w *typeWriter) local(obj *types.TypeName) {
	if w.number == nil {
		fmt.Fprintf(w, "%s@%d", obj.Name(), obj.Pos())
		return
	}
	fmt.Fprintf(w, "local %d", w.number(obj))
}

// mentionsTypeParam reports whether a type has type parameters in it.
func mentionsTypeParam(t types.Type) bool {
	found := false
	var w typeWriter
	w.number = func(obj types.Object) int {
		if _, ok := obj.Type().(*types.TypeParam); ok {
			found = true
		}
		return 0
	}
	w.write(t)
	return found
}
