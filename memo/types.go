package memo

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// Keyer is a type that says itself what stands for it in a key.
type Keyer interface {
	// MemoKey returns a value of a supported type. Two receivers for which
	// memoized functions may give different results must return different
	// values.
	MemoKey() any
}

// kind tells how values of a type are encoded.
type kind uint8

const (
	kindBool kind = iota + 1
	kindInt
	kindUint
	kindFloat
	kindHalf // array.Half, a float that reflect takes for an integer
	kindComplex
	kindString
	kindBytes     // slices and Go arrays of bytes
	kindNumbers   // slices and Go arrays of other bools and numbers
	kindArray     // array.Source, mat.Matrix, mat.CMatrix
	kindList      // other slices and Go arrays
	kindMap       // maps with string keys
	kindStruct    // by exported field
	kindPointer   // what it points to
	kindInterface // what it holds
	kindKeyer
)

// typeInfo is what is known of a type, once and for all values.
type typeInfo struct {
	kind   kind
	byAddr bool    // the methods that make it an array or Keyer have pointer receivers
	fields []field // of a struct, by name
	reach  reach
	err    error // why the type is unsupported
}

// reach tells what a value of a type refers to outside of its own memory.
type reach uint8

const (
	reachNothing reach = iota // numbers, and structs and Go arrays of them
	reachText                 // strings too, which nobody can write to
	reachMemory               // what may be written to
)

// field is a struct field that counts.
type field struct {
	name  string
	index int
	typ   reflect.Type
}

var (
	typeInfos sync.Map // reflect.Type → *typeInfo

	keyerType   = reflect.TypeFor[Keyer]()
	sourceType  = reflect.TypeFor[array.Source]()
	matrixType  = reflect.TypeFor[mat.Matrix]()
	cmatrixType = reflect.TypeFor[mat.CMatrix]()
	halfType    = reflect.TypeFor[array.Half]()
)

// infoOf returns the info of a type, from memory after the first time.
func infoOf(t reflect.Type) *typeInfo {
	if known, ok := typeInfos.Load(t); ok {
		return known.(*typeInfo)
	}
	info := classify(t)
	info.reach = reachOf(t, info)
	typeInfos.Store(t, info)
	return info
}

func unsupportedType(t reflect.Type, why string) *typeInfo {
	return &typeInfo{err: fmt.Errorf("%w %v: %s", ErrUnsupported, t, why)}
}

func classify(t reflect.Type) *typeInfo {
	switch {
	case t.Kind() == reflect.Interface:
		return &typeInfo{kind: kindInterface}
	case t == halfType:
		return &typeInfo{kind: kindHalf}
	}
	if ok, byAddr := has(t, keyerType); ok {
		if embeds(t, keyerType) {
			return unsupportedType(t, "it embeds a type with MemoKey, which would leave out its other fields; give the embedded field a name")
		}
		return &typeInfo{kind: kindKeyer, byAddr: byAddr}
	}
	for _, arrayType := range []reflect.Type{sourceType, matrixType, cmatrixType} {
		// A struct that embeds a matrix inherits its methods, but is more than
		// the matrix: it counts by field.
		if ok, byAddr := has(t, arrayType); ok && !embeds(t, arrayType) {
			return &typeInfo{kind: kindArray, byAddr: byAddr}
		}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &typeInfo{kind: kindBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &typeInfo{kind: kindInt}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &typeInfo{kind: kindUint}
	case reflect.Float32, reflect.Float64:
		return &typeInfo{kind: kindFloat}
	case reflect.Complex64, reflect.Complex128:
		return &typeInfo{kind: kindComplex}
	case reflect.String:
		return &typeInfo{kind: kindString}
	case reflect.Slice, reflect.Array:
		switch {
		case numberType(t.Elem()) == nil || hasMethodsOfOurs(t.Elem()):
			return &typeInfo{kind: kindList}
		case t.Elem().Kind() == reflect.Uint8:
			return &typeInfo{kind: kindBytes}
		}
		return &typeInfo{kind: kindNumbers}
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return unsupportedType(t, "only maps with string keys have an order that every language agrees on")
		}
		return &typeInfo{kind: kindMap}
	case reflect.Pointer:
		return &typeInfo{kind: kindPointer}
	case reflect.Struct:
		return classifyStruct(t)
	}
	return unsupportedType(t, "a "+t.Kind().String()+" has no value to compare; use a number, a string, or a type with a MemoKey method")
}

func classifyStruct(t reflect.Type) *typeInfo {
	info := &typeInfo{kind: kindStruct}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Name
		if tag := f.Tag.Get("memo"); tag != "" {
			name = tag
		}
		if name == "-" || f.Name == "_" {
			continue
		}
		if !f.IsExported() {
			return unsupportedType(t, fmt.Sprintf("its field %s is unexported; export it, leave it out with the tag `memo:\"-\"`, or give the type a MemoKey method", f.Name))
		}
		if slices.ContainsFunc(info.fields, func(g field) bool { return g.name == name }) {
			return unsupportedType(t, fmt.Sprintf("two of its fields are named %q", name))
		}
		info.fields = append(info.fields, field{name, i, f.Type})
	}
	slices.SortFunc(info.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return info
}

