package memo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/npy"
)

var forgeries = flag.Int("forgeries", 500, "how many random forgeries TestEveryForgery tries after its list")

// forgeable is a result that a forger has an interest in. Data was made to collide.
type forgeable struct {
	N    int
	Data []uint64
	D    *mat.Dense
	Text string
}

func makeForgeable(n int, name string) forgeable {
	data, _ := colliding(200 + n)
	return forgeable{n, data, mat.NewDense(2, 2, []float64{float64(n), 1, 2, 3}), name}
}

// victim is a cache with a secret whose store a forger writes to, without it. He has
// seen all that was ever stored there, and can make a record's check.
type victim struct {
	t       *testing.T
	s       *storetest.Memory
	c       *Cache
	intact  map[string][]byte // of the entry that is attacked
	name    string            // of its record
	call    func() (forgeable, error)
	readers []*Cache // who read it in other ways, and change nothing
	key     Key
	tried   map[string]int
}

// signedCalls stores calls of two functions and two versions in s, and returns the one
// that is f(1), of version "1".
func signedCalls(t *testing.T, s *storetest.Memory, secret Secret) (c *Cache, call func() (forgeable, error)) {
	c = openOn(t, s)
	c.signer = newSigner(secret)
	for _, spec := range []Spec{{Name: "g", Version: "1"}, {Name: "f", Version: "2"}, {Name: "f", Version: "1"}} {
		for _, n := range []int{2, 1} {
			call = func() (forgeable, error) {
				return Do(t.Context(), c, NewKey(spec.Name, spec.Version).Add(n), func(context.Context) (forgeable, error) {
					return makeForgeable(n, spec.Name+spec.Version), nil
				})
			}
			if _, err := call(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c, call
}

func newVictim(t *testing.T) *victim {
	v := &victim{t: t, s: &storetest.Memory{}, key: NewKey("f", "1").Add(1), tried: map[string]int{}}
	v.c, v.call = signedCalls(t, v.s, ourSecret)
	v.intact = v.s.Blobs()
	v.name = recordName("f", "1", v.key.Digest())
	if len(v.intact[v.name]) == 0 {
		t.Fatalf("there is no %s", v.name)
	}
	reader := openOn(t, readOnlyStore{v.s})
	reader.signer = newSigner(ourSecret)
	v.readers = []*Cache{reader, withMemory(t, openOn(t, readOnlyStore{v.s}), Memory{})}
	v.readers[1].signer = newSigner(ourSecret)
	return v
}

// try puts contents in the place of blobs, nil for none, and has everybody read. None
// may take what was forged for a result; with the call, the entry is whole again.
func (v *victim) try(kind, what string, forged map[string][]byte) {
	v.t.Helper()
	same := true
	for name, content := range forged {
		same = same && bytes.Equal(content, v.intact[name])
	}
	if same || v.t.Failed() {
		return
	}
	v.tried[kind]++
	what = kind + ", " + what
	for name, content := range forged {
		if content == nil {
			if err := v.s.Delete(v.t.Context(), name); err != nil {
				v.t.Fatal(err)
			}
			continue
		}
		v.s.Set(name, content)
	}
	for _, c := range v.readers {
		var got forgeable
		if err := c.Ref(v.key).Get(v.t.Context(), &got); err == nil {
			v.t.Errorf("%s: Ref.Get read it: %.300v", what, got)
		} else if !errors.Is(err, ErrNotFound) {
			v.t.Errorf("%s: Ref.Get: %v", what, err)
		}
	}
	_, isRecord := forged[v.name]
	if has, err := v.readers[0].Has(v.t.Context(), v.key); isRecord && has || err != nil {
		v.t.Errorf("%s: Has: %v, %v", what, has, err)
	}
	before, aside := v.c.Stats(), v.s.Aside()
	// One call notices all that is forged, a forged object also when it is only about to
	// be stored for the record's sake, and the next one is served what that call stored.
	for range 2 {
		v.check(what)
	}
	after, written := v.c.Stats(), int64(0)
	for _, content := range forged {
		if content != nil {
			written++
		}
	}
	if after.Misses != before.Misses+1 || after.Faults != before.Faults+written || after.Hits != before.Hits+1 {
		v.t.Errorf("%s: not noticed, or not stored anew: %+v, then %+v", what, before, after)
	}
	// A record that is not signed is not put aside; all else that was found wrong is.
	if put := v.s.Aside() - aside; put > 1 || put == 0 && !isRecord {
		v.t.Errorf("%s: %d blobs were put aside", what, put)
	}
	for name := range forged {
		v.s.Set(name, v.intact[name])
	}
}

// check makes the call, whose result must be right.
func (v *victim) check(what string) {
	v.t.Helper()
	got, err := v.call()
	if err != nil || !equalForgeable(got, makeForgeable(1, "f1")) {
		v.t.Errorf("%s: a WRONG result, or %v: %.300v", what, err, got)
	}
}

func equalForgeable(a, b forgeable) bool {
	return a.N == b.N && a.Text == b.Text && slices.Equal(a.Data, b.Data) && bits(a.D) == bits(b.D)
}

// record is try with a record that has the right check for its body, which is without.
func (v *victim) record(kind, what string, body []byte) {
	v.t.Helper()
	v.try(kind, what, map[string][]byte{v.name: seal(slices.Clip(body))})
}

// TestEveryForgery has somebody without the secret write to the cache: each bit of the
// record with a check to fit, each member of it in other forms, records of other calls,
// functions, versions and secrets, objects that were made to have the digest of the
// right one, plain and compressed, and then random mixtures of all that he has seen.
// Every call must return what the function returns, and every forgery be noticed.
func TestEveryForgery(t *testing.T) {
	v := newVictim(t)
	v.flipBits()
	v.editMembers()
	v.moveRecords()
	v.swapSecrets()
	v.collideObjects()
	v.mix(*forgeries)
	total := 0
	for _, n := range v.tried {
		total += n
	}
	if len(v.tried) != 6 || v.tried["flipped bits"] < 500 {
		t.Errorf("not everything was tried: %v", v.tried)
	}
	t.Logf("%d forgeries, all noticed: %v; %d blobs put aside", total, v.tried, v.s.Aside())
}

// flipBits goes through the record, but for the check.
func (v *victim) flipBits() {
	body := v.intact[v.name]
	body = body[:len(body)-sealSize]
	for i := range body {
		for bit := range 8 {
			if raceEnabled && bit != i%8 {
				continue
			}
			forged := bytes.Clone(body)
			forged[i] ^= 1 << bit
			v.record("flipped bits", fmt.Sprintf("bit %d of byte %d", bit, i), forged)
		}
	}
}

// editMembers changes what a forger would change.
func (v *victim) editMembers() {
	const kind = "edited members"
	sealed := v.intact[v.name]
	body := string(sealed[:len(sealed)-sealSize])
	cut := len(body) - macSize
	unsigned, mac := body[:cut], body[cut:]
	plain := sha256.Sum256([]byte(unsigned))
	withMAC := func(body, hex string) string { return body + macHead + hex + macTail }
	results, rest, _ := strings.Cut(unsigned, `"results":`)
	contents := strings.Index(unsigned, `"sha256":`)
	for what, forged := range map[string]string{
		"no MAC":                      unsigned,
		"an empty MAC":                withMAC(unsigned, ""),
		"half a MAC":                  withMAC(unsigned, mac[len(macHead):len(macHead)+32]),
		"a MAC of zeros":              withMAC(unsigned, strings.Repeat("0", 64)),
		"a MAC in upper case":         withMAC(unsigned, strings.ToUpper(mac[len(macHead):len(macHead)+64])),
		"two MACs":                    body + mac,
		"a hash in place of the MAC":  withMAC(unsigned, fmt.Sprintf("%x", plain)),
		"the MAC first":               "{" + mac + body[1:cut],
		"the MAC of half the record":  unsigned[:cut/2] + mac,
		"a member behind the MAC":     body + `"results":[7],`,
		"a member before the MAC":     unsigned + `"results":[7],` + mac,
		"null for a MAC":              unsigned + `"mac":null,`,
		"no content digests":          unsigned[:contents] + mac,
		"no content digests, nor MAC": unsigned[:contents],
		"null for content digests":    unsigned[:contents] + `"sha256":null,` + mac,
		"other results":               strings.Replace(body, `"N":1,`, `"N":7,`, 1),
		"results of the forger's":     results + `"results":[7],` + rest[strings.Index(rest, `"created"`):] + mac,
		"another function":            strings.Replace(body, `"function":"f"`, `"function":"g"`, 1),
		"another time":                strings.Replace(body, `"created":"20`, `"created":"21`, 1),
		"another duration":            strings.Replace(body, `"duration":`, `"duration":1`, 1),
		"another format":              strings.Replace(body, `"format":1`, `"format":9`, 1),
		"a space":                     strings.Replace(body, `,"key"`, `, "key"`, 1),
		"nothing":                     "",
		"a MAC and nothing":           mac,
		"what is no JSON":             "x" + mac,
	} {
		if forged == body {
			v.t.Fatalf("%s: nothing to edit", what)
		}
		v.record(kind, what, []byte(forged))
	}
}

// moveRecords puts every other record, with its signature, in the place of the one.
func (v *victim) moveRecords() {
	for name, content := range v.intact {
		if isRecord(name) && name != v.name {
			v.try("other calls' records", name, map[string][]byte{v.name: content})
		}
	}
}

// swapSecrets puts in what somebody with another secret has stored, or with none.
func (v *victim) swapSecrets() {
	for what, secret := range map[string]Secret{"another secret": otherSecret, "no secret": nil, "a secret of zeros": make(Secret, minSecret)} {
		s := &storetest.Memory{}
		signedCalls(v.t, s, secret)
		blobs := s.Blobs()
		v.try("other secrets", what, map[string][]byte{v.name: blobs[v.name]})
		forged := makeForgeable(7, "forged")
		k := v.key
		if _, err := Refresh(v.t.Context(), openOnSigned(v.t, s, secret), k, func(context.Context) (forgeable, error) { return forged, nil }); err != nil {
			v.t.Fatal(err)
		}
		entry := map[string][]byte{}
		for name, content := range s.Blobs() {
			if name == v.name {
				entry[name] = content
			} else if v.intact[name] == nil {
				v.s.Set(name, content) // objects that the forged record needs
			}
		}
		v.try("other secrets", what+", other results", entry)
	}
}

func openOnSigned(t testing.TB, s *storetest.Memory, secret Secret) *Cache {
	c := openOn(t, s)
	c.signer = newSigner(secret)
	return c
}

// collideObjects puts an array in the place of the one that has its digest.
func (v *victim) collideObjects() {
	data, twin := colliding(201)
	src, err := array.Of(data)
	if err != nil {
		v.t.Fatal(err)
	}
	digest, err := array.Hash(v.t.Context(), src)
	if err != nil {
		v.t.Fatal(err)
	}
	name := objectName(digest)
	if v.intact[name] == nil {
		v.t.Fatalf("there is no %s", name)
	}
	forged, err := array.Of(twin)
	if err != nil {
		v.t.Fatal(err)
	}
	var plain, packed bytes.Buffer
	if err := errors.Join(npy.Write(&plain, forged), writePacked(&packed, forged, 6)); err != nil {
		v.t.Fatal(err)
	}
	v.try("objects of one digest", "plain", map[string][]byte{name: plain.Bytes()})
	v.try("objects of one digest", "compressed", map[string][]byte{name: nil, packedName(digest): packed.Bytes()})
	if err := v.s.Delete(v.t.Context(), packedName(digest)); err != nil {
		v.t.Fatal(err)
	}
	// And a record to go with it.
	h, err := hashSource(v.t.Context(), forged, true)
	if err != nil {
		v.t.Fatal(err)
	}
	g, err := hashSource(v.t.Context(), src, true)
	if err != nil {
		v.t.Fatal(err)
	}
	record := bytes.Replace(v.intact[v.name], fmt.Appendf(nil, "%x", g.content()), fmt.Appendf(nil, "%x", h.content()), 1)
	if bytes.Equal(record, v.intact[v.name]) {
		v.t.Fatal("the record does not have the content digest")
	}
	v.try("objects of one digest", "with a record", map[string][]byte{name: plain.Bytes(), v.name: seal(record[: len(record)-sealSize : len(record)-sealSize])})
}

// mix makes n records of pieces of all records there are, and of random bytes.
func (v *victim) mix(n int) {
	r := rand.New(rand.NewPCG(5, 6))
	var records [][]byte
	for _, name := range slices.Sorted(maps.Keys(v.intact)) {
		if isRecord(path.Base(name)) {
			record := v.intact[name]
			records = append(records, record[:len(record)-sealSize])
		}
	}
	for i := range n {
		forged := bytes.Clone(records[r.IntN(len(records))])
		if r.IntN(4) > 0 {
			sealed := v.intact[v.name]
			forged = bytes.Clone(sealed[:len(sealed)-sealSize])
		}
		for range 1 + r.IntN(4) {
			at := r.IntN(len(forged))
			other := records[r.IntN(len(records))]
			from := r.IntN(len(other))
			to := min(len(other), from+1+r.IntN(200))
			switch r.IntN(4) {
			case 0: // a piece, in its own place
				at = min(from, len(forged))
				forged = slices.Replace(forged, at, min(len(forged), at+to-from), other[from:to]...)
			case 1:
				forged = slices.Insert(forged, at, other[from:to]...)
			case 2:
				forged = slices.Delete(forged, at, min(len(forged), at+1+r.IntN(50)))
			default:
				forged[at] = byte(r.Uint32())
			}
			if len(forged) == 0 {
				forged = []byte{'{'}
			}
		}
		v.record("mixtures", fmt.Sprint(i), forged)
	}
}
