package store

import (
	"crypto/rand"
	"errors"
)

// stageTries bounds the files that stage makes. Each but the last was swept in the
// moment between its making and its locking.
const stageTries = 20

// stage makes a staging file, and locks it until release, so that no sweep takes it for
// left behind. Where that cannot be done its age protects it.
func (d *Dir) stage() (f File, name string, release func(), err error) {
	for try := 1; ; try++ {
		name = staging + "/" + rand.Text()
		if f, err = d.create(name); err != nil {
			return nil, "", nil, err
		}
		release, err = f.Lock()
		switch {
		case err == nil:
			return f, name, release, nil
		case !errors.Is(err, ErrLocked) || try == stageTries:
			return f, name, func() {}, nil
		}
		_ = f.Close()
		_ = d.files.Remove(name) // a sweep does, or did
	}
}
