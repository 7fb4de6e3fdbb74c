package memo

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// maxInline is the length beyond which a string or bytes of a result are an
// object of their own.
const maxInline = 4096

// checkResult reports why values of type t cannot be stored and given back bit
// for bit, nil where they can.
func checkResult(t reflect.Type) error {
	return checkType(t, map[reflect.Type]bool{}, func(t reflect.Type, info *typeInfo) error {
		refuse := func(why string) error { return fmt.Errorf("%w as a result: %v %s", ErrUnsupported, t, why) }
		switch info.kind {
		case kindInterface:
			return refuse("does not say which type a hit should have; return a concrete type")
		case kindKeyer:
			return refuse("has a MemoKey, from which it cannot be made again; return its parts")
		case kindArray:
			if info.byAddr {
				return refuse("is a matrix by value; return a pointer to it")
			}
			if _, ok := reflect.Zero(t).Interface().(array.Any); !ok && !array.IsMatrix(t) {
				return refuse("is none of gonum's own matrix types; return a *mat.Dense")
			}
		case kindPointer:
			switch t.Elem().Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map:
				return refuse("points to what may itself be nil, and a hit could not tell which of the two was")
			}
		case kindStruct:
			for i := range t.NumField() {
				if f := t.Field(i); f.Tag.Get("memo") == "-" {
					return refuse(fmt.Sprintf("leaves out its field %s, which a hit could not give back", f.Name))
				}
			}
		}
		return nil
	})
}

// stored is a result as the cache keeps it: JSON for the record, and the arrays
// that the JSON refers to.
type stored struct {
	json    []byte
	objects []object
}

// object is an array of a result.
type object struct {
	digest  array.Digest
	content contentDigest // for a signed record
	source  array.Source
}

// fileSize returns the bytes of the object as a .npy file.
func (o object) fileSize() int64 {
	d, shape := o.source.DType(), o.source.Shape()
	n, _ := array.Elements(shape, d.Size()) // a source that was hashed has a shape
	return int64(len(npy.AppendHeader(nil, d, shape))) + int64(n)*int64(d.Size())
}

// storeResults encodes results, whose types were checked. The objects share the
// results' memory. They have content digests where these are wanted.
func storeResults(ctx context.Context, results []reflect.Value, content bool) (*stored, error) {
	e := resultEncoder{ctx: ctx, content: content}
	e.json = append(e.json, '[')
	for i, v := range results {
		if i > 0 {
			e.json = append(e.json, ',')
		}
		if err := e.value(v, 0); err != nil {
			return nil, fmt.Errorf("result %d: %w", i, err)
		}
	}
	e.json = append(e.json, ']')
	return &e.stored, nil
}

var errTooDeep = fmt.Errorf("%w as a result: it is nested more than %d levels deep, or points to itself", ErrUnsupported, maxDepth)

type resultEncoder struct {
	ctx     context.Context
	content bool
	stored
}

func (e *resultEncoder) value(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() {
			e.json = append(e.json, "null"...)
			return nil
		}
	}
	info := infoOf(v.Type())
	switch info.kind {
	case kindBool:
		e.json = strconv.AppendBool(e.json, v.Bool())
	case kindInt:
		e.json = strconv.AppendInt(e.json, v.Int(), 10)
	case kindUint:
		e.json = strconv.AppendUint(e.json, v.Uint(), 10)
	case kindFloat:
		e.json = appendResultFloat(e.json, v)
	case kindHalf:
		e.json = appendResultFloat(e.json, reflect.ValueOf(halfOf(v).Float32()))
	case kindComplex:
		e.json = appendResultComplex(e.json, v)
	case kindString:
		if s := v.String(); len(s) > maxInline {
			return e.long("string", []byte(s))
		}
		e.json = appendJSONString(e.json, v.String())
	case kindBytes:
		if b := bytesOf(v); len(b) > maxInline {
			return e.long("bytes", b)
		}
		e.json = appendJSONBytes(e.json, bytesOf(v))
	case kindNumbers:
		return e.array(numbers(v))
	case kindArray:
		return e.array(v.Interface())
	case kindList:
		e.json = append(e.json, '[')
		for i := range v.Len() {
			if i > 0 {
				e.json = append(e.json, ',')
			}
			if err := e.value(v.Index(i), depth+1); err != nil {
				return err
			}
		}
		e.json = append(e.json, ']')
	case kindMap:
		return e.mapping(v, depth)
	case kindStruct:
		e.json = append(e.json, `{"map":{`...)
		for i, f := range info.fields {
			if i > 0 {
				e.json = append(e.json, ',')
			}
			e.json = append(appendQuoted(e.json, f.name), ':')
			if err := e.value(v.Field(f.index), depth+1); err != nil {
				return fmt.Errorf("field %s: %w", f.name, err)
			}
		}
		e.json = append(e.json, "}}"...)
	case kindPointer:
		return e.value(v.Elem(), depth+1)
	default:
		return fmt.Errorf("%w as a result: %v", ErrUnsupported, v.Type())
	}
	return nil
}

func (e *resultEncoder) mapping(v reflect.Value, depth int) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.json = append(e.json, `{"map":{`...)
	for i, key := range keys {
		// A record's keys are JSON strings, which hold nothing but UTF-8.
		if !utf8.ValidString(key.String()) {
			return fmt.Errorf("%w as a result: the key %q of a map is no UTF-8", ErrUnsupported, key.String())
		}
		if i > 0 {
			e.json = append(e.json, ',')
		}
		e.json = append(appendQuoted(e.json, key.String()), ':')
		if err := e.value(v.MapIndex(key), depth+1); err != nil {
			return fmt.Errorf("key %q: %w", key.String(), err)
		}
	}
	e.json = append(e.json, "}}"...)
	return nil
}

func (e *resultEncoder) array(x any) error {
	src, err := array.Of(x)
	if err != nil {
		return err
	}
	h, err := hashSource(e.ctx, src, e.content)
	if err != nil {
		return err
	}
	digest := h.table.Digest()
	e.json = appendJSONArray(e.json, digest.String(), arrayInfo{dtype: src.DType(), shape: src.Shape()}, array.Layout(x))
	o := object{digest: digest, source: src}
	if e.content {
		o.content = h.content()
	}
	e.objects = append(e.objects, o)
	return nil
}

// long stores b as an array of bytes under the given form.
func (e *resultEncoder) long(form string, b []byte) error {
	e.json = append(appendQuoted(append(e.json, '{'), form), ':')
	err := e.array(b)
	e.json = append(e.json, '}')
	return err
}

// appendResultFloat keeps also the payload of a float32 NaN, which a conversion
// to float64 may change.
func appendResultFloat(dst []byte, v reflect.Value) []byte {
	if f := v.Float(); v.Kind() == reflect.Float64 || f == f {
		return appendJSONFloat(dst, f)
	}
	var f float32
	setBits(reflect.ValueOf(&f).Elem(), v)
	bits := math.Float32bits(f)
	return append(appendHex(append(dst, `{"float32":"`...), uint64(bits), 8), `"}`...)
}

func appendResultComplex(dst []byte, v reflect.Value) []byte {
	if v.Kind() == reflect.Complex128 {
		return appendJSONComplex(dst, v.Complex())
	}
	var c complex64
	setBits(reflect.ValueOf(&c).Elem(), v)
	dst = appendResultFloat(append(dst, `{"complex":[`...), reflect.ValueOf(real(c)))
	dst = appendResultFloat(append(dst, ','), reflect.ValueOf(imag(c)))
	return append(dst, "]}"...)
}
