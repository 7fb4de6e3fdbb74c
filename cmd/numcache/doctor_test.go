package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/memo/python"
)

// told gathers findings by their check; of several the last.
func told(d *doctor) map[string]finding {
	found := map[string]finding{}
	d.tell = func(f finding) error {
		found[f.Check] = f
		if (f.State == stateOK) != (f.Advice == "") {
			return fmt.Errorf("%+v: what is ok needs no advice, and only that", f)
		}
		return nil
	}
	return found
}

// examined runs the doctor on a folder, and asks no Python: that may be slow.
func examined(t *testing.T, dir string, now func() time.Time) map[string]finding {
	t.Helper()
	t.Setenv("NUMCACHE_PYTHON", "nosuchpython")
	d := &doctor{dir: dir, now: now}
	found := told(d)
	d.examine(t.Context())
	if d.err != nil {
		t.Error(d.err)
	}
	return found
}

func newCache(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	c, err := memo.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	store(checker{t}, c, memo.NewKey("f", "1").Add(1), ramp(3))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checker is what store wants of a test.
type checker struct{ t *testing.T }

func (c checker) Check(err error) {
	if err != nil {
		c.t.Fatal(err)
	}
}

// TestDoctorChangesNothing compares all that is in a cache before and after.
func TestDoctorChangesNothing(t *testing.T) {
	dir := newCache(t)
	listing := func() string {
		var b strings.Builder
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil && filepath.Base(path) != "tmp" { // its time says that files came and went
				fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := listing()
	found := examined(t, dir, time.Now)
	if after := listing(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	for _, check := range []string{"folder", "cache", "faults", "permissions", "writing", "clock", "links", "leftovers", "quarantine", "numcache", "go"} {
		if found[check].State != stateOK {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
	for _, check := range []string{"disk", "locks", "mapping", "python"} { // as the machine has them
		if s := found[check].State; s != stateOK && s != stateWarning {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
}

// TestDoctorFinds makes what is wrong, one after the other.
func TestDoctorFinds(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil              func(dir string) error
		ahead              time.Duration // of the clock
		check, state, says string
	}{
		"missing":   {spoil: os.RemoveAll, check: "folder", state: stateProblem, says: "is not there"},
		"no folder": {func(dir string) error { return firstError(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) }, 0, "folder", stateProblem, "is not a folder"},
		"no cache":  {func(dir string) error { return os.Remove(filepath.Join(dir, "format.json")) }, 0, "cache", stateProblem, "it has no format.json"},
		"damaged format": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "format.json"), []byte(`{"format":1`), 0o600)
		}, 0, "cache", stateProblem, "its format.json is damaged"},
		"objects is a file": {func(dir string) error {
			return firstError(os.RemoveAll(filepath.Join(dir, "objects")), os.WriteFile(filepath.Join(dir, "objects"), nil, 0o600))
		}, 0, "cache", stateProblem, "objects in it is not a folder"},
		"no tmp":               {func(dir string) error { return os.RemoveAll(filepath.Join(dir, "tmp")) }, 0, "writing", stateWarning, "not tried"},
		"leftovers":            {func(dir string) error { return os.WriteFile(filepath.Join(dir, "tmp", "x"), []byte("12"), 0o600) }, 2 * time.Hour, "leftovers", stateWarning, "1 file in tmp from more than an hour ago, 2 B"},
		"fresh":                {func(dir string) error { return os.WriteFile(filepath.Join(dir, "tmp", "x"), nil, 0o600) }, 0, "leftovers", stateOK, "none"},
		"quarantine":           {func(dir string) error { return putAside(dir) }, 0, "quarantine", stateWarning, "2 damaged files put aside, 6 B"},
		"counts":               {func(dir string) error { return os.WriteFile(filepath.Join(dir, "stats.json"), []byte("x"), 0o600) }, 0, "faults", stateWarning, "stats.json"},
		"clock a little ahead": {nil, time.Minute, "clock", stateWarning, "new files are of 1m ago"},
		"clock behind":         {nil, -3 * time.Hour, "clock", stateProblem, "new files are of 3h ahead"},
		"clock of 1970":        {nil, -time.Since(time.Unix(0, 0)), "clock", stateProblem, "it is 1970-01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newCache(t)
			if tc.spoil != nil {
				if err := tc.spoil(dir); err != nil {
					t.Fatal(err)
				}
			}
			found := examined(t, dir, func() time.Time { return time.Now().Add(tc.ahead) })
			// Ages are cut, and time goes on.
			says := []string{tc.says, strings.Replace(tc.says, "1m ago", "59s ago", 1), strings.Replace(tc.says, "3h ahead", "2h ahead", 1)}
			f := found[tc.check]
			if f.State != tc.state || !strings.Contains(f.Text, says[0]) && !strings.Contains(f.Text, says[1]) && !strings.Contains(f.Text, says[2]) {
				t.Errorf("%+v, want %s %q", f, tc.state, tc.says)
			}
			if _, err := os.Stat(filepath.Join(dir, "tmp")); name == "no cache" && err == nil {
				entries, err := os.ReadDir(filepath.Join(dir, "tmp"))
				if err != nil || len(entries) > 0 {
					t.Errorf("%v (%v) in the tmp of a folder that is no cache", entries, err)
				}
			}
			if _, tried := found["writing"]; tried && name == "no cache" {
				t.Error("files were written into a folder that is no cache")
			}
		})
	}
}

func putAside(dir string) error {
	inner := filepath.Join(dir, "quarantine", "objects")
	return firstError(os.MkdirAll(inner, 0o700), os.WriteFile(filepath.Join(inner, "a"), []byte("123"), 0o600),
		os.WriteFile(filepath.Join(dir, "quarantine", "b"), []byte("123"), 0o600))
}

// TestDoctorPermissions looks at modes; who may write what is in doubt for root.
func TestDoctorPermissions(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("there are no such modes")
	}
	dir := newCache(t)
	for _, tc := range []struct {
		mode        fs.FileMode
		state, says string
	}{
		{0o700, stateOK, "mode 0700, owner "},
		{0o750, stateOK, "mode 0750"},
		{0o755, stateWarning, "everybody may read"},
		{0o770, stateWarning, "the group may write it"},
		{0o770 | fs.ModeSetgid, stateOK, "shared with a group, whose members are trusted: mode 2770"},
		{0o777, stateProblem, "everybody may write it"},
	} {
		if err := os.Chmod(dir, tc.mode); err != nil {
			t.Fatal(err)
		}
		found := examined(t, dir, time.Now)
		if f := found["permissions"]; f.State != tc.state || !strings.Contains(f.Text, tc.says) {
			t.Errorf("%v: %+v", tc.mode, f)
		}
		if _, tried := found["writing"]; tried == (tc.state == stateProblem) {
			t.Errorf("%v: tried %v", tc.mode, tried)
		}
	}
	if os.Geteuid() == 0 {
		return
	}
	tmp := filepath.Join(dir, "tmp")
	if err := firstError(os.Chmod(dir, 0o700), os.Chmod(tmp, 0o500)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(tmp, 0o700) //nolint:errcheck // t.TempDir says if it cannot remove it
	if f := examined(t, dir, time.Now)["writing"]; f.State != stateProblem || !strings.Contains(f.Advice, "see that you may write") {
		t.Errorf("%+v", f)
	}
}

func TestDoctorDisk(t *testing.T) {
	for _, tc := range []struct {
		disk        disk
		state, says string
	}{
		{disk{kind: "ext4", bytes: 1e12, freeBytes: 5e11, inodes: 1000, freeInodes: 500}, stateOK, "ext4, 500 GB of 1.00 TB free, 500 of 1000 inodes"},
		{disk{bytes: 1e12, freeBytes: 5e11}, stateOK, "file system, 500 GB of 1.00 TB free"},
		{disk{kind: "xfs", bytes: 1e12, freeBytes: 5e9}, stateWarning, "nearly full"},
		{disk{kind: "xfs", bytes: 1e9, freeBytes: 5e7}, stateWarning, "nearly full"},
		{disk{kind: "xfs", bytes: 1e12, freeBytes: 5e11, inodes: 1000, freeInodes: 9}, stateWarning, "nearly full"},
		{disk{kind: "xfs", bytes: 1e12, freeBytes: 5e11, inodes: 1000}, stateProblem, "it is full"},
		{disk{kind: "xfs", bytes: 1e12}, stateProblem, "it is full"},
		{disk{kind: "squashfs", bytes: 1e12, readOnly: true}, stateProblem, "only be read"},
		{disk{kind: "tmpfs", bytes: 1e12, freeBytes: 5e11, inMemoryOnly: true}, stateWarning, "in memory"},
	} {
		var d doctor
		found := told(&d)
		d.judgeDisk(tc.disk)
		if f := found["disk"]; f.State != tc.state || !strings.Contains(f.Text, tc.says) || d.err != nil {
			t.Errorf("%+v: %+v, %v", tc.disk, f, d.err)
		}
	}
	if s, err := diskOf(t.TempDir()); runtime.GOOS == "linux" && (err != nil || s.kind == "" || s.bytes == 0) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestDoctorPython(t *testing.T) {
	dir := t.TempDir()
	ours, older := filepath.Join(dir, "numcache.py"), filepath.Join(dir, "old.py")
	if err := firstError(os.WriteFile(ours, []byte(python.Source), 0o600), os.WriteFile(older, []byte("# old\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		has         pythonAnswer
		state, says string
	}{
		{pythonAnswer{"3.11", "2.0", "3.4", ours}, stateOK, "/py, Python 3.11, NumPy 2.0, xxhash 3.4, "},
		{pythonAnswer{"3.11", "2.0", "3.4", older}, stateWarning, "of another version"},
		{pythonAnswer{"3.11", "2.0", "3.4", filepath.Join(dir, "gone.py")}, stateWarning, "gone.py"},
		{pythonAnswer{"3.11", "", "", ours}, stateWarning, "needs NumPy and xxhash"},
		{pythonAnswer{"3.11", "", "", ""}, stateOK, "no numcache.py"},
	} {
		var d doctor
		found := told(&d)
		d.judgePython("/py", tc.has)
		if f := found["python"]; f.State != tc.state || !strings.Contains(f.Text, tc.says) || d.err != nil {
			t.Errorf("%+v: %+v, %v", tc.has, f, d.err)
		}
	}
}

// TestDoctorAsksPython has a Python that is none.
func TestDoctorAsksPython(t *testing.T) {
	t.Setenv("NUMCACHE_PYTHON", filepath.Join(t.TempDir(), "nosuch"))
	var d doctor
	found := told(&d)
	d.checkPython(t.Context())
	if f := found["python"]; f.State != stateOK || !strings.HasPrefix(f.Text, "there is no ") {
		t.Errorf("%+v", f)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NUMCACHE_PYTHON", program) // -c is no flag of a test binary
	d.checkPython(t.Context())
	if f := found["python"]; f.State != stateWarning || !strings.Contains(f.Text, "does not say what it has") {
		t.Errorf("%+v", f)
	}
}
