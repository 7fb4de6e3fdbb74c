package npy

import (
	"fmt"
	"strconv"

	"github.com/numcache/numcache/array"
)

// note is what a member whose name ends with a dot says; Dump's comment lists
// them.
type note struct {
	kind   noteKind
	level  int      // of noteNil: how many pointers are not nil
	length int64    // of noteLength
	keys   []string // of noteKeys, escaped
	word   string   // of noteWord
}

type noteKind uint8

const (
	noteNone   noteKind = iota
	noteNil             // nil
	noteThere           // a struct
	noteLength          // a list
	noteKeys            // a map
	noteWord            // the storage of an array
)

// noteString is the word behind bytes that are a string.
const noteString = "string"

// note reads the note on a path, noteNone if there is none.
func (l *loader) note(path string) (note, error) {
	name := noteOf(path)
	if !l.a.Has(name) {
		return note{}, nil
	}
	v, err := l.read(name)
	if err != nil {
		return note{}, failAt(name, err)
	}
	n, ok := parseNote(v)
	if !ok {
		return note{}, failAt(name, fmt.Errorf("%w: it is no note as Dump writes them", ErrFormat))
	}
	return n, nil
}

func parseNote(v any) (note, bool) {
	if s, ok := v.(*Strings); ok {
		switch len(s.Shape) {
		case 0:
			return note{kind: noteWord, word: s.Data[0]}, true
		case 1:
			return note{kind: noteKeys, keys: s.Data}, true
		}
		return note{}, false
	}
	dims := len(v.(array.Any).Shape())
	switch a := v.(type) {
	case *array.Array[bool]:
		there := a.Data()
		switch {
		case dims == 0 && there[0]:
			return note{kind: noteThere}, true
		case dims == 0:
			return note{kind: noteNil}, true
		case dims == 1 && len(there) > 0 && !there[len(there)-1]:
			return note{kind: noteNil, level: len(there) - 1}, true
		}
	case *array.Array[int64]:
		switch {
		case dims == 0 && a.Data()[0] >= 0:
			return note{kind: noteLength, length: a.Data()[0]}, true
		case dims == 1:
			return note{kind: noteKeys, keys: decimals(a.Data())}, true
		}
	case *array.Array[uint64]:
		if dims == 1 {
			return note{kind: noteKeys, keys: decimals(a.Data())}, true
		}
	}
	return note{}, false
}

func decimals[T int64 | uint64](numbers []T) []string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		if n < 0 {
			texts[i] = strconv.FormatInt(int64(n), 10)
		} else {
			texts[i] = strconv.FormatUint(uint64(n), 10)
		}
	}
	return texts
}
