//go:build !unix

package main

import "io/fs"

// ownerOf is for systems that have other permissions.
func ownerOf(fs.FileInfo) (user, group int, known bool) { return 0, 0, false }
