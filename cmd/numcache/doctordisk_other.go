//go:build !linux && !darwin && !windows

package main

import "errors"

// diskOf is for systems whose calls are not known here.
func diskOf(string) (disk, error) { return disk{}, errors.ErrUnsupported }
