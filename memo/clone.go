package memo

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/numcache/numcache/array"
)

// cloneResults returns results, whose types were checked, as a hit from the folder
// would give them back: bit for bit, and sharing nothing that can be written to.
// What cannot be written to, such as a number, is returned as it is.
func cloneResults(results []reflect.Value) ([]reflect.Value, error) {
	if len(results) == 1 {
		if xs, ok := smallFloats(results[0]); ok {
			return cloneFloats(xs), nil
		}
	}
	own := results
	for i, v := range results {
		if infoOf(v.Type()).reach < reachMemory {
			continue
		}
		if &own[0] == &results[0] {
			own = slices.Clone(results)
		}
		own[i] = reflect.New(v.Type()).Elem()
		if err := cloneValue(own[i], v, 0); err != nil {
			return nil, fmt.Errorf("result %d: %w", i, err)
		}
	}
	return own, nil
}

// smallFloats returns v as a slice of floats, if it is one that is not large.
func smallFloats(v reflect.Value) (xs []float64, ok bool) {
	if v.Kind() == reflect.Slice {
		xs, ok = v.Interface().([]float64)
	}
	return xs, ok && 8*len(xs) < largeSlice
}

// cloneFloats is cloneResults for one result that is common, in half the time.
func cloneFloats(xs []float64) []reflect.Value {
	own := new(struct { // one piece of memory for both
		values [1]reflect.Value
		xs     []float64
	})
	own.xs = slices.Clone(xs)
	own.values[0] = reflect.ValueOf(&own.xs).Elem()
	return own.values[:]
}

// cloneValue sets dst, which is settable and zero, to a copy of src.
func cloneValue(dst, src reflect.Value, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	info := infoOf(src.Type())
	if info.reach < reachMemory {
		dst.Set(src)
		return nil
	}
	switch src.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if src.IsNil() {
			return nil
		}
	}
	switch info.kind {
	case kindBytes, kindNumbers, kindList:
		return cloneItems(dst, src, depth)
	case kindArray:
		x := src.Interface()
		a, err := copyArray(x)
		if err != nil {
			return err
		}
		return setArray(dst, a, array.Layout(x))
	case kindMap:
		dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
		for entries := src.MapRange(); entries.Next(); {
			item := reflect.New(src.Type().Elem()).Elem()
			if err := cloneValue(item, entries.Value(), depth+1); err != nil {
				return err
			}
			dst.SetMapIndex(entries.Key(), item)
		}
	case kindStruct:
		for _, f := range info.fields {
			if err := cloneValue(dst.Field(f.index), src.Field(f.index), depth+1); err != nil {
				return err
			}
		}
	case kindPointer:
		dst.Set(reflect.New(src.Type().Elem()))
		return cloneValue(dst.Elem(), src.Elem(), depth+1)
	default:
		return fmt.Errorf("%w as a result: %v", ErrUnsupported, src.Type())
	}
	return nil
}

// largeSlice is the size in bytes from which on it pays to copy a slice of numbers
// as an array: into memory that is not cleared first, and on all cores.
const largeSlice = 1 << 16

// cloneItems copies a slice, or a Go array of what is not copied by assigning it.
func cloneItems(dst, src reflect.Value, depth int) error {
	item := src.Type().Elem()
	if src.Kind() == reflect.Slice && isElement(item) && src.Len()*int(item.Size()) >= largeSlice {
		a, err := copyArray(numbers(src))
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(elements(a)).Convert(dst.Type()))
		return nil
	}
	if src.Kind() == reflect.Slice {
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
	}
	if infoOf(item).reach < reachMemory {
		reflect.Copy(dst, src)
		return nil
	}
	for i := range src.Len() {
		if err := cloneValue(dst.Index(i), src.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// isElement reports whether arrays have elements of the very type t.
func isElement(t reflect.Type) bool {
	return numberType(t) == t && t.Kind() != reflect.Bool && t.Kind() != reflect.Int && t.Kind() != reflect.Uint
}

// copyArray copies what array.Of takes, on all cores where it is large.
func copyArray(x any) (array.Any, error) {
	src, err := array.Of(x)
	if err != nil {
		return nil, err
	}
	return array.Copy(src)
}
