package main

import (
	"errors"
	"fmt"
)

// disk is what a file system says of itself.
type disk struct {
	kind                   string // "" where the system does not tell
	bytes, freeBytes       uint64
	inodes, freeInodes     uint64 // 0 and 0 where it has no bound on them
	readOnly, inMemoryOnly bool
}

// checkDisk looks for room.
func (d *doctor) checkDisk() {
	const check = "disk"
	s, err := diskOf(d.dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		d.ok(check, "not looked at: this system does not tell")
		return
	case err != nil:
		d.warning(check, "see to the disk", "the file system does not tell of itself: %s", reason(err))
		return
	}
	d.judgeDisk(s)
}

// The least that should be free: a hundredth, and some room for results.
const (
	littleBytes = 100e6
	noBytes     = 1e6
)

func (d *doctor) judgeDisk(s disk) {
	const check = "disk"
	kind := s.kind
	if kind == "" {
		kind = "file system"
	}
	room := fmt.Sprintf("%s, %s of %s free", kind, bytesText(int64(s.freeBytes)), bytesText(int64(s.bytes)))
	if s.inodes > 0 {
		room += fmt.Sprintf(", %d of %d inodes", s.freeInodes, s.inodes)
	}
	const trim = "make room, or set limits: numcache trim --max-bytes 2G, Options.Limits"
	switch {
	case s.readOnly:
		d.problem(check, "mount it for writing, or open the cache with Options.ReadOnly", "it can only be read: %s", room)
	case s.freeBytes < noBytes || s.inodes > 0 && s.freeInodes == 0:
		d.problem(check, trim, "it is full: %s", room)
	case s.freeBytes < littleBytes || s.freeBytes < s.bytes/100 || s.freeInodes < s.inodes/100:
		d.warning(check, trim, "it is nearly full: %s", room)
	case s.inMemoryOnly:
		d.warning(check, "choose a folder on a disk, if results are to outlive the machine's next start", "it is in memory: %s", room)
	default:
		d.ok(check, "%s", room)
	}
}
