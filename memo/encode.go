package memo

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/numcache/numcache/array"
)

// maxDepth bounds the nesting of a value, so that a cycle of pointers is an
// error. Values people pass to functions have a handful of levels.
const maxDepth = 100

// canonicalNaN stands for every NaN scalar in a key: a function cannot tell
// them apart, and languages disagree about which one they make.
const canonicalNaN = 0x7ff8000000000000

// encoder writes values as the tagged bytes that keys are made of. FORMAT.md
// has the table.
type encoder struct {
	ctx    context.Context
	buf    []byte
	arrays []arrayInfo // of the arrays in buf, in order
	shape  []int       // room for that of a vector
}

// arrayInfo is what a record says of an array beside its digest.
type arrayInfo struct {
	dtype array.DType
	shape []int
	table *array.Table // of a large one in an argument, else nil
}

func (e *encoder) value(v reflect.Value, depth int) error {
	if !v.IsValid() {
		e.buf = append(e.buf, 'n')
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("%w: a value is nested more than %d levels deep, or points to itself", ErrUnsupported, maxDepth)
	}
	info := infoOf(v.Type())
	if info.err != nil {
		return info.err
	}
	switch info.kind {
	case kindBool, kindInt, kindUint, kindFloat, kindHalf, kindComplex, kindString:
		e.buf = appendScalar(e.buf, v, info.kind)
	case kindBytes:
		e.buf = append(strconv.AppendInt(append(e.buf, 'y'), int64(v.Len()), 10), ':')
		e.buf = append(e.buf, bytesOf(v)...)
	case kindNumbers:
		shape := append(e.shape, v.Len())
		e.shape = nil
		return e.array(numbers(v), shape)
	case kindArray, kindKeyer:
		x := receiver(v, info)
		switch {
		case x == nil:
			e.buf = append(e.buf, 'n')
		case info.kind == kindArray:
			return e.array(x, nil)
		default:
			return e.keyer(x.(Keyer), depth)
		}
	case kindList:
		e.buf = append(strconv.AppendInt(append(e.buf, 'l'), int64(v.Len()), 10), ':')
		for i := range v.Len() {
			if err := e.value(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case kindMap:
		return e.mapping(v, depth)
	case kindStruct:
		e.buf = append(strconv.AppendInt(append(e.buf, 'd'), int64(len(info.fields)), 10), ':')
		for _, f := range info.fields {
			e.buf = appendString(e.buf, f.name)
			if err := e.value(v.Field(f.index), depth+1); err != nil {
				return fmt.Errorf("field %s: %w", f.name, err)
			}
		}
	case kindPointer:
		return e.value(v.Elem(), depth+1) // of nil, this is the invalid value
	case kindInterface:
		if err := checkDynamic(v); err != nil {
			return err
		}
		return e.value(v.Elem(), depth+1)
	}
	return nil
}

// isScalar reports whether appendScalar writes values of this kind.
func (k kind) isScalar() bool { return k <= kindString }

// appendScalar writes a value of a kind that is scalar.
func appendScalar(dst []byte, v reflect.Value, k kind) []byte {
	switch k {
	case kindBool:
		if v.Bool() {
			return append(dst, "b1"...)
		}
		return append(dst, "b0"...)
	case kindInt:
		return append(strconv.AppendInt(append(dst, 'i'), v.Int(), 10), ';')
	case kindUint:
		return append(strconv.AppendUint(append(dst, 'i'), v.Uint(), 10), ';')
	case kindFloat:
		return appendFloatBits(append(dst, 'f'), v.Float())
	case kindHalf:
		return appendFloatBits(append(dst, 'f'), float64(halfOf(v).Float32()))
	case kindComplex:
		c := v.Complex()
		return appendFloatBits(appendFloatBits(append(dst, 'c'), real(c)), imag(c))
	default: // kindString
		return appendString(dst, v.String())
	}
}

// checkDynamic refuses what an interface holds if its type matters and is not in
// the key: a struct is there by its fields, which another struct may have too,
// and what has the methods of an interface is more than its value.
func checkDynamic(v reflect.Value) error {
	if v.IsNil() {
		return nil
	}
	t := v.Elem().Type()
	for t.Kind() == reflect.Pointer && infoOf(t).kind == kindPointer {
		t = t.Elem()
	}
	switch info := infoOf(t); {
	case info.err != nil, info.kind == kindKeyer, info.kind == kindArray, info.kind == kindInterface:
		return nil
	case info.kind == kindStruct || v.NumMethod() > 0:
		return fmt.Errorf("%w: %v in an interface, where its type is not part of the key and another type with the same value would have the same key; give it a MemoKey method", ErrUnsupported, t)
	}
	return nil
}

// mapping writes a map, sorted by the bytes of its keys.
func (e *encoder) mapping(v reflect.Value, depth int) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.buf = append(strconv.AppendInt(append(e.buf, 'd'), int64(len(keys)), 10), ':')
	for _, key := range keys {
		e.buf = appendString(e.buf, key.String())
		if err := e.value(v.MapIndex(key), depth+1); err != nil {
			return fmt.Errorf("key %q: %w", key.String(), err)
		}
	}
	return nil
}

// receiver returns the value whose methods make v what it is: itself, or a pointer
// to a copy. A nil pointer is nil, whatever its methods.
func receiver(v reflect.Value, info *typeInfo) any {
	switch {
	case info.byAddr:
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = p
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil
	}
	return v.Interface()
}

// array writes an array of the given shape, or with nil, the shape that it says.
func (e *encoder) array(x any, shape []int) error {
	src, err := array.Of(x)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if shape == nil {
		shape = src.Shape()
	}
	digest, table, err := hashArgument(e.ctx, src, shape)
	if err != nil {
		return err
	}
	e.buf = append(e.buf, 'a')
	e.buf = hex.AppendEncode(e.buf, digest[:])
	e.arrays = append(e.arrays, arrayInfo{src.DType(), shape, table})
	return nil
}

// keyer writes what stands for k. MemoKey is foreign code: it may panic.
func (e *encoder) keyer(k Keyer, depth int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: MemoKey of %T panicked: %v", ErrUnsupported, k, p)
		}
	}()
	return e.value(reflect.ValueOf(k.MemoKey()), depth+1)
}

// halfOf returns v, of kindHalf, as what it is.
func halfOf(v reflect.Value) array.Half { return array.Half(v.Uint()) }

func appendFloatBits(dst []byte, f float64) []byte {
	bits := math.Float64bits(f)
	if f != f {
		bits = canonicalNaN
	}
	return appendHex(dst, bits, 16)
}

func appendHex(dst []byte, bits uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[bits>>shift&15])
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	dst = append(strconv.AppendInt(append(dst, 's'), int64(len(s)), 10), ':')
	return append(dst, s...)
}

// bytesOf returns the bytes of a slice or Go array of them.
func bytesOf(v reflect.Value) []byte {
	if v.Kind() == reflect.Slice {
		return v.Bytes()
	}
	b := make([]byte, v.Len())
	for i := range b {
		b[i] = byte(v.Index(i).Uint())
	}
	return b
}
