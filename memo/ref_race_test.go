package memo

import (
	"io/fs"
	"testing"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// TestRefFilledMeanwhile: a result is evicted from the folder, and computed into memory by
// another call just while a reference looks for it.
func TestRefFilledMeanwhile(t *testing.T) {
	s := &storetest.Faulty{Store: &storetest.Memory{}}
	o := quiet()
	o.Memory = &Memory{}
	c, err := Open("", o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.store = s
	f := vector(t, c)
	ref, err := f.Shelve(1, 10)
	if err != nil {
		t.Fatal(err)
	}
	r := &request{key: ref.callKey()}
	kept := c.memory.peek(r)
	if kept == nil {
		t.Fatal("the result is not in memory")
	}
	for _, test := range []struct {
		get  func() error
		fits bool
	}{
		{func() error {
			var v []float64
			err := ref.Get(t.Context(), &v)
			if err == nil {
				err = checkVector(v, 1)
			}
			return err
		}, true},
		{func() error { return ref.Get(t.Context(), new(string)) }, false},
	} {
		c.memory.delete(ref.key)
		s.Fail(func(_ int, op string) error {
			if op != "get" {
				return nil
			}
			c.memory.put(r, kept, kept.record)
			return fs.ErrNotExist
		})
		if err := test.get(); (err == nil) != test.fits {
			t.Errorf("fits %v: %v", test.fits, err)
		}
	}
}
