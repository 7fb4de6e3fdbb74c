package python_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"

	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/memo/python"
	"github.com/numcache/numcache/testdata/numpy"
)

var propertyCalls = flag.Int("calls", 2000, "calls whose keys are compared, made by Go and as many by Python")

// here returns the folder of numcache.py.
func here(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// runValues runs testdata/values.py.
func runValues(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	numpy.Require(t, "xxhash")
	script, err := os.ReadFile(filepath.Join("testdata", "values.py"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := numpy.Command(t, string(script), append([]string{here(t)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("values.py %v: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

// TestUnittest runs Python's own tests of numcache.py.
func TestUnittest(t *testing.T) {
	numpy.Require(t, "xxhash")
	cmd := numpy.Command(t, `
import sys, unittest
sys.path.insert(0, sys.argv[1])
unittest.main(module="test_numcache", argv=["test_numcache"])
`, here(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("\nOK")) || bytes.Contains(out, []byte("Ran 0 tests")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSourceIsTheFile holds that what is embedded is what stands in the folder.
func TestSourceIsTheFile(t *testing.T) {
	file, err := os.ReadFile("numcache.py")
	if err != nil || string(file) != python.Source {
		t.Errorf("Source is not numcache.py (%v)", err)
	}
}

// node describes a value to Python; see testdata/values.py.
type node struct {
	Kind  string `json:"k"`
	DType string `json:"d,omitempty"`
	Shape []int  `json:"s,omitempty"`
	Value any    `json:"v,omitempty"`
}

// MarshalJSON keeps the shape of an array without dimensions.
func (n node) MarshalJSON() ([]byte, error) {
	m := map[string]any{"k": n.Kind, "v": n.Value}
	if n.Kind == "array" {
		m["d"], m["s"] = n.DType, append([]int{}, n.Shape...)
	}
	return json.Marshal(m)
}

func bits(fs ...float64) string {
	var b []byte
	for _, f := range fs {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(f))
	}
	return hex.EncodeToString(b)
}

func arrayNode(a array.Any) node {
	raw := make([]byte, a.Len()*a.DType().Size())
	if err := a.Encode(raw, 0); err != nil {
		panic(err)
	}
	return node{"array", a.DType().Descr(), a.Shape(), base64.StdEncoding.EncodeToString(raw)}
}

// randomText returns valid and invalid UTF-8.
func randomText(r *rand.Rand) string {
	alphabets := []string{"ab", "aé\x00\"\\\n\x7f", "\U0001f600\ud7ff\ue000\uffff", "\xff\x80", "e\u0301\u00e9"}
	runes := []rune(alphabets[r.IntN(len(alphabets))])
	var b strings.Builder
	for range []int{0, 1, 3, 300}[r.IntN(4)] {
		if c := runes[r.IntN(len(runes))]; c == '\ufffd' {
			b.WriteByte(0xff)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func randomFloat(r *rand.Rand) float64 {
	special := []uint64{0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001, 1 << 63, 1, 0xfff0000000000000, r.Uint64(), math.Float64bits(r.NormFloat64())}
	return math.Float64frombits(special[r.IntN(len(special))])
}

// randomArray returns elements of some type and shape.
func randomArray(r *rand.Rand) array.Any {
	d := array.Bool + array.DType(r.IntN(int(array.Complex128-array.Bool)+1))
	shape := make([]int, r.IntN(4))
	for i := range shape {
		shape[i] = []int{0, 1, 2, 3, 7}[r.IntN(5)]
	}
	if r.IntN(50) == 0 {
		shape = [][]int{{300000}, {2, 40000}, {40000, 2}, {5, 3, 9000}}[r.IntN(4)]
	}
	a, err := array.Make(d, shape...)
	if err != nil {
		panic(err)
	}
	raw := make([]byte, a.Len()*d.Size())
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	if err := a.Decode(0, raw); err != nil {
		panic(err)
	}
	return a
}

// sameArray returns another Go value of the same elements, where there is one.
func sameArray(r *rand.Rand, a array.Any) any {
	f, ok := a.(*array.Array[float64])
	if !ok || r.IntN(3) == 0 {
		return a
	}
	switch shape := f.Shape(); {
	case len(shape) == 1 && r.IntN(2) == 0 || len(shape) == 1 && shape[0] == 0:
		return f.Data()
	case len(shape) == 1:
		return mat.NewVecDense(shape[0], f.Data())
	case len(shape) == 2 && shape[0] > 0 && shape[1] > 0:
		m := mat.NewDense(shape[0], shape[1], f.Data())
		if r.IntN(2) == 0 {
			return m
		}
		var columns mat.Dense
		columns.CloneFrom(m.T())
		return columns.T()
	}
	return a
}

// random returns some value and its description.
func random(r *rand.Rand, depth int) (any, node) {
	kinds := 11
	if depth >= 4 {
		kinds = 9
	}
	switch r.IntN(kinds) {
	case 0:
		if r.IntN(3) == 0 {
			return nil, node{Kind: "nil"}
		}
		b := r.IntN(2) == 0
		return b, node{Kind: "bool", Value: b}
	case 1:
		n := int64(r.Uint64()) >> r.IntN(64)
		return n, node{Kind: "int", Value: strconv.FormatInt(n, 10)}
	case 2:
		n := r.Uint64()
		if n8 := uint8(n); r.IntN(2) == 0 {
			return n8, node{Kind: "int", Value: strconv.Itoa(int(n8))}
		}
		return n, node{Kind: "int", Value: strconv.FormatUint(n, 10)}
	case 3:
		f := randomFloat(r)
		if f32 := float32(f); float64(f32) == f {
			return f32, node{Kind: "float", Value: bits(f)}
		}
		return f, node{Kind: "float", Value: bits(f)}
	case 4:
		re, im := randomFloat(r), randomFloat(r)
		return complex(re, im), node{Kind: "complex", Value: bits(re, im)}
	case 5:
		s := randomText(r)
		return s, node{Kind: "str", Value: base64.StdEncoding.EncodeToString([]byte(s))}
	case 6:
		b := make([]byte, []int{0, 1, 50, 5000}[r.IntN(4)])
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b, node{Kind: "bytes", Value: base64.StdEncoding.EncodeToString(b)}
	case 7, 8:
		a := randomArray(r)
		return sameArray(r, a), arrayNode(a)
	case 9:
		items, nodes := []any{}, []node{}
		for range r.IntN(4) {
			v, n := random(r, depth+1)
			items, nodes = append(items, v), append(nodes, n)
		}
		return items, node{Kind: "list", Value: nodes}
	}
	items, nodes := map[string]any{}, [][2]any{}
	for range r.IntN(4) {
		key := randomText(r)
		if _, ok := items[key]; ok {
			continue
		}
		v, n := random(r, depth+1)
		items[key] = v
		nodes = append(nodes, [2]any{base64.StdEncoding.EncodeToString([]byte(key)), n})
	}
	return items, node{Kind: "map", Value: nodes}
}

// build makes the value that Python described.
func build(t *testing.T, v any) any {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%v describes nothing", v)
	}
	text, _ := m["v"].(string)
	decode := func(text string) []byte {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	floats := func() (fs []float64) {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for ; len(b) > 0; b = b[8:] {
			fs = append(fs, math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return fs
	}
	switch m["k"] {
	case "nil":
		return nil
	case "bool":
		return m["v"].(bool)
	case "int":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	case "float":
		return floats()[0]
	case "complex":
		return complex(floats()[0], floats()[1])
	case "str":
		return string(decode(text))
	case "bytes":
		return decode(text)
	case "array":
		d, _, err := array.ParseDType(m["d"].(string))
		if err != nil {
			t.Fatal(err)
		}
		var shape []int
		for _, n := range m["s"].([]any) {
			shape = append(shape, int(n.(float64)))
		}
		a, err := array.Make(d, shape...)
		if err == nil {
			err = a.Decode(0, decode(text))
		}
		if err != nil {
			t.Fatal(err)
		}
		return a
	case "list":
		items := []any{}
		for _, item := range m["v"].([]any) {
			items = append(items, build(t, item))
		}
		return items
	case "map":
		items := map[string]any{}
		for _, pair := range m["v"].([]any) {
			pair := pair.([]any)
			items[string(decode(pair[0].(string)))] = build(t, pair[1])
		}
		return items
	}
	t.Fatalf("%v is of no kind", v)
	return nil
}

func keyOf(t *testing.T, args []any) string {
	t.Helper()
	k := memo.NewKey("property", "é")
	for _, arg := range args {
		k = k.Add(arg)
	}
	if err := k.Err(); err != nil {
		t.Fatal(err)
	}
	return k.String()
}

// TestKeysOfGo has Python make the keys of calls that Go made up, from values of
// other types, layouts and byte orders.
func TestKeysOfGo(t *testing.T) {
	numpy.Require(t, "xxhash")
	r := rand.New(rand.NewPCG(7, 1))
	var in strings.Builder
	var want []string
	for range *propertyCalls {
		args, nodes := []any{}, []node{}
		for range r.IntN(4) {
			v, n := random(r, 0)
			args, nodes = append(args, v), append(nodes, n)
		}
		line, err := json.Marshal(nodes)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
		want = append(want, keyOf(t, args))
	}
	got := strings.Fields(runValues(t, in.String(), "keys-of-go"))
	if len(got) != len(want) {
		t.Fatalf("Python made %d keys of %d calls", len(got), len(want))
	}
	lines := strings.Split(in.String(), "\n")
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("call %d has the key %s in Go and %s in Python: %.1000s", i, want[i], got[i], lines[i])
		}
	}
}

// TestKeysOfPython has Go make the keys of calls that Python made up.
func TestKeysOfPython(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(runValues(t, "", "keys-of-python", strconv.Itoa(*propertyCalls), "3")), "\n")
	if len(lines) != *propertyCalls {
		t.Fatalf("Python made %d calls", len(lines))
	}
	for _, line := range lines {
		var call struct {
			Args []any
			Key  string
		}
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatal(err)
		}
		var args []any
		for _, arg := range call.Args {
			args = append(args, build(t, arg))
		}
		if got := keyOf(t, args); got != call.Key {
			t.Fatalf("the key is %s in Python and %s in Go: %.1000s", call.Key, got, line)
		}
	}
}

// TestStructs holds that a dataclass and a struct of the same fields are the same.
func TestStructs(t *testing.T) {
	type point struct {
		X    float64
		Name string `memo:"name"`
		Rows []float64
		Note string `memo:"-"`
	}
	encoded, err := hex.DecodeString(strings.TrimSpace(runValues(t, "", "struct")))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := array.FromSlice([]float64{0, 1, 2}, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := "l1:d3:s4:Rowsa" + rows.Digest().String() + "s1:Xf3ff8000000000000s4:names2:é"
	if string(encoded) != want {
		t.Errorf("Python encodes it as %q, want %q", encoded, want)
	}
	a := memo.NewKey("f", "").Add([]point{{1.5, "é", []float64{0, 1, 2}, "other"}})
	b := memo.NewKey("f", "").Add([]any{map[string]any{"X": 1.5, "name": "é", "Rows": rows}})
	if a.String() != b.String() || a.Err() != nil {
		t.Errorf("the struct has the key %v, a map of its fields %v", a, b)
	}
}
