package memo_test

import (
	"cmp"
	"math"
	"reflect"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// sorted sorts types by name, for a seed to mean the same every time.
func sorted(types []reflect.Type) []reflect.Type {
	return slices.SortedFunc(slices.Values(types), func(a, b reflect.Type) int { return cmp.Compare(a.String(), b.String()) })
}

// relayout returns a value that is equal to v as an argument, and lies otherwise in
// memory wherever it can: slices with a capacity, views, maps filled in another order,
// nil for empty, another NaN, other values in fields that are left out.
func (g *maker) relayout(v reflect.Value) reflect.Value {
	t := v.Type()
	out := reflect.New(t).Elem()
	if s, ok := speciesOf[t]; ok {
		if !v.IsNil() {
			out.Set(reflect.ValueOf(s.relayout(g, v.Interface())))
		}
		return out
	}
	out.Set(v)
	switch t.Kind() {
	case reflect.Slice:
		switch {
		case v.Len() == 0 && g.IntN(2) == 0:
			out.Set(reflect.MakeSlice(t, 0, 3))
		case v.Len() == 0:
			out.SetZero()
		default:
			larger := reflect.MakeSlice(t, v.Len()+5, v.Len()+9)
			for i := range larger.Len() {
				larger.Index(i).Set(g.value(t.Elem()))
			}
			out.Set(larger.Slice(2, 2+v.Len()))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			if isElement(t) { // of a numeric array, where every bit counts
				out.Index(i).Set(v.Index(i))
			} else {
				out.Index(i).Set(g.relayout(v.Index(i)))
			}
		}
	case reflect.Map:
		if v.Len() == 0 && g.IntN(2) == 0 {
			out.SetZero()
			break
		}
		out.Set(reflect.MakeMapWithSize(t, 100))
		keys := v.MapKeys()
		g.Shuffle(len(keys), reflect.Swapper(keys))
		for _, key := range keys {
			out.SetMapIndex(key, g.relayout(v.MapIndex(key)))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			switch f := t.Field(i); {
			case f.Tag.Get("memo") == "-":
				out.Field(i).Set(g.value(f.Type))
			case f.IsExported():
				out.Field(i).Set(g.relayout(v.Field(i)))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(t.Elem()))
			out.Elem().Set(g.relayout(v.Elem()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(g.relayoutDynamic(v.Elem(), t))
		}
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); f != f {
			out.SetFloat(pick(g, []float64{math.NaN(), math.Float64frombits(0xfff8000000000456)}))
		}
	case reflect.Complex64, reflect.Complex128:
		if c := v.Complex(); real(c) != real(c) {
			out.SetComplex(complex(math.NaN(), imag(c)))
		}
	}
	return out
}

// relayoutDynamic may use another type for what an interface of type t holds.
func (g *maker) relayoutDynamic(v reflect.Value, t reflect.Type) reflect.Value {
	same := g.relayout(v)
	if g.IntN(2) == 0 || v.Kind() == reflect.Pointer && v.IsNil() {
		return same
	}
	switch x := v.Interface().(type) {
	case mat.Vector: // 1-d; what follows is 2-d
		return same
	case mat.Matrix:
		if rows, _ := x.Dims(); rows == 0 {
			return same
		}
		if t == reflect.TypeFor[mat.Symmetric]() {
			n, _ := x.Dims()
			s := mat.NewSymDense(n, nil)
			set(x, s.SetSym)
			return reflect.ValueOf(s)
		}
		return reflect.ValueOf(pick(g, []mat.Matrix{mat.DenseCopyOf(x), mat.DenseCopyOf(x.T()).T(), x.T().T()}))
	case int8:
		return reflect.ValueOf(int64(x))
	case uint32:
		return reflect.ValueOf(uint64(x))
	case string:
		return reflect.ValueOf(label(x))
	case []float64:
		return reflect.ValueOf(must(array.FromSlice(x, len(x)))(g.t))
	case []string:
		list := make([]any, len(x))
		for i := range x {
			list[i] = x[i]
		}
		return reflect.ValueOf(list)
	}
	return same
}

// flip returns a copy of v that is another argument, where there is one: with one bit
// of one part flipped if v has any part.
func (g *maker) flip(v reflect.Value) (flipped reflect.Value, ok bool) {
	t := v.Type()
	out := reflect.New(t).Elem()
	if s, isSpecies := speciesOf[t]; isSpecies {
		if v.IsNil() {
			out.Set(reflect.ValueOf(s.make(g)))
			return out, true
		}
		x, ok := s.flip(g, v.Interface())
		out.Set(reflect.ValueOf(x))
		return out, ok
	}
	out.Set(v)
	switch t.Kind() {
	case reflect.String:
		b := []byte(v.String())
		if len(b) == 0 {
			b = []byte{0}
		} else {
			b[g.IntN(len(b))] ^= 1 << g.IntN(8)
		}
		out.SetString(string(b))
	case reflect.Slice, reflect.Array:
		return g.flipItem(v, out)
	case reflect.Map:
		if v.Len() == 0 {
			out.Set(reflect.MakeMap(t))
			out.SetMapIndex(reflect.ValueOf("new").Convert(t.Key()), g.value(t.Elem()))
			return out, true
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		key := pick(g, keys)
		out.Set(reflect.MakeMap(t))
		for _, k := range keys {
			out.SetMapIndex(k, v.MapIndex(k))
		}
		item, ok := g.flip(v.MapIndex(key))
		if !ok {
			item = reflect.Value{} // removes it
		}
		out.SetMapIndex(key, item)
	case reflect.Struct:
		if t == reflect.TypeFor[keyer]() {
			out.Set(reflect.ValueOf(keyer{v.Interface().(keyer).n ^ 1<<g.IntN(31)}))
			return out, true
		}
		for _, i := range g.Perm(t.NumField()) {
			if t.Field(i).Tag.Get("memo") == "-" {
				continue
			}
			if field, ok := g.flip(v.Field(i)); ok {
				out.Field(i).Set(field)
				return out, true
			}
		}
		return out, false
	case reflect.Pointer:
		if v.IsNil() {
			out.Set(reflect.New(t.Elem()))
			return out, true
		}
		item, ok := g.flip(v.Elem())
		if !ok {
			out.SetZero()
			return out, true
		}
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(item)
	case reflect.Interface:
		switch {
		case !v.IsNil():
			item, ok := g.flip(v.Elem())
			if !ok {
				out.SetZero()
				return out, true
			}
			out.Set(item)
		case t == reflect.TypeFor[any]():
			out.Set(reflect.ValueOf(0))
		case t == reflect.TypeFor[mat.Symmetric]():
			out.Set(reflect.ValueOf(mat.NewSymDense(1, nil)))
		default: // another of gonum's
			out.Set(reflect.ValueOf(mat.NewVecDense(1, nil)))
		}
	default:
		g.flipScalar(out)
	}
	return out, true
}

// flipItem flips in one item of the slice or Go array v, and sets out, a copy of v.
func (g *maker) flipItem(v, out reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	if t.Kind() == reflect.Slice {
		out.Set(reflect.AppendSlice(reflect.MakeSlice(t, 0, v.Len()+1), v))
	}
	for _, i := range g.Perm(v.Len()) {
		if isElement(t) {
			g.flipElement(out.Index(i))
			return out, true
		}
		if item, ok := g.flip(v.Index(i)); ok {
			out.Index(i).Set(item)
			return out, true
		}
	}
	if t.Kind() == reflect.Array {
		return out, false
	}
	out.Set(reflect.Append(out, reflect.Zero(t.Elem())))
	return out, true
}

// isElement reports whether the items of a slice or Go array type are elements of a
// numeric array or bytes.
func isElement(t reflect.Type) bool {
	switch k := t.Elem().Kind(); {
	case k >= reflect.Bool && k <= reflect.Uint64, k >= reflect.Float32 && k <= reflect.Complex128:
		return true
	}
	return false
}

// flipElement flips any bit of v, which is settable.
func (g *maker) flipElement(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		unused := 64 - v.Type().Bits()
		v.SetInt((v.Int() ^ 1<<g.bit(64-unused)) << unused >> unused)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 1<<g.bit(v.Type().Bits()))
	case reflect.Float32:
		*as[float32](v) = g.flipFloat32(*as[float32](v))
	case reflect.Float64:
		v.SetFloat(g.flipFloat(v.Float()))
	case reflect.Complex64:
		c := *as[complex64](v)
		*as[complex64](v) = pick(g, []complex64{complex(g.flipFloat32(real(c)), imag(c)), complex(real(c), g.flipFloat32(imag(c)))})
	case reflect.Complex128:
		c := v.Complex()
		v.SetComplex(pick(g, []complex128{complex(g.flipFloat(real(c)), imag(c)), complex(real(c), g.flipFloat(imag(c)))}))
	default:
		g.t.Fatalf("no bits of %v", v.Type())
	}
}

// flipScalar is flipElement for an argument of its own, of which all NaNs are one: a
// NaN becomes a number.
func (g *maker) flipScalar(v reflect.Value) {
	isNaN := false
	switch {
	case v.Type() == reflect.TypeFor[array.Half]():
		f := array.Half(v.Uint()).Float32()
		isNaN = f != f
	case v.CanFloat():
		isNaN = math.IsNaN(v.Float())
	case v.CanComplex():
		c := v.Complex() // cmplx.IsNaN says no where the other part is infinite
		isNaN = math.IsNaN(real(c)) || math.IsNaN(imag(c))
	}
	if isNaN {
		v.SetZero()
		return
	}
	g.flipElement(v)
}

func (g *maker) flipFloat(f float64) float64 {
	return math.Float64frombits(math.Float64bits(f) ^ 1<<g.bit(64))
}

func (g *maker) flipFloat32(f float32) float32 {
	return math.Float32frombits(math.Float32bits(f) ^ 1<<g.bit(32))
}

// bit chooses one of n bits, the outermost as often as all others.
func (g *maker) bit(n int) int { return pick(g, []int{0, n - 1, g.IntN(n), g.IntN(n)}) }
