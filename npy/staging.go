package npy

import (
	"crypto/rand"
	"os"
	"path/filepath"
)

// staged is a file that is being written beside the path it will have.
type staged struct {
	*os.File
	path string
	done bool
}

// stage makes the file that publish will rename to path. Its discard must be
// called.
func stage(path string) (*staged, error) {
	// It lies beside the final file: only within a file system is a rename
	// atomic. Its name is short, for path's may have all the length that a name
	// can have.
	name := filepath.Join(filepath.Dir(path), ".npy-"+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &staged{File: f, path: path}, nil
}

// publish gives the file its name, once it is safe on disk.
func (s *staged) publish() error {
	// Without this, a power cut could leave the new name on an empty file.
	if err := s.Sync(); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := os.Rename(s.Name(), s.path); err != nil {
		return err
	}
	s.done = true
	return nil
}

// discard removes the file unless it was published.
func (s *staged) discard() {
	if !s.done {
		s.Close()
		os.Remove(s.Name())
		s.done = true
	}
}
