package store

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// SetPulse sets the time between two signs of life.
func (d *Dir) SetPulse(pulse time.Duration) { d.pulse = pulse }

// SetLock takes the lock on one byte of a file.
func SetLock(f *os.File, offset int64) error { return setLock(int(f.Fd()), unix.F_WRLCK, offset) }

// AllowLocks has this process open n more locks at most, until the test ends.
func AllowLocks(t interface{ Cleanup(func()) }, n int64) {
	old, most := maxOpenLocks, openLocks.Load()+n
	t.Cleanup(func() { maxOpenLocks = old })
	maxOpenLocks = func() int64 { return most }
}
