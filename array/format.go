package array

import (
	"bytes"
	"fmt"
	"slices"
)

// How much of an array is written, as NumPy's default print options have it.
const (
	lineWidth  = 75   // columns of a line
	threshold  = 1000 // elements beyond which only the edges are written
	edgeItems  = 3    // at each end of an axis, where only the edges are written
	digitsKept = 8    // behind a decimal point
)

// Format returns the elements of src as NumPy's print writes an array: in columns
// of equal width, floats with the digits that tell them apart but no more than 8
// behind the point, in lines of up to 75 characters, and of an array of more than
// 1000 elements only the first and the last three along each axis. Only what is
// written is read, so that a huge array costs no more than a small one. The text of
// a 0-d array is that of its element, with all its digits.
//
// Errors are what src's Encode returned, and [ErrNil], [ErrDType] or [ErrShape] for
// a src that cannot be read.
func Format(src Source) (string, error) {
	size, err := sourceSize(src)
	if err != nil {
		return "", err
	}
	shape := src.Shape()
	if size == 0 {
		return "[]", nil
	}
	shown := slices.Clone(shape)
	if size/src.DType().Size() > threshold {
		for axis, extent := range shown {
			if extent > 2*edgeItems {
				shown[axis] = 2 * edgeItems
			}
		}
	}
	a, err := corners(src, shape, shown)
	if err != nil {
		return "", err
	}
	if len(shape) == 0 {
		return string(appendScalar(nil, a)), nil
	}
	w := writer{shape: shape, shown: shown, append: columnOf(a)}
	w.axis(0, 0)
	return string(w.text), nil
}

// String returns the elements as [Format] does.
func (a *Array[T]) String() string {
	if a == nil {
		a = &Array[T]{}
	}
	s, err := Format(a)
	if err != nil { // an Array's own memory can always be encoded
		return fmt.Sprintf("%%!v(%v)", err)
	}
	return s
}

// corners returns the part of src that is shown: along an axis of which less is
// shown than there is, one half from each of its ends.
func corners(src Source, shape, shown []int) (Any, error) {
	if slices.Equal(shape, shown) {
		return Copy(src)
	}
	a, err := Make(src.DType(), shown...)
	if err != nil {
		return nil, err
	}
	// What follows the last axis that is cut is contiguous.
	axis := len(shape) - 1
	for shape[axis] == shown[axis] {
		axis--
	}
	inner := 1
	for _, extent := range shape[axis+1:] {
		inner *= extent
	}
	elements := edgeItems * inner
	run := make([]byte, elements*src.DType().Size())
	for first := 0; first < a.Len(); first += elements {
		if err := src.Encode(run, place(first/inner, shape[:axis+1], shown[:axis+1])*inner); err != nil {
			return nil, err
		}
		if err := a.Decode(first, run); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// place returns the index in C order, in an array of the given shape, of the
// i-th element of what is shown of it.
func place(i int, shape, shown []int) int {
	index, stride := 0, 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		k := i % shown[axis]
		i /= shown[axis]
		if k >= edgeItems && shown[axis] < shape[axis] {
			k += shape[axis] - shown[axis]
		}
		index += k * stride
		stride *= shape[axis]
	}
	return index
}

// writer writes the elements of an array of which a part is shown.
type writer struct {
	shape, shown []int
	append       func(dst []byte, i int) []byte // the i-th shown element
	item, text   []byte
}

// axis writes the elements along an axis from the given one on, and returns the
// number of the next element.
func (w *writer) axis(axis, i int) int {
	indent, last := axis+1, len(w.shape)-1
	column, width := indent, lineWidth-axis-1
	w.text = append(w.text, '[')
	for k := range w.shown[axis] {
		if k == edgeItems && w.shown[axis] < w.shape[axis] {
			column = w.separate(k, axis, column)
			column = w.word([]byte("..."), indent, column, width, axis == last)
		}
		column = w.separate(k, axis, column)
		if axis < last {
			i = w.axis(axis+1, i)
			continue
		}
		w.item = w.append(w.item[:0], i)
		column = w.word(w.item, indent, column, width, true)
		i++
	}
	w.text = append(w.text, ']')
	return i
}

// separate writes what stands in front of item k of an axis: a blank along the
// last one, else as many line ends as there are axes below.
func (w *writer) separate(k, axis, column int) int {
	below := len(w.shape) - 1 - axis
	switch {
	case k == 0:
		return column
	case below == 0:
		w.text = append(w.text, ' ')
		return column + 1
	}
	w.newLines(below, axis+1)
	return axis + 1
}

// word writes an item into a line that is filled up to column, or into the next
// one if it does not fit and may be wrapped.
func (w *writer) word(word []byte, indent, column, width int, wrap bool) int {
	if wrap && column+len(word) > width && column > indent {
		w.text = bytes.TrimRight(w.text, " ")
		w.newLines(1, indent)
		column = indent
	}
	w.text = append(w.text, word...)
	return column + len(word)
}

func (w *writer) newLines(n, indent int) {
	for range n {
		w.text = append(w.text, '\n')
	}
	for range indent {
		w.text = append(w.text, ' ')
	}
}
