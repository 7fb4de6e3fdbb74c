package memo

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var hostileNames = flag.Int("hostile.names", 100, "random names that TestHostileNames tries")

// oddNames are names of functions and versions that a file system would take for
// something else, or not at all.
var oddNames = []string{
	".", "..", "...", "../x", "../../x", "..\\x", "x/..", "x/../..", "./x", "/", "//", "/etc", "/etc/passwd", "\\", "C:", "C:\\x", "c:x", "x:stream", "~", "~root",
	"\x00", "x\x00", "\x00x", "x\x00y", "\n", "\r\n", "\t", " ", "  ", " x", "x ", "x.", "x..", ".x", "x. ", ". ", "x\x7f", "\x1b[2J",
	"%", "%%", "%2E", "%2e", "%2E%2E", "%-", "%00", "x%", "%2F", "%25", "-", "--", "-rf", "*", "?", "x*", "$HOME", "`x`", "$(x)", "|x", "<x>", "\"", "'", "&", ";",
	"con", "CON", "Con", "con.txt", "nul", "NUL.tar.gz", "aux", "prn", "com1", "COM9", "lpt1", "lpt0.x", "com10", "conx", "com¹", "CONIN$", "clock$", "con ", "con.",
	"é", "e\u0301", "É", "ß", "SS", "ı", "i", "I", "İ", "ﬁ", "fi", "Å", "Å", "Å", "\u202ex", "x\u202e", "\u200b", "\ufeff", "\u0000", "שלום", "السلام", "日本語", "👩‍👩‍👧‍👦", "🏴‍☠️", "\U0010ffff",
	"\xff", "\xfe\xff", "x\xff", "\xc3", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\ufffd", "\xe2\x82",
	"format.json", "calls", "objects", "tmp", "lock", "quarantine", "x.json", "c7", "00", "x.lnk", ".git", ".gitignore", "desktop.ini", "x" + strings.Repeat(".", 50),
	strings.Repeat("x", 200), strings.Repeat("x", 201), strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 4096), strings.Repeat("x", 4095) + "y",
	strings.Repeat("../", 1365), strings.Repeat("é", 2048), strings.Repeat("\x00", 4096), strings.Repeat("\xff", 4096), strings.Repeat("%", 4096), strings.Repeat(".", 4096),
	strings.Repeat("👾", 1024), strings.Repeat("x", 166) + "%-" + strings.Repeat("0", 32), segment(strings.Repeat("x", 4096)),
}

// randomName returns a name of odd parts.
func randomName(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		switch r.IntN(4) {
		case 0:
			b.WriteByte(byte(r.IntN(256)))
		case 1:
			b.WriteRune(rune(r.IntN(0x110000)))
		default:
			odd := oddNames[r.IntN(len(oddNames))]
			b.WriteString(odd[:r.IntN(len(odd)+1)])
		}
	}
	return b.String()
}

// fileNames are what every file system takes for a file's name, as it is.
var fileNames = regexp.MustCompile(`^[A-Za-z0-9%_-]([A-Za-z0-9%_.-]{0,198}[A-Za-z0-9%_-])?$`)

