package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

// folder returns the absolute path of the cache's folder, which need not exist.
func (p *program) folder(cmd *cobra.Command) (string, error) {
	dir := p.dir
	if dir == "" && cmd.Flags().Changed("dir") {
		return "", usage("--dir is empty; name a folder")
	}
	if dir == "" {
		dir = defaultFolder()
	}
	if dir == "" {
		return "", errors.New("there is no folder for caches; name one with --dir or NUMCACHE_DIR")
	}
	if scheme, _, found := strings.Cut(dir, "://"); found { // the rest may have credentials
		return "", fmt.Errorf("%s://… is a URL, and this command reads folders; copy the cache into one, for example with aws s3 sync", scheme)
	}
	return filepath.Abs(dir)
}

// defaultFolder returns the folder of the cache where --dir names none, "" where
// the user has no cache folder.
func defaultFolder() string {
	if dir := os.Getenv("NUMCACHE_DIR"); dir != "" {
		return dir
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(user, "numcache")
}

// openExisting opens the cache for a command that looks at it. Unlike memo.Open it
// makes none, and a folder that cannot be read is an error.
func (p *program) openExisting(cmd *cobra.Command) (*memo.Cache, error) {
	return p.openAs(cmd, false)
}

// openAs is openExisting, or with readOnly opens a cache that nothing changes.
func (p *program) openAs(cmd *cobra.Command, readOnly bool) (*memo.Cache, error) {
	dir, err := p.folder(cmd)
	if err != nil {
		return nil, err
	}
	if err := checkExisting(dir); err != nil {
		return nil, err
	}
	var fault error
	var first sync.Once // later faults may come from any goroutine
	c, err := memo.Open(dir, &memo.Options{
		Logger:   slog.New(slog.DiscardHandler),
		Group:    isGroups(dir),
		Secret:   p.secret,
		ReadOnly: readOnly,
		OnEvent: func(e memo.Event) {
			if e.Kind == memo.Fault {
				first.Do(func() { fault = e.Err })
			}
		},
	})
	if err != nil {
		return nil, err
	}
	switch {
	case errors.Is(fault, memo.ErrDamaged): // the format file, which Open wrote anew
		p.repaired = true
		fmt.Fprintf(cmd.ErrOrStderr(), "numcache: %s\n", message(fault))
	case fault != nil:
		closing(c, &fault)
		return nil, fault
	}
	return c, nil
}

// isGroups reports whether a cache is one that a group shares: its folder has the
// setgid bit, and the group may write it.
func isGroups(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode()&fs.ModeSetgid != 0 && info.Mode()&0o070 == 0o070
}

// checkExisting reports a folder that is missing or has not the file that makes
// it a cache. Whether that file is right is for memo.Open to say.
func checkExisting(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no cache in %s; name another folder with --dir, or make one with numcache demo", dir)
	case err != nil:
		return fmt.Errorf("%s: %w", dir, err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder; name the folder of a cache with --dir", dir)
	}
	_, err = os.Lstat(filepath.Join(dir, "format.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not a cache, it has no format.json; name another folder with --dir", dir)
	case err != nil:
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// closing closes c at the end of a command, whose own error counts more.
func closing(c *memo.Cache, err *error) {
	if closeErr := c.Close(); *err == nil {
		*err = closeErr
	}
}
