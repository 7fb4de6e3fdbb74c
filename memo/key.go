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

	// The arguments are short[:shortLen], shortCount of them, and then args: numbers
	// and the like that fit into short need no memory of their own, which takes longer
	// than looking up what is kept in memory.
	short                [shortArguments]byte
	shortLen, shortCount uint8
	args                 []argument
	err                  error

	// sum is the digest where summed is set: a call needs it several times, and
	// long strings and bytes are in it whole.
	sum    array.Digest
	summed bool
}

// shortArguments is room for two integers or floats of any length.
const shortArguments = 2 * encodedNumber

// argument is one encoded argument and the arrays in it.
type argument struct {
	encoded []byte
	arrays  []arrayInfo
}

// The room that the longest encoding of an integer or float takes, and that of an array.
const (
	encodedNumber = 22
	encodedArray  = 33
)

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
	v := reflect.ValueOf(x)
	if k.addShort(v) {
		return k
	}
	return k.add(context.Background(), v)
}

func (k Key) add(ctx context.Context, values ...reflect.Value) Key {
	if k.check() != nil {
		return k
	}
	k.summed = false
	for len(values) > 0 && k.addShort(values[0]) {
		values = values[1:]
	}
	if len(values) == 0 {
		return k
	}
	e := encoder{ctx: ctx}
	var args []argument
	if len(k.args) == 0 && len(values) == 1 {
		one := new(oneArgument)
		args, e.buf, e.arrays, e.shape = one.args[:0], one.encoded[:0], one.arrays[:0], one.shape[:0]
	} else {
		args = append(make([]argument, 0, len(k.args)+len(values)), k.args...)
		e.buf = make([]byte, 0, encodedArray*len(values))
	}
	for _, v := range values {
		if l := linkOf(v); l != nil {
			args = append(args, l.encoded)
			continue
		}
		start, arrays := len(e.buf), len(e.arrays)
		if err := e.value(v, 0); err != nil {
			k.err = fmt.Errorf("argument %d: %w", int(k.shortCount)+len(args), err)
			return k
		}
		args = append(args, argument{slices.Clip(e.buf[start:]), slices.Clip(e.arrays[arrays:])})
	}
	k.args = args
	return k
}

// oneArgument is memory in one piece for one argument that is an array.
type oneArgument struct {
	args    [1]argument
	arrays  [1]arrayInfo
	shape   [1]int
	encoded [encodedArray]byte
}

// addShort adds an argument that is a scalar and fits into k.short, and reports whether
// it did.
func (k *Key) addShort(v reflect.Value) bool {
	if len(k.args) > 0 || !v.IsValid() || k.check() != nil {
		return false
	}
	info := infoOf(v.Type())
	if info.err != nil || !info.kind.isScalar() || info.kind == kindString && v.Len() > shortArguments {
		return false
	}
	encoded := appendScalar(k.short[:k.shortLen:shortArguments], v, info.kind)
	if len(encoded) > shortArguments {
		return false
	}
	k.shortLen = uint8(len(encoded))
	k.shortCount++
	k.summed = false
	return true
}

// count returns the number of arguments.
func (k *Key) count() int { return int(k.shortCount) + len(k.args) }

// arguments returns the arguments one by one.
func (k *Key) arguments() []argument {
	args := make([]argument, 0, k.count())
	for rest := k.short[:k.shortLen]; len(rest) > 0; {
		n := scalarLen(rest)
		args = append(args, argument{encoded: slices.Clone(rest[:n])})
		rest = rest[n:]
	}
	return append(args, k.args...)
}

// Function returns the name the key was made with.
func (k Key) Function() string { return k.function }

// Version returns the version the key was made with.
func (k Key) Version() string { return k.version }

// Err returns why the key is invalid, nil where it is valid. A call with an
// invalid key is computed and not cached. The zero Key is invalid.
func (k Key) Err() error { return k.check() }

func (k *Key) check() error {
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
func (k Key) Digest() array.Digest { return k.digest() }

func (k *Key) digest() array.Digest {
	if k.summed {
		return k.sum
	}
	return k.hash()
}

// hash computes the digest.
func (k *Key) hash() array.Digest {
	if k.check() != nil {
		return array.Digest{}
	}
	var short [256]byte
	b := append(short[:0], "numcache/call/1\n"...)
	b = appendString(appendString(b, k.function), k.version)
	b = append(strconv.AppendInt(append(b, 'l'), int64(k.count()), 10), ':')
	b = append(b, k.short[:k.shortLen]...)
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
	k.sum, k.summed = k.digest(), true
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
