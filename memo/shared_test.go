package memo

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFoldersInPlaceOfCounts: what has the name of a shared file is no hindrance, and
// gives way to it.
func TestFoldersInPlaceOfCounts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{usageFile, statsFile} {
		overwrite(t, []byte("mine"), dir, name, "file")
	}
	overwrite(t, []byte(tagText), dir, tagFile)
	o := quiet()
	o.Limits.MaxBytes = 1 << 20
	o.OnEvent = func(e Event) {
		if e.Kind == Fault {
			t.Errorf("fault: %v", e.Err)
		}
	}
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := memoizeSample(t, c).Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	if h, err := c.History(t.Context()); err != nil || h.Total().Misses != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{usageFile, statsFile} {
		if raw, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !unseal(raw) {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
	if aside := filesBelow(t, dir, quarantineFolder); len(aside) != 2 {
		t.Errorf("put aside: %v", aside)
	}
}
