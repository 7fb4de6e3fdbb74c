//go:build !linux

package blobstore_test

import "syscall"

func diesWithUs() *syscall.SysProcAttr { return nil }
