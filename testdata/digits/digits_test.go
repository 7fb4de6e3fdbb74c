package digits

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// data splits a version 1.0 file by hand, so that the test of the data does
// not rest on the reader it is meant to test.
func data(t *testing.T, file []byte, header string) []byte {
	t.Helper()
	if len(file) < 128 || string(file[:8]) != "\x93NUMPY\x01\x00" || binary.LittleEndian.Uint16(file[8:]) != 118 {
		t.Fatal("not a version 1.0 .npy file with 128 bytes before the data")
	}
	if got := strings.TrimRight(string(file[10:128]), " \n"); got != header {
		t.Fatalf("header %s, want %s", got, header)
	}
	return file[128:]
}

func TestImages(t *testing.T) {
	pixels := data(t, Images, "{'descr': '<f8', 'fortran_order': False, 'shape': (1797, 64), }")
	if len(pixels) != 1797*64*8 {
		t.Fatalf("%d bytes of data, want %d", len(pixels), 1797*64*8)
	}
	for i := 0; i < len(pixels); i += 8 {
		p := math.Float64frombits(binary.LittleEndian.Uint64(pixels[i:]))
		if p != math.Trunc(p) || p < 0 || p > 16 {
			t.Fatalf("pixel %d is %v, want a whole number from 0 to 16", i/8, p)
		}
	}
}

func TestLabels(t *testing.T) {
	labels := data(t, Labels, "{'descr': '<i8', 'fortran_order': False, 'shape': (1797,), }")
	if len(labels) != 1797*8 {
		t.Fatalf("%d bytes of data, want %d", len(labels), 1797*8)
	}
	var count [10]int
	for i := 0; i < len(labels); i += 8 {
		label := binary.LittleEndian.Uint64(labels[i:])
		if label > 9 {
			t.Fatalf("label %d is %d, want a digit", i/8, label)
		}
		count[label]++
	}
	// The class distribution that the UCI repository states for the test part.
	if want := [10]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}; count != want {
		t.Errorf("instances of each digit %v, want %v", count, want)
	}
}
