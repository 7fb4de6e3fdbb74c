package memo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/numcache/numcache/array"
)

// Value is an argument or result as a record keeps it. It marshals as the
// record's own JSON, whose forms FORMAT.md lists.
type Value struct{ raw json.RawMessage }

// ArrayInfo describes an array in a record.
type ArrayInfo struct {
	Digest array.Digest
	DType  array.DType
	Shape  []int
}

// MarshalJSON returns the value as it stands in the record.
func (v Value) MarshalJSON() ([]byte, error) {
	if len(v.raw) == 0 {
		return []byte("null"), nil
	}
	return v.raw, nil
}

// UnmarshalJSON keeps a copy of b.
func (v *Value) UnmarshalJSON(b []byte) error {
	if v == nil {
		return fmt.Errorf("%w value", ErrNil)
	}
	v.raw = slices.Clone(b)
	return nil
}

// Arrays returns the arrays in the value, in the order of the record.
func (v Value) Arrays() []ArrayInfo {
	node, err := decodeJSON(v.raw)
	if err != nil {
		return nil
	}
	var found []ArrayInfo
	visit(node, func(ref arrayRef) { found = append(found, ArrayInfo{ref.Digest, ref.DType, ref.Shape}) })
	return found
}

// visit calls f for each array reference in a decoded JSON value.
func visit(node any, f func(arrayRef)) {
	switch n := node.(type) {
	case []any:
		for _, item := range n {
			visit(item, f)
		}
	case map[string]any:
		if ref, ok := arrayRefOf(n); ok {
			f(ref)
			return
		}
		// The entries of a map are values, but the object that holds them is not:
		// a map of somebody's may have the members of a reference.
		entries, ok := n["map"].(map[string]any)
		if !ok {
			entries = n
		}
		for _, key := range sortedKeys(entries) {
			visit(entries[key], f)
		}
	}
}

// String returns a short form for people: float64(3, 4) for an array, Go syntax
// for scalars, … where it is cut.
func (v Value) String() string {
	node, err := decodeJSON(v.raw)
	if err != nil {
		return "?"
	}
	return shortForm(node)
}

// maxShown is how much of a string, list or map the short form shows.
const (
	maxShownText  = 40
	maxShownItems = 4
)

func shortForm(node any) string {
	switch n := node.(type) {
	case nil:
		return "nil"
	case json.Number:
		return n.String()
	case string:
		return shortText(n)
	case []any:
		return "[" + shortList(len(n), func(i int) string { return shortForm(n[i]) }) + "]"
	case map[string]any:
		return shortObject(n)
	}
	return fmt.Sprint(node)
}

func shortText(s string) string {
	if len(s) > maxShownText {
		return fmt.Sprintf("%q… (%d bytes)", strings.ToValidUTF8(s[:maxShownText], ""), len(s))
	}
	return fmt.Sprintf("%q", s)
}

func shortList(n int, item func(int) string) string {
	var parts []string
	for i := range min(n, maxShownItems) {
		parts = append(parts, item(i))
	}
	if n > maxShownItems {
		parts = append(parts, fmt.Sprintf("… (%d)", n))
	}
	return strings.Join(parts, ", ")
}

func shortObject(n map[string]any) string {
	if ref, ok := arrayRefOf(n); ok {
		return ref.DType.String() + array.FormatShape(ref.Shape)
	}
	if size, ok := n["size"].(json.Number); ok && n["omitted"] != nil {
		return fmt.Sprintf("… (%s bytes)", size)
	}
	if entries, ok := n["map"].(map[string]any); ok {
		keys := sortedKeys(entries)
		return "{" + shortList(len(keys), func(i int) string { return keys[i] + ": " + shortForm(entries[keys[i]]) }) + "}"
	}
	if parts, ok := n["complex"].([]any); ok && len(parts) == 2 {
		return "(" + shortForm(parts[0]) + ", " + shortForm(parts[1]) + "i)"
	}
	if f, ok := floatOf(n); ok {
		return fmt.Sprint(f)
	}
	if s, ok := stringOf(n); ok {
		return shortText(s)
	}
	if b, ok := bytesIn(n, "bytes"); ok {
		return fmt.Sprintf("bytes(%d)", len(b))
	}
	for _, form := range []string{"string", "bytes"} { // a long one, kept as an array
		if ref, ok := arrayRefOf(n[form]); ok && len(ref.Shape) == 1 {
			return fmt.Sprintf("%s(%d)", form, ref.Shape[0])
		}
	}
	return "?"
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// decodeJSON reads JSON with its numbers as they stand.
func decodeJSON(raw []byte) (any, error) {
	r := jsonReader{b: raw}
	if node, ok := r.value(); ok && r.ended() {
		return node, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var node any
	err := d.Decode(&node)
	return node, err
}

// stringOf reads a string from a decoded JSON value.
func stringOf(node any) (string, bool) {
	switch n := node.(type) {
	case string:
		return n, true
	case map[string]any:
		b, ok := bytesIn(n, "string")
		return string(b), ok
	}
	return "", false
}

// bytesIn reads the base64 of the one member of an object.
func bytesIn(m map[string]any, member string) ([]byte, bool) {
	text, ok := m[member].(string)
	if !ok {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil
}
