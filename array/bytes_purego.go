//go:build purego || !(386 || amd64 || arm || arm64 || loong64 || mips64le || mipsle || ppc64le || riscv64 || wasm)

package array

import "encoding/binary"

var hostLittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// viewBytes never has a view: callers encode and decode through a buffer.
func viewBytes[T Element]([]T) ([]byte, bool) { return nil, false }

// viewElementsOf never has a view either.
func viewElementsOf[T Element]([]byte) ([]T, bool) { return nil, false }

func viewInts(s []int) Source   { return vectorOf(convert[int64](s)) }
func viewUints(s []uint) Source { return vectorOf(convert[uint64](s)) }

// uninitialized has no memory that is not cleared.
func uninitialized(int) ([]byte, bool) { return nil, false }
