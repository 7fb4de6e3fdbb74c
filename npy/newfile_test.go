package npy_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/numcache/numcache/npy"
)

// counted counts the bytes that are read of it, and how often it is closed.
type counted struct {
	*bytes.Reader
	read, closed int
}

func (c *counted) ReadAt(p []byte, offset int64) (int, error) {
	n, err := c.Reader.ReadAt(p, offset)
	c.read += n
	return n, err
}

func (c *counted) Close() error {
	c.closed++
	return nil
}

// TestNewFile reads rows of what is no file of the operating system, and no others.
func TestNewFile(t *testing.T) {
	rows := make([][4]float64, 1000)
	for i := range rows {
		rows[i] = [4]float64{float64(i), 1, 2, 3}
	}
	flat := make([]float64, 0, 4000)
	for _, row := range rows {
		flat = append(flat, row[:]...)
	}
	var b bytes.Buffer
	if err := npy.Write(&b, flat); err != nil {
		t.Fatal(err)
	}
	r := &counted{Reader: bytes.NewReader(b.Bytes())}
	f, err := npy.NewFile(r, int64(b.Len()), "far/x.npy")
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.ReadRows(2000, 2004)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := a.VecDense(); err != nil || !slices.Equal(v.RawVector().Data, []float64{500, 1, 2, 3}) {
		t.Errorf("%v, %v", v, err)
	}
	if r.read > 1000 {
		t.Errorf("%d bytes were read for 32", r.read)
	}
	m, err := f.Map(npy.ReadOnly)
	if err != nil || m.Array().Len() != 4000 {
		t.Fatalf("%v, %v", m, err)
	}
	if err := errors.Join(m.Close(), f.Close()); err != nil || r.closed != 1 {
		t.Errorf("%v; closed %d times", err, r.closed)
	}
	for _, size := range []int64{0, 5, 130, int64(b.Len()) - 1} {
		short := &counted{Reader: bytes.NewReader(b.Bytes()[:size])}
		if f, err := npy.NewFile(short, size, "far/x.npy"); f != nil || !errors.Is(err, npy.ErrFormat) || short.closed != 1 {
			t.Errorf("%d bytes: %v; closed %d times", size, err, short.closed)
		}
	}
}
