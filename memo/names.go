package memo

import (
	"crypto/sha256"
	"encoding/hex"
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

func objectName(digest array.Digest) string {
	hex := digest.String()
	return objectsFolder + "/" + hex[:2] + "/" + hex + ".npy"
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
