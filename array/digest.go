package array

import (
	"encoding/hex"
	"fmt"
)

// Digest identifies the type, shape and elements of an array, 128 bits of it.
// Two arrays with equal digests are equal for every practical purpose, whatever
// their layout in memory. Bits count: −0.0 differs from 0.0, and one NaN from
// another. A Digest is no defence against someone who builds collisions on
// purpose: the chunk hashes are fast, not cryptographic.
type Digest [16]byte

// String returns the digest as 32 lower-case hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what [Digest.String] writes; anything else is [ErrDigest].
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != 2*len(d) {
		return d, fmt.Errorf("%w: %q is not 32 hex digits", ErrDigest, s)
	}
	for i := range s {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return d, fmt.Errorf("%w: %q is not 32 lower-case hex digits", ErrDigest, s)
		}
	}
	_, err := hex.Decode(d[:], []byte(s))
	return d, err
}

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Text that is not a digest is
// [ErrDigest] and leaves d as it was.
func (d *Digest) UnmarshalText(text []byte) error {
	parsed, err := ParseDigest(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}
