//go:build !(linux || darwin)

package npy

import (
	"fmt"
	"os"
	"runtime"
)

// mapRange is not there.
func mapRange(*os.File, int64, int64, MapMode) ([]byte, func() error, error) {
	return nil, nil, fmt.Errorf("%w: files are not mapped on %s; use Read", ErrUnsupported, runtime.GOOS)
}