// TestHostileNames stores under odd names of functions and versions: each has a folder of
// its own within the cache, is found under its name and no other, and comes back from
// Records, references and verbs byte for byte.
func TestHostileNames(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "a", "b", "c", "cache")
	c := openQuiet(t, dir)
	r := rand.New(rand.NewPCG(24, 25))
	names := slices.Clone(oddNames)
	for range *hostileNames {
		names = append(names, randomName(r))
	}
	type call struct{ function, version string }
	calls := map[call]int{}
	for i, name := range names {
		for _, k := range []call{{name, "1"}, {"f", name}, {name, name}, {name, names[r.IntN(len(names))]}} {
			if _, known := calls[k]; !known && k.function != "" {
				calls[k] = 4*i + len(calls)
			}
		}
	}
	memoized := func(k call, n int) *Function[func() (string, error)] {
		t.Helper()
		f, err := Func(c, Spec{Name: k.function, Version: k.version}, func() (string, error) { return fmt.Sprint("result ", n), nil })
		if err != nil {
			t.Fatalf("%q: %v", k, err)
		}
		return f
	}
	for range 2 { // computed, and then found
		for k, n := range calls {
			if got, err := memoized(k, n).Call(); err != nil || got != fmt.Sprint("result ", n) {
				t.Errorf("WRONG result of %q: %q, %v", k, got, err)
			}
		}
	}
	if s := c.Stats(); s.Misses != int64(len(calls)) || s.Hits != int64(len(calls)) || s.Faults != 0 {
		t.Errorf("%d calls: %+v", len(calls), s)
	}
	left := map[call]int{}
	for record, err := range c.Records(t.Context()) {
		if err != nil {
			t.Error(err)
			continue
		}
		k := call{record.Function, record.Version}
		left[k]++
		if _, known := calls[k]; !known || left[k] > 1 {
			t.Errorf("Records yields %q, times %d", k, left[k])
		}
		ref := c.RefOf(record)
		text, err := ref.MarshalText()
		var again Ref
		if err != nil || again.UnmarshalText(text) != nil || again.Function() != k.function || again.Version() != k.version {
			t.Errorf("%q as text is %q, which is %q %q, %v", k, text, again.Function(), again.Version(), err)
		}
		var got string
		if err := again.In(c).Get(t.Context(), &got); err != nil || got != fmt.Sprint("result ", calls[k]) {
			t.Errorf("%q by reference: %q, %v", k, got, err)
		}
	}
	if len(left) != len(calls) {
		t.Errorf("Records yields %d of %d calls", len(left), len(calls))
	}
	checkNamesInside(t, base, dir)
	// Each folder is of one name.
	folders := map[string]string{}
	for _, name := range names {
		if other, taken := folders[segment(name)]; taken && other != name {
			t.Errorf("%q and %q share the folder %s", name, other, segment(name))
		}
		folders[segment(name)] = name
	}
	// What is removed is that of the name, and nothing else.
	for k, n := range calls {
		f := memoized(k, n)
		err := f.Forget()
		if has, hasErr := f.Has(); has || hasErr != nil || err != nil {
			t.Errorf("%q forgotten: %v, %v, %v", k, has, hasErr, err)
		}
		delete(calls, k)
		if len(calls)%2 == 0 {
			break
		}
	}
	for k, n := range calls {
		if has, err := memoized(k, n).Has(); !has || err != nil {
			t.Errorf("%q is gone with another: %v", k, err)
		}
	}
	t.Logf("%d functions and versions of %d names, in %d folders", len(left), len(names), len(folders))
}

// checkNamesInside looks at the name of everything in the cache, and for anything beside
// it.
func checkNamesInside(t *testing.T, base, dir string) {
	t.Helper()
	looked := 0
	err := filepath.WalkDir(base, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if relative != "." && !strings.HasPrefix(relative, "..") {
			looked++
			if name := e.Name(); !fileNames.MatchString(name) && name != ".gitignore" || isDevice(name) {
				t.Errorf("a file is called %q", name)
			}
			if depth := strings.Count(filepath.ToSlash(relative), "/"); depth > 4 || strings.HasPrefix(relative, callsFolder) && depth == 4 != e.Type().IsRegular() {
				t.Errorf("%s is %v at depth %d", relative, e.Type(), depth)
			}
		} else if !e.IsDir() {
			t.Errorf("%s is outside", path)
		}
		return nil
	})
	if err != nil || looked < 100 {
		t.Errorf("looked at %d files, %v", looked, err)
	}
	if entries, err := os.ReadDir(base); err != nil || len(entries) != 1 {
		t.Errorf("beside the cache: %v, %v", entries, err)
	}
}
