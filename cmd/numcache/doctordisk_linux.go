package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileSystems are the names of file systems that caches may be on.
var fileSystems = map[uint32]string{
	unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", 0x2fc12fc1: "zfs", unix.F2FS_SUPER_MAGIC: "f2fs",
	unix.BCACHEFS_SUPER_MAGIC: "bcachefs", unix.REISERFS_SUPER_MAGIC: "reiserfs", unix.TMPFS_MAGIC: "tmpfs", unix.RAMFS_MAGIC: "ramfs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlay", unix.FUSE_SUPER_MAGIC: "fuse", unix.NFS_SUPER_MAGIC: "nfs", unix.CIFS_SUPER_MAGIC: "cifs",
	unix.SMB2_SUPER_MAGIC: "smb2", unix.V9FS_MAGIC: "9p", unix.CEPH_SUPER_MAGIC: "ceph", 0x0bd00bd0: "lustre", unix.OCFS2_SUPER_MAGIC: "ocfs2",
	unix.MSDOS_SUPER_MAGIC: "vfat", unix.EXFAT_SUPER_MAGIC: "exfat", 0x7366746e: "ntfs3", unix.ECRYPTFS_SUPER_MAGIC: "ecryptfs",
	unix.SQUASHFS_MAGIC: "squashfs", unix.ISOFS_SUPER_MAGIC: "iso9660",
}

// diskOf asks for the file system that a folder is on.
func diskOf(dir string) (disk, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return disk{}, err
	}
	magic := uint32(s.Type)
	kind, known := fileSystems[magic]
	if !known {
		kind = fmt.Sprintf("file system %#x", magic)
	}
	block := uint64(s.Bsize)
	return disk{
		kind: kind, bytes: s.Blocks * block, freeBytes: s.Bavail * block, inodes: s.Files, freeInodes: s.Ffree,
		readOnly:     s.Flags&unix.ST_RDONLY != 0,
		inMemoryOnly: magic == unix.TMPFS_MAGIC || magic == unix.RAMFS_MAGIC,
	}, nil
}

// tryLock reports whether a lock of an open file, which caches use, keeps another one
// out. The file is there already.
func tryLock(name string) (works bool, err error) {
	var holders [2]int
	for i := range holders {
		if holders[i], err = unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return false, err
		}
		defer unix.Close(holders[i])
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: 0, Len: 1}
	if err := unix.FcntlFlock(uintptr(holders[0]), unix.F_OFD_SETLK, &lock); err != nil {
		return false, err
	}
	return unix.FcntlFlock(uintptr(holders[1]), unix.F_OFD_SETLK, &lock) != nil, nil
}
