package main

import "golang.org/x/sys/unix"

// diskOf asks for the file system that a folder is on.
func diskOf(dir string) (disk, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return disk{}, err
	}
	block := uint64(s.Bsize)
	return disk{
		kind: unix.ByteSliceToString(s.Fstypename[:]), bytes: s.Blocks * block, freeBytes: s.Bavail * block, inodes: s.Files, freeInodes: s.Ffree,
		readOnly: s.Flags&unix.MNT_RDONLY != 0,
	}, nil
}
