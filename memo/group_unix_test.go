//go:build unix

package memo

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var (
	groupCaches = flag.Int("group.caches", 2, "caches of each kind that TestGroupMembers makes")
	groupRounds = flag.Int("group.rounds", 5, "calls of each process of TestGroupMembers")
)

// The environment of a member's process: the cache folder, and three numbers: his own,
// the umask, and how many calls he makes.
const (
	groupFolder = "NUMCACHE_TEST_GROUP_FOLDER"
	groupTask   = "NUMCACHE_TEST_GROUP_TASK"
)

// The members of the group, and their group, which need not be in the system's lists.
const (
	firstMember  = 61001
	memberGroup  = 61000
	groupMembers = 4 // processes; every other one is the same user's
)

// asUser returns the test binary as another user can run it.
type asUser struct{ binary string }

// needUsers skips a test that cannot run processes as other users.
func needUsers(t *testing.T) asUser {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes of other users")
	}
	// Others may not enter the folder in which go test has put it.
	source, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	u := asUser{filepath.Join(openFolderForAll(t), "memo.test")}
	binary, err := os.OpenFile(u.binary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(binary, source)
	if err := errors.Join(err, binary.Chmod(0o755), binary.Close()); err != nil {
		t.Fatal(err)
	}
	return u
}

// openFolderForAll returns a new folder that everybody may enter.
func openFolderForAll(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	chmod(t, filepath.Dir(dir), 0o755)
	chmod(t, dir, 0o755)
	return dir
}

// rerun is rerun as the user, a member of the group.
func (u asUser) rerun(user uint32, test string, environment ...string) *exec.Cmd {
	cmd := rerun(test, environment...)
	cmd.Path = u.binary
	cmd.Dir = filepath.Dir(u.binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user, Groups: []uint32{memberGroup}}}
	return cmd
}

// groupName is the function of one call, of all members or of one. Each has folders of
// its own, which are made at that moment.
func groupName(round, member int) string {
	if member < 0 {
		return "shared " + strconv.Itoa(round)
	}
	return "member " + strconv.Itoa(member) + " " + strconv.Itoa(round)
}

