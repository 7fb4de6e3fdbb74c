package memo

import (
	"encoding/json"
	"unicode/utf8"
)

// jsonReader reads the JSON that records are written in at a third of the time that
// encoding/json takes, whose reflection and checks were a quarter of a hit on disk. It
// understands less: no escapes, and no nesting beyond maxNesting. What it does not
// understand is not ok, and read by encoding/json, which then also says what is wrong
// with it; what is ok it reads as that does.
type jsonReader struct {
	b     []byte
	i     int // of the next byte
	depth int
}

const maxNesting = 64

// next passes over white space and returns the next byte, 0 at the end.
func (r *jsonReader) next() byte {
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take passes over the next byte if it is c.
func (r *jsonReader) take(c byte) bool {
	if r.next() != c {
		return false
	}
	r.i++
	return true
}

// ended reports whether nothing is left.
func (r *jsonReader) ended() bool { return r.next() == 0 && r.i == len(r.b) }

// text reads a string.
func (r *jsonReader) text() (s []byte, ok bool) {
	if !r.take('"') {
		return nil, false
	}
	plain := true
	for start := r.i; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; {
		case c == '"':
			s = r.b[start:r.i:r.i]
			r.i++
			return s, plain || utf8.Valid(s)
		case c == '\\' || c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	return nil, false
}

// number reads a number.
func (r *jsonReader) number() (text []byte, ok bool) {
	r.next()
	start := r.i
	digits := func() bool {
		first := r.i
		for r.i < len(r.b) && '0' <= r.b[r.i] && r.b[r.i] <= '9' {
			r.i++
		}
		return r.i > first
	}
	is := func(a, b byte) bool {
		if r.i < len(r.b) && (r.b[r.i] == a || r.b[r.i] == b) {
			r.i++
			return true
		}
		return false
	}
	is('-', '-')
	if !is('0', '0') && !digits() {
		return nil, false
	}
	if is('.', '.') && !digits() {
		return nil, false
	}
	if is('e', 'E') {
		is('+', '-')
		if !digits() {
			return nil, false
		}
	}
	return r.b[start:r.i:r.i], true
}

// literal passes over one of the three words.
func (r *jsonReader) literal(word string) bool {
	if r.next(); len(r.b)-r.i < len(word) || string(r.b[r.i:r.i+len(word)]) != word {
		return false
	}
	r.i += len(word)
	return true
}

// items reads a list, or the members of an object, whose brackets are open and close:
// it calls item at the beginning of each.
func (r *jsonReader) items(open, close byte, item func() bool) bool {
	if !r.take(open) || r.depth == maxNesting {
		return false
	}
	r.depth++
	if r.take(close) {
		r.depth--
		return true
	}
	for item() {
		if r.take(close) {
			r.depth--
			return true
		}
		if !r.take(',') {
			return false
		}
	}
	return false
}

// members reads an object: it calls member with each key, at the beginning of its value.
func (r *jsonReader) members(member func(key []byte) bool) bool {
	return r.items('{', '}', func() bool {
		key, ok := r.text()
		return ok && r.take(':') && member(key)
	})
}

// value reads a value as encoding/json does into an any, numbers as json.Number.
func (r *jsonReader) value() (v any, ok bool) {
	switch r.next() {
	case '{':
		m := map[string]any{}
		ok = r.members(func(key []byte) bool {
			item, ok := r.value()
			m[string(key)] = item
			return ok
		})
		return m, ok
	case '[':
		list := []any{}
		ok = r.items('[', ']', func() bool {
			item, ok := r.value()
			list = append(list, item)
			return ok
		})
		return list, ok
	case '"':
		s, ok := r.text()
		return string(s), ok
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	case 'n':
		return nil, r.literal("null")
	}
	number, ok := r.number()
	return json.Number(number), ok
}

// raw passes over a value and returns its bytes, which are those of what is read.
func (r *jsonReader) raw() (raw []byte, ok bool) {
	c, start := r.next(), r.i
	switch c {
	case '{':
		ok = r.members(func([]byte) bool { return r.skip() })
	case '[':
		ok = r.items('[', ']', r.skip)
	case '"':
		_, ok = r.text()
	case 't':
		ok = r.literal("true")
	case 'f':
		ok = r.literal("false")
	case 'n':
		ok = r.literal("null")
	default:
		_, ok = r.number()
	}
	return r.b[start:r.i:r.i], ok
}

func (r *jsonReader) skip() bool {
	_, ok := r.raw()
	return ok
}
