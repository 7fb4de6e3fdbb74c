package memo

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// diskKind is a file system that can be told to stop as in a power cut.
type diskKind struct {
	name    string
	bytes   int64 // of the image, which is sparse
	mkfs    []string
	options string // to mount it with
}

var diskKinds = []diskKind{
	{"ext4", 64 << 20, []string{"mkfs.ext4", "-q", "-F"}, "loop"},
	// Here a file may have its length before its content, and show what was deleted.
	{"ext4, data=writeback", 64 << 20, []string{"mkfs.ext4", "-q", "-F"}, "loop,data=writeback,nodelalloc"},
	{"xfs", 320 << 20, []string{"mkfs.xfs", "-q", "-f"}, "loop"},
}

// disk is a mounted file system in a file.
type disk struct {
	t       *testing.T
	kind    diskKind
	image   string
	at      string // where it is mounted
	mounted bool
}

// newDisk makes and mounts a file system. The test has mounts of its own: see apart.
func newDisk(t *testing.T, kind diskKind) *disk {
	t.Helper()
	if _, err := exec.LookPath(kind.mkfs[0]); err != nil {
		t.Skipf("%s is missing; on Debian: apt-get install e2fsprogs xfsprogs", kind.mkfs[0])
	}
	memory := t.TempDir() // the image is in memory: to sync it is quick
	if err := unix.Mount("numcache", memory, "tmpfs", 0, "size=512m"); err != nil {
		t.Skipf("tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { unmount(t, memory) })
	d := &disk{t: t, kind: kind, image: filepath.Join(memory, "image"), at: filepath.Join(memory, "disk")}
	if err := os.Mkdir(d.at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, kind.bytes); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(kind.mkfs[0], append(kind.mkfs[1:], d.image)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", kind.mkfs[0], err, output)
	}
	if output, err := d.tryMount(); err != nil {
		t.Skipf("%s cannot be mounted here: %v: %s", kind.name, err, output)
	}
	t.Cleanup(func() {
		if d.mounted {
			d.unmount()
		}
	})
	return d
}

// tryMount mounts the disk, by a loop device that goes when it is unmounted.
func (d *disk) tryMount() (output []byte, err error) {
	output, err = exec.Command("mount", "-o", d.kind.options, d.image, d.at).CombinedOutput()
	d.mounted = err == nil
	return output, err
}

func (d *disk) mount() {
	d.t.Helper()
	if output, err := d.tryMount(); err != nil {
		d.t.Fatalf("mount after the power cut: %v: %s", err, output)
	}
}

func (d *disk) unmount() {
	d.t.Helper()
	d.mounted = false
	unmount(d.t, d.at)
}

func unmount(t *testing.T, at string) {
	t.Helper()
	if err := unix.Unmount(at, 0); err != nil {
		t.Errorf("unmount: %v", err)
		_ = unix.Unmount(at, unix.MNT_DETACH)
	}
}

// The ioctl by which a file system stops at once, and its argument that says not to
// write the log first: from linux/fs.h and fs/ext4/ext4.h, fs/xfs/libxfs/xfs_fs.h.
const (
	fsShutdown  = 0x8004587d
	noLogFlush  = 2
	canary      = "canary"
	canarySings = "it was written just before the power was cut"
)

// cutPower stops the file system: what it has not written by now is lost.
func (d *disk) cutPower() {
	d.t.Helper()
	folder, err := os.Open(d.at)
	if err != nil {
		d.t.Fatal(err)
	}
	defer folder.Close()
	_ = os.WriteFile(filepath.Join(d.at, canary), []byte(canarySings), 0o600) // the disk may be full
	if err := unix.IoctlSetPointerInt(int(folder.Fd()), fsShutdown, noLogFlush); err != nil {
		d.t.Fatalf("the file system does not stop: %v", err)
	}
}

// hasCanary reports whether the file is there that was written just before the power was
// cut, and removes it.
func (d *disk) hasCanary() bool {
	name := filepath.Join(d.at, canary)
	b, err := os.ReadFile(name)
	_ = os.Remove(name)
	return err == nil && string(b) == canarySings
}
