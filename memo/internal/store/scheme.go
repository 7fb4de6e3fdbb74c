package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Opener opens the store that a URL names, and reads or writes nothing in it yet. A
// store that is only to be read is never written by it, not even for a lock.
type Opener func(ctx context.Context, url string, readOnly bool) (Store, error)

var (
	openersMu sync.Mutex
	openers   = map[string]Opener{}
)

// Register has [OpenURL] open URLs of the scheme ("s3") with open. It is for packages
// that bring a store, in their init; a scheme that is registered already panics there.
func Register(scheme string, open Opener) {
	openersMu.Lock()
	defer openersMu.Unlock()
	if openers[scheme] != nil || open == nil {
		panic("store: " + scheme + " is registered twice, or with nothing")
	}
	openers[scheme] = open
}

// Scheme returns the scheme of a URL, "" where name is no URL but a folder.
func Scheme(name string) string {
	scheme, _, ok := strings.Cut(name, "://")
	if !ok || scheme == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return ""
	}
	return scheme
}

// OpenURL opens the store that url names with what is registered for its scheme.
func OpenURL(ctx context.Context, url string, readOnly bool) (Store, error) {
	scheme := Scheme(url)
	openersMu.Lock()
	open := openers[scheme]
	known := slices.Sorted(maps.Keys(openers))
	openersMu.Unlock()
	if open == nil {
		return nil, fmt.Errorf("nothing in this program opens %s:// (it opens %q); import github.com/numcache/numcache/memo/blobstore for s3, and its packages gs and azure for gs and azblob", scheme, known)
	}
	return open(ctx, url, readOnly)
}
