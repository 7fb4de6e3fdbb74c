//go:build !unix

package store

import "os"

// syncFolder does nothing: these systems keep names durable themselves.
func syncFolder(*os.File) error { return nil }
