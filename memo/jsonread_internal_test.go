package memo

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
)

// slowJSON is what decodeJSON falls back on.
func slowJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var node any
	err := d.Decode(&node)
	return node, err
}

// FuzzJSONReader holds the reader of records to encoding/json: what it takes, it reads
// alike, as a value, as raw bytes and as a record.
func FuzzJSONReader(f *testing.F) {
	for _, text := range []string{
		`{"format":1,"key":"00112233445566778899aabbccddeeff","function":"f","version":"","args":[1,{"a":[null]}],"results":[{"array":"x","shape":[3]}],"created":"2026-01-02T03:04:05.5Z","duration":0.5,"writer":"w","sha256":{"a":"b"}}`,
		`{"format":1,"Format":2}`, `{"format":1,"format":2}`, `{"writer":null,"args":null}`, ` [ 1.5e-3 , -0 , 01 , "é" , true , false , null ] `,
		`{"a":{"a":{"a":[[[]]]}},"a":1}`, `"\u0041"`, `"a` + "\xff" + `"`, `1 2`, `-`, `1.`, `1e`, `[1,]`, `{"a"}`, `{`, `[`, `"`, `tru`, ``, `{"duration":1e999}`,
		`{"array":"00112233445566778899aabbccddeeff","dtype":"<f8","shape":[3,4]}`, `{"array":"00112233445566778899aabbccddeeff","dtype":">f8","shape":[-1]}`,
		`{"created":"yesterday"}`, `{"format":1.0}`, `{"key":"00"}`, `{"function":{"string":"AA=="},"version":" "}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := jsonReader{b: raw}
		if v, ok := r.value(); ok && r.ended() {
			want, err := slowJSON(raw)
			if err != nil || !reflect.DeepEqual(v, want) {
				t.Fatalf("%q: read %#v, encoding/json %#v, %v", raw, v, want, err)
			}
			r = jsonReader{b: raw}
			if part, ok := r.raw(); !ok || !bytes.Equal(part, bytes.Trim(raw, " \t\r\n")) {
				t.Fatalf("%q: raw is %q, %v", raw, part, ok)
			}
		}
		if ref, ok := readArrayRef(raw); ok {
			node, err := slowJSON(raw)
			if want, ok := arrayRefOf(node); err != nil || !ok || !reflect.DeepEqual(ref, want) {
				t.Fatalf("%q: read %+v, encoding/json %+v, %v", raw, ref, want, err)
			}
		}
		var fast, slow recordMembers
		if !fast.read(raw) {
			return
		}
		if err := json.Unmarshal(raw, &slow); err != nil {
			t.Fatalf("%q: read as a record, encoding/json: %v", raw, err)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q: read %+v, encoding/json %+v", raw, fast, slow)
		}
	})
}

// Every record that is written is read without encoding/json.
func TestRecordsAreReadFast(t *testing.T) {
	k := NewKey("f", "1").Add([]float64{1, 2}).Add("text").Add(3).Add(0.5).Add(map[string]int{"a": 1})
	record := append(appendRecord(nil, k, []byte(`[{"array":"00112233445566778899aabbccddeeff","dtype":"<f8","shape":[2]}]`), time.Unix(1e9, 5), 1), `"check":""}`...)
	var m recordMembers
	if !m.read(record) {
		t.Errorf("not understood: %s", record)
	}
	if ref, ok := readArrayRef(appendJSONArray(nil, array.Digest{}.String(), arrayInfo{dtype: array.Float64, shape: []int{3, 4}}, "")); !ok || ref.DType != array.Float64 {
		t.Errorf("not understood as an array: %+v", ref)
	}
}
