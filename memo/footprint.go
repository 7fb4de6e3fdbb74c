package memo

import (
	"reflect"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// footprint returns about how many bytes results, whose types were checked, take in
// memory: elements, text, and the slices and structs that hold them.
func footprint(results []reflect.Value) (total int64, err error) {
	for _, v := range results {
		beyond, err := bytesBeyond(v, 0)
		if err != nil {
			return 0, err
		}
		total += int64(v.Type().Size()) + beyond
	}
	return total, nil
}

// bytesBeyond returns the bytes that v refers to outside of its own memory.
func bytesBeyond(v reflect.Value, depth int) (total int64, err error) {
	if depth > maxDepth {
		return 0, errTooDeep
	}
	info := infoOf(v.Type())
	if info.reach == reachNothing {
		return 0, nil
	}
	add := func(item reflect.Value) {
		if err == nil {
			var beyond int64
			beyond, err = bytesBeyond(item, depth+1)
			total += beyond
		}
	}
	switch info.kind {
	case kindString:
		return int64(v.Len()), nil
	case kindArray:
		return arrayBytes(v)
	case kindBytes, kindNumbers, kindList:
		if v.Kind() == reflect.Slice {
			total = int64(v.Len()) * int64(v.Type().Elem().Size())
		}
		if infoOf(v.Type().Elem()).reach == reachNothing {
			break
		}
		for i := range v.Len() {
			add(v.Index(i))
		}
	case kindMap:
		for entries := v.MapRange(); entries.Next(); {
			total += int64(v.Type().Key().Size()+v.Type().Elem().Size()) + int64(entries.Key().Len())
			add(entries.Value())
		}
	case kindStruct:
		for _, f := range info.fields {
			add(v.Field(f.index))
		}
	case kindPointer:
		if !v.IsNil() {
			total = int64(v.Type().Elem().Size())
			add(v.Elem())
		}
	}
	return total, err
}

// arrayBytes returns the bytes of an array's elements. Of a matrix that is zero
// outside of a few diagonals, gonum keeps only those.
func arrayBytes(v reflect.Value) (int64, error) {
	if v.IsNil() {
		return 0, nil
	}
	const size = 8 // of a float64
	switch m := v.Interface().(type) {
	case mat.RawBander: // *mat.BandDense, *mat.DiagDense
		return int64(len(m.RawBand().Data)) * size, nil
	case mat.RawSymBander:
		return int64(len(m.RawSymBand().Data)) * size, nil
	case *mat.TriBandDense:
		return int64(len(m.RawTriBand().Data)) * size, nil
	case *mat.Tridiag:
		return 3 * int64(m.RawTridiagonal().N) * size, nil
	}
	src, err := array.Of(v.Interface())
	if err != nil {
		return 0, err
	}
	n, err := array.Elements(src.Shape(), src.DType().Size())
	return int64(n) * int64(src.DType().Size()), err
}
