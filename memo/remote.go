package memo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/guarded"
	"github.com/numcache/numcache/memo/internal/store/tiered"
)

// checkURLs reports options that do not go with a cache in dir, a folder or a URL.
func (o *Options) checkURLs(dir string) error {
	atURL := store.Scheme(dir) != ""
	switch {
	case o.Group && atURL:
		return fmt.Errorf("%w: Options.Group is for folders; who may read and write what is at a URL its server says", ErrArguments)
	case o.Remote == "":
		return nil
	case atURL || dir == "":
		return fmt.Errorf("%w: Options.Remote is for a cache in a folder; open the cache at the URL itself", ErrArguments)
	case store.Scheme(o.Remote) == "":
		return fmt.Errorf("%w: Options.Remote is no URL", ErrArguments)
	}
	return nil
}

// openRemote returns local with the store at a URL behind it. Without a local store it is
// that alone, and where that cannot be had now local alone.
func (c *Cache) openRemote(rawURL string, local store.Store) (store.Store, error) {
	remote, shown, err := c.openURL(rawURL)
	if err != nil {
		err = &Error{"open", shown, err}
		if !unavailable(err) {
			if local != nil {
				err = errors.Join(err, local.Close())
			}
			return nil, err
		}
		c.remoteFault(err)
	}
	if local == nil || remote == nil {
		return either(local, remote), nil
	}
	return tiered.New(local, remote, tiered.Options{
		Both:     isEntrys,
		Last:     isRecord,
		LockBoth: func(number uint64) bool { return number < firstOwnLock },
		ReadOnly: c.options.ReadOnly,
		Now:      c.now,
		Arrived: func(ctx context.Context, name string, size int64) {
			added := usage{bytes: size}
			if isRecord(name) {
				added.entries++
			}
			if err := c.enforce(context.WithoutCancel(ctx), local, added); err != nil && !mayFail(err) {
				c.tell(&Event{Kind: Fault, Err: err})
			}
		},
		Fault: func(op, name string, err error) {
			if !errors.Is(err, guarded.ErrResting) { // that it has failed was told
				c.remoteFault(&Error{op, strings.TrimSuffix(shown+"/"+name, "/"), err})
			}
		},
	}), nil
}

// either returns the one of two stores that there is.
func either(a, b store.Store) store.Store {
	if a != nil {
		return a
	}
	return b
}

// remoteFault tells of a fault of the second level. It may be told by a goroutine that
// serves others, which Options.OnEvent must not end.
func (c *Cache) remoteFault(err error) {
	told := make(chan struct{})
	go func() {
		defer close(told)
		c.tell(&Event{Kind: Fault, Err: err})
	}()
	<-told
}

// isEntrys reports whether a file is one of an entry, and not one that tells of a folder.
func isEntrys(name string) bool {
	return strings.HasPrefix(name, callsFolder+"/") || strings.HasPrefix(name, objectsFolder+"/")
}

// localLevel returns the store of the folder, where s has a second level behind it.
func localLevel(s store.Store) store.Store {
	if t, ok := s.(*tiered.Store); ok {
		return t.Local()
	}
	return s
}
