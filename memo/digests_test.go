package memo

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/numcache/numcache/array"
)

// similarKeys are keys whose text is the same in part, or is cut into name, version and
// arguments elsewhere.
func similarKeys() (keys []Key) {
	long := strings.Repeat("x", 2*maxKnownKey)
	for _, name := range []string{"a", "ab", "abs1:", "i1;", long} {
		for _, version := range []string{"", "b", "1", "s1:", "i1;"} {
			k := NewKey(name, version)
			keys = append(keys, k, k.Add(1), k.Add(1).Add(1), k.Add(11), k.Add("1"), k.Add("i1;"), k.Add(1.0), k.Add(true), k.Add(nil),
				k.Add([]float64{1}), k.Add([]float64{2}), k.Add(1).Add([]float64{1}), k.Add([]float64{1}).Add(1), k.Add([]float64{1}).Add(11),
				k.Add([]any{1}), k.Add([]any{1, 1}), k.Add([]byte("i1;")), k.Add(strings.Repeat("i1;", 20)), k.Add(long), k.Add(long[1:]), k.Add(1).Add(long))
		}
	}
	return keys
}

// TestNoKeyHasAnothersDigest puts each key where each other one is looked for, as if they
// all had one hash.
func TestNoKeyHasAnothersDigest(t *testing.T) {
	keys := similarKeys()
	seen := map[array.Digest]int{}
	for i := range keys {
		want := keys[i].hash()
		if j, ok := seen[want]; ok {
			t.Fatalf("keys %d and %d are one", j, i)
		}
		seen[want] = i
		d := newDigests()
		d.of(&keys[i])
		var known *knownDigest
		for s := range d.slots {
			if k := d.slots[s].Load(); k != nil {
				known = k
			}
		}
		if known == nil {
			continue // too long
		}
		if !known.is(&keys[i]) || known.digest != want {
			t.Fatalf("key %d is not remembered", i)
		}
		for j := range keys {
			if i != j && known.is(&keys[j]) {
				t.Fatalf("key %d is taken for key %d", j, i)
			}
		}
	}
}

// TestDigestsAreRemembered asks for more keys than there are slots, from several
// goroutines, and again.
func TestDigestsAreRemembered(t *testing.T) {
	d := newDigests()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 3 * digestSlots {
				k := NewKey("f", "1").Add(n / 2).Add("x")
				if got, want := d.of(&k), k.hash(); got != want {
					t.Errorf("the digest of call %d is %v, want %v", n/2, got, want)
				}
			}
		})
	}
	wg.Wait()
	k := NewKey("f", "1").Add(7)
	d.of(&k)
	if n := testing.AllocsPerRun(100, func() { d.of(&k) }); n != 0 {
		t.Errorf("a digest that is known takes %v allocations", n)
	}
	var invalid Key
	if got := d.of(&invalid); got != (array.Digest{}) {
		t.Errorf("the digest of no key is %v", got)
	}
}

// TestArgumentsOfAKey takes keys apart into what was added to them.
func TestArgumentsOfAKey(t *testing.T) {
	texts := []any{"", "a", "1:i2;", strings.Repeat("x", shortArguments-4), strings.Repeat("x", shortArguments-3), "s3:"}
	numbers := []any{0, -1, math.MinInt64, uint64(math.MaxUint64), 1.5, math.NaN(), float32(math.Copysign(0, -1)), array.Half(1), complex(1, -2), complex64(2), true, false}
	others := []any{nil, []float64{1}, []any{1, "a"}, []byte("i1;"), map[string]int{"a": 1}}
	all := append(append(texts, numbers...), others...)
	for i := range all {
		for j := range all {
			for l := range all {
				values := []any{all[i], all[j], all[l]}
				k, together := NewKey("f", "1"), make([]reflect.Value, len(values))
				for n, v := range values {
					k = k.Add(v)
					together[n] = reflect.ValueOf(v)
				}
				if once := NewKey("f", "1").add(context.Background(), together...); once.Digest() != k.Digest() {
					t.Fatalf("%v: added together they are %v, one by one %v", values, once, k)
				}
				args := k.arguments()
				if len(args) != len(values) || k.count() != len(values) {
					t.Fatalf("%v: there are %d arguments, counted %d", values, len(args), k.count())
				}
				for n, v := range values {
					e := encoder{ctx: context.Background()}
					if err := e.value(reflect.ValueOf(v), 0); err != nil {
						t.Fatal(err)
					}
					if got, want := string(args[n].encoded), string(e.buf); got != want {
						t.Fatalf("%v: argument %d is %q, want %q", values, n, got, want)
					}
				}
			}
		}
	}
}

// TestKeysShareABeginning adds different arguments to one key at once.
func TestKeysShareABeginning(t *testing.T) {
	for _, begin := range []Key{NewKey("f", "1"), NewKey("f", "1").Add(1), NewKey("f", "1").Add([]float64{1}), NewKey("f", "1").Add([]float64{1}).Add(2)} {
		before := begin.Digest()
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				for range 100 {
					k := begin.Add(n)
					args := k.arguments()
					if got, want := string(args[len(args)-1].encoded), fmt.Sprintf("i%d;", n); got != want {
						t.Errorf("the last argument is %q, want %q", got, want)
					}
				}
			})
		}
		wg.Wait()
		if begin.Digest() != before {
			t.Error("a key was changed by Add")
		}
	}
}
