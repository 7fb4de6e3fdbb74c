package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// Types that do not fit: an error with the path and both types, and a variable as
// it was.
func TestLoadErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	err := npy.Dump(path, map[string]any{
		"i": 300, "u": uint64(math.MaxUint64), "f": 0.5, "f4": float32(0.5), "s": "no", "b": true, "c": 1i,
		"xs": []float64{1, 2}, "m": mat.NewDense(2, 3, nil), "ints": []int64{1 << 40}, "nil": nil,
		"list": []any{1, "x"}, "map": map[string]int{"k": 1}, "by": map[int]int{300: 1}, "texts": []string{"a", "no"},
		"full": mat.NewDense(2, 2, []float64{1, 2, 3, 4}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, tt := range []struct {
		at   string
		v    any
		want string // "" loads
	}{
		{"i", new(int16), ""},
		{"i", new(uint16), ""},
		{"i", new(int8), "the file holds 300, which is beyond int8"},
		{"i", new(uint8), "300"},
		{"i", new(float64), "the file holds int64 (), the variable is float64"},
		{"i", new(array.Half), "int64 ()"},
		{"i", new([]int), "[]int"},
		{"i", new(string), "string"},
		{"i", new(struct{}), "struct"},
		{"i", new(map[string]int), "map"},
		{"i", new([]string), "[]string"},
		{"i", new(fmt.Stringer), "concrete type"},
		{"i", new(chan int), "cannot be stored"},
		{"i", new(map[bool]int), "map[bool]int"},
		{"i", new(*mat.Dense), "*mat.Dense"},
		{"i", new(*array.Array[int64]), ""},
		{"i", new(*array.Array[int8]), "int64 ()"},
		{"u", new(int64), "beyond int64"},
		{"u", new(uint64), ""},
		{"u", new(int), "18446744073709551615"},
		{"f", new(float32), "float64 ()"},
		{"f4", new(float64), ""},
		{"f4", new(array.Half), "float32 ()"},
		{"c", new(complex64), "complex128 ()"},
		{"b", new(int), "bool ()"},
		{"s", new(text), "no text"},
		{"s", new([]byte), "strings ()"},
		{"s", new(array.Any), "strings ()"},
		{"xs", new([2]float64), ""},
		{"xs", new([3]float64), "float64 (2,)"},
		{"xs", new([]float32), "float64 (2,)"},
		{"xs", new(float64), "float64 (2,)"},
		{"xs", new([][2]float64), "[][2]float64"},
		{"xs", new(*mat.VecDense), ""},
		{"xs", new(mat.VecDense), ""},
		{"m", new(*mat.Dense), ""},
		{"m", new(*mat.SymDense), "the file holds float64 (2, 3), the variable is *mat.SymDense"},
		{"m", new([][3]float64), ""},
		{"m", new([2][3]float64), ""},
		{"m", new([][]float64), "float64 (2, 3)"},
		{"ints", new([]int64), ""},
		{"ints", new([]int32), "int64 (1,)"},
		{"nil", new(*int), ""},
		{"nil", new(any), ""},
		{"nil", new(int), "the file holds nil"},
		{"nil", new(struct{}), "nil"},
		{"list", new([]any), ""},
		{"list", new([2]any), ""},
		{"list", new([3]any), "a list of 2"},
		{"list", new([]int), "list.*"},
		{"list", new([]string), "list.0"},
		{"list", new(map[string]int), "a list of 2"},
		{"list", new(int), "a list of 2"},
		{"map", new(map[string]int8), ""},
		{"map", new(struct{ K int }), "map.K: npy: no such member"},
		{"map", new(struct {
			K int `npy:",omitempty"`
		}), ""},
		{"map", new(map[int]int), `the key "k"`},
		{"map", new([]any), "a map of 1"},
		{"by", new(map[int16]int), ""},
		{"by", new(map[string]int), ""},
		{"by", new(map[uint8]int), `"300"`},
		{"texts", new([2]string), ""},
		{"texts", new([1]string), "strings (2,)"},
		{"texts", new([]text), "texts.1: "},
		{"texts", new(string), "strings (2,)"},
		{"full", new(*mat.TriDense), "float64 (2, 2)"},
		{"none", new(any), "no such member"},
		{"none", new(*int), "no such member"},
		{"none", new([]any), "no such member"},
		{"none", new(struct{}), "no such member"},
		{"", new(int), "a map of 16"},
		{"", 3, "pointer"},
		{"", nil, "pointer"},
		{"", (*int)(nil), "pointer"},
	} {
		err := a.Load(tt.at, tt.v)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s into %T: %v", tt.at, tt.v, err)
			}
			continue
		}
		want := strings.TrimSuffix(tt.want, ".*")
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, npy.ErrType) && !errors.Is(err, npy.ErrMissing) {
			t.Errorf("%s into %T: %v, want %s", tt.at, tt.v, err, want)
		}
		if v := reflect.ValueOf(tt.v); v.Kind() == reflect.Pointer && !v.IsNil() && !v.Elem().IsZero() {
			t.Errorf("%s into %T: it has changed", tt.at, tt.v)
		}
	}
	strict, err := npy.OpenArchive(path, &npy.ArchiveOptions{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	defer strict.Close()
	var some struct {
		I int `npy:"i"`
	}
	if err := strict.Load("", &some); !errors.Is(err, npy.ErrType) || !strings.Contains(err.Error(), "no place for member") || some.I != 0 {
		t.Errorf("Strict: %v", err)
	}
	if err := strict.Load("map", new(map[string]int)); err != nil {
		t.Errorf("Strict, a part: %v", err)
	}
	kept := struct {
		I    int         `npy:"i"`
		Keep chan<- bool `npy:"-"`
	}{Keep: make(chan bool)}
	if err := npy.Load(path, &kept); err != nil || kept.I != 300 || kept.Keep == nil {
		t.Errorf("a field that is left out: %v", err)
	}
}

// Archives that Dump did not write: NumPy's, and forged ones.
func TestLoadForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	numpy.Run(t, `
import sys, numpy as np
np.savez(sys.argv[1], K=3, name="né", **{"net.w": np.ones((2, 2)), "net.b": np.float32(0.5), "50%": True, "value": [1, 2]})
`, path)
	var v struct {
		K    int32
		Name string `npy:"name"`
		Net  struct {
			W *mat.Dense `npy:"w"`
			B float64    `npy:"b"`
		} `npy:"net"`
		Half  bool    `npy:"50%"`
		Value []int64 `npy:"value"`
	}
	err := npy.Load(path, &v)
	if err == nil || !strings.Contains(err.Error(), "50%25") {
		t.Errorf("a name that Dump would escape: %v", err)
	}
	var all map[string]any
	if err := npy.Load(path, &all); err != nil {
		t.Fatal(err)
	}
	net := all["net"].(map[string]any)
	if all["K"] != int64(3) || all["name"] != "né" || all["50%"] != true || net["b"] != 0.5 || net["w"].(array.Any).Len() != 4 {
		t.Errorf("%v", all)
	}
	var numbers map[string]array.Any
	if err := npy.Load(path, &numbers); err == nil {
		t.Error("a string as an array")
	}

	note := func(v any) []byte {
		var b bytes.Buffer
		if err := npy.Write(&b, v); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	zeroDim := func(v any) []byte {
		return bytes.Replace(note(v), []byte("(1,)"), []byte("()  "), 1)
	}
	x := stored("x.npy", note([]int{1}))
	type list struct {
		X []any `npy:"x"`
	}
	type mapped struct {
		X map[int]any `npy:"x"`
	}
	for name, tt := range map[string]struct {
		file []byte
		v    any
		want error
	}{
		"long list":      {zipOf(stored("x..npy", zeroDim([]int64{1 << 60}))), new(list), npy.ErrMissing},
		"negative list":  {zipOf(stored("x..npy", zeroDim([]int64{-1}))), new(list), npy.ErrFormat},
		"long any":       {zipOf(stored("x..npy", zeroDim([]int64{1 << 60}))), new(any), npy.ErrMissing},
		"odd note":       {zipOf(x, stored("x..npy", note([]float32{1}))), new(any), npy.ErrFormat},
		"no npy note":    {zipOf(x, stored("x..npy", []byte("x"))), new(any), npy.ErrFormat},
		"objects":        {zipOf(stored("x.npy", hostile["objects"].file)), new(any), npy.ErrUnsupported},
		"missing keys":   {zipOf(stored("x..npy", note([]int64{1, 2}))), new(mapped), npy.ErrMissing},
		"equal keys":     {zipOf(stored("x..npy", note([]int64{1, 1})), stored("x.1.npy", file3)), new(mapped), npy.ErrFormat},
		"equal any keys": {zipOf(stored("x..npy", note([]int64{1, 1})), stored("x.1.npy", file3)), new(any), npy.ErrFormat},
		"deep":           {zipOf(stored(strings.Repeat("x.", 30_000)+"x.npy", file3)), new(any), npy.ErrType},
		"many deep":      {manyDeep(), new(any), npy.ErrFormat},
		"dots":           {zipOf(stored(strings.Repeat(".", 30_000)+"x.npy", file3)), new(list), npy.ErrMissing},
		"huge and empty": {zipOf(stored("x.npy", headerOf(with("'<f8'", "(100000000, 0)"), 1))), new(struct {
			X [][0]float64 `npy:"x"`
		}), nil},
	} {
		a, err := npy.NewArchive(bytes.NewReader(tt.file), int64(len(tt.file)), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := allocated(func() { err = a.Load("", tt.v) })
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if got > 40<<20 {
			t.Errorf("%s: %d bytes were allocated", name, got)
		}
	}
}

// manyDeep has many members far inside maps of their own.
func manyDeep() []byte {
	var files []zipped
	for i := range 50 {
		files = append(files, stored(fmt.Sprintf("%d%sx.npy", i, strings.Repeat(".a", 900)+"."), file3))
	}
	return zipOf(files...)
}
