package main

import "golang.org/x/sys/windows"

// diskOf asks for the room on the disk that a folder is on.
func diskOf(dir string) (disk, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return disk{}, err
	}
	var d disk
	return d, windows.GetDiskFreeSpaceEx(name, &d.freeBytes, &d.bytes, nil)
}
