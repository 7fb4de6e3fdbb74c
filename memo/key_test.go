package memo_test

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

func arange(n int) []float64 {
	data := make([]float64, n)
	for i := range data {
		data[i] = float64(i)
	}
	return data
}

// goldenArgument makes the Go value of an argument in golden.json, which spells
// what JSON lacks as "kind:text".
func goldenArgument(t *testing.T, node any) any {
	t.Helper()
	switch n := node.(type) {
	case json.Number:
		i, ok := new(big.Int).SetString(n.String(), 10)
		switch {
		case ok && i.IsInt64():
			return i.Int64()
		case ok && i.IsUint64():
			return i.Uint64()
		}
		t.Fatalf("golden number %s", n)
	case string:
		kind, text, found := strings.Cut(n, ":")
		if !found {
			return n
		}
		switch kind {
		case "array":
			if text != "3dbbec467ceba150bd0e18328cc3a754" {
				t.Fatalf("golden array %s", text)
			}
			return mat.NewDense(3, 4, arange(12))
		case "float":
			bits, err := strconv.ParseUint(text, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return math.Float64frombits(bits)
		case "complex":
			c, err := strconv.ParseComplex(strings.Replace(text, "j", "i", 1), 128)
			if err != nil {
				t.Fatal(err)
			}
			return c
		case "bytes":
			b := make([]byte, len(text)/2)
			for i := range b {
				v, err := strconv.ParseUint(text[2*i:2*i+2], 16, 8)
				if err != nil {
					t.Fatal(err)
				}
				b[i] = byte(v)
			}
			return b
		}
		t.Fatalf("golden argument %q", n)
	case []any:
		list := make([]any, len(n))
		for i := range n {
			list[i] = goldenArgument(t, n[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(n))
		for key, item := range n {
			m[key] = goldenArgument(t, item)
		}
		return m
	}
	return node
}

func TestGoldenKeys(t *testing.T) {
	b, err := os.ReadFile("../testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var golden struct {
		Keys []struct {
			Function, Version, Key string
			Args                   []any
		}
	}
	if err := d.Decode(&golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Keys) == 0 {
		t.Fatal("golden.json has no keys")
	}
	for _, want := range golden.Keys {
		k := memo.NewKey(want.Function, want.Version)
		for _, arg := range want.Args {
			k = k.Add(goldenArgument(t, arg))
		}
		if k.Err() != nil || k.String() != want.Key {
			t.Errorf("%s version %s %v: key %s, want %s", want.Function, want.Version, want.Args, k, want.Key)
		}
	}
}
