package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A header is a Python literal. NumPy hands it to ast.literal_eval; this reads the
// part of that grammar that a header can use: dictionaries with string keys, strings,
// True, False and None, integers (with Python 2's L), tuples and lists.

type (
	pyDict  map[string]any
	pyTuple []any
	pyList  []any
)

const (
	// maxDepth bounds the nesting of brackets, as Python bounds it.
	maxDepth = 200
	// maxItems bounds tuples and lists: in a header of maxHeader characters no
	// list of fields is longer, and no array has as many extents.
	maxItems = 1024
)

var errLiteral = errors.New("not a Python literal")

// parseDict reads text as one dictionary. As in Python, the last of equal keys
// counts. long says that an integer may end with the L of Python 2.
func parseDict(text string, long bool) (pyDict, error) {
	p := literal{rest: strings.ReplaceAll(text, "\r\n", "\n"), long: long}
	if strings.ContainsAny(p.rest, "\x00\r") {
		return nil, p.fail("it holds a NUL, or a carriage return that ends no line")
	}
	if !p.start() {
		return nil, p.fail("it is indented")
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	dict, ok := v.(pyDict)
	if !ok {
		return nil, p.fail("it is no dictionary")
	}
	// Python takes white space on a last line of its own for the indentation of
	// what is missing. Before version 3 NumPy drops it.
	if last := p.rest[strings.LastIndexByte(p.rest, '\n')+1:]; !long && len(last) < len(p.rest) && indented(last) && strings.Trim(last, " \t\f") == "" {
		return nil, p.fail("its last line is indented")
	}
	if p.peek(); p.rest != "" {
		return nil, p.fail("something follows the dictionary")
	}
	return dict, nil
}

type literal struct {
	rest  string // what is left of the text to parse
	long  bool   // whether integers may end with L
	depth int    // of open brackets
}

func (p *literal) fail(why string) error {
	return fmt.Errorf("%w: %s, before %.40q", errLiteral, why, p.rest)
}

// start skips what may stand before the first token: white space on the first
// line, and lines that are empty or comments. It reports whether the first token is
// not indented, which Python demands.
func (p *literal) start() bool {
	p.rest = strings.TrimLeft(p.rest, " \t")
	for first := true; ; first = false {
		line := strings.TrimLeft(p.rest, " \t\f")
		if line != "" && (line[0] == '\n' || line[0] == '#') {
			_, p.rest, _ = strings.Cut(line, "\n")
			continue
		}
		// Before version 3 some versions of NumPy make a space of a form feed,
		// which only the first line may begin with.
		indent := p.rest[:len(p.rest)-len(line)]
		return indent == "" || first && !indented(indent)
	}
}

// indented reports whether white space at the beginning of a line indents it:
// Python counts from the last form feed on.
func indented(space string) bool { return space != "" && !strings.HasSuffix(space, "\f") }

// peek skips white space, comments and joined lines, and returns the next byte, 0
// at the end.
func (p *literal) peek() byte {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\n\f")
		switch {
		case p.rest == "":
			return 0
		case p.rest[0] == '#':
			_, p.rest, _ = strings.Cut(p.rest, "\n")
		case strings.HasPrefix(p.rest, "\\\n") && len(p.rest) > 2:
			p.rest = p.rest[2:]
		default:
			return p.rest[0]
		}
	}
}

// take consumes c where it comes next.
func (p *literal) take(c byte) bool {
	if p.peek() != c || p.rest == "" {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// value reads one value of any type.
func (p *literal) value() (any, error) {
	switch c := p.peek(); {
	case c == '{' || c == '[' || c == '(':
		if p.depth++; p.depth > maxDepth {
			return nil, p.fail("it is nested too deeply")
		}
		v, err := p.brackets(c)
		p.depth--
		return v, err
	case p.atString():
		return p.text()
	case c == '-' || c == '+':
		p.take(c)
		p.peek()
		n, err := p.integer()
		if c == '-' {
			n = -n
		}
		return n, err
	case c >= '0' && c <= '9':
		return p.integer()
	}
	switch p.word() {
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "None":
		return nil, nil
	}
	return nil, p.fail("no string, integer, True, False, None, tuple, list or dictionary")
}

// brackets reads the value that begins with a bracket.
func (p *literal) brackets(open byte) (any, error) {
	p.take(open)
	switch open {
	case '{':
		return p.dict()
	case '[':
		items, _, err := p.items(']')
		return pyList(items), err
	}
	// A parenthesis without a comma is the value in it.
	items, comma, err := p.items(')')
	if err == nil && len(items) == 1 && !comma {
		return items[0], nil
	}
	return pyTuple(items), err
}

// dict reads a dictionary behind its {.
func (p *literal) dict() (pyDict, error) {
	dict := pyDict{}
	for !p.take('}') {
		key, err := p.value()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok || !p.take(':') {
			return nil, p.fail("a key is not a string followed by a colon")
		}
		if dict[name], err = p.value(); err != nil {
			return nil, err
		}
		if !p.take(',') && p.peek() != '}' {
			return nil, p.fail("a comma or } is missing")
		}
	}
	return dict, nil
}

// items reads values separated by commas up to end, and whether a comma was
// among them.
func (p *literal) items(end byte) (items []any, comma bool, err error) {
	for !p.take(end) {
		v, err := p.value()
		if err != nil {
			return nil, comma, err
		}
		if len(items) == maxItems {
			return nil, comma, p.fail("a tuple or list is too long")
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

// integer reads an integer of any base that fits 63 bits and its sign.
func (p *literal) integer() (int64, error) {
	digits := p.word()
	if p.long {
		// NumPy drops the tokens L behind a number, white space between or not.
		digits = strings.TrimSuffix(digits, "L")
		for {
			before := p.rest
			p.rest = strings.TrimLeft(p.rest, " \t\f")
			if p.word() != "L" {
				p.rest = before
				break
			}
		}
	}
	// In Go a leading 0 is an octal number, in Python an error.
	if len(digits) > 1 && digits[0] == '0' && (isDigit(digits[1]) || digits[1] == '_') && strings.Trim(digits, "0_") != "" {
		return 0, p.fail("an integer begins with 0")
	}
	n, err := strconv.ParseInt(digits, 0, 64)
	if err != nil {
		return 0, p.fail("a number is no integer of 64 bits")
	}
	return n, nil
}

// word reads letters, digits and underscores. Letters beyond ASCII make it none
// that Python knows.
func (p *literal) word() string {
	n := 0
	for n < len(p.rest) && isWord(p.rest[n]) {
		n++
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}
