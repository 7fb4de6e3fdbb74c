package store

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path"
)

// create makes a new file, and its folder where that is missing.
func (d *Dir) create(name string) (File, error) {
	f, err := d.files.Create(name)
	// Where others make the folder too, one of theirs may replace it just when it is used.
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < renameTries; try++ {
		if err = d.mkdirAll(path.Dir(name)); err == nil {
			f, err = d.files.Create(name)
		}
	}
	if err == nil && d.group {
		if err := f.Chmod(groupFile); err != nil {
			return nil, errors.Join(err, f.Close(), d.files.Remove(name))
		}
	}
	return f, err
}

// mkdirAll makes a folder, and those it is in, where they are missing.
func (d *Dir) mkdirAll(name string) error {
	var folders []string
	if d.group {
		folders = append(folders, staging)
	}
	for i := range len(name) + 1 {
		if i == len(name) || name[i] == '/' {
			folders = append(folders, name[:i])
		}
	}
	for _, folder := range folders {
		// Another process may be just making it, or removing it.
		if err := d.mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// mkdir makes a folder. One of the group gets its name last, for the umask takes bits
// away that only a second call gives it back: the other members meet none that they
// cannot use, even if this process dies between the two.
func (d *Dir) mkdir(name string) error {
	if !d.group {
		return d.files.Mkdir(name)
	}
	if _, err := d.files.Lstat(name); err == nil {
		return fs.ErrExist
	}
	staged := staging + "/" + rand.Text()
	if name == staging {
		staged = stagedStaging + rand.Text()
	}
	if err := d.files.Mkdir(staged); err != nil {
		return err
	}
	err := d.files.Chmod(staged, GroupFolder)
	if err == nil {
		err = d.files.Rename(staged, name)
	}
	if err != nil {
		_ = d.files.Remove(staged) // else it is swept
	}
	return err
}

// renameTries bounds the retries of move and create. Each failure but the first means that
// somebody else removed a folder at just that moment.
const renameTries = 20

// move gives a file its name, by a rename or a link. The name's folders may be missing,
// and may go missing again while they are made, as Delete removes empty ones: hence the
// retries.
func (d *Dir) move(by func(from, to string) error, from, to string) error {
	err := by(from, to)
	// mkdirAll too can find a folder gone that it has just made or found (ErrExist).
	for try := 0; (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)) && try < renameTries; try++ {
		if _, missing := d.files.Lstat(from); missing != nil {
			return missing // there is nothing to wait for
		}
		if err = d.mkdirAll(path.Dir(to)); err == nil {
			err = by(from, to)
		}
	}
	return err
}
