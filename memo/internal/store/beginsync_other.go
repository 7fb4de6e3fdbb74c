//go:build !linux

package store

import "os"

// beginSync does nothing: only Linux takes such hints.
func beginSync(*os.File) {}
