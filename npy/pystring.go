package npy

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// atString reports whether a string comes next, with or without one of the prefixes
// that leave it a str.
func (p *literal) atString() bool {
	s := p.rest
	if s != "" && strings.IndexByte("uUrR", s[0]) >= 0 {
		s = s[1:]
	}
	return s != "" && (s[0] == '\'' || s[0] == '"')
}

// text reads a string, and those that follow it directly, which Python joins.
func (p *literal) text() (string, error) {
	var b strings.Builder
	for p.atString() {
		raw := p.rest[0]|0x20 == 'r'
		p.rest = strings.TrimLeft(p.rest, "uUrR")
		body, err := p.quoted()
		if err != nil {
			return "", err
		}
		p.peek()
		switch plain := raw || !strings.Contains(body, "\\"); {
		case plain && b.Len() == 0 && !p.atString():
			return body, nil // as nearly always
		case plain:
			b.WriteString(body)
		default:
			if err := unescape(&b, body); err != nil {
				return "", p.fail(err.Error())
			}
		}
	}
	return b.String(), nil
}

// quoted reads what stands between one or three quotes.
func (p *literal) quoted() (string, error) {
	quote, s := p.rest[:1], p.rest[1:]
	if len(s) >= 2 && s[:1] == quote && s[1:2] == quote {
		quote, s = p.rest[:3], p.rest[3:]
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\': // also in raw strings a quote behind it is none
			i++
		case s[i] == '\n' && len(quote) == 1:
			return "", p.fail("a string has no end on its line")
		case strings.HasPrefix(s[i:], quote):
			p.rest = s[i+len(quote):]
			return s[:i], nil
		}
	}
	return "", p.fail("a string has no end")
}

// escapes are those of one letter. A line break behind a backslash is nothing.
var escapes = map[byte]string{
	'\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\n': "",
}

// unescape appends s to b with its escapes replaced. A backslash that begins none
// stands for itself.
func unescape(b *strings.Builder, s string) error {
	for {
		before, after, found := strings.Cut(s, "\\")
		b.WriteString(before)
		if !found {
			return nil
		}
		c := after[0] // quoted ends at no backslash
		digits, base := 0, 16
		switch {
		case c == 'x':
			digits = 2
		case c == 'u':
			digits = 4
		case c == 'U':
			digits = 8
		case c >= '0' && c <= '7':
			digits, base = 1, 8
			for digits < 3 && digits < len(after) && after[digits] >= '0' && after[digits] <= '7' {
				digits++
			}
			after = "o" + after // as the others have a letter
		case c == 'N':
			return fmt.Errorf("an escape names its character")
		default:
			text, known := escapes[c]
			if !known {
				text = after[:1]
				b.WriteByte('\\')
			}
			b.WriteString(text)
			s = after[1:]
			continue
		}
		n, err := strconv.ParseUint(after[1:min(1+digits, len(after))], base, 32)
		if err != nil || len(after) < 1+digits || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return fmt.Errorf("an escape is no character")
		}
		b.WriteRune(rune(n))
		s = after[1+digits:]
	}
}

// appendQuoted appends s as Python's repr writes it.
func appendQuoted(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	dst = append(dst, quote)
	for _, c := range s {
		switch {
		case c == rune(quote) || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case unicode.IsPrint(c):
			dst = utf8.AppendRune(dst, c)
		case c < 0x100:
			dst = fmt.Appendf(dst, `\x%02x`, c)
		case c < 0x10000:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		default:
			dst = fmt.Appendf(dst, `\U%08x`, c)
		}
	}
	return append(dst, quote)
}