func reachOf(t reflect.Type, info *typeInfo) reach {
	switch t.Kind() {
	case reflect.String:
		return reachText
	case reflect.Array:
		return infoOf(t.Elem()).reach
	case reflect.Struct:
		if info.kind != kindStruct {
			break
		}
		farthest := reachNothing
		for _, f := range info.fields {
			farthest = max(farthest, infoOf(f.typ).reach)
		}
		return farthest
	}
	if numberType(t) != nil {
		return reachNothing
	}
	return reachMemory
}

// has reports whether t, or a pointer to it, implements an interface.
func has(t, iface reflect.Type) (ok, byAddr bool) {
	if t.Implements(iface) {
		return true, false
	}
	ok = t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(iface)
	return ok, ok
}

// embeds reports whether the struct t, or the one it points to, may owe the
// methods of an interface to an embedded field.
func embeds(t, iface reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	if p := t.PkgPath(); p == "gonum.org/v1/gonum/mat" {
		return false // mat.Transpose and its like embed what they transpose
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if ok, _ := has(f.Type, iface); ok && f.Anonymous {
			return true
		}
	}
	return false
}

// hasMethodsOfOurs reports whether an element type speaks for itself, so that
// a slice of it is a list and no numeric array.
func hasMethodsOfOurs(t reflect.Type) bool {
	ok, _ := has(t, keyerType)
	return ok
}

// numberType returns the array element type that values of t become, nil where t
// is no bool or number.
func numberType(t reflect.Type) reflect.Type {
	if t == halfType {
		return t
	}
	switch t.Kind() {
	case reflect.Bool:
		return reflect.TypeFor[bool]()
	case reflect.Int:
		return reflect.TypeFor[int]()
	case reflect.Int8:
		return reflect.TypeFor[int8]()
	case reflect.Int16:
		return reflect.TypeFor[int16]()
	case reflect.Int32:
		return reflect.TypeFor[int32]()
	case reflect.Int64:
		return reflect.TypeFor[int64]()
	case reflect.Uint:
		return reflect.TypeFor[uint]()
	case reflect.Uint8:
		return reflect.TypeFor[uint8]()
	case reflect.Uint16:
		return reflect.TypeFor[uint16]()
	case reflect.Uint32:
		return reflect.TypeFor[uint32]()
	case reflect.Uint64:
		return reflect.TypeFor[uint64]()
	case reflect.Float32:
		return reflect.TypeFor[float32]()
	case reflect.Float64:
		return reflect.TypeFor[float64]()
	case reflect.Complex64:
		return reflect.TypeFor[complex64]()
	case reflect.Complex128:
		return reflect.TypeFor[complex128]()
	}
	return nil
}

// numbers returns v, of kindNumbers, as a slice of the element types that
// array.Of takes. It is v's own memory unless v is a Go array or its element
// type has a name of its own.
func numbers(v reflect.Value) any {
	number := numberType(v.Type().Elem())
	if v.Kind() == reflect.Slice && v.Type().Elem() == number {
		if v.Type().Name() == "" {
			return v.Interface()
		}
		return v.Convert(reflect.SliceOf(number)).Interface()
	}
	out := reflect.MakeSlice(reflect.SliceOf(number), v.Len(), v.Len())
	for i := range v.Len() {
		setBits(out.Index(i), v.Index(i))
	}
	return out.Interface()
}

// setBits sets dst, which is addressable, to the number or bool src of a type of
// the same kind. reflect's Convert would do, but for a complex64: on its way
// through complex128 a signalling NaN becomes a quiet one.
func setBits(dst, src reflect.Value) {
	if src.Kind() == reflect.Complex64 {
		dst.Addr().Convert(reflect.PointerTo(src.Type())).Elem().Set(src)
		return
	}
	dst.Set(src.Convert(dst.Type()))
}

// checkArgument reports why no value of type t can be part of a key, nil where
// one can. What an interface holds is known only at the call.
func checkArgument(t reflect.Type) error {
	return checkType(t, map[reflect.Type]bool{}, func(reflect.Type, *typeInfo) error { return nil })
}

// checkType walks t and the types of its parts.
func checkType(t reflect.Type, seen map[reflect.Type]bool, extra func(reflect.Type, *typeInfo) error) error {
	if seen[t] {
		return nil
	}
	seen[t] = true
	info := infoOf(t)
	if info.err != nil {
		return info.err
	}
	if err := extra(t, info); err != nil {
		return err
	}
	switch info.kind {
	case kindList, kindMap, kindPointer:
		return checkType(t.Elem(), seen, extra)
	case kindStruct:
		for _, f := range info.fields {
			if err := checkType(f.typ, seen, extra); err != nil {
				return fmt.Errorf("field %s: %w", f.name, err)
			}
		}
	}
	return nil
}
