package memo

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/numcache/numcache/array"
)

// digests remembers the digests of short keys that were lately asked for, for a SHA-256
// takes longer than looking up what is kept in memory under it. A key's digest is a
// function of the key alone, so that nothing here can be out of date; and a key has a
// digest from here only if it is the same to the last byte. It may be used by several
// goroutines at once.
type digests struct {
	seed  maphash.Seed
	slots [digestSlots]atomic.Pointer[knownDigest] // by hash; the last of several keys stays
}

const (
	digestSlots = 1 << 10
	// maxKnownKey bounds the text of a key that is remembered, and with that the
	// table: to a megabyte, where all its keys are as long as that.
	maxKnownKey = 1 << 9
)

// knownDigest is a key and its digest. Nothing of it changes.
type knownDigest struct {
	function, version string
	count             int
	encoded           string // the arguments, one behind the other
	digest            array.Digest
}

func newDigests() *digests { return &digests{seed: maphash.MakeSeed()} }

// of returns the digest of a key.
func (d *digests) of(k *Key) array.Digest {
	size := len(k.function) + len(k.version) + int(k.shortLen)
	for i := range k.args {
		size += len(k.args[i].encoded)
	}
	if size > maxKnownKey || k.summed || k.check() != nil {
		return k.digest()
	}
	// Which slot it is decides nothing, so that the hash may be a simple one.
	const mix = 0x9e3779b97f4a7c15
	hash := maphash.String(d.seed, k.function)*mix + maphash.Bytes(d.seed, k.short[:k.shortLen])
	for i := range k.args {
		hash = hash*mix + maphash.Bytes(d.seed, k.args[i].encoded)
	}
	slot := &d.slots[hash%digestSlots]
	if known := slot.Load(); known != nil && known.is(k) {
		return known.digest
	}
	var encoded strings.Builder
	encoded.Write(k.short[:k.shortLen])
	for i := range k.args {
		encoded.Write(k.args[i].encoded)
	}
	known := &knownDigest{strings.Clone(k.function), strings.Clone(k.version), k.count(), encoded.String(), k.hash()}
	slot.Store(known)
	return known.digest
}

// is reports whether it is the key that is known.
func (d *knownDigest) is(k *Key) bool {
	if d.function != k.function || d.version != k.version || d.count != k.count() {
		return false
	}
	rest, short := d.encoded, k.short[:k.shortLen]
	if len(rest) < len(short) || rest[:len(short)] != string(short) {
		return false
	}
	rest = rest[len(short):]
	for i := range k.args {
		encoded := k.args[i].encoded
		if len(rest) < len(encoded) || rest[:len(encoded)] != string(encoded) {
			return false
		}
		rest = rest[len(encoded):]
	}
	return rest == ""
}
