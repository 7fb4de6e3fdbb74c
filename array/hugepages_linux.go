//go:build !purego

package array

import "syscall"

// adviseHuge asks for huge pages in b, which consists of whole ones. It is
// advice: what the kernel answers does not matter.
func adviseHuge(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
