package npy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rootMember is the member of a value that has no parts.
const rootMember = "value"

// child is the path of a part, whose name is escaped already.
func child(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// memberOf is the name of the member that a path stands for.
func memberOf(path string) string {
	if path == "" {
		return rootMember
	}
	return path
}

// noteOf is the name of the note on a path.
func noteOf(path string) string { return path + "." }

// failAt says at which path something failed.
func failAt(path string, err error) error {
	return fmt.Errorf("%.200s: %w", memberOf(path), err)
}

// escape writes a field name or key so that it can be a part of a path.
func escape(key string) string {
	if key == "" {
		return "%"
	}
	var b strings.Builder
	for i := 0; i < len(key); {
		r, n := utf8.DecodeRuneInString(key[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' || strings.ContainsRune("./\\%\x7f", r) {
			fmt.Fprintf(&b, "%%%02X", key[i])
			n = 1
		} else {
			b.WriteString(key[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unescapeName is the inverse of escape. What escape does not write, a file of
// another writer's, is as it is.
func unescapeName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '%' && i+2 < len(name) {
			n, err := strconv.ParseUint(name[i+1:i+3], 16, 8)
			if err != nil {
				return name
			}
			c, i = byte(n), i+2
		} else if c == '%' && name != "%" {
			return name
		} else if c == '%' {
			continue
		}
		b.WriteByte(c)
	}
	if key := b.String(); escape(key) == name {
		return key
	}
	return name
}

// field is a field of a struct that is stored.
type field struct {
	index     int
	name      string // escaped
	omitEmpty bool
}

// fieldsOf lists the fields of a struct type that are stored.
func fieldsOf(t reflect.Type) ([]field, error) {
	fields := make([]field, 0, t.NumField())
	seen := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("npy")
		if tag == "-" || f.Name == "_" {
			continue
		}
		if !f.IsExported() {
			return nil, fmt.Errorf("%w: field %s of %s is unexported; export it, or leave it out with the tag `npy:\"-\"`", ErrType, f.Name, t)
		}
		name, option, _ := strings.Cut(tag, ",")
		if option != "" && option != "omitempty" {
			return nil, fmt.Errorf("%w: field %s of %s has the tag %q; omitempty is the only option", ErrType, f.Name, t, tag)
		}
		if name == "" {
			name = f.Name
		}
		name = escape(name)
		if seen[name] {
			return nil, fmt.Errorf("%w: two fields of %s are called %s", ErrType, t, name)
		}
		seen[name] = true
		fields = append(fields, field{i, name, option == "omitempty"})
	}
	return fields, nil
}
