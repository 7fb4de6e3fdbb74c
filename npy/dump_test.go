package npy_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// Whatever is dumped is loaded, bit for bit, and np.load opens every member.
func TestDumpAndLoad(t *testing.T) {
	dir := t.TempDir()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		var v, got rich
		fill(r, reflect.ValueOf(&v).Elem(), 0)
		v.unexported, got.unexported = 7, 7 // which Load leaves alone
		path := filepath.Join(dir, fmt.Sprintf("%d.npz", seed))
		if err := npy.Dump(path, &v, &npy.ArchiveOptions{Level: int(seed % 3)}); err != nil {
			t.Fatalf("seed %d: Dump: %v", seed, err)
		}
		a, err := npy.OpenArchive(path, &npy.ArchiveOptions{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Load("", &got); err != nil {
			t.Fatalf("seed %d: Load: %v", seed, err)
		}
		if d := differ("v", reflect.ValueOf(v), reflect.ValueOf(got)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
		var dynamic any
		if err := a.Load("", &dynamic); err != nil {
			t.Fatalf("seed %d: Load of an any: %v", seed, err)
		}
		a.Close()
	}
	out := numpy.Run(t, `
import sys, glob, zipfile, numpy as np
n = 0
for path in glob.glob(sys.argv[1] + "/*.npz"):
    assert zipfile.ZipFile(path).testzip() is None
    with np.load(path, allow_pickle=False) as d:
        for name in d.files:
            assert isinstance(d[name], np.ndarray), name
            n += 1
print(n > 1000)
`, dir)
	if out != "True\n" {
		t.Error(out)
	}
}

// Values at the root, and the names of their members.
func TestDumpNames(t *testing.T) {
	type layer struct {
		Bias []float64
		Act  string `npy:"act"`
		Ptr  *layer `npy:",omitempty"`
	}
	type onlyValue struct {
		V int `npy:"value"`
	}
	ptr := new([]int)
	for name, tt := range map[string]struct {
		v    any
		want string
	}{
		"number":         {3, "value"},
		"string":         {"x", "value"},
		"odd string":     {"x\x00", "value ."},
		"nil":            {nil, "."},
		"nil slice":      {[]int(nil), "."},
		"nil behind":     {&ptr, "."},
		"numbers":        {[]float64{1}, "value"},
		"rows":           {[][]int{{1}, nil}, ". 0 1."},
		"points":         {[][2]int{{1, 2}}, "value"},
		"struct":         {layer{Bias: []float64{1}}, "Bias act"},
		"empty struct":   {struct{}{}, "."},
		"struct value":   {onlyValue{1}, "value ."},
		"pointer":        {&layer{Ptr: &layer{}}, "Bias. act Ptr.Bias. Ptr.act"},
		"map":            {map[string]any{"b": 1, "a.b": []any{}, "": "x"}, ". % a%2Eb. b"},
		"map by number":  {map[int]bool{10: true, -1: false}, ". -1 10"},
		"empty map":      {map[string]int{}, "."},
		"matrix":         {mat.NewDense(1, 1, nil), "value"},
		"matrix pointer": {new(*mat.Dense), "."},
		"banded":         {map[string]any{"m": mat.NewSymBandDense(2, 1, nil)}, ". m m."},
		"strings":        {[]string{"a", "\xff"}, ". 0 1 1."},
		"long string":    {append(make([]string, 1000), strings.Repeat("x", 10_000)), ". 0 …"},
		"text":           {time.Unix(0, 0), "value"},
	} {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := npy.Dump(path, tt.v, nil); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, err := npy.OpenArchive(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(a.Names(), " ")
		if want, more := strings.CutSuffix(tt.want, "…"); got != want && (!more || !strings.HasPrefix(got, want)) {
			t.Errorf("%s: the members are %s, not %s", name, got, tt.want)
		}
		if tt.v != nil {
			back := reflect.New(reflect.TypeOf(tt.v))
			if back.Elem().Kind() == reflect.Pointer && name != "matrix" {
				back = reflect.New(back.Type().Elem().Elem())
			}
			if err := a.Load("", back.Interface()); err != nil {
				t.Errorf("%s: Load: %v", name, err)
			}
		}
		a.Close()
	}
}

// What cannot be stored is an error that names it, and leaves no file.
func TestDumpErrors(t *testing.T) {
	type node struct {
		Next *node
		More []any
	}
	cycle := &node{}
	cycle.Next = &node{Next: cycle}
	list := []any{nil}
	list[0] = list
	around := map[string]any{}
	around["around"] = map[string]any{"again": around}
	var deep any
	for range 1001 {
		deep = []any{deep}
	}
	for name, tt := range map[string]struct {
		v    any
		want string
	}{
		"function":     {map[string]any{"f": func() {}}, "f: "},
		"nil function": {struct{ F func() }{}, "F: "},
		"channel":      {struct{ A []chan int }{make([]chan int, 1)}, "A.0: "},
		"unexported":   {struct{ S struct{ x int } }{}, "S: npy: type: field x"},
		"embedded":     {struct{ error }{}, "unexported"},
		"tag": {struct {
			A int `npy:"a,omitzero"`
		}{}, "omitempty"},
		"same names": {struct {
			A int `npy:"B"`
			B int
		}{}, "two fields"},
		"keys":      {map[float64]int{1: 1}, "keys of"},
		"view":      {struct{ M mat.Matrix }{mat.NewDense(1, 2, nil).T()}, "M: "},
		"pointers":  {cycle, "leads back"},
		"slice":     {list, "leads back"},
		"map":       {around, "around.again: "},
		"deep":      {deep, "1000"},
		"broken":    {map[string]*mat.Dense{"m": broken()}, "m: array"},
		"late text": {[]text{"ok", "bad"}, "element 1"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.npz")
		err := npy.Dump(path, tt.v, nil)
		var of *npy.Error
		if !errors.As(err, &of) || of.Op != "dump" || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if !errors.Is(err, npy.ErrType) && name != "broken" && name != "late text" {
			t.Errorf("%s: %v is not ErrType", name, err)
		}
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
	}
	if err := npy.Dump(filepath.Join(t.TempDir(), "none", "x.npz"), 1, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// text refuses to be marshalled or unmarshalled at times.
type text string

func (s text) MarshalText() ([]byte, error) {
	if s == "bad" {
		return nil, errors.New("bad text")
	}
	return []byte(s), nil
}

func (s *text) UnmarshalText(b []byte) error {
	if string(b) == "no" {
		return errors.New("no text")
	}
	*s = text(b)
	return nil
}

// broken is a matrix whose data is too short.
func broken() *mat.Dense {
	var m mat.Dense
	raw := mat.NewDense(2, 2, nil).RawMatrix()
	raw.Data = raw.Data[:1]
	m.SetRawMatrix(raw)
	return &m
}
