package main

import (
	"fmt"
	"syscall"
)

// fileSystem names the type of the one that dir is on.
func fileSystem(dir string) string {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return "unknown file system"
	}
	names := map[uint32]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x01021994: "tmpfs",
		0x794c7630: "overlayfs", 0x6969: "nfs", 0x2fc12fc1: "zfs", 0xf2f52010: "f2fs"}
	if name, ok := names[uint32(s.Type)]; ok {
		return name
	}
	return fmt.Sprintf("file system %#x", uint32(s.Type))
}

// free returns how many bytes and files there is room for.
func free(dir string) (bytes, files uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	files = s.Ffree
	if s.Files == 0 { // it has no table of them, as btrfs
		files = 1 << 62
	}
	return s.Bavail * uint64(s.Bsize), files, nil
}
