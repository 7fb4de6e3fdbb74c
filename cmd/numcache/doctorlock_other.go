//go:build !linux

package main

import "errors"

// tryLock is for systems where caches lock nothing.
func tryLock(string) (bool, error) { return false, errors.ErrUnsupported }
