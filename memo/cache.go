package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// Cache keeps the results of functions in a folder, in memory, or in both. It may be used by any number
// of goroutines, and the folder by any number of processes at once: a reader
// sees an entry whole or not at all, and verifies what it reads.
type Cache struct {
	dir      string
	options  Options // but the secret
	signer   *signer // nil where there is no secret
	memory   *tier   // nil where results are not kept in memory
	counters counters
	account  account
	hot      hotKeys

	unwritten unwritten

	// storeMu guards store, and using counts those who use it: Close waits for
	// them. It is no RWMutex, for a user may use the cache again, in a loop over
	// Records or a progress function, while Close waits. A nil store computes
	// everything.
	storeMu sync.Mutex
	store   store.Store
	using   sync.WaitGroup

	flightsMu sync.Mutex
	flights   map[array.Digest]*flight
	landed    atomic.Int64 // flights that ended; written under flightsMu
}

// Open opens the cache in the folder dir, which it makes, private to the user,
// where it is missing. With dir "" there is no folder: results are kept in memory
// where Options.Memory asks for it, and else nowhere; functions work and compute
// every time then.
//
// A folder that holds something else is [ErrNotCache], one of a later format
// [ErrFormat], and on Unix one that others can write [ErrUnsafe]; it is not touched.
// Others are everybody, and a user who owns the folder and is neither root nor the
// effective user; with Options.Group or Options.ReadOnly the owner does not matter. Of
// root nothing less is asked: it reads another user's cache, and does not write it.
// Members of the folder's group are trusted where its mode lets them write. The
// folders above are not looked at. A folder that cannot be made or written, for want
// of permission or of space, is no error: the cache counts and logs a fault and
// computes, or serves what it can read.
//
// dir may be a URL, such as s3://bucket/prefix, in a program that imports
// github.com/numcache/numcache/memo/blobstore: then the cache is in that object store,
// in the same form. A server that does not answer within 20 seconds, or refuses, is
// a fault as such a folder is; a URL that is not valid, or that nothing in the program
// opens, is an error. Who may read and write it is for the server to say:
// Options.Group is an error with it. What may be secret in the URL, a user and a query,
// stands in no error and no log.
//
// Options may be nil. Close the cache when it is no longer needed.
func Open(dir string, o *Options) (*Cache, error) { return openCache(dir, o, openFiles) }

// openCache is Open with files from open.
func openCache(dir string, o *Options, open opener) (*Cache, error) {
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cache{dir: dir, signer: newSigner(options.Secret), flights: map[array.Digest]*flight{}}
	if err := options.checkURLs(dir); err != nil {
		return nil, err
	}
	c.options = options
	// So that nothing prints them with the cache.
	c.options.Secret, c.options.Remote = nil, ""
	if options.Memory != nil {
		if c.memory, err = newTier(*options.Memory); err != nil {
			return nil, err
		}
	}
	if dir == "" {
		return c, nil
	}
	var opened store.Store
	if store.Scheme(dir) != "" {
		opened, c.dir, err = c.openURL(dir)
	} else {
		if c.dir, err = filepath.Abs(dir); err != nil {
			return nil, &Error{"open", dir, err}
		}
		opened, err = openFolder(c.dir, options, open)
	}
	if opened == nil && !unavailable(err) && !(options.ReadOnly && errors.Is(err, fs.ErrNotExist)) {
		return nil, &Error{"open", c.dir, err}
	}
	if err != nil {
		c.tell(&Event{Kind: Fault, Err: &Error{"open", c.dir, err}})
	}
	if options.Remote != "" {
		if opened, err = c.openRemote(options.Remote, opened); err != nil {
			return nil, err
		}
	}
	c.store = opened
	if opened != nil && options.ReadOnly {
		c.store = readOnlyStore{opened}
	}
	return c, nil
}

// Dir returns the absolute path of the cache's folder, "" where there is none. For a
// cache at a URL it is that, without user and query.
func (c *Cache) Dir() string {
	if c == nil {
		return ""
	}
	return c.dir
}

// Close frees what the cache holds, after the reads and writes that are under
// way: so it must not be called from a loop over [Cache.Records] or from a
// progress function. Functions memoized with it still work, and compute every
// time. Closing twice is no error.
func (c *Cache) Close() error {
	if c == nil {
		return nil
	}
	c.storeMu.Lock()
	s := c.store
	if s != nil || c.memory != nil {
		c.store = closedStore{}
	}
	c.storeMu.Unlock()
	c.memory.close()
	if s == nil {
		return nil
	}
	c.using.Wait()
	c.flush(context.Background(), s)
	if err := s.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return &Error{"close", c.dir, err}
	}
	return nil
}

