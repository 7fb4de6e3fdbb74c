//go:build unix

package memo

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/numcache/numcache/memo/internal/store"
)

// checkOwner refuses a folder that others can write, for whoever can write a cache
// can forge its results. It looks at the folder that is open, so that nobody can put
// another in its place meanwhile, and not at those it is in. That the group can write
// it is no reason: where each user has a group of his own, the umask lets folders be
// made so.
//
// Root may write everybody's files, so that a folder of root's is no less safe than
// any other. But root does not write a cache of another user, whose files would be
// root's then: it reads it at most.
func checkOwner(d *store.Dir, dir string, o Options) error {
	info, err := d.Folder()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	mode, user := info.Mode(), os.Geteuid()
	foreign := int(stat.Uid) != user && stat.Uid != 0
	switch {
	case mode&0o002 != 0:
		return fmt.Errorf("%w: everybody can, its mode is %v; chmod o-w %s, or choose another folder", ErrUnsafe, mode, dir)
	case o.ReadOnly:
		return nil
	case o.Group && (mode&fs.ModeSetgid == 0 || mode&0o070 != 0o070):
		// Without the bit new files would be of the writer's own group.
		return fmt.Errorf("%w: what is made in it may be another group's than its own, its mode is %v; chmod 2770 %s, or choose another folder", ErrUnsafe, mode, dir)
	case foreign && !o.Group:
		return fmt.Errorf("%w: it belongs to the user %d, and this is %d; chown %d %s, choose another folder, or set Options.ReadOnly", ErrUnsafe, stat.Uid, user, user, dir)
	}
	return nil
}

// everybodys reports whether everybody can read a file, or write it.
func everybodys(info fs.FileInfo) bool { return info.Mode()&0o006 != 0 }
