package joblib_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/npy/joblib"
	"github.com/numcache/numcache/testdata/numpy"
)

// dump has joblib write files into a folder, and returns what each holds, or why it is
// refused.
func dump(t testing.TB) (dir string, files map[string]any) {
	t.Helper()
	numpy.Require(t, "joblib")
	script, err := os.ReadFile(filepath.Join("testdata", "dump.py"))
	if err != nil {
		t.Fatal(err)
	}
	dir, files = t.TempDir(), map[string]any{}
	for _, line := range strings.Split(strings.TrimSpace(numpy.Run(t, string(script), dir)), "\n") {
		var file []any
		if err := json.Unmarshal([]byte(line), &file); err != nil {
			t.Fatal(err)
		}
		files[file[0].(string)] = file[1]
	}
	return dir, files
}

// described makes the value that the script described.
func described(t testing.TB, v any) any {
	t.Helper()
	data := func(m map[string]any) []byte {
		b, err := base64.StdEncoding.DecodeString(m["data"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	floats := func(text any) (fs [2]float64) {
		b, err := hex.DecodeString(text.(string))
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(b) / 8 {
			fs[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
		return fs
	}
	shape := func(m map[string]any) []int {
		shape := []int{}
		for _, n := range m["shape"].([]any) {
			shape = append(shape, int(n.(float64)))
		}
		return shape
	}
	make := func(descr any, b []byte, shape []int) array.Any {
		d, _, err := array.ParseDType(descr.(string))
		if err != nil {
			t.Fatal(err)
		}
		a, err := array.Make(d, shape...)
		if err == nil {
			err = a.Decode(0, b)
		}
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	switch v := v.(type) {
	case []any:
		items := []any{}
		for _, item := range v {
			items = append(items, described(t, item))
		}
		return items
	case map[string]any:
		switch {
		case v["int"] != nil:
			n, ok := new(big.Int).SetString(v["int"].(string), 10)
			if !ok {
				t.Fatalf("%v", v)
			}
			if n.IsInt64() {
				return n.Int64()
			}
			return n
		case v["float"] != nil:
			return floats(v["float"])[0]
		case v["complex"] != nil:
			c := floats(v["complex"])
			return complex(c[0], c[1])
		case v["str"] != nil:
			return v["str"]
		case v["bytes"] != nil:
			b, err := base64.StdEncoding.DecodeString(v["bytes"].(string))
			if err != nil {
				t.Fatal(err)
			}
			return b
		case v["strings"] != nil:
			s := &npy.Strings{Shape: shape(v)}
			for _, item := range v["strings"].([]any) {
				s.Data = append(s.Data, item.(string))
			}
			return s
		case v["scalar"] != nil:
			return reflect.ValueOf(make(v["scalar"], data(v), nil)).MethodByName("Data").Call(nil)[0].Index(0).Interface()
		case v["array"] != nil:
			return make(v["array"], data(v), shape(v))
		case v["pairs"] != nil:
			pairs := []joblib.Pair{}
			for _, pair := range v["pairs"].([]any) {
				pair := pair.([]any)
				pairs = append(pairs, joblib.Pair{Key: described(t, pair[0]), Value: described(t, pair[1])})
			}
			return pairs
		}
		items := map[string]any{}
		for key, item := range v["map"].(map[string]any) {
			items[key] = described(t, item)
		}
		return items
	}
	return v
}

// differ returns where two values differ, "" where they do not.
func differ(got, want any, at string) string {
	unlike := fmt.Sprintf("%s: %T %.200v, want %T %.200v", at, got, got, want, want)
	switch want := want.(type) {
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return unlike
		}
		for i := range want {
			if d := differ(got[i], want[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
		return ""
	case []joblib.Pair:
		got, ok := got.([]joblib.Pair)
		if !ok || len(got) != len(want) {
			return unlike
		}
		for i := range want {
			if d := differ(got[i].Key, want[i].Key, at+" key") + differ(got[i].Value, want[i].Value, at+" value"); d != "" {
				return d
			}
		}
		return ""
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok || len(got) != len(want) {
			return unlike
		}
		for key := range want {
			if d := differ(got[key], want[key], at+"."+key); d != "" {
				return d
			}
		}
		return ""
	case array.Any:
		got, ok := got.(array.Any)
		if !ok || got.DType() != want.DType() || !reflect.DeepEqual(append([]int{}, got.Shape()...), append([]int{}, want.Shape()...)) {
			return unlike
		}
		a, b := make([]byte, got.Len()*got.DType().Size()), make([]byte, want.Len()*want.DType().Size())
		if got.Encode(a, 0) != nil || want.Encode(b, 0) != nil || !bytes.Equal(a, b) {
			return unlike
		}
		return ""
	case *npy.Strings:
		got, ok := got.(*npy.Strings)
		if !ok || fmt.Sprintf("%q %v", got.Data, got.Shape) != fmt.Sprintf("%q %v", want.Data, want.Shape) {
			return unlike
		}
		return ""
	case *big.Int:
		if got, ok := got.(*big.Int); !ok || got.Cmp(want) != 0 {
			return unlike
		}
		return ""
	case float64:
		if got, ok := got.(float64); !ok || math.Float64bits(got) != math.Float64bits(want) {
			return unlike
		}
		return ""
	}
	if !reflect.DeepEqual(got, want) {
		return unlike
	}
	return ""
}

// TestLoad reads what joblib wrote: every type, layout, protocol and compressor.
func TestLoad(t *testing.T) {
	dir, files := dump(t)
	read, refusals := 0, 0
	for name, want := range files {
		v, err := joblib.Load(filepath.Join(dir, name))
		if strings.HasPrefix(name, "refused-") {
			refusals++
			if err == nil || !strings.Contains(err.Error(), want.(string)) || name != "refused-protocol-0" && name != "refused-longdouble" && !errors.Is(err, joblib.ErrRefused) {
				t.Errorf("%s: %v, %v, want an error that says %s", name, v, err, want)
			}
			continue
		}
		read++
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := differ(v, described(t, want), ""); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if read < 90 || refusals < 20 {
		t.Errorf("%d files were read and %d refused only", read, refusals)
	}
	t.Logf("%d files read, %d refused", read, refusals)
}
