package memo

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path"
	"strings"

	"github.com/numcache/numcache/array"
)

// The names of a cache's files; FORMAT.md has the rules.
const (
	callsFolder      = "calls"
	objectsFolder    = "objects"
	quarantineFolder = "quarantine"
	stagingFolder    = "tmp"
	formatFile       = "format.json"
)

// maxSegment is the length beyond which a function's or version's file name is
// cut, below the 255 bytes of current file systems.
const maxSegment = 200

func recordName(function, version string, key array.Digest) string {
	hex := key.String()
	return callsFolder + "/" + segment(function) + "/" + segment(version) + "/" + hex[:2] + "/" + hex + ".json"
}

// callOf is what a record's name tells of its call. A function or version whose name
// was cut is as its folder has it.
func callOf(name string) (function, version string, key array.Digest) {
	parts := strings.Split(name, "/")
	if len(parts) != 5 {
		return "", "", key
	}
	key, _ = array.ParseDigest(strings.TrimSuffix(parts[4], ".json"))
	return segmentText(parts[1]), segmentText(parts[2]), key
}

// objectName and packedName are where an array stands: as a plain .npy file, or
// compressed, as a .npz file with one member.
func objectName(digest array.Digest) string { return objectBase(digest) + ".npy" }
func packedName(digest array.Digest) string { return objectBase(digest) + ".npz" }

func objectBase(digest array.Digest) string {
	hex := digest.String()
	return objectsFolder + "/" + hex[:2] + "/" + hex
}

// isRecord reports whether a file among the calls or objects is a record.
func isRecord(name string) bool { return strings.HasSuffix(name, ".json") }

// isStaging reports whether a folder of this name is that of files that have no name
// yet, or is about to be.
func isStaging(name string) bool {
	random, staged := strings.CutPrefix(name, stagingFolder+"-")
	return name == stagingFolder || staged && len(random) == 26 // of rand.Text
}

// isPacked reports whether an object's file is compressed.
func isPacked(name string) bool { return strings.HasSuffix(name, ".npz") }

// objectOf returns the array that an object's file name is of; false where it is
// no such name.
func objectOf(name string) (array.Digest, bool) {
	hex, _, _ := strings.Cut(path.Base(name), ".")
	digest, err := array.ParseDigest(hex)
	return digest, err == nil && (name == objectName(digest) || name == packedName(digest))
}

// segment writes a function's name or version as a file name that every file
// system takes: bytes other than letters, digits, '-', '_' and inner '.' as %XX.
// A name that Windows keeps for a device has its first letter written so. The
// empty text is "%", and a long one is cut and ends in "%-" and its own hash:
// neither can come from anything else.
func segment(s string) string {
	if s == "" {
		return "%"
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' ||
			c == '.' && i > 0 && i < len(s)-1
		if plain && !(i == 0 && isDevice(s)) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte("0123456789ABCDEF"[c>>4])
		b.WriteByte("0123456789ABCDEF"[c&15])
	}
	name := b.String()
	if len(name) <= maxSegment {
		return name
	}
	sum := sha256.Sum256([]byte(s))
	cut := maxSegment - len("%-") - 32
	if i := strings.LastIndexByte(name[:cut], '%'); i > cut-3 {
		cut = i // not within an escape
	}
	return name[:cut] + "%-" + hex.EncodeToString(sum[:16])
}

// segmentText is the text that segment wrote as s, or s where it cannot be known.
func segmentText(s string) string {
	if s == "%" {
		return ""
	}
	text, err := url.PathUnescape(s)
	if err != nil { // it was cut
		return s
	}
	return text
}

// isDevice reports whether Windows takes a file name for a device, with or
// without an extension.
func isDevice(s string) bool {
	base, _, _ := strings.Cut(strings.ToLower(s), ".")
	switch base {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(base) == 4 && (base[:3] == "com" || base[:3] == "lpt") && base[3] >= '0' && base[3] <= '9'
}
