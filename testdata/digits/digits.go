// Package digits embeds the UCI handwritten digits as .npy files: 1797 images
// of 8 by 8 pixels and the digit each one shows. README.md beside it names
// their authors and licence, make.py writes them.
//
// The go command leaves testdata out of patterns such as ./..., yet a package
// below it can be imported by its path. So the data has one place, beside the
// script and the licence note that belong to it, and serves both the tests and
// numcache demo, which must run from any folder, and from an installed binary,
// where no file of the repository is at hand. Tests of this package run when
// it is named: go test ./testdata/digits.
package digits

import _ "embed"

// Images is digits.npy: dtype <f8, shape (1797, 64), C order. A row is one
// image, its pixels row by row, whole numbers from 0 (blank) to 16. Treat the
// bytes as read-only: every importer sees the same ones.
//
//go:embed digits.npy
var Images []byte

// Labels is labels.npy: dtype <i8, shape (1797,), the digit from 0 to 9 that
// the row of Images with the same index shows. Treat the bytes as read-only.
//
//go:embed labels.npy
var Labels []byte
