// Package picture draws arrays: as a line, a histogram, a heat map or an image, in PNG,
// in SVG, or with the characters of a terminal.
//
// An array is read once or twice, in order and a piece at a time (elements.go), and
// reduced to about what the picture has pixels for: lines to the least and greatest of
// each piece (line.go), histograms to their bins (hist.go), heat maps and images to the
// means of blocks (grid.go). So a picture of a file that is larger than memory takes as
// much memory as one of a small file. What is reduced is drawn by plot.go and pixels.go
// for PNG and SVG, by text.go and its neighbours for a terminal.
//
// NaN is left out of lines, histograms and means, and gray in a heat map where there is
// nothing else. Infinities are left out of lines and histograms, and make the mean of
// their block one. Of complex numbers the magnitudes are drawn, of bools 0 and 1.
package picture

import (
	"errors"
	"fmt"
)

// Options say how an array is drawn. The zero value is right for most; so is nil.
type Options struct {
	Kind   Kind   // "" is what suits the array
	Title  string // "" is none
	Width  int    // in pixels, or columns of a terminal; 0 is 800 pixels or 80 columns
	Height int    // in pixels, or lines of a terminal; 0 is 500 pixels or 20 lines
	Bare   bool   // in PNG and SVG the picture alone, without axes: a preview
	Color  Color  // of Text
}

// Kind is a kind of picture.
type Kind string

// The kinds of pictures.
const (
	Line  Kind = "line"  // elements over their index; of a matrix one line a column
	Hist  Kind = "hist"  // how many elements there are of which size
	Heat  Kind = "heat"  // a matrix in colours, row 0 at the top
	Image Kind = "image" // uint8 of shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)
)

// Color says which colours a terminal has.
type Color int

// The colours of terminals.
const (
	NoColor   Color = iota // none: shades
	Color256               // the 256 of xterm
	TrueColor              // 24 bits
)

var (
	// ErrEmpty is an array that has nothing to draw: no elements, or none that is finite.
	ErrEmpty = errors.New("picture: nothing to draw")
	// ErrKind is a kind of picture that there is none of, or that does not fit the array.
	ErrKind = errors.New("picture: kind")
	// ErrSize is a size that a picture cannot have.
	ErrSize = errors.New("picture: size")
	// ErrRange is finite numbers that are so large that a scale of them would not be.
	ErrRange = errors.New("picture: there are finite values beyond 1e307, which no scale can show")

	errAllLeftOut = fmt.Errorf("%w: no element is finite", ErrEmpty)
)

// The sizes that a picture may have.
const (
	minPixels, maxPixels         = 64, 8192
	minBarePixels                = 1
	minCharacters, maxCharacters = 2, 1000
)

// sized returns the options with their sizes, where they are within the bounds.
func (o *Options) sized(width, height, least, most int) (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	if s.Width == 0 {
		s.Width = width
	}
	if s.Height == 0 {
		s.Height = height
	}
	if min(s.Width, s.Height) < least || max(s.Width, s.Height) > most {
		return s, fmt.Errorf("%w %d×%d; choose %d to %d", ErrSize, s.Width, s.Height, least, most)
	}
	return s, nil
}
