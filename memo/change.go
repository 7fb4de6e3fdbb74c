package memo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/numcache/numcache/array"
)

// Change is an argument that a call has otherwise than its neighbour.
type Change struct {
	Argument int              // from 0
	Path     string           // within it: ".Alpha" or "[2]", "" for all of it
	Was, Is  Value            // there and here
	Rows     []array.RowRange // of an array of the same type and shape and more than 64 chunks, blocks that hold every change
}

// String says it in a clause.
func (c Change) String() string {
	what := fmt.Sprintf("argument %d%s", c.Argument, c.Path)
	was, is := c.Was.String(), c.Is.String()
	switch {
	case len(c.Rows) > 0:
		return fmt.Sprintf("%s, %s, changed in %s", what, is, rowsText(c.Rows))
	case was == is:
		return fmt.Sprintf("%s, %s, changed", what, is)
	}
	return fmt.Sprintf("%s changed from %s to %s", what, was, is)
}

// equalArguments counts the arguments that two calls have in common.
func equalArguments(a, b *Record) (n int) {
	for i := range min(len(a.Args), len(b.Args)) {
		if sameArgument(a.Args[i].raw, b.Args[i].raw) {
			n++
		}
	}
	return n
}

// changedArguments returns what arguments a call has otherwise than its neighbour.
func changedArguments(mine, near *Record) (found []Change) {
	for i := range min(len(mine.Args), len(near.Args)) {
		if !sameArgument(mine.Args[i].raw, near.Args[i].raw) {
			found = append(found, changesWithin(i, "", near.Args[i].raw, mine.Args[i].raw)...)
		}
	}
	return found
}

// part is an entry of a map, a field of a struct, or an item of a list.
type part struct {
	name string // as it is written behind the whole
	raw  []byte
}

// partsOf returns the parts of a value, in order; none of one that has no parts.
func partsOf(raw []byte) (parts []part) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) == nil {
		for i, item := range items {
			parts = append(parts, part{fmt.Sprintf("[%d]", i), item})
		}
		return parts
	}
	var object struct {
		Map map[string]json.RawMessage `json:"map"`
	}
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(object.Map)) {
		parts = append(parts, part{"." + name, object.Map[name]})
	}
	return parts
}

// maxChanges bounds how many parts of one argument are told; with more, it is the
// argument that changed.
const maxChanges = 4

// changesWithin returns the innermost parts that differ of structs, maps and lists
// with the same parts.
func changesWithin(argument int, at string, was, is []byte) []Change {
	whole := []Change{{Argument: argument, Path: at, Was: Value{was}, Is: Value{is}}}
	wasParts, isParts := partsOf(was), partsOf(is)
	if len(wasParts) == 0 || len(wasParts) != len(isParts) {
		return whole
	}
	var found []Change
	for i, p := range wasParts {
		q := isParts[i]
		if p.name != q.name {
			return whole
		}
		if !sameArgument(p.raw, q.raw) {
			found = append(found, changesWithin(argument, at+p.name, p.raw, q.raw)...)
		}
	}
	if len(found) > maxChanges {
		return whole
	}
	return slices.Clip(found)
}
