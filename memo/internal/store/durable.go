package store

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
	"time"
)

// Identity tells a folder from every other that has, had or will have its name. The number
// alone does not: file systems give the number of one that was removed to the next one
// that is made. But that one is born later.
type Identity struct {
	Device, Inode uint64
	Born          time.Time
	// Changed is when the folder, or what is in it, was last changed. It is no part of
	// what tells it from others, but the latest that is known of the file system's clock:
	// a folder that is made from then on is not born before that.
	Changed time.Time
}

// same reports whether two looks have seen one folder.
func (a Identity) same(b Identity) bool {
	return a.Device == b.Device && a.Inode == b.Inode && a.Born.Equal(b.Born)
}

// durableNames are the folders whose own names, in the folders that they are in, are known
// to be durable, so that these need not be synced for each blob that is put below.
//
// That a folder was once synced for its name says nothing of the folder of that name now:
// another process may have removed it, as Delete removes empty ones, and made it again,
// and may not have synced that. So what is known is of a folder with its [Identity], which
// is looked at whenever it is to be used. This is enough:
//
//   - Folder F is in folder P. F's identity is read, then P is synced, and F is known when
//     that has succeeded. If another took F's place in between, it is that one's name which
//     is durable, and F, whose identity nothing has any more, is never asked for again.
//   - A blob has got its name in F; then F's identity is read, and is the known one. F was
//     not removed since it was known, for what is removed does not come back: a folder that
//     is made has a new identity. So its name in P is as durable as it was. Had F been
//     removed since the blob got its name, the blob would have been removed before.
//   - Clocks of file systems stand still for some milliseconds, and two folders that are
//     made meanwhile may have one identity. So F is known only when that clock is seen to
//     have moved on since F was born: by the change of the folder in which the blob has just
//     got its name. All that are made later are born later.
//   - F is known by its whole name, and each folder above it must be known for itself. If P
//     was removed, so was F.
//   - Nothing renames a folder that may be known: those of a group get their name by a
//     rename, but from the staging folder, and as new ones. Who moves folders of a cache by
//     hand, while programs use it, has to sync them himself.
//   - A process that dies takes what it knows with it, as does a machine.
//
// Where the file system does not tell when a folder was born, no folder is ever known.
type durableNames struct {
	mu    sync.Mutex
	known map[string]Identity // by name
}

// maxDurable bounds the names that are remembered. All are forgotten then, which costs some
// syncs.
const maxDurable = 4096

// has reports whether the name of a folder is known to be durable.
func (n *durableNames) has(name string, id Identity) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	known, ok := n.known[name]
	return ok && known.same(id)
}

// add notes folders whose names have become durable.
func (n *durableNames) add(folders map[string]Identity) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known)+len(folders) > maxDurable {
		n.known = map[string]Identity{}
	}
	maps.Copy(n.known, folders)
}

// syncFolders makes the names in some folders durable, and those of the folders themselves,
// up to the root, where they are not known to be. A folder that is gone was removed with
// what was in it. A system that cannot sync folders has nothing to sync.
func (d *Dir) syncFolders(names ...string) error {
	var folders []string
	fresh := map[string]Identity{} // to be known afterwards
	need := func(name string) {
		if !slices.Contains(folders, name) {
			folders = append(folders, name)
		}
	}
	for _, name := range names {
		need(name)
		var lowest Identity // which has just changed
		for at := name; at != "."; at = path.Dir(at) {
			id, err := d.files.Identity(at)
			if at == name {
				lowest = id
			}
			if err == nil && d.durable.has(at, id) {
				continue
			}
			need(path.Dir(at))
			if err == nil && id.Device == lowest.Device && id.Born.Before(lowest.Changed) {
				fresh[at] = id
			}
		}
	}
	_, err := d.atOnce(len(folders), func(i int) error {
		err := d.files.SyncFolder(folders[i])
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err == nil && len(fresh) > 0 {
		d.durable.add(fresh)
	}
	return err
}
