//go:build !unix

package store

const openFlags, folderFlags = 0, 0
