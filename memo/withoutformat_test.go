package memo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/numcache/numcache/testdata/numpy"
)

// TestWithoutFormatFile has a cache lose the file that tells its format: it is one still,
// with all that FORMAT.md says may stand in it, in Go and in Python.
func TestWithoutFormatFile(t *testing.T) {
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, files, _ := strings.Cut(string(text), "## Files\n\n```\n")
	files, _, _ = strings.Cut(files, "```")
	dir := t.TempDir()
	if err := openIn(t, dir, nil).Close(); err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)\b[a-z]+\.json\b|^lock\b`).FindAllString(files, -1)
	if len(names) < 6 {
		t.Fatalf("FORMAT.md names %q", names)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, open := range []func(){
		func() { openIn(t, dir, nil) },
		func() {
			numpy.Require(t, "xxhash")
			numpy.Run(t, "import sys; sys.path.insert(0, 'python'); import numcache; numcache.open(sys.argv[1])", dir)
		},
	} {
		if err := os.Remove(filepath.Join(dir, "format.json")); err != nil {
			t.Fatal(err)
		}
		open()
	}
}
