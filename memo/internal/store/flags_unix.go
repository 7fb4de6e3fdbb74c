//go:build unix

package store

import "syscall"

// openFlags keep open(2) from waiting at a FIFO, from following a symbolic
// link, and from making a terminal ours.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW | syscall.O_NOCTTY

// folderFlags are openFlags for a folder: whatever else is there is refused.
const folderFlags = openFlags | syscall.O_DIRECTORY
