package memo

import (
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/numcache/numcache/array"
)

// tier keeps results in memory. A nil tier keeps nothing. It may be used by several
// goroutines at once.
type tier struct {
	share    bool
	maxBytes int64 // 0 for no limit
	entries  bounded
	digests  *digests
	evicted  atomic.Int64 // entries that the bounds pushed out
	closed   atomic.Bool

	// changed counts, by first byte of the key, the times that an entry was
	// removed or computed. What was read from the folder meanwhile may be older.
	changed [256]atomic.Uint32
}

// bounded is a map that holds its bounds by removing entries in the order of its
// policy. It may be used by several goroutines at once.
type bounded interface {
	get(key array.Digest) *kept  // nil where there is none; counts as a use
	peek(key array.Digest) *kept // counts as none
	set(key array.Digest, e *kept)
	delete(key array.Digest)
	clear(function string) (removed int) // "" for every function
	len() int
}

// kept is one call in memory. Nothing of it changes any more.
type kept struct {
	values []reflect.Value
	asIs   bool    // values are handed out as they are, for nobody writes to them
	record *Record // without Results, unless it came from the folder
	bytes  int64   // what the entry takes, about
}

// keptOverhead is what an entry takes beside its results, about: the record, an
// argument or two, the places in the maps.
const keptOverhead = 512

func newTier(m Memory) (*tier, error) {
	t := &tier{share: m.Share, maxBytes: m.MaxBytes, digests: newDigests()}
	// Without a bound nothing is ever pushed out, and a map will do.
	if m.Policy != DefaultPolicy || m.MaxBytes == 0 && m.MaxEntries == 0 {
		t.entries = newListMap(m, &t.evicted)
		return t, nil
	}
	var err error
	t.entries, err = newOtterMap(m, &t.evicted)
	return t, err
}

// digest returns the digest of a key.
func (t *tier) digest(k *Key) array.Digest {
	if t == nil {
		return k.digest()
	}
	return t.digests.of(k)
}

// get returns the results of a call, of the given types, as its caller's own, or where
// they are shared, everybody's, and what they took to compute.
func (t *tier) get(r *request, types []reflect.Type) (values []reflect.Value, took time.Duration, ok bool) {
	e := t.use(r, types)
	if e == nil {
		return nil, 0, false
	}
	if e.asIs {
		return e.values, e.record.Duration, true
	}
	values, err := cloneResults(e.values)
	return values, e.record.Duration, err == nil
}

// use returns the entry that answers a call, with results of the given types if there
// are any; nil where there is none.
func (t *tier) use(r *request, types []reflect.Type) *kept {
	if t == nil || t.closed.Load() {
		return nil
	}
	if e := t.entries.get(r.key.digest()); e.answers(r, types) {
		return e
	}
	return nil
}

// peek is use that does not count as one.
func (t *tier) peek(r *request) *kept {
	if t == nil || t.closed.Load() {
		return nil
	}
	if e := t.entries.peek(r.key.digest()); e.answers(r, r.types) {
		return e
	}
	return nil
}

// answers reports whether e, which may be nil, is of the call, has the given types, if
// there are any, and is valid.
func (e *kept) answers(r *request, types []reflect.Type) bool {
	if e == nil || e.record.Function != r.key.function || e.record.Version != r.key.version {
		return false
	}
	return (types == nil || haveTypes(e.values, types)) && (r.valid == nil || r.valid(e.record))
}

// haveTypes reports whether values are of the given types.
func haveTypes(values []reflect.Value, types []reflect.Type) bool {
	return slices.EqualFunc(values, types, func(v reflect.Value, t reflect.Type) bool { return v.Type() == t })
}

// own returns results that nobody else writes to: copies, or where they are shared
// the results themselves.
func (t *tier) own(values []reflect.Value) ([]reflect.Value, error) {
	if t != nil && t.share {
		return values, nil
	}
	return cloneResults(values)
}

// entry returns results as they can be kept beside a record of so many bytes, nil
// where there is no tier or they are too large for it.
func (t *tier) entry(values []reflect.Value, recordBytes int64) (*kept, error) {
	if t == nil {
		return nil, nil
	}
	bytes, err := footprint(values)
	bytes += keptOverhead + recordBytes
	if err != nil || t.maxBytes > 0 && bytes > t.maxBytes {
		return nil, err
	}
	own, err := t.own(values)
	if err != nil {
		return nil, err
	}
	return &kept{values: constants(own), asIs: t.share || &own[0] == &values[0], bytes: bytes}, nil
}

// constants returns results as values that are no variables: reflection need not copy
// these to hand them out.
func constants(values []reflect.Value) []reflect.Value {
	constant := make([]reflect.Value, len(values))
	for i, v := range values {
		constant[i] = reflect.ValueOf(v.Interface()) // of the same type, as no result is an interface
	}
	return constant
}

// put keeps an entry that was just computed in place of what there was. A nil one
// only removes that.
func (t *tier) put(r *request, e *kept, record *Record) {
	if t == nil {
		return
	}
	key := r.key.digest()
	t.changed[key[0]].Add(1)
	if e == nil {
		t.entries.delete(key)
		return
	}
	record.size = e.bytes
	e.record = record
	t.entries.set(key, e)
	if t.closed.Load() {
		t.entries.delete(key)
	}
}

// changes returns a number that differs once the entry of a call has been removed
// or computed anew.
func (t *tier) changes(r *request) uint32 {
	if t == nil {
		return 0
	}
	return t.changed[r.key.digest()[0]].Load()
}

// fill keeps results that were read from the folder; values stays the caller's. If
// there are changes since the given ones, the results may be out of date, and are
// not kept.
func (t *tier) fill(r *request, values []reflect.Value, record *Record, changes uint32) {
	if t == nil || t.changes(r) != changes {
		return
	}
	e, err := t.entry(values, record.size)
	if err != nil || e == nil {
		return
	}
	lean := *record
	lean.results = nil // which Results has too
	lean.contents, lean.rawContents = nil, nil
	e.record = &lean
	key := r.key.digest()
	t.entries.set(key, e)
	if t.closed.Load() || t.changes(r) != changes {
		t.entries.delete(key)
	}
}

// delete forgets a call.
func (t *tier) delete(key array.Digest) {
	if t != nil {
		t.changed[key[0]].Add(1)
		t.entries.delete(key)
	}
}

// clear forgets the calls of a function, or with "" all calls, and returns how many
// there were.
func (t *tier) clear(function string) (removed int) {
	if t == nil {
		return 0
	}
	for i := range t.changed {
		t.changed[i].Add(1)
	}
	return t.entries.clear(function)
}

// evictions counts the entries that the bounds pushed out.
func (t *tier) evictions() int64 {
	if t == nil {
		return 0
	}
	return t.evicted.Load()
}

func (t *tier) resetEvictions() {
	if t != nil {
		t.evicted.Store(0)
	}
}

// len returns the number of entries, about.
func (t *tier) len() int64 {
	if t == nil {
		return 0
	}
	return int64(t.entries.len())
}

// close forgets all calls and keeps none from now on.
func (t *tier) close() {
	if t != nil {
		t.closed.Store(true)
		t.entries.clear("")
	}
}
