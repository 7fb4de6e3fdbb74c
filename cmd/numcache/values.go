package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// values writes elements as text, in C order.
type values struct {
	out    *bufio.Writer
	shape  []int // of what is written, from the first element on
	append func(dst []byte, i int) ([]byte, error)
	buffer []byte
}

// newValues makes sure that a long output ends with ctx.
func newValues(ctx context.Context, w io.Writer, shape []int, text func(dst []byte, i int) []byte) *values {
	return &values{
		out:    bufio.NewWriterSize(contextWriter{ctx, w}, 1<<16),
		shape:  shape,
		append: func(dst []byte, i int) ([]byte, error) { return text(dst, i), nil },
	}
}

// newArrayValues is newValues of an array, which is read a piece at a time.
func newArrayValues(ctx context.Context, w io.Writer, src array.Source, asJSON bool) *values {
	r := &pieceReader{src: src, asJSON: asJSON}
	v := newValues(ctx, w, src.Shape(), nil)
	v.append = r.append
	return v
}

// pieceReader gives the elements of an array as text, one after the other.
type pieceReader struct {
	src        array.Source
	asJSON     bool
	first, end int // the elements of the piece
	text       func(dst []byte, i int) []byte
}

// pieceElements is how many elements are read at once.
const pieceElements = 1 << 14

func (r *pieceReader) append(dst []byte, i int) ([]byte, error) {
	if i < r.first || i >= r.end {
		if err := r.read(i); err != nil {
			return dst, err
		}
	}
	return r.text(dst, i-r.first), nil
}

// read reads the piece that begins with element i.
func (r *pieceReader) read(i int) error {
	n, err := array.Elements(r.src.Shape(), r.src.DType().Size())
	if err != nil {
		return err
	}
	n = min(n-i, pieceElements)
	raw := make([]byte, n*r.src.DType().Size())
	if err := r.src.Encode(raw, i); err != nil {
		return err
	}
	piece, err := array.Make(r.src.DType(), n)
	if err == nil {
		err = piece.Decode(0, raw)
	}
	if err != nil {
		return err
	}
	r.first, r.end, r.text = i, i+n, elementText(piece, r.asJSON)
	return nil
}

// element writes the i-th element and what separates it from the next. An error of
// writing comes back once the buffer is full, early enough to stop.
func (v *values) element(i int, separator string) (err error) {
	if v.buffer, err = v.append(v.buffer[:0], i); err != nil {
		return err
	}
	v.buffer = append(v.buffer, separator...)
	_, err = v.out.Write(v.buffer)
	return err
}

// rows writes a line for each row along the last axis.
func (v *values) rows() error {
	lines, length := 1, 1
	if n := len(v.shape); n > 0 {
		length = v.shape[n-1]
		for _, extent := range v.shape[:n-1] {
			lines *= extent
		}
	}
	return v.lines(lines, length, "\t")
}

// csv writes a line for each row of a matrix, or each element of a vector.
func (v *values) csv() error {
	switch len(v.shape) {
	case 0:
		return v.lines(1, 1, ",")
	case 1:
		return v.lines(v.shape[0], 1, ",")
	case 2:
		return v.lines(v.shape[0], v.shape[1], ",")
	}
	return fmt.Errorf("an array of shape %s has no form as CSV, which has two dimensions", array.FormatShape(v.shape))
}

// lines writes lines of the given length.
func (v *values) lines(lines, length int, between string) error {
	for line := range lines {
		for i := range length {
			separator := between
			if i == length-1 {
				separator = "\n"
			}
			if err := v.element(line*length+i, separator); err != nil {
				return err
			}
		}
		if length == 0 {
			if err := v.out.WriteByte('\n'); err != nil {
				return err
			}
		}
	}
	return v.out.Flush()
}

// nested writes all elements as nested JSON lists on one line.
func (v *values) nested() error {
	if _, err := v.list(0, 0); err != nil {
		return err
	}
	if err := v.out.WriteByte('\n'); err != nil {
		return err
	}
	return v.out.Flush()
}

// list writes the part of the array at the given axis that begins with element i,
// and returns the element that follows it.
func (v *values) list(axis, i int) (next int, err error) {
	if axis == len(v.shape) {
		return i + 1, v.element(i, "")
	}
	if err := v.out.WriteByte('['); err != nil {
		return i, err
	}
	for k := range v.shape[axis] {
		if k > 0 {
			if err := v.out.WriteByte(','); err != nil {
				return i, err
			}
		}
		if i, err = v.list(axis+1, i); err != nil {
			return i, err
		}
	}
	return i, v.out.WriteByte(']')
}

// csvText returns a function that appends the i-th string of s as a field of CSV; what
// a terminal would obey is replaced for one.
func csvText(s *npy.Strings, terminal bool) func(dst []byte, i int) []byte {
	return func(dst []byte, i int) []byte {
		field := s.Data[i]
		if terminal {
			field = printable(field)
		}
		if strings.ContainsAny(field, ",\"\r\n") || strings.HasPrefix(field, " ") {
			field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		return append(dst, field...)
	}
}

// contextWriter fails once its context has ended.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
