package memo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/npy"
)

// Ref refers to the results of one call without holding them: some hundred bytes
// for results of any size. It marshals as text, and so in JSON as a string; what
// was unmarshalled reads from a cache after [Ref.In]. A Ref is a value that may be
// copied and used from several goroutines.
type Ref struct {
	function, version string
	key               array.Digest
	cache             *Cache
	held              *held // nil where the results are in a folder
}

// held are results that are in no folder, and their record. The copies of a Ref share
// them, so that Forget frees them for all.
type held struct {
	values atomic.Pointer[[]reflect.Value] // nil when they are forgotten
	record *Record
}

// get returns the results.
func (h *held) get() ([]reflect.Value, error) {
	values := h.values.Load()
	if values == nil {
		return nil, fmt.Errorf("%w: the results were forgotten", ErrNotFound)
	}
	return *values, nil
}

// Shelve is [Do] for callers that want a reference to the result: where the cache
// holds it, it is not read.
func Shelve[T any](ctx context.Context, c *Cache, k Key, compute func(context.Context) (T, error)) (Ref, error) {
	if c == nil || compute == nil {
		return Ref{}, fmt.Errorf("%w cache or function given to Shelve", ErrNil)
	}
	r, err := doRequest(k, compute)
	if err != nil {
		return Ref{}, err
	}
	return c.shelve(ctx, &r)
}

// Ref returns a reference to the call with the given key, whether the cache holds
// it or not. An invalid key makes one whose reads are [ErrNotFound].
func (c *Cache) Ref(k Key) Ref {
	return Ref{function: k.function, version: k.version, key: k.Digest(), cache: c}
}

// RefOf returns a reference to the call that a record of the cache tells of.
func (c *Cache) RefOf(r *Record) Ref {
	if r == nil {
		return Ref{cache: c}
	}
	return Ref{function: r.Function, version: r.Version, key: r.Key, cache: c}
}

func (c *Cache) shelve(ctx context.Context, r *request) (Ref, error) {
	ctx = orBackground(ctx)
	if err := ctx.Err(); err != nil {
		return Ref{}, err
	}
	r.key = r.key.withSum()
	ref := c.Ref(r.key)
	if r.key.Err() == nil {
		if record, err := c.stored(ctx, r); err == nil {
			c.hit(r, record.Duration)
			return ref, nil
		}
		if e := c.memory.use(r, r.types); e != nil {
			r.inMemory = true
			c.hit(r, e.record.Duration)
			return ref.holding(e), nil
		}
	}
	began, saved := time.Now(), false
	r.saved = &saved
	values, err := c.do(ctx, r)
	if err != nil {
		return Ref{}, err
	}
	if saved {
		r.valid = nil // it turns down what others find, not what the caller has just got
	}
	if r.key.Err() == nil {
		if _, err := c.stored(ctx, r); err == nil {
			return ref, nil
		}
		if e := c.memory.peek(r); e != nil {
			return ref.holding(e), nil
		}
	}
	return ref.holding(&kept{values: values, record: newRecord(r.key, c.now(), time.Since(began))}), nil
}

// holding returns the reference to results that are in no folder. It holds them
// itself, so that it stays good when the memory tier evicts them.
func (r Ref) holding(e *kept) Ref {
	r.held = &held{record: e.record}
	r.held.values.Store(&e.values)
	return r
}

// In returns the reference, to be read from c.
func (r Ref) In(c *Cache) Ref {
	r.cache = c
	return r
}

// Key returns the digest of the call's key.
func (r Ref) Key() array.Digest { return r.key }

// Function returns the name of the function that was called.
func (r Ref) Function() string { return r.function }

// Version returns the version of the function that was called.
func (r Ref) Version() string { return r.version }

// callKey returns the key of the call, without its arguments.
func (r Ref) callKey() Key {
	return Key{function: r.function, version: r.version, sum: r.key, summed: true}
}

// check reports a reference that cannot be read.
func (r Ref) check() error {
	switch {
	case r.held != nil:
		return nil
	case r.function == "":
		return fmt.Errorf("%w: the reference is empty", ErrNotFound)
	case r.cache == nil:
		return fmt.Errorf("%w cache: say with Ref.In where the reference is read from", ErrNil)
	}
	return nil
}

