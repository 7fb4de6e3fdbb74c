// Package bucket keeps blobs in a bucket of an object store, whichever service offers
// it: the [store.Store] behind s3://, gs:// and azblob:// URLs.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/internal/store"
)

// Driver is what the services differ in. What is nil a service does not have.
type Driver struct {
	Scheme string
	// Open opens the bucket that a URL names, with what is left of its query. It asks
	// the server for nothing yet.
	Open func(ctx context.Context, u *url.URL) (*blob.Bucket, error)
	// Tag returns what tells the content of a blob that is being read from any other.
	Tag func(r *blob.Reader) string
	// ReadTagged and WriteTagged have a read and a write fail where a blob is not the
	// tagged one.
	ReadTagged  func(tag string) (before func(as func(any) bool) error)
	WriteTagged func(tag string) (before func(as func(any) bool) error)
	// Rewrite has the server accept the copy of a blob onto itself.
	Rewrite func(as func(any) bool) error
	// DropsUnread is a driver whose upload comes to nothing, and leaves nothing, when
	// its content cannot be read to the end. Of others the context must end first.
	DropsUnread bool
	// Lacking tells of an error that it is the bucket that is missing, not the blob.
	Lacking func(b *blob.Bucket, err error) bool
	// Conflict tells of an error that others wrote the same blob just then.
	Conflict func(b *blob.Bucket, err error) bool
	// SweepUploads drops uploads below a prefix that nobody goes on with.
	SweepUploads func(ctx context.Context, b *blob.Bucket, name, prefix string, now time.Time) (freed int64, err error)
}

// Register has [store.OpenURL] open the driver's URLs.
func Register(d Driver) {
	store.Register(d.Scheme, func(ctx context.Context, address string, readOnly bool) (store.Store, error) {
		s, err := open(ctx, d, address, readOnly)
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}

// Bucket is a [store.Store] in a bucket, below a prefix.
type Bucket struct {
	driver   Driver
	name     string // of the bucket
	prefix   string // of all keys; it ends in a slash, or is empty
	readOnly bool
	timeout  time.Duration

	closed chan struct{} // tells those who wait for a lock

	mu     sync.Mutex
	bucket *blob.Bucket
	users  int // open blobs, held locks, and 1 until Close
}

// DefaultTimeout bounds an operation; see [Bucket.allow].
const DefaultTimeout = 30 * time.Second

// open opens the bucket that a URL names. No error of it repeats what may be secret.
func open(ctx context.Context, d Driver, address string, readOnly bool) (*Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the %s:// store is no URL", fs.ErrInvalid, d.Scheme)
	}
	query := u.Query()
	endpoint, err := url.Parse(query.Get("endpoint"))
	if err != nil {
		return nil, fmt.Errorf("%w: the endpoint of %s://%s is no URL", fs.ErrInvalid, d.Scheme, u.Host)
	}
	if u.User != nil || endpoint.User != nil {
		return nil, fmt.Errorf("%w: the address of %s://%s has credentials in it; give them by the environment", fs.ErrInvalid, d.Scheme, u.Host)
	}
	prefix := strings.Trim(u.Path, "/")
	if u.Host == "" || prefix != "" && valid("open", prefix) != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%w: want %s://bucket/prefix, with names for both", fs.ErrInvalid, d.Scheme)
	}
	s := &Bucket{driver: d, name: u.Host, readOnly: readOnly, timeout: DefaultTimeout, closed: make(chan struct{}), users: 1}
	if text := query.Get("timeout"); text != "" {
		if s.timeout, err = time.ParseDuration(text); err != nil || s.timeout <= 0 {
			return nil, fmt.Errorf("%w: timeout=%s, want a duration such as 30s", fs.ErrInvalid, text)
		}
		query.Del("timeout")
	}
	s.bucket, err = d.Open(ctx, &url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: query.Encode()})
	if err != nil {
		return nil, fmt.Errorf("%w: %s://%s: %w", fs.ErrInvalid, d.Scheme, u.Host, err)
	}
	if prefix != "" {
		s.prefix = prefix + "/"
		s.bucket = blob.PrefixedBucket(s.bucket, s.prefix)
	}
	return s, nil
}

// use returns the bucket, which stays open until release.
func (s *Bucket) use() (b *blob.Bucket, release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return nil, nil, fs.ErrClosed
	}
	s.users++
	return s.bucket, sync.OnceFunc(s.leave), nil
}

func (s *Bucket) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// leave closes the bucket behind its last user.
func (s *Bucket) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		_ = s.bucket.Close() // which holds nothing but idle connections
	}
}

// Close implements [store.Store].
func (s *Bucket) Close() error {
	s.mu.Lock()
	if s.isClosed() {
		s.mu.Unlock()
		return fs.ErrClosed
	}
	close(s.closed)
	s.mu.Unlock()
	s.leave()
	return nil
}

// begin returns the bucket for an operation on a name.
func (s *Bucket) begin(ctx context.Context, op, name string, writes bool) (b *blob.Bucket, release func(), err error) {
	if err := errors.Join(valid(op, name), ctx.Err()); err != nil {
		return nil, nil, err
	}
	if writes && s.readOnly {
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	if b, release, err = s.use(); err != nil {
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return b, release, nil
}

// valid holds names to what every kind of store takes.
func valid(op, name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}