// flush tells other processes what this Cache counted. What they do not learn is
// counted again some time, or missing in the statistics.
func (c *Cache) flush(ctx context.Context, s store.Store) {
	c.flushed(c.flushUsage(ctx, s))
	c.flushed(c.flushHistory(ctx, s))
}

// flushed tells of a fault in writing what was counted. That the folder is read-only,
// or cannot be written now, is none: storing says so.
func (c *Cache) flushed(err error) {
	if err != nil && !mayFail(err) {
		c.tell(&Event{Kind: Fault, Err: err})
	}
}

// current returns the store for a moment, nil where nothing is cached. It may be
// closed at any time.
func (c *Cache) current() store.Store {
	c.storeMu.Lock()
	defer c.storeMu.Unlock()
	return c.store
}

// writes reports whether results are stored in the folder.
func (c *Cache) writes() bool {
	s := c.current()
	_, readOnly := s.(readOnlyStore)
	return s != nil && !readOnly
}

// use returns the store, nil where nothing is cached, for use until release.
func (c *Cache) use() (s store.Store, release func()) {
	c.storeMu.Lock()
	defer c.storeMu.Unlock()
	if _, closed := c.store.(closedStore); closed || c.store == nil {
		return c.store, func() {}
	}
	c.using.Add(1)
	return c.store, c.using.Done
}

// orBackground lets callers pass a nil context.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// withoutCancel is context.WithoutCancel, which allocates, but of a context that never
// ends.
func withoutCancel(ctx context.Context) context.Context {
	if ctx.Done() == nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// Has reports whether the cache holds the results of the call in memory, or an
// intact record of it, whose results have their files. It does not read the results.
func (c *Cache) Has(ctx context.Context, k Key) (bool, error) {
	return c.has(ctx, &request{key: k})
}

// has also reports whether the entry is valid for the request.
func (c *Cache) has(ctx context.Context, r *request) (bool, error) {
	if err := c.check(r.key); err != nil {
		return false, err
	}
	r.key = r.key.withSum()
	if c.memory.peek(r) != nil {
		return true, nil
	}
	_, err := c.stored(orBackground(ctx), r)
	if isGone(err) || errors.Is(err, errMismatch) {
		return false, nil
	}
	return err == nil, err
}

// stored returns the record of a call whose results have their files. Whether they
// are of the types that the request wants is checked as far as the record tells.
func (c *Cache) stored(ctx context.Context, want *request) (*Record, error) {
	s, release := c.use()
	defer release()
	if s == nil {
		return nil, fs.ErrNotExist
	}
	r, err := c.readRecord(ctx, s, want.key)
	if err != nil {
		return nil, err
	}
	if c.rejects(want, r) {
		return nil, errInvalid
	}
	if want.types != nil {
		d := resultDecoder{load: func(arrayRef) (array.Any, error) { return nil, errUnread }}
		if _, err := d.results(r.Results, want.types); errors.Is(err, errMismatch) {
			return nil, err
		}
	}
	for _, v := range r.Results {
		for _, a := range v.Arrays() {
			if _, err := statObject(ctx, s, a.Digest); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// Record returns the record of the call, as [Cache.Records] yields it, without its
// results. A call that is not in the folder is [ErrNotFound].
func (c *Cache) Record(ctx context.Context, k Key) (*Record, error) {
	if err := c.check(k); err != nil {
		return nil, err
	}
	r, err := c.stored(orBackground(ctx), &request{key: k.withSum()})
	if isGone(err) {
		err = &Error{"read", recordName(k.function, k.version, k.Digest()), fmt.Errorf("%w: %w", ErrNotFound, err)}
	}
	return r, err
}

// Forget removes the record of the call, so that it is computed next time. A call
// that is not cached is no error. Results shared with other calls stay theirs.
func (c *Cache) Forget(ctx context.Context, k Key) error {
	if err := c.check(k); err != nil {
		return err
	}
	ctx, k = orBackground(ctx), k.withSum()
	defer c.memory.delete(k.Digest()) // last, so that nobody fills it from the folder again
	s, release := c.use()
	defer release()
	if s == nil {
		return nil
	}
	name := recordName(k.function, k.version, k.Digest())
	if err := s.Delete(ctx, name); err != nil {
		return &Error{"forget", name, err}
	}
	return nil
}

// check reports a nil cache or an invalid key.
func (c *Cache) check(k Key) error {
	if c == nil {
		return ErrNil
	}
	return k.Err()
}

// isGone reports whether err says that an entry is missing, damaged or not signed, or
// will not do any more.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) || errors.Is(err, store.ErrForeign) || errors.Is(err, ErrFormat) || errors.Is(err, ErrUnsigned) || errors.Is(err, errInvalid)
}
