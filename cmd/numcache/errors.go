package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/npy/joblib"
)

// The exit statuses that doc.go promises.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
)

var (
	// errUsage is a command called in a way that makes no sense.
	errUsage = errors.New("usage")
	// errReported is a failure that the command has told of already.
	errReported = errors.New("reported")
	// errInterrupted is a signal that told the program to end.
	errInterrupted = errors.New("interrupted")
)

// usageError is an error that matches errUsage without saying so.
type usageError struct{ text string }

func (e *usageError) Error() string        { return e.text }
func (e *usageError) Is(target error) bool { return target == errUsage }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// message returns what to print for err, one line: "" where there is nothing to
// say, either because the command said it or because nobody reads any more.
func message(err error) string {
	if errors.Is(err, errReported) || errors.Is(err, syscall.EPIPE) {
		return ""
	}
	return oneLine(reason(err))
}

// reason returns the text of err as a person reads it: the file first, and without
// the names of the packages that the error came through.
func reason(err error) string {
	switch e := err.(type) {
	case *npy.Error:
		return e.Path + ": " + reason(e.Err)
	case *memo.Error:
		return e.Path + ": " + reason(e.Err)
	case *joblib.Error:
		return e.Path + ": " + reason(e.Err)
	case *fs.PathError:
		return reason(e.Err)
	}
	text := err.Error()
	for _, prefix := range []string{"memo: ", "npy: ", "array: ", "joblib: ", "picture: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// oneLine joins lines, as those of errors.Join, and makes what a terminal would
// obey harmless.
func oneLine(s string) string {
	return printable(strings.Join(strings.Split(strings.TrimSpace(s), "\n"), "; "))
}
