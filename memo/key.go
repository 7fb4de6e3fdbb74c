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

// encodedNumber is the room that the longest encoding of an integer or float takes.
const encodedNumber = 22

// NewKey returns the key of a call without arguments. name and version are any
// text: the name says which function, the version which behaviour of it. Change
// the version whenever the function would give another result.
func NewKey(name, version string) Key {
	return Key{function: name, version: version}
}

// Add returns the key with one more argument. Arrays and matrices are hashed now,
// so x may be changed afterwards; of a [Result], or a [Ref], that is a stored array the
// digest is known. A value of an unsupported type makes an invalid key: see [Key.Err].
func (k Key) Add(x any) Key {
	if r, ok := asResult(x); ok {
		return k.addResult(r)
	}
	return k.add(context.Background(), reflect.ValueOf(x))
}

func (k Key) add(ctx context.Context, values ...reflect.Value) Key {
	if k.Err() != nil {
		return k
	}
	e := encoder{ctx: ctx, buf: make([]byte, 0, encodedNumber*len(values))}
	args := make([]argument, len(k.args), len(k.args)+len(values))
	copy(args, k.args)
	for _, v := range values {
		if l := linkOf(v); l != nil {
			args = append(args, l.encoded)
			continue
		}
		start, arrays := len(e.buf), len(e.arrays)
		if err := e.value(v, 0); err != nil {
			k.err = fmt.Errorf("argument %d: %w", len(args), err)
			return k
		}
		args = append(args, argument{slices.Clip(e.buf[start:]), slices.Clip(e.arrays[arrays:])})
	}
	k.args, k.summed = args, false
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
	if k.summed {
		return k.sum
	}
	return k.digest()
}

func (k *Key) digest() array.Digest {
	if k.Err() != nil {
		return array.Digest{}
	}
	var short [256]byte
	b := append(short[:0], "numcache/call/1\n"...)
	b = appendString(appendString(b, k.function), k.version)
	b = append(strconv.AppendInt(append(b, 'l'), int64(len(k.args)), 10), ':')
	rest := k.args
	for len(rest) > 0 && len(rest[0].encoded) <= cap(b)-len(b) {
		b = append(b, rest[0].encoded...)
		rest = rest[1:]
	}
	if len(rest) == 0 {
		sum := sha256.Sum256(b)
		return array.Digest(sum[:16])
	}
	h := sha256.New()
	h.Write(b)
	for _, a := range rest {
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
