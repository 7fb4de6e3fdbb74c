package memo

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// fuzzTypes are result types that between them use every path of the decoder.
var fuzzTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[uint](), reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	reflect.TypeFor[complex64](), reflect.TypeFor[complex128](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](), reflect.TypeFor[[3]byte](),
	reflect.TypeFor[[]float64](), reflect.TypeFor[[]int](), reflect.TypeFor[[2]uint16](), reflect.TypeFor[[]string](), reflect.TypeFor[[1][]bool](),
	reflect.TypeFor[map[string][]string](), reflect.TypeFor[*int](), reflect.TypeFor[struct {
		A *mat.Dense
		B map[string]float64 `memo:"b"`
	}](),
	reflect.TypeFor[*array.Array[int32]](), reflect.TypeFor[*mat.Dense](), reflect.TypeFor[*mat.VecDense](), reflect.TypeFor[*mat.CDense](),
	reflect.TypeFor[*mat.SymDense](), reflect.TypeFor[*mat.TriDense](), reflect.TypeFor[*mat.DiagDense](), reflect.TypeFor[*mat.Tridiag](),
	reflect.TypeFor[*mat.BandDense](), reflect.TypeFor[*mat.SymBandDense](), reflect.TypeFor[*mat.TriBandDense](),
}

// FuzzRecord reads records whose check is right but whose content is anything:
// what somebody else's writer, or a forger, may leave. Reading, showing and
// decoding them must not panic, and arrays are asked for in sane shapes only.
func FuzzRecord(f *testing.F) {
	k := NewKey("f", "1").Add(mat.NewDense(1, 2, nil)).Add("é").Add([]any{1, 1.5, 2i, []byte("y"), map[string]any{"a": nil}, "\xff"})
	for _, results := range []string{
		`[]`, `[null]`, `[true]`, `[-1]`, `[1.5]`, `[{"float":"7ff8000000000001"}]`, `[{"float32":"7fc00001"}]`, `[{"complex":[1.5,{"float":"7ff0000000000000"}]}]`,
		`["x"]`, `[{"string":"/w=="}]`, `[{"bytes":"AAEC"}]`, `[{"bytes":{"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"|u1","shape":[3]}}]`,
		`[{"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"<f8","shape":[2,2],"layout":"band 1 1"}]`,
		`[{"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"<f8","shape":[2,2],"layout":"upper 1"}]`,
		`[{"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"<i8","shape":[2]}]`, `[{"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"<c16","shape":[2,1]}]`,
		`[{"map":{"A":null,"b":{"map":{"x":1.5}}}}]`, `[["a",["b"]]]`, `[{"map":{"a":["b"]}}]`, `[{"array":"","dtype":"<f8","shape":[-1]}]`,
		`[{"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"<f8","shape":[4611686018427387904,4]}]`,
	} {
		record := seal(appendRecord(nil, k, []byte(results), time.Unix(0, 0), time.Second))
		f.Add(record[:len(record)-sealSize])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseRecord(seal(body))
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFormat) {
				t.Errorf("error %v", err)
			}
			return
		}
		if r.Size() < 0 {
			t.Errorf("size %d", r.Size())
		}
		for _, v := range append(r.Args, r.Results...) {
			_ = v.String()
			_ = v.Arrays()
		}
		d := resultDecoder{load: func(ref arrayRef) (array.Any, error) {
			if n, err := array.Elements(ref.Shape, ref.DType.Size()); err != nil || n > 1<<12 {
				return nil, context.Canceled // a real file would have to be as large
			}
			return array.Make(ref.DType, ref.Shape...)
		}}
		for _, typ := range fuzzTypes {
			values, err := d.results(r.Results, []reflect.Type{typ})
			if err == nil && values[0].Type() != typ {
				t.Errorf("decoded a %v as %v", typ, values[0].Type())
			}
		}
	})
}

// FuzzSegment holds the rules of file names: distinct names give distinct
// files, none of which leaves its folder or is too long.
func FuzzSegment(f *testing.F) {
	for _, name := range []string{"", "%", "a", "a/../b", "..", ".", "aux", "AUX.txt", "com1", "é", "\x00", "a%2F", string(make([]byte, 300))} {
		f.Add(name, name+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		s := segment(a)
		if (s == segment(b)) != (a == b) {
			t.Errorf("%q and %q: files %q and %q", a, b, s, segment(b))
		}
		if len(s) == 0 || len(s) > maxSegment || s[0] == '.' || s[len(s)-1] == '.' {
			t.Errorf("%q: file %q", a, s)
		}
		for _, c := range []byte(s) {
			if c <= ' ' || c >= 0x7f || c == '/' || c == '\\' || c == ':' {
				t.Errorf("%q: file %q", a, s)
			}
		}
	})
}
