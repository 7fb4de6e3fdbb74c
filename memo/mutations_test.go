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
	{test: "TestEveryForgery", mutations: []mutation{
		{what: "any MAC will do", file: "memo/secret.go",
			old: "start >= 0 && hmac.Equal(record[start:end], s.mac(record[:start]))",
			new: "start >= 0 && hmac.Equal(record[start:end][:len(macHead)], s.mac(record[:start])[:len(macHead)])"},
		{what: "the MAC is of the first half", file: "memo/secret.go",
			old: "h.Write(body)", new: "h.Write(body[:len(body)/2])"},
		{what: "the MAC is of no secret", file: "memo/secret.go",
			old: "hmac.New(sha256.New, secret)", new: "hmac.New(sha256.New, secret[:0])"},
		{what: "records are taken under other names", file: "memo/records.go",
			old: "err == nil && recordName(r.Function, r.Version, r.Key) != name", new: "err == nil && recordName(r.Function, r.Version, r.Key) == \"\""},
		{what: "objects are trusted for their digest", file: "memo/content.go",
			old: "!ok || found != want", new: "!ok || found == want && !ok"},
		{what: "compressed objects are trusted for their digest", file: "memo/packed.go",
			old: "seen.verify(ref.Digest, check)", new: "seen.verify(ref.Digest, nil)"},
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
