package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A header is a Python literal. NumPy hands it to ast.literal_eval; this reads
// the part of that grammar that a header can use: a dictionary with string keys,
// strings, True and False, integers (with Python 2's L), tuples and lists.

type (
	pyTuple []any
	pyList  []any
)

// maxDepth bounds the nesting of tuples and lists.
const maxDepth = 16

var errLiteral = errors.New("not a Python literal")

// parseDict reads text as one dictionary literal, surrounded by white space.
// As in Python, the last of equal keys counts. In headers before version 3 an
// integer may end with the L of Python 2.
func parseDict(text string, version byte) (map[string]any, error) {
	p := literal{rest: text, long: version < 3}
	if !p.take('{') {
		return nil, p.fail("it does not begin with {")
	}
	dict := map[string]any{}
	for !p.take('}') {
		key, err := p.value(0)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok || !p.take(':') {
			return nil, p.fail("a key is not a string followed by a colon")
		}
		if dict[name], err = p.value(0); err != nil {
			return nil, err
		}
		if !p.take(',') && p.peek() != '}' {
			return nil, p.fail("a comma or } is missing")
		}
	}
	if p.peek() != 0 || p.rest != "" {
		return nil, p.fail("something follows the }")
	}
	return dict, nil
}

type literal struct {
	rest string // what is left of the text to parse
	long bool   // whether integers may end with L
}

func (p *literal) fail(why string) error {
	return fmt.Errorf("%w: %s, before %.40q", errLiteral, why, p.rest)
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *literal) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n\f")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// take consumes c where it comes next.
func (p *literal) take(c byte) bool {
	if p.peek() != c || p.rest == "" {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// value reads one string, bool, integer, tuple or list.
func (p *literal) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.fail("it is nested too deeply")
	}
	c := p.peek()
	// The prefixes u and r change nothing in strings without a backslash.
	if strings.IndexByte("uUrR", c) >= 0 && len(p.rest) > 1 && strings.IndexByte(`'"`, p.rest[1]) >= 0 {
		p.rest = p.rest[1:]
		c = p.rest[0]
	}
	switch {
	case c == '\'' || c == '"':
		return p.text(c)
	case c == '(':
		return p.tuple(depth)
	case c == '[':
		p.take('[')
		items, _, err := p.items(']', depth)
		return pyList(items), err
	case c == '-' || c == '+' || c >= '0' && c <= '9':
		return p.integer()
	}
	for word, v := range map[string]bool{"True": true, "False": false} {
		if after, ok := strings.CutPrefix(p.rest, word); ok && (after == "" || !isWord(after[0])) {
			p.rest = after
			return v, nil
		}
	}
	return nil, p.fail("no string, number, True, False, tuple or list")
}

// tuple reads a parenthesis: a tuple, or without a comma the value in it.
func (p *literal) tuple(depth int) (any, error) {
	p.take('(')
	items, comma, err := p.items(')', depth)
	if err == nil && len(items) == 1 && !comma {
		return items[0], nil
	}
	return pyTuple(items), err
}

// items reads values separated by commas up to end, and whether a comma was
// among them.
func (p *literal) items(end byte, depth int) (items []any, comma bool, err error) {
	for !p.take(end) {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, comma, err
		}
		items = append(items, v)
		if p.take(',') {
			comma = true
		} else if p.peek() != end {
			return nil, comma, p.fail("a comma is missing")
		}
	}
	return items, comma, nil
}

// text reads a string in one pair of quotes. Names of types and fields need no
// escapes; a backslash is refused rather than misread.
func (p *literal) text(quote byte) (string, error) {
	end := strings.IndexByte(p.rest[1:], quote)
	if end < 0 {
		return "", p.fail("a string has no end")
	}
	s := p.rest[1 : 1+end]
	if strings.ContainsAny(s, "\\\n") {
		return "", p.fail("a string has an escape or a line break")
	}
	p.rest = p.rest[end+2:]
	return s, nil
}

// integer reads a decimal integer that fits 64 bits.
func (p *literal) integer() (int64, error) {
	i := 0
	if p.rest[0] == '-' || p.rest[0] == '+' {
		i++
	}
	start := i
	for i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9' {
		i++
	}
	digits := p.rest[start:i]
	if strings.HasPrefix(digits, "0") && strings.Trim(digits, "0") != "" {
		return 0, p.fail("an integer begins with 0")
	}
	n, err := strconv.ParseInt(p.rest[:i], 10, 64)
	if err != nil {
		return 0, p.fail("an integer is malformed or beyond 64 bits")
	}
	p.rest = p.rest[i:]
	if p.long {
		// NumPy drops the token L behind a number, white space between or not.
		if after, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " \t\f"), "L"); ok {
			p.rest = after
		}
	}
	if p.rest != "" && (isWord(p.rest[0]) || p.rest[0] == '.') {
		return 0, p.fail("a number is not an integer")
	}
	return n, nil
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
