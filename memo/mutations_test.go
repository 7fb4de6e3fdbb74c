package memo

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var mutations = flag.Bool("mutations", false, "run each campaign on code that TestMutations breaks on purpose")

// mutation is a change of the code, by itself wrong, that a campaign must notice.
type mutation struct {
	what string // is wrong then
	file string // from the module's root
	old  string // stands in it once
	new  string
}

// campaign is a test that tries something many times, of which RELIABILITY.md tells,
// and the mutations that make it fail.
type campaign struct {
	test      string
	arguments []string // of a form that is long enough for the mutations
	mutations []mutation
}

var campaigns = []campaign{
	{"TestEveryFileOperationFails", []string{"-faults.causes=5", "-failfast"}, []mutation{
		{"a part that was written is the whole", "memo/internal/store/interrupted.go", "\t\tn += k\n", "\t\tn += max(k, len(p)-n)\n"},
		{"a sync may fail", "memo/internal/store/dir.go", "err = f.Sync()", "_ = f.Sync()"},
		{"a close may fail", "memo/internal/store/dir.go", "\t\t\terr = closeErr\n", "\t\t\t_ = closeErr\n"},
		{"an interrupted close is done again", "memo/internal/store/dir.go", "closeErr := f.Close()", "closeErr := again(f.Close)"},
		{"what is interrupted has failed", "memo/internal/store/interrupted.go", "if err := f(); !errors.Is(err, syscall.EINTR) {", "if err := f(); true {"},
		{"a failed write leaves its file", "memo/internal/store/dir.go", "_ = d.files.Remove(temporary)", "_ = temporary"},
		{"what is there unsynced is durable", "memo/internal/store/dir.go", "if !o.Durable && d.freshen(", "if d.freshen("},
		{"a lock file stays open", "memo/internal/store/lock_linux.go", "\tcloseLock(l.file)\n", "\topenLocks.Add(-1)\n"},
		{"what cannot be read is damaged", "memo/object.go", "\tif errors.Is(err, io.EOF) {\n\t\treturn fmt.Errorf(\"%w: it ends early\"", "\tif err != nil {\n\t\treturn fmt.Errorf(\"%w: it ends early\""},
		{"a group's folder is the user's", "memo/internal/store/dir.go", "_ = d.files.Remove(name[:i])", "_ = i"},
	}},
	{"TestLostWrites", []string{"-lost.seeds=500", "-failfast"}, []mutation{
		{"files are not synced", "memo/internal/store/dir.go", "err = f.Sync()", "_ = f"},
		{"folders are not synced", "memo/internal/store/dir.go", "return d.syncFolders(path.Dir(name))", "return nil"},
		{"the folders above are not synced", "memo/internal/store/dir.go", "\t\tname = path.Dir(name)\n\t}\n}\n", "\t\treturn nil\n\t}\n}\n"},
		{"only the record is synced", "memo/entry.go", "putObject(ctx, s, o, store.PutOptions{Durable: durable, Modified: created})", "putObject(ctx, s, o, store.PutOptions{Modified: created})"},
		{"what is there unsynced is durable", "memo/internal/store/dir.go", "if !o.Durable && d.freshen(", "if d.freshen("},
		{"the tag is not synced", "memo/layout.go", "Durable: file.name == tagFile", "Durable: false"},
		{"elements are not verified", "memo/object.go", "if table.Digest() != ref.Digest {", "if table.Digest() == (array.Digest{}) {"},
		{"a damaged object hides the other", "memo/entry.go", "otherErr == nil {", "otherErr == nil && k.Err() != nil {"},
	}},
}

// TestMutations checks that every mutation still fits the code, and with -mutations
// that it makes its campaign fail.
func TestMutations(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range campaigns {
		for _, m := range c.mutations {
			t.Run(c.test+"/"+m.what, func(t *testing.T) {
				file := filepath.Join(root, filepath.FromSlash(m.file))
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if n := strings.Count(string(source), m.old); n != 1 {
					t.Fatalf("%s has %d times, not once:\n%s", m.file, n, m.old)
				}
				if *mutations {
					c.mustFail(t, file, strings.Replace(string(source), m.old, m.new, 1))
				}
			})
		}
	}
}

// mustFail runs the campaign with another source in place of a file's.
func (c campaign) mustFail(t *testing.T, file, source string) {
	t.Helper()
	broken := filepath.Join(t.TempDir(), "broken.go")
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: broken}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{broken: []byte(source), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	arguments := append([]string{"test", "-count=1", "-timeout=5m", "-overlay", overlay, "-run", "^" + c.test + "$", "."}, c.arguments...)
	output, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput()
	switch {
	case err == nil:
		t.Errorf("not noticed:\n%s", output)
	case !strings.Contains(string(output), "--- FAIL: "+c.test):
		t.Errorf("go test failed otherwise: %v\n%s", err, output)
	}
}
