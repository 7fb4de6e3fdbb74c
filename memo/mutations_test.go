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

// namedWhileWritten has a blob's file get its name first.
var namedWhileWritten = mutation{"a file has its name while it is written", "memo/internal/store/put.go",
	"b, err := d.draft(ctx, o.Durable, write)\n", `b, err := d.draft(ctx, o.Durable, func(io.Writer) error { return nil })
	if err == nil && d.move(d.files.Rename, b.temporary, name) == nil {
		b.temporary, err = name, write(&draftWriter{ctx: ctx, f: b.file})
	}
`}

// reusedUnsynced leaves an object that is there as it is.
var reusedUnsynced = mutation{"what is there unsynced is durable", "memo/internal/store/together.go",
	"\tfor i, b := range drafts[:others] {\n", `	for i, b := range drafts[:others] {
		if _, there := d.modified(ctx, blobs[i].Name, blobs[i].Size, modified); there {
			continue
		}
`}

// unsyncedFolders syncs no folder of an entry.
var unsyncedFolders = mutation{"folders are not synced", "memo/internal/store/together.go",
	`return "", d.syncFolders(folders...)`, `return "", nil`}

var campaigns = []campaign{
	{"TestProcesses", nil, []mutation{
		namedWhileWritten,
		{"leftovers are not swept", "memo/internal/store/sweep.go",
			`if err := d.files.Remove(name); err != nil {`, `if err := error(nil); err != nil {`},
	}},
	{"TestProcessesStorm", nil, []mutation{
		namedWhileWritten,
		{"a rename is not tried again", "memo/internal/store/mkdir.go", `const renameTries = 20`, `const renameTries = 0`},
		{"callers share results in memory", "memo/tier.go", `	return cloneResults(values)`, `	return values, nil`},
	}},
	{"TestManyProcessesComputeOnce", nil, []mutation{
		{"a lock excludes nobody", "memo/internal/store/lock_linux.go",
			`err := l.file.Lock(l.offset)`, `err := error(nil)`},
		{"nobody looks again after waiting", "memo/once.go",
			`values, took, err = c.lookAgain(ctx, r)`, `err = fs.ErrNotExist`},
	}},
	{"TestEveryFlippedBit", nil, []mutation{
		{"a record's check is not compared", "memo/record.go", `return bytes.Equal(append(hex.AppendEncode(append(want, sealHead...), sum[:16]), sealTail...), tail)`, `return len(append(hex.AppendEncode(append(want, sealHead...), sum[:16]), sealTail...)) == len(tail)`},
		{"an object's digest is not compared", "memo/content.go", `if found != want {`, `if false {`},
		{"an object's header is not compared", "memo/object.go", `if !bytes.Equal(found, header) {`, `if len(found) > 1<<20 && !bytes.Equal(found, header) {`},
		{"nothing is put aside", "memo/entry.go", `if moveErr := s.Quarantine(ctx, about.Path); moveErr != nil {`,
			`if moveErr := error(nil); moveErr != nil {`},
	}},
	{"TestEveryTruncation", nil, []mutation{
		{"an object's length is not compared", "memo/object.go", `if want := int64(len(header)) + int64(n)*int64(ref.DType.Size()); blob.Size() != want {`,
			`if want := int64(len(header)) + int64(n)*int64(ref.DType.Size()); blob.Size() < want {`},
	}},
	{"TestEverySwap", nil, []mutation{
		{"a record's key is not compared", "memo/records.go", `if err == nil && recordName(r.Function, r.Version, r.Key) != name {`, `if false {`},
		{"an object's digest is not compared", "memo/content.go", `if found != want {`, `if false {`},
	}},
	{"TestDamagedFormatFile", nil, []mutation{
		{"its check is not compared", "memo/layout.go", `case err == nil && unseal(raw):`, `case err == nil && len(raw) > 0:`},
	}},
	{"TestHostileFolder", []string{"-hostile.step=1", "-hostile.only=(FIFO|link).* at (lock|calls.*|objects.*), (call|open), (plain|a group's)"}, []mutation{
		{"links of folders are followed", "memo/internal/store/read_linux.go",
			"unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS", "0"},
		{"the last link is followed", "memo/internal/store/flags_unix.go", "syscall.O_NONBLOCK | syscall.O_NOFOLLOW", "syscall.O_NONBLOCK"},
		{"a FIFO is waited at", "memo/internal/store/flags_unix.go", "openFlags = syscall.O_NONBLOCK |", "openFlags ="},
		{"a file is published by its path", "memo/internal/store/folder.go",
			"return f.root.Rename(from, to)", "return os.Rename(f.root.Name()+\"/\"+from, f.root.Name()+\"/\"+to)"},
		{"a file with another name gets the group's mode", "memo/internal/store/lock_linux.go", " && stat.Nlink == 1", ""},
	}},
	{"TestHostileSwaps", []string{"-hostile.races=20s"}, []mutation{
		{"links of folders are followed", "memo/internal/store/read_linux.go",
			"unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS", "0"},
		{"a FIFO is waited at", "memo/internal/store/flags_unix.go", "openFlags = syscall.O_NONBLOCK |", "openFlags ="},
		{"a file is published by its path", "memo/internal/store/folder.go",
			"return f.root.Rename(from, to)", "return os.Rename(f.root.Name()+\"/\"+from, f.root.Name()+\"/\"+to)"},
	}},
	{"TestHostileNames", nil, []mutation{
		{"a dot stays wherever it is", "memo/names.go", "c == '.' && i > 0 && i < len(s)-1", "c == '.'"},
		{"a slash stays", "memo/names.go", "c == '-' || c == '_' ||", "c == '-' || c == '_' || c == '/' ||"},
		{"a long name is cut and no more", "memo/names.go", `return name[:cut] + "%-" + hex.EncodeToString(sum[:16])`, `return name[:cut] + "%-" + hex.EncodeToString(sum[:0])`},
		{"the names of devices stay", "memo/names.go", "plain && !(i == 0 && isDevice(s))", "plain"},
	}},
	{"TestMappedFiles", nil, []mutation{
		{"the digest of a file that is opened is not checked", "memo/ref.go", "return h.verify(want, check)\n}\n\n// hashFile", "_ = h\n\treturn nil\n}\n\n// hashFile"},
		{"a file that was cut is mapped", "npy/map_unix.go", "held < size", "held < 0"},
		{"a file is mapped by its name", "npy/map_unix.go", "conn, err := f.SyscallConn()",
			"f, err = os.Open(f.Name())\n\tif err != nil {\n\t\treturn nil, nil, err\n\t}\n\tconn, err := f.SyscallConn()"},
		{"what is written to a private mapping is written to the file", "npy/map_unix.go", "unix.MAP_PRIVATE|unix.MAP_NORESERVE", "unix.MAP_SHARED"},
	}},
	{"TestNetworkFolder", nil, []mutation{
		{"a fault of reading is the call's", "memo/do.go", "c.fault(r.key, err)\n\t\t}\n\t\tif r.cause", "return nil, err\n\t\t}\n\t\tif r.cause"},
		{"a fault of storing is the call's", "memo/flight.go", "c.fault(r.key, err)\n\t}\n\treturn kept", "f.err = err\n\t}\n\treturn kept"},
		{"who gets no lock does not compute", "memo/once.go", "case unavailable(err): // storing will say so\n\t\treturn nil,", "case unavailable(err):\n\t\treturn []reflect.Value{reflect.Zero(r.types[0])},"},
	}},
	{"TestNothingGrows", []string{"-grow.calls=2000"}, []mutation{
		{"a context is never ended", "memo/flight.go", "defer close(f.done)\n\t\tdefer cancel()", "defer close(f.done)"},
		{"a lock stays open", "memo/internal/store/lock_linux.go", "closeLock(l.file)\n", "openLocks.Add(-1)\n"},
		{"a blob stays open", "memo/object.go", "defer blob.Close()\n\tread := readPlain", "read := readPlain"},
		{"the lock of a staging file stays open", "memo/internal/store/staged_linux.go", "return func() { _ = unix.Close(fd) }, nil", "return func() {}, nil"},
		{"computations stay on the list", "memo/flight.go", "if c.flights[key] == f {\n\t\tdelete(c.flights, key)\n\t}\n\treturn f.shared", "return f.shared"},
		{"a goroutine is left by each look at the lock", "memo/once.go", "<-done\n\treturn values, took, err", "<-done\n\tgo func() { select {} }()\n\treturn values, took, err"},
		{"hot keys are never forgotten", "memo/hottest.go", "delete(h.keys, key)", "_ = key"},
	}},
	{"TestOverlay", nil, []mutation{
		{"locks exclude nobody", "memo/internal/store/lock_linux.go", "return flock(fd, unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: offset, Len: 1})", "return nil"},
		{"limits are not kept", "memo/usage.go", "if limits.none() {", "if true {"},
	}},
	{"TestReadOnlyMount", nil, []mutation{
		{"a folder that is read-only is an error", "memo/layout.go", "fs.ErrPermission, syscall.EROFS,", "fs.ErrPermission,"},
		{"a fault of storing is the call's", "memo/flight.go", "c.fault(r.key, err)\n\t}\n\treturn kept", "f.err = err\n\t}\n\treturn kept"},
	}},
	{"TestGroupMembers", []string{"-group.caches=15"}, []mutation{
		{"a folder has its name before its mode", "memo/internal/store/mkdir.go",
			"err := d.files.Chmod(staged, GroupFolder)\n\tif err == nil {\n\t\terr = d.files.Rename(staged, name)\n\t}",
			"err := d.files.Rename(staged, name)\n\tif err == nil {\n\t\terr = d.files.Chmod(name, GroupFolder)\n\t}"},
		{"the cache folder keeps the mode of the umask", "memo/layout.go", "err = os.Chmod(staged, store.GroupFolder)", ""},
		{"files keep the mode of the umask", "memo/internal/store/mkdir.go", "if err := f.Chmod(groupFile); err != nil {", "if err := error(nil); err != nil {"},
	}},
	clocksCampaign,
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
	{"TestEveryFileOperationFails", []string{"-faults.causes=5", "-failfast"}, []mutation{
		{"a part that was written is the whole", "memo/internal/store/interrupted.go", "\t\tn += k\n", "\t\tn += max(k, len(p)-n)\n"},
		{"a sync may fail", "memo/internal/store/draft.go", "err = b.file.Sync()", "_ = b.file.Sync()"},
		{"an interrupted close is done again", "memo/internal/store/draft.go", "closeErr := b.file.Close()", "closeErr := again(b.file.Close)"},
		{"what is interrupted has failed", "memo/internal/store/interrupted.go", "if err := f(); !errors.Is(err, syscall.EINTR) {", "if err := f(); true {"},
		{"a failed write leaves its file", "memo/internal/store/draft.go", "_ = b.d.files.Remove(b.temporary)", "_ = b.temporary"},
		reusedUnsynced,
		{"a lock file stays open", "memo/internal/store/lock_linux.go", "\tcloseLock(l.file)\n", "\topenLocks.Add(-1)\n"},
		{"what cannot be read is damaged", "memo/object.go", "\tif errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {", "\tif err != nil {"},
	}},
	{"TestReplacedAtPowerCut", nil, []mutation{
		{"a record replaces another before its objects have names", "memo/internal/store/together.go", "d.files.RenameNew(from, to)", "d.files.Rename(from, to)"},
		{"a record that replaces another is not synced", "memo/internal/store/together.go", "\t*folders = append(*folders, path.Dir(name))\n", ""},
	}},
	{"TestLostWrites", []string{"-lost.seeds=500", "-failfast"}, []mutation{
		{"files are not synced", "memo/internal/store/draft.go", "err = b.file.Sync()", "_ = b.file"},
		unsyncedFolders,
		{"the folders above are not synced", "memo/internal/store/durable.go", "\t\t\tneed(path.Dir(at))\n", ""},
		{"a folder that was made again is the one that was there", "memo/internal/store/durable.go", " && a.Born.Equal(b.Born)", ""},
		{"a folder is known that one of the same birth may replace", "memo/internal/store/durable.go", " && id.Born.Before(lowest.Changed)", ""},
		{"only the record is synced", "memo/internal/store/together.go", "drafts[i].finish(true, when)", "drafts[i].finish(i == others, when)"},
		{"a record that replaces another does so before its objects have names", "memo/internal/store/together.go",
			"if err := d.syncFolders(*folders...); err != nil {", "if err := error(nil); err != nil {"},
		reusedUnsynced,
		{"elements are not verified", "memo/content.go", "if found != want {", "if false {"},
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
