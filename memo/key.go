package memo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/numcache/numcache/array"
)

// Key identifies one call: a function by name and version, and its arguments by
// value. It is built from the front: NewKey("gram", "2").Add(x).Add(0.5). A Key
// is a value; Add returns a longer one and leaves its receiver as it was, so
// that a common beginning can be shared.
//
// For the same call, [Func], [Cache.Wrap], an explicit Key and the Python side
// make the same key.
type Key struct {
	function, version string
	args              []argument
	err               error

	// sum is the digest where summed is set: a call needs it several times, and
	// long strings and bytes are in it whole.
	sum    array.Digest
	summed bool
}

// argument is one encoded argument and the arrays in it.
type argument struct {
	encoded []byte
	arrays  []arrayInfo
}

// NewKey returns the key of a call without arguments. name and version are any
// text: the name says which function, the version which behaviour of it. Change
// the version whenever the function would give another result.
func NewKey(name, version string) Key {
	return Key{function: name, version: version}
}

// Add returns the key with one more argument. Arrays and matrices are hashed now,
// so x may be changed afterwards. A value of an unsupported type makes an invalid
// key: see [Key.Err].
func (k Key) Add(x any) Key { return k.add(context.Background(), reflect.ValueOf(x)) }

func (k Key) add(ctx context.Context, v reflect.Value) Key {
	if k.Err() != nil {
		return k
	}
	e := encoder{ctx: ctx}
	if err := e.value(v, 0); err != nil {
		k.err = fmt.Errorf("argument %d: %w", len(k.args), err)
		return k
	}
	k.args = append(slices.Clip(k.args), argument{e.buf, e.arrays})
	k.summed = false
	return k
}

// Function returns the name the key was made with.
func (k Key) Function() string { return k.function }

// Version returns the version the key was made with.
func (k Key) Version() string { return k.version }

// Err returns why the key is invalid, nil where it is valid. A call with an
// invalid key is computed and not cached. The zero Key is invalid.
func (k Key) Err() error {
	if k.err == nil && k.function == "" {
		return fmt.Errorf("%w: a function needs a name", ErrArguments)
	}
	return k.err
}

// Digest returns the key's 128 bits: the first 16 bytes of the SHA-256 of
//
//	numcache/call/1\n ‖ name ‖ version ‖ the list of arguments
//
// each encoded as FORMAT.md says. An invalid key has the zero Digest.
func (k Key) Digest() array.Digest {
	switch {
	case k.summed:
		return k.sum
	case k.Err() != nil:
		return array.Digest{}
	}
	b := make([]byte, 0, 256)
	b = append(b, "numcache/call/1\n"...)
	b = appendString(appendString(b, k.function), k.version)
	b = append(strconv.AppendInt(append(b, 'l'), int64(len(k.args)), 10), ':')
	h := sha256.New()
	h.Write(b)
	for _, a := range k.args {
		h.Write(a.encoded) // may be long: bytes and strings are whole
	}
	return array.Digest(h.Sum(b[:0])[:16])
}

// withSum returns the key with its digest at hand.
func (k Key) withSum() Key {
	k.sum, k.summed = k.Digest(), true
	return k
}

// String returns the 32 hex digits of [Key.Digest], or says that the key is
// invalid.
func (k Key) String() string {
	if err := k.Err(); err != nil {
		return "invalid key: " + err.Error()
	}
	return k.Digest().String()
}
