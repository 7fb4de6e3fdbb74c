//go:build !purego && (386 || amd64 || arm || arm64 || loong64 || mips64le || mipsle || ppc64le || riscv64 || wasm)

package array

import "unsafe"

const hostLittleEndian = true

// viewBytes returns the memory of s as bytes. On a little-endian machine these
// are the bytes that format 1 stores and hashes, so neither costs a copy. This
// file is the only unsafe code of the package; bytes_purego.go does without.
func viewBytes[T Element](s []T) ([]byte, bool) {
	if len(s) == 0 {
		return []byte{}, true
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0]))), true
}

// viewElementsOf is the inverse of viewBytes, false where b does not begin at a
// multiple of what T is aligned to.
func viewElementsOf[T Element](b []byte) ([]T, bool) {
	var zero T
	if len(b) == 0 {
		return []T{}, true
	}
	first := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(first)%unsafe.Alignof(zero) != 0 {
		return nil, false
	}
	return unsafe.Slice((*T)(first), len(b)/int(unsafe.Sizeof(zero))), true
}

// viewInts returns a slice of Go ints as the fixed-size integers they are on
// this machine.
func viewInts(s []int) Source {
	if unsafe.Sizeof(0) == 8 {
		return vectorOf(unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)))
	}
	return vectorOf(convert[int64](s))
}

// viewUints is viewInts for uint.
func viewUints(s []uint) Source {
	if unsafe.Sizeof(0) == 8 {
		return vectorOf(unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)))
	}
	return vectorOf(convert[uint64](s))
}

// mallocgc is what make calls. The runtime keeps it within reach of linkname and
// promises its signature, for packages that decode into memory
// (go.dev/issue/67401). No door of the language leaves memory uncleared.
//
//go:linkname mallocgc runtime.mallocgc
func mallocgc(size uintptr, typ unsafe.Pointer, needzero bool) unsafe.Pointer

// uninitialized returns n > 0 bytes of memory for elements without pointers, as
// they are.
func uninitialized(n int) ([]byte, bool) {
	first := mallocgc(uintptr(n), nil, false)
	b := unsafe.Slice((*byte)(first), n)
	if n >= hugePages {
		// Whole huge pages only: the rest may be somebody else's.
		skip := int(-uintptr(first) % hugePage)
		adviseHuge(b[skip : skip+(n-skip)/hugePage*hugePage])
	}
	return b, true
}

const (
	hugePage = 2 << 20
	// hugePages is the size from which on NumPy, too, asks for huge pages. The
	// first touch of each page is a fault, and 512 of them cost more than the
	// data that a huge page holds.
	hugePages = 4 << 20
)