// Record tells of the call: its arguments, when it was computed, how long that
// took. It is [ErrNotFound] when the entry is no longer there. Of results that are
// in no folder everything but the results is known.
func (r Ref) Record(ctx context.Context) (*Record, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if h := r.held; h != nil {
		if _, err := h.get(); err != nil {
			return nil, err
		}
		record := *h.record
		return &record, nil
	}
	return r.cache.Record(ctx, r.callKey())
}

// Get reads the results, verified, into the variables that results point to, one
// for each result of the function but its error. They belong to the caller. An
// entry that is no longer there, or is damaged, is [ErrNotFound]; variables of
// other types than the results are [ErrArguments].
func (r Ref) Get(ctx context.Context, results ...any) error {
	if err := r.check(); err != nil {
		return err
	}
	into := make([]reflect.Value, len(results))
	types := make([]reflect.Type, len(results))
	for i, p := range results {
		v := reflect.ValueOf(p)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			return fmt.Errorf("%w: result %d is read into a %T; give a pointer to a variable", ErrArguments, i, p)
		}
		into[i], types[i] = v.Elem(), v.Type().Elem()
		if err := doResultOf(types[i]).err; err != nil {
			return fmt.Errorf("%w: result %d: %w", ErrArguments, i, err)
		}
	}
	values, err := r.get(orBackground(ctx), types)
	if err != nil {
		return err
	}
	for i, v := range values {
		into[i].Set(v)
	}
	return nil
}

func (r Ref) get(ctx context.Context, types []reflect.Type) ([]reflect.Value, error) {
	mismatch := func() error {
		return fmt.Errorf("%w: the results of %s are not of the types %v", ErrArguments, r.function, types)
	}
	if r.held != nil {
		values, err := r.held.get()
		if err == nil && !haveTypes(values, types) {
			err = mismatch()
		}
		if err != nil {
			return nil, err
		}
		var memory *tier
		if r.cache != nil {
			memory = r.cache.memory
		}
		return memory.own(values)
	}
	want := &request{key: r.callKey(), types: types}
	values, _, err := r.cache.lookup(ctx, want)
	switch {
	case errors.Is(err, errMismatch):
		return nil, mismatch()
	case isGone(err):
		if e := r.cache.memory.peek(&request{key: want.key}); e != nil {
			if !haveTypes(e.values, types) {
				return nil, mismatch()
			}
			return r.cache.memory.own(e.values) // it came while the folder was looked into
		}
		return nil, &Error{"read", r.String(), fmt.Errorf("%w: %w", ErrNotFound, err)}
	}
	return values, err
}

// Open opens a result that is an array for reading parts of it, or for mapping:
// see [npy.File]. Results count from 0. The whole file is verified first, which
// reads it once and keeps nothing in memory. The caller closes the file, which stays
// what it is even if the entry is forgotten or replaced meanwhile: the cache never changes
// a file. Others who can write the folder might, after it was verified, with
// [Options.Secret] too; then what is read or mapped changes with it, see
// [npy.File.Map], where Get reads and verifies a copy that they cannot reach. An entry that is no longer
// there, or is damaged, is [ErrNotFound]; a result that is no array, a compressed one,
// or one that is kept in memory only is [ErrUnsupported]: use Get.
//
// Of a cache at a URL only the header and the length are verified, but with
// Options.Secret all: the file reads those rows that it is asked for and no others, as
// long as ctx lasts. Use Get where the store is not trusted to keep what it was given.
func (r Ref) Open(ctx context.Context, result int) (*npy.File, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	ctx = orBackground(ctx)
	if r.held != nil {
		return nil, fmt.Errorf("%w: the results of %s are in no folder; use Get", ErrUnsupported, r.function)
	}
	record, err := r.Record(ctx)
	if err != nil {
		return nil, err
	}
	if result < 0 || result >= len(record.Results) {
		return nil, fmt.Errorf("%w: %s has %d results, there is no result %d", ErrArguments, r.function, len(record.Results), result)
	}
	node, err := decodeJSON(record.Results[result].raw)
	if err != nil {
		return nil, err
	}
	want, ok := arrayRefOf(node)
	if !ok {
		return nil, fmt.Errorf("%w: result %d of %s is no array; use Get", ErrUnsupported, result, r.function)
	}
	f, err := r.cache.openObject(ctx, want, record.checkOf(want.Digest))
	if isGone(err) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return f, err
}

