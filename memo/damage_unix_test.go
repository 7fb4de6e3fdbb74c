//go:build linux || darwin

package memo

import "syscall"

func init() {
	otherThings["a FIFO"] = func(path, _ string) error { return syscall.Mkfifo(path, 0o600) }
}
