package memo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
)

// Secret is the key of [Options.Secret]. It shows itself to nobody: printed, logged
// or marshalled it is the word "secret".
type Secret []byte

const (
	minSecret = 32
	maxSecret = 64 << 10 // what is longer is no secret, but a wrong file

	makeSecret = "head -c 32 /dev/urandom > FILE && chmod 600 FILE makes one, outside of the cache"
)

// ReadSecret returns what the file at path holds, as it is, for [Options.Secret]. A
// file of fewer than 32 bytes, of more than 64 KB, or on Unix one that everybody can
// read or write, is [ErrSecret]. Errors are [*Error].
func ReadSecret(path string) (Secret, error) {
	s, err := readSecret(path)
	if err != nil {
		return nil, &Error{"read", path, err}
	}
	return s, nil
}

func readSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if everybodys(info) {
		return nil, fmt.Errorf("%w: everybody can read it, or write it, its mode is %v; chmod o-rw it, and better make another", ErrSecret, info.Mode())
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	return raw, Secret(raw).check("it")
}

// check reports a secret that cannot be one. name says which.
func (s Secret) check(name string) error {
	switch {
	case s == nil:
		return nil
	case len(s) < minSecret:
		return fmt.Errorf("%w: %s has %d bytes, and must have %d random ones or more; %s", ErrSecret, name, len(s), minSecret, makeSecret)
	case len(s) > maxSecret:
		return fmt.Errorf("%w: %s has more than %d bytes; %s", ErrSecret, name, maxSecret, makeSecret)
	}
	return nil
}

// Format writes "secret", whatever the verb.
func (Secret) Format(f fmt.State, _ rune) {
	if f != nil {
		_, _ = io.WriteString(f, "secret")
	}
}

// MarshalText returns "secret": what is logged as text or JSON goes this way.
func (Secret) MarshalText() ([]byte, error) { return []byte("secret"), nil }

// signer signs records with a secret, and tells those that were. A nil one signs none
// and takes all. The secret is within a function, where nothing that prints can see
// it.
type signer struct{ hash func() hash.Hash }

// newSigner keeps a copy of the secret.
func newSigner(s Secret) *signer {
	if s == nil {
		return nil
	}
	secret := slices.Clone(s)
	return &signer{func() hash.Hash { return hmac.New(sha256.New, secret) }}
}

// A signed record has the MAC of all the bytes before it as its last member but for
// the check, so that there is one place where it can be.
const (
	macDomain = "numcache/record/1\n"
	macHead   = `"mac":"`
	macTail   = `",`
	macSize   = len(macHead) + 2*sha256.Size + len(macTail)
)

// sign appends to the body of a record, which ends in a comma, the content digests
// of its arrays and the MAC.
func (s *signer) sign(body []byte, objects []object) ([]byte, error) {
	if s == nil {
		return body, nil
	}
	body, err := appendContents(body, objects)
	if err != nil {
		return nil, err
	}
	return append(body, s.mac(body)...), nil
}

// signed reports whether sign made the record of which these are all the bytes.
func (s *signer) signed(record []byte) bool {
	if s == nil {
		return true
	}
	end := len(record) - sealSize
	start := end - macSize
	return start >= 0 && hmac.Equal(record[start:end], s.mac(record[:start]))
}

// mac returns the member that has the MAC of body.
func (s *signer) mac(body []byte) []byte {
	h := s.hash()
	h.Write([]byte(macDomain))
	h.Write(body)
	member := hex.AppendEncode([]byte(macHead), h.Sum(nil))
	return append(member, macTail...)
}

// parse reads a record, as parseRecord does. One that is not signed is not looked
// into: it is ErrDamaged where its check does not match, and else ErrUnsigned.
func (s *signer) parse(raw []byte) (*Record, error) {
	if !s.signed(raw) {
		if !unseal(raw) {
			return nil, errCheck
		}
		return nil, errUnsigned
	}
	r, err := parseRecord(raw)
	if err != nil || s == nil {
		return r, err
	}
	r.contents, err = parseContents(r.rawContents)
	return r, err
}

// errUnsigned says what can be known: without the other secret a record that was
// signed with it is not to be told from a forged one.
var errUnsigned = fmt.Errorf("%w: it was stored without Options.Secret, with another one, or it is forged", ErrUnsigned)