// openObject opens and verifies an object as a file.
func (c *Cache) openObject(ctx context.Context, want arrayRef, check contentCheck) (*npy.File, error) {
	s, release := c.use()
	defer release()
	info, err := statObject(ctx, s, want.Digest)
	if err != nil {
		return nil, err
	}
	if isPacked(info.Name) {
		return nil, &Error{"open", info.Name, fmt.Errorf("%w: it is compressed; use Get", ErrUnsupported)}
	}
	blob, err := s.Open(ctx, info.Name)
	if err != nil {
		return nil, c.aside(ctx, s, &Error{"open", info.Name, err})
	}
	f, err := openBlob(blob, c.pathOf(info.Name))
	if _, near := blob.(store.Filer); err == nil && (near || check != nil) {
		err = verifyOpen(ctx, f, want.Digest, check)
	} else if err == nil && !isOf(f.Header(), want) {
		err = errHeader
	}
	if err != nil && f != nil {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, c.aside(ctx, s, &Error{"open", info.Name, err})
	}
	return f, nil
}

// openBlob makes a blob an array file, which closes it; of one that is none it is
// ErrDamaged.
func openBlob(blob store.Blob, name string) (f *npy.File, err error) {
	if file, ok := blob.(store.Filer); ok {
		f, err = npy.OpenFile(file.File(name))
	} else {
		f, err = npy.NewFile(blob, blob.Size(), name)
	}
	if errors.Is(err, npy.ErrFormat) || errors.Is(err, npy.ErrUnsupported) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return f, err
}

// errHeader is an array file that is not of the array's type and shape.
var errHeader = fmt.Errorf("%w: its header is that of another array", ErrDamaged)

// isOf reports whether a header is that of an array.
func isOf(h npy.Header, want arrayRef) bool {
	return h.DType == want.DType && slices.Equal(h.Shape, want.Shape) && !h.Fortran && !h.BigEndian
}

// verifyOpen compares an array file with its digest, and has check judge its content; one
// that is not content is ErrDamaged.
func verifyOpen(ctx context.Context, f *npy.File, want array.Digest, check contentCheck) error {
	h, err := hashFile(ctx, f, check != nil)
	if err != nil {
		return asDamage(err)
	}
	return h.verify(want, check)
}

// hashFile returns a hasher that has seen all of f.
func hashFile(ctx context.Context, f *npy.File, content bool) (hasher, error) {
	if !content {
		table, err := f.HashTable(ctx)
		return hasher{table: table}, err
	}
	src, err := f.Source()
	if err != nil {
		return hasher{}, err
	}
	return hashSource(ctx, src, true)
}

// Forget removes the results, so that they are computed next time. Results that this
// reference and its copies hold are freed. What is not there is no error.
func (r Ref) Forget(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	if r.held != nil {
		r.held.values.Store(nil)
		if r.function == "" { // it was called with a key that is invalid
			return nil
		}
	}
	return r.cache.Forget(ctx, r.callKey())
}

// String returns the text form: function/version/key, and "" for the zero Ref.
func (r Ref) String() string {
	if r.function == "" {
		return ""
	}
	return url.PathEscape(r.function) + "/" + url.PathEscape(r.version) + "/" + r.key.String()
}

// MarshalText returns the text form: function and version, escaped as in a URL's
// path, and the key in hex, with slashes between. That of the zero Ref is empty.
// Results that were not stored do not go along: that is [ErrUnsupported].
func (r Ref) MarshalText() ([]byte, error) {
	if r.held != nil {
		return nil, fmt.Errorf("%w: the results of %s were not stored, so a reference to them means nothing elsewhere", ErrUnsupported, r.function)
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText wrote. Anything else is [ErrArguments].
func (r *Ref) UnmarshalText(text []byte) error {
	if r == nil {
		return fmt.Errorf("%w reference", ErrNil)
	}
	if len(text) == 0 {
		*r = Ref{}
		return nil
	}
	parts := strings.Split(string(text), "/")
	if len(parts) == 3 && parts[0] != "" {
		function, functionErr := url.PathUnescape(parts[0])
		version, versionErr := url.PathUnescape(parts[1])
		key, keyErr := array.ParseDigest(parts[2])
		if functionErr == nil && versionErr == nil && keyErr == nil {
			*r = Ref{function: function, version: version, key: key}
			return nil
		}
	}
	return fmt.Errorf("%w: %.100q is no reference; one is function/version/key, the key of 32 hex digits", ErrArguments, text)
}