// TestGroupMember is no test by itself, but what the processes of TestGroupMembers run.
func TestGroupMember(t *testing.T) {
	dir := os.Getenv(groupFolder)
	if dir == "" {
		t.Skip("for TestGroupMembers only")
	}
	var member, umask, rounds int
	if _, err := fmt.Sscan(os.Getenv(groupTask), &member, &umask, &rounds); err != nil {
		t.Fatal(err)
	}
	syscall.Umask(umask)
	fmt.Println("ready")
	var line string
	next := func() {
		if _, err := fmt.Scanln(&line); err != nil {
			t.Fatal(err)
		}
	}
	next()
	c, err := Open(dir, &Options{Group: true, Sync: SyncNone, Limits: Limits{MaxBytes: 1 << 30}, Logger: slog.New(slog.DiscardHandler), OnEvent: func(e Event) {
		if e.Kind == Fault {
			t.Errorf("FAULT: %v", e.Err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(name string, round int) {
		f, err := Func(c, Spec{Name: name, Version: "1"}, func(n int) []int { return []int{n, len(name)} })
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Call(round); len(got) != 2 || got[0] != round || got[1] != len(name) {
			t.Errorf("WRONG result of %s: %v", name, got)
		}
	}
	for round := range rounds {
		call(groupName(round, -1), round)
		call(groupName(round, member), round)
	}
	fmt.Println("written")
	next()
	c.ResetStats()
	for round := range rounds {
		call(groupName(round, -1), round)
		for m := range groupMembers {
			call(groupName(round, m), round)
		}
	}
	s := c.Stats()
	fmt.Println(s.Hits, s.Misses)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestGroupMembers has two users open, fill and read one cache at the same time, in two
// processes each, under each umask. None meets a folder or a file of another that it
// cannot use: no faults, and each finds what the others have stored.
func TestGroupMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	u := needUsers(t)
	var hits, misses, folders, files, caches int
	for range *groupCaches {
		for _, umask := range []int{0o000, 0o027, 0o077} {
			for _, before := range []bool{false, true} {
				t.Run(fmt.Sprintf("umask %03o, made before %v", umask, before), func(t *testing.T) {
					caches++
					dir := makeForGroup(t, before)
					h, m := u.useTogether(t, dir, umask)
					hits, misses = hits+h, misses+m
					fo, fi := checkGroupModes(t, dir)
					folders, files = folders+fo, files+fi
				})
			}
		}
	}
	t.Logf("2 users, %d processes, %d caches, 3 umasks, %d calls each: %d hits and %d misses of what all had stored; %d folders and %d files",
		groupMembers, caches, 2**groupRounds, hits, misses, folders, files)
	if want := caches * groupMembers * *groupRounds * (groupMembers + 1); misses != 0 || hits != want || folders == 0 {
		t.Errorf("want %d hits", want)
	}
}

// makeForGroup returns the path of a folder that the group may make, or one that was made
// for it before.
func makeForGroup(t *testing.T, before bool) (dir string) {
	t.Helper()
	base := filepath.Join(openFolderForAll(t), "group")
	dir = filepath.Join(base, "new", "cache")
	folders := []string{base}
	if before {
		folders = append(folders, dir)
	}
	for _, folder := range folders {
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.Chown(folder, firstMember, memberGroup)); err != nil {
			t.Fatal(err)
		}
		chmod(t, folder, 0o770|fs.ModeSetgid)
	}
	return dir
}

// useTogether has the members open, fill and read a cache at the same time, and returns
// how much of what they stored they found.
func (u asUser) useTogether(t *testing.T, dir string, umask int) (hits, misses int) {
	t.Helper()
	var processes []*process
	for m := range groupMembers {
		cmd := u.rerun(firstMember+uint32(m%2), "TestGroupMember", groupFolder+"="+dir, groupTask+"="+fmt.Sprintln(m, umask, *groupRounds))
		processes = append(processes, startCommand(t, cmd))
	}
	goOn := func() {
		for _, p := range processes {
			if _, err := fmt.Fprintln(p.in, "go"); err != nil {
				t.Fatal(err)
			}
		}
	}
	goOn()
	for _, p := range processes {
		if line := p.read(); line != "written" {
			rest, _ := io.ReadAll(p.out) // it has ended
			t.Fatalf("a process says %q\n%.2000s", line, rest)
		}
	}
	goOn()
	for _, p := range processes {
		var h, m int
		line := p.read()
		if _, err := fmt.Sscan(line, &h, &m); err != nil {
			t.Fatalf("a process says %q", line)
		}
		hits, misses = hits+h, misses+m
		said, readErr := io.ReadAll(p.out)
		if err := errors.Join(readErr, p.cmd.Wait()); err != nil {
			t.Errorf("%v\n%.2000s", err, said)
		}
	}
	return hits, misses
}

// checkGroupModes looks at the mode and the group of everything in a group's cache.
func checkGroupModes(t *testing.T, dir string) (folders, files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o660)
		if e.IsDir() {
			want = 0o770 | fs.ModeDir | fs.ModeSetgid
			folders++
		} else {
			files++
		}
		if gid := info.Sys().(*syscall.Stat_t).Gid; info.Mode() != want || gid != memberGroup {
			t.Errorf("%s: %v, group %d; want %v", path, info.Mode(), gid, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, folder := range []string{stagingFolder, quarantineFolder} {
		for _, name := range filesBelow(t, dir, folder) {
			t.Errorf("%s is left", name)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the cache: %v, %v", entries, err)
	}
	return folders, files
}

// TestAsAnotherUser runs the tests of permissions as a user whom permissions bind.
func TestAsAnotherUser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process")
	}
	u := needUsers(t)
	tests := []string{"TestFoldersThatOthersCanWrite", "TestReadOnlyThatOthersCanWrite", "TestUmask", "TestReadOnlyFolder", "TestFolderIsPrivate", "TestHostileFolder"}
	cmd := u.rerun(firstMember, "("+strings.Join(tests, "|")+")")
	cmd.Args = append(cmd.Args, "-test.v")
	home := filepath.Join(filepath.Dir(u.binary), "home")
	if err := errors.Join(os.Mkdir(home, 0o700), os.Chown(home, firstMember, firstMember)); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+home)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	for _, test := range tests {
		if !strings.Contains(string(output), "--- PASS: "+test+" ") {
			t.Errorf("%s was not run:\n%s", test, output)
		}
	}
	if runtime.GOOS == "linux" && !strings.Contains(string(output), "--- PASS: TestUmask/077_group=true") {
		t.Error("no group was made by a user")
	}
}

// TestPrivateCacheOfAnother: a user finds another's cache. One that he cannot enter
// costs him nothing but the cache; one that he could read he is not to trust.
func TestPrivateCacheOfAnother(t *testing.T) {
	u := needUsers(t)
	for mode, want := range map[fs.FileMode]string{0o700: "computed 3, faults 1", 0o755: "ErrUnsafe"} {
		dir := filepath.Join(openFolderForAll(t), "cache")
		openQuiet(t, dir)
		chmod(t, dir, mode)
		if err := os.Chown(dir, firstMember, firstMember); err != nil {
			t.Fatal(err)
		}
		cmd := u.rerun(firstMember+1, "TestStrangerProcess", strangerFolder+"="+dir)
		output, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(output), want) {
			t.Errorf("%v: %v; want %q in\n%s", mode, err, want, output)
		}
	}
}

// strangerFolder names the folder of TestStrangerProcess.
const strangerFolder = "NUMCACHE_TEST_STRANGER_FOLDER"

// TestStrangerProcess is no test by itself, but what TestPrivateCacheOfAnother runs.
func TestStrangerProcess(t *testing.T) {
	dir := os.Getenv(strangerFolder)
	if dir == "" {
		t.Skip("for TestPrivateCacheOfAnother only")
	}
	c, err := Open(dir, quiet())
	if errors.Is(err, ErrUnsafe) {
		fmt.Println("ErrUnsafe")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		got, err := memoizeSample(t, c).Call(t.Context(), n)
		checkSample(t, n, got, err)
	}
	s := c.Stats()
	fmt.Printf("computed %d, faults %d\n", s.Misses, s.Faults)
}
