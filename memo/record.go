package memo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// Record is one cached call, as the cache tells of it.
type Record struct {
	Key      array.Digest  `json:"key"`
	Function string        `json:"function"`
	Version  string        `json:"version"`
	Args     []Value       `json:"args"`
	Results  []Value       `json:"results"`
	Created  time.Time     `json:"created"`
	Duration time.Duration `json:"-"`      // what the call took to compute
	Writer   string        `json:"writer"` // the program that computed it

	size    int64
	used    time.Time       // the record's time of modification
	results json.RawMessage // Results, whole

	rawContents json.RawMessage                // the member sha256, of a signed record
	contents    map[array.Digest]contentDigest // nil unless the cache has a secret
}

// Size returns the bytes the entry takes: its record, the elements of its results, and
// the chunk tables of its arguments. Equal results of several entries are stored once
// but counted here for each.
func (r *Record) Size() int64 {
	if r == nil {
		return 0
	}
	total := r.size
	for _, v := range r.Results {
		for _, a := range v.Arrays() {
			total += a.size()
		}
	}
	for _, v := range r.Args {
		if !namesTables(v.raw) {
			continue
		}
		for _, a := range v.Arrays() {
			if a.size() > maxWithoutTable*array.ChunkSize {
				total += (a.size() + array.ChunkSize - 1) / array.ChunkSize * 16
			}
		}
	}
	return total
}

// size returns the bytes of the elements.
func (a ArrayInfo) size() int64 {
	n, _ := array.Elements(a.Shape, a.DType.Size())
	return int64(n) * int64(a.DType.Size())
}

// Used returns when the entry was last used, as the cache notes it: at most hourly.
func (r *Record) Used() time.Time {
	if r == nil {
		return time.Time{}
	}
	return r.used
}

// newRecord is the record of a call that was just computed, without its results.
func newRecord(k Key, created time.Time, took time.Duration) *Record {
	r := &Record{Key: k.Digest(), Function: k.function, Version: k.version, Args: make([]Value, k.count()),
		Created: created.UTC().Round(0), Duration: took, Writer: writer}
	for i, a := range k.arguments() {
		r.Args[i] = Value{appendArgumentJSON(nil, a)}
	}
	return r
}

// format is the number of the format that this version reads and writes.
const format = 1

// writer names this program in records.
const writer = "numcache-go 0.1"

// maxRecord bounds a record that is read. The largest that is written holds a
// result of many short strings.
const maxRecord = 64 << 20

// A record is sealed: its last member is the SHA-256/128 of all the bytes before
// that member.
const (
	sealHead = `"check":"`
	sealTail = `"}` + "\n"
	sealSize = len(sealHead) + 32 + len(sealTail)
)

// seal appends the check and closes the object; body ends in a comma.
func seal(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(hex.AppendEncode(append(body, sealHead...), sum[:16]), sealTail...)
}

// unseal reports whether b is as seal made it.
func unseal(b []byte) bool {
	if len(b) < sealSize {
		return false
	}
	body, tail := b[:len(b)-sealSize], b[len(b)-sealSize:]
	sum := sha256.Sum256(body)
	want := make([]byte, 0, sealSize) // on the stack
	return bytes.Equal(append(hex.AppendEncode(append(want, sealHead...), sum[:16]), sealTail...), tail)
}

// appendRecord writes the record of a call but for what is sealed last. results are
// JSON values.
func appendRecord(dst []byte, k Key, results []byte, created time.Time, took time.Duration) []byte {
	dst = strconv.AppendInt(append(dst, `{"format":`...), format, 10)
	dst = append(append(dst, `,"key":"`...), k.String()...)
	dst = appendJSONString(append(dst, `","function":`...), k.function)
	dst = appendJSONString(append(dst, `,"version":`...), k.version)
	dst = append(dst, `,"args":[`...)
	for i, a := range k.arguments() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendArgumentJSON(dst, a)
	}
	dst = append(append(dst, `],"results":`...), results...)
	dst = append(created.UTC().AppendFormat(append(dst, `,"created":"`...), time.RFC3339Nano), '"')
	dst = appendJSONFloat(append(dst, `,"duration":`...), took.Seconds())
	dst = appendQuoted(append(dst, `,"writer":`...), writer)
	return append(dst, ',')
}

// errCheck is a record that is not what seal made.
var errCheck = fmt.Errorf("%w: the record's check does not match", ErrDamaged)

// parseRecord reads a record and checks it. Bytes that are not what was written
// are ErrDamaged, an intact record of another format is ErrFormat. The record keeps b.
func parseRecord(b []byte) (*Record, error) {
	if !unseal(b) {
		return nil, errCheck
	}
	var members recordMembers
	if !members.read(b) {
		var err error
		if members, err = unmarshalMembers(b); err != nil {
			return nil, err
		}
	}
	if members.Format != format {
		return nil, fmt.Errorf("%w %d; this version reads %d", ErrFormat, members.Format, format)
	}
	r := members.Record
	r.results, r.rawContents = members.Results, members.Contents
	var ok bool
	if r.Results, ok = readValues(r.results); !ok {
		r.Results = nil
		if err := json.Unmarshal(r.results, &r.Results); err != nil {
			return nil, fmt.Errorf("%w: results: %w", ErrDamaged, err)
		}
	}
	var okName, okVersion bool
	r.Function, okName = textOf(members.Function)
	r.Version, okVersion = textOf(members.Version)
	if !okName || !okVersion {
		return nil, fmt.Errorf("%w: function or version is no string", ErrDamaged)
	}
	r.Duration = time.Duration(members.Duration * float64(time.Second))
	r.size = int64(len(b))
	return &r, nil
}

// unmarshalMembers reads what [recordMembers.read] does not understand. It is apart from it
// because what encoding/json fills is not on the stack.
func unmarshalMembers(b []byte) (m recordMembers, err error) {
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m, nil
}

// textOf reads a JSON string, or one of bytes that are no UTF-8.
func textOf(raw json.RawMessage) (string, bool) {
	r := jsonReader{b: raw}
	if s, ok := r.text(); ok && r.ended() { // as nearly always
		return string(s), true
	}
	if bytes.HasPrefix(raw, []byte{'"'}) {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	}
	node, err := decodeJSON(raw)
	if err != nil {
		return "", false
	}
	return stringOf(node)
}

// appendJSONKey writes the key of a map. JSON keys are strings, so bytes that are
// no UTF-8 become the replacement character here; the call's key has them exact.
func appendJSONKey(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return appendQuoted(dst, s)
}
