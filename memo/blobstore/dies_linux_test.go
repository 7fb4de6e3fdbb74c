package blobstore_test

import "syscall"

// diesWithUs has a process killed when the thread that started it ends.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
