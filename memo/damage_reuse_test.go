package memo

import (
	"errors"
	"testing"
)

// TestDamagedObjectIsNotReused damages an object that no call reads before it is stored
// again: the new entry is a hit, in whatever form the object was.
func TestDamagedObjectIsNotReused(t *testing.T) {
	for _, levels := range [][2]int{{0, 0}, {1, 1}, {0, 1}, {1, 0}} {
		dir := t.TempDir()
		open := func(level int) (*Cache, *[]error) {
			faults := new([]error)
			o := quiet()
			o.Compress = level
			o.OnEvent = func(e Event) {
				if e.Kind == Fault {
					*faults = append(*faults, e.Err)
				}
			}
			c, err := Open(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return c, faults
		}
		c, _ := open(levels[0])
		f := vector(t, c)
		if _, err := f.Call(1, 100); err != nil {
			t.Fatal(err)
		}
		if err := f.Forget(1, 100); err != nil {
			t.Fatal(err)
		}
		for _, name := range filesBelow(t, dir, objectsFolder) {
			raw := read(t, dir, name)
			raw[len(raw)/2] ^= 1
			overwrite(t, raw, dir, name)
		}
		c, faults := open(levels[1])
		f = vector(t, c)
		for range 2 {
			if v, err := f.Call(1, 100); err != nil || len(v) != 100 || v[99] != 1 {
				t.Errorf("compressed %v: WRONG result %v, %v", levels, v, err)
			}
		}
		if s := c.Stats(); s.Hits != 1 || s.Misses != 1 {
			t.Errorf("compressed %v: %+v; faults: %v", levels, s, *faults)
		}
		if levels != [2]int{1, 0} && (len(*faults) != 1 || !errors.Is((*faults)[0], ErrDamaged)) { // then it is not looked at
			t.Errorf("compressed %v: faults: %v", levels, *faults)
		}
	}
}
