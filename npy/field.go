package npy

import (
	"fmt"
	"io"

	"github.com/numcache/numcache/array"
)

// ReadField reads one field of the structured .npy file at path as an array, in C
// order: the shape of the file, and behind it that of the field where each record
// holds an array. A field of a field is named with dots: "pose.x". Memory is that of
// the field, not of the file. Errors are those of [ReadFile]; a file without such a
// field is [ErrUnsupported], and so is a field of text, which [ReadStringField]
// reads, or of fields.
func ReadField(path, name string) (array.Any, error) {
	a, err := readFieldOf(path, name, readField)
	return a, onFile("read", path, err)
}

// ReadStringField is [ReadField] of a field of strings.
func ReadStringField(path, name string) (*Strings, error) {
	s, err := readFieldOf(path, name, readStringField)
	return s, onFile("read", path, err)
}

func readFieldOf[T any](path, name string, read func(io.Reader, Header, int64, string) (T, error)) (v T, err error) {
	f, err := open(path)
	if err != nil {
		return v, err
	}
	defer f.Close()
	return read(f.section(0, f.size), f.h, f.held, name)
}

// Field is [ReadField] of an open file.
func (f *File) Field(name string) (array.Any, error) {
	a, err := readField(f.section(0, f.size), f.h, f.held, name)
	return a, onFile("read", f.path, err)
}

// StringField is [ReadStringField] of an open file.
func (f *File) StringField(name string) (*Strings, error) {
	s, err := readStringField(f.section(0, f.size), f.h, f.held, name)
	return s, onFile("read", f.path, err)
}

// readField reads a field of the records that h describes. held is how many bytes r
// is known to hold, or unknown.
func readField(r io.Reader, h Header, held int64, name string) (array.Any, error) {
	f, err := newFieldReader(r, h, held, name)
	if err != nil {
		return nil, err
	}
	if err := f.header.numbers(); err != nil {
		return nil, fmt.Errorf("field %.100q: %w", name, err)
	}
	a, err := readData(f, f.header, f.held)
	if err == nil {
		err = f.rest()
	}
	if err != nil {
		return nil, err
	}
	if !f.mixed {
		return a, nil
	}
	inC, err := array.Make(a.DType(), f.shape...)
	if err != nil {
		return nil, err
	}
	if f.size == 0 {
		return inC, nil // of records that may be many
	}
	item := make([]byte, f.size)
	n := f.size / a.DType().Size()
	for k, c := range fortranOrder(h.Shape) {
		if err := a.Encode(item, k*n); err != nil {
			return nil, err
		}
		if err := inC.Decode(c*n, item); err != nil {
			return nil, err
		}
	}
	return inC, nil
}

// readStringField is readField of a field of strings.
func readStringField(r io.Reader, h Header, held int64, name string) (*Strings, error) {
	f, err := newFieldReader(r, h, held, name)
	if err != nil {
		return nil, err
	}
	s, err := readStrings(f, f.header, f.held)
	if err == nil {
		err = f.rest()
	}
	if err != nil {
		return nil, fmt.Errorf("field %.100q: %w", name, err)
	}
	if !f.mixed {
		return s, nil
	}
	inC := make([]string, len(s.Data))
	if n := f.count; len(inC) > 0 { // else the records may be many
		for k, c := range fortranOrder(h.Shape) {
			copy(inC[c*n:(c+1)*n], s.Data[k*n:])
		}
	}
	return &Strings{inC, f.shape, s.Width, s.Bytes}, nil
}
