package store

import (
	"io"
	"io/fs"
	"time"
)

// Files are the operations on the files of one folder that a [Dir] is made of: what
// an operating system offers, and no more. Names are those of a [Store]; "." is the
// folder itself. No name leads out of the folder, and no symbolic link is followed out
// of it. Any operation may fail at any time, and one that failed may have been done
// all the same. All may be called from several goroutines.
//
// One that a signal interrupts fails with EINTR, and is asked for again by the Dir;
// only a [Blob] goes on by itself.
type Files interface {
	// Open opens a regular file for reading. Anything else is [ErrForeign], and is not
	// waited for.
	Open(name string) (Blob, error)
	// Create makes a file that is not there yet, private to the user.
	Create(name string) (File, error)
	// Edit opens a file that is there, as it is, to lock it.
	Edit(name string) (File, error)
	// Lstat tells of whatever has the name.
	Lstat(name string) (fs.FileInfo, error)
	// ReadDir lists a folder, in no order.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Mkdir makes a folder, private to the user.
	Mkdir(name string) error
	// Chmod sets the mode of a folder.
	Chmod(name string, mode fs.FileMode) error
	// Chtimes sets the time of modification of a file.
	Chtimes(name string, modified time.Time) error
	// Rename gives a file another name, in place of the file that has it.
	Rename(from, to string) error
	// RenameNew is Rename where nothing has the name, else [fs.ErrExist]. It is
	// [errors.ErrUnsupported], or another error, where the system has no such rename.
	RenameNew(from, to string) error
	// Link gives a file a second name, [fs.ErrExist] where something has it. File
	// systems without such names refuse.
	Link(from, to string) error
	// Remove removes a name of a file, or an empty folder.
	Remove(name string) error
	// SyncFolder returns when a power cut can no longer undo what was made, renamed
	// and removed in the folder. Where folders cannot be synced it does nothing.
	SyncFolder(name string) error
	// Identity tells which folder has the name. It is [errors.ErrUnsupported] where the
	// file system does not know, and an error where something else has the name.
	Identity(name string) (Identity, error)
	// Concurrent reports whether several goroutines get more done in the same time than
	// one.
	Concurrent() bool
	// OpenLock opens the file that is locked, and makes it where it is missing, with
	// the given mode. Without locks it is [errors.ErrUnsupported].
	OpenLock(mode fs.FileMode) (LockFile, error)
	// Close frees what the folder takes. Files that are open stay so.
	Close() error
}

// File is a file that is open for writing, by one goroutine.
type File interface {
	// Write writes as write(2) does: a part may be all it writes, without an error.
	io.Writer
	// Chmod sets the mode.
	Chmod(mode fs.FileMode) error
	// BeginSync has the system begin to write what it holds of the file, if it can be
	// told to, and waits for nothing. It promises nothing either: Sync does, and then has
	// less to wait for.
	BeginSync()
	// Sync returns when a power cut can no longer lose what was written. If it fails,
	// what was written may be lost whatever a later Sync says.
	Sync() error
	// Lock locks the whole file for this open file alone until release, which may
	// come after Close. [ErrLocked] is a file that another has locked.
	Lock() (release func(), err error)
	// Close is called once: the file is closed even where it fails.
	Close() error
}

// LockFile is an open file whose bytes can be locked, each for one open file.
type LockFile interface {
	// Lock locks a byte, [ErrLocked] where another has it.
	Lock(offset int64) error
	// Unlock gives a byte back.
	Unlock(offset int64) error
	// Locked reports whether another has a byte.
	Locked(offset int64) (bool, error)
	// Close closes the file, and gives back what it has locked.
	Close() error
}
