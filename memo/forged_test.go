package memo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/npy"
)

// forge returns a record of k with a valid check and any results.
func forge(k Key, results string) []byte {
	return seal([]byte(fmt.Sprintf(`{"format":1,"key":"%s","function":"%s","version":"%s","args":[],"results":%s,"created":"2026-01-02T03:04:05Z","duration":1.0,"writer":"forger",`,
		k, k.Function(), k.Version(), results)))
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestForgedRecords: a record whose check is right says what no writer wrote. The
// call computes; nothing panics, nor takes memory that the files do not have.
func TestForgedRecords(t *testing.T) {
	const digest = "3dbbec467ceba150bd0e18328cc3a754"
	k := NewKey("f", "1")
	ref := func(dtype, shape string) string {
		return fmt.Sprintf(`[{"array":"%s","dtype":"%s","shape":%s}]`, digest, dtype, shape)
	}
	layout := func(shape, layout string) string {
		return fmt.Sprintf(`[{"array":"%s","dtype":"<f8","shape":%s,"layout":"%s"}]`, digest, shape, layout)
	}
	parsed, err := array.ParseDigest(digest)
	if err != nil {
		t.Fatal(err)
	}
	for _, results := range []string{
		`[]`, `{}`, `null`, `[null]`, `[null,null]`, `[1]`, `["x"]`, `[[]]`, `[{}]`, `[true]`, `[1e999]`, `[{"array":7}]`, `[{"array":"x"}]`,
		ref("<f8", "[8796093022207]"), ref("<f8", "[70368744177664]"), ref("|u1", "[70368744177663]"), ref("<f8", "[9223372036854775807,2]"),
		ref("<f8", "[4294967296,4294967296]"), ref("<f8", "[0,9223372036854775807]"), ref("<f8", "[-1,-1]"), ref("<f8", "[1e3]"), ref("<f8", "[3.0]"),
		ref("<f8", "[null]"), ref("<f8", "null"), ref("|O", "[1]"), ref(">f8", "[3,4]"), ref("<f4", "[3,4]"), ref("<f8", "[4,3]"), ref("<f8", "[12]"),
		ref("<f8", "["+strings.Repeat("1,", 70)+"12]"), ref("<c16", "[3,2]"), ref("<f8", "[18446744073709551616]"),
		layout("[3,4]", "upper"), layout("[3,4]", "band 99999999999999999999 1"), layout("[3,4]", "band -1 -1"), layout("[3,4]", "band 4611686018427387904 4611686018427387904"),
		layout("[4,3]", "upper 2"), layout("[3,4]", "band 1"), layout("[3,4]", "lower 9"), layout("[3,4]", "\\u0000"),
		`[` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `]`,
		`[{"map":` + strings.Repeat(`{"map":`, 4000) + `{}` + strings.Repeat("}", 4000) + `}]`,
		`[{"bytes":"!!"}]`, `[{"string":"="}]`, `[{"float":"xyz"}]`, `[{"float32":"7fa0000g"}]`, `[{"complex":[1.0]}]`, `[{"complex":{}}]`,
		`[{"string":{"array":"` + digest + `","dtype":"<f8","shape":[3,4]}}]`, `[{"map":{"D":null}}]`, `[{"map":7}]`,
	} {
		s := &storetest.Memory{}
		var object strings.Builder
		if err := npy.Write(&object, mat.NewDense(3, 4, nil)); err != nil {
			t.Fatal(err)
		}
		s.Set(objectName(parsed), []byte(object.String()))
		c := openOn(t, s)
		name := recordName("f", "1", k.Digest())
		short := fmt.Sprintf("%.80s", results)
		taken := allocated(func() {
			forged := func() { s.Set(name, forge(k, results)) }
			forged()
			checkComputed(t, c, k, short, 5)
			forged()
			checkComputed(t, c, k, short, "text")
			forged()
			checkComputed(t, c, k, short, []byte("bytes"))
			forged()
			checkComputed(t, c, k, short, 2.5)
			forged()
			checkComputed(t, c, k, short, float32(2.5))
			forged()
			checkComputed(t, c, k, short, 2i)
			forged()
			checkComputed(t, c, k, short, []float64{1})
			forged()
			checkComputed(t, c, k, short, [2]int16{1, 2})
			forged()
			checkComputed(t, c, k, short, map[string]string{"a": "b"})
			forged()
			checkComputed(t, c, k, short, makeSample(3))
			forged()
			checkComputed(t, c, k, short, mat.NewDense(1, 1, nil))
			forged()
			checkComputed(t, c, k, short, mat.NewVecDense(1, nil))
			forged()
			checkComputed(t, c, k, short, mat.NewSymDense(1, nil))
			forged()
			checkComputed(t, c, k, short, mat.NewTriDense(1, mat.Upper, nil))
			forged()
			checkComputed(t, c, k, short, mat.NewBandDense(1, 1, 0, 0, nil))
			forged()
			checkComputed(t, c, k, short, mat.NewTriBandDense(1, 0, mat.Lower, nil))
			forged()
			checkComputed(t, c, k, short, mat.NewCDense(1, 1, nil))
			forged()
			_, _ = c.Has(t.Context(), k)
			if _, err := c.Verify(t.Context(), nil); err != nil {
				t.Errorf("Verify of %s: %v", short, err)
			}
			for r, err := range c.Records(t.Context()) {
				if err == nil {
					_ = r.Size()
					for _, v := range r.Results {
						_, _ = v.String(), v.Arrays()
					}
				}
			}
		})
		if taken > 256<<20 {
			t.Errorf("%s: took %d MB", short, taken>>20)
		}
	}
}

// checkComputed calls a function of T's type and demands what it returns, not what
// the forged record says, unless that is a T too.
func checkComputed[T any](t *testing.T, c *Cache, k Key, what string, want T) {
	t.Helper()
	computed := false
	got, err := Do(t.Context(), c, k, func(context.Context) (T, error) { computed = true; return want, nil })
	if err != nil {
		t.Errorf("%s as %T: %v", what, want, err)
	}
	if computed && bits(got) != bits(want) {
		t.Errorf("%s as %T: %v, want %v", what, want, got, want)
	}
}

// TestRecordsThatWouldBeTooLarge: what could not be read back is not written.
func TestRecordsThatWouldBeTooLarge(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("needs a second and some hundred megabytes")
	}
	s := &storetest.Memory{}
	c := openOn(t, s)
	many := make([]string, maxRecord/maxInline+1)
	for i := range many {
		many[i] = strings.Repeat("x", maxInline)
	}
	got, err := Do(t.Context(), c, NewKey("f", "1"), func(context.Context) ([]string, error) { return many, nil })
	if err != nil || len(got) != len(many) || c.Stats().Faults != 1 || len(s.Blobs()) > 0 {
		t.Error(len(got), err, c.Stats(), len(s.Blobs()))
	}
}

// TestForgedHeader: an object of a few bytes claims terabytes, and the record
// agrees with it.
func TestForgedHeader(t *testing.T) {
	const extent = math.MaxInt >> 21 // terabytes where an int has 64 bits
	k := NewKey("f", "1")
	digest := array.Digest{1}
	s := &storetest.Memory{}
	c := openOn(t, s)
	taken := allocated(func() {
		for range 2 {
			s.Set(objectName(digest), npy.AppendHeader(nil, array.Float64, []int{extent}))
			s.Set(recordName("f", "1", k.Digest()), forge(k, fmt.Sprintf(`[{"array":"%s","dtype":"<f8","shape":[%d]}]`, digest, extent)))
			if _, err := c.Object(t.Context(), digest); !errors.Is(err, ErrDamaged) {
				t.Errorf("Object: %v", err)
			}
			s.Set(objectName(digest), npy.AppendHeader(nil, array.Float64, []int{extent}))
			if r, err := c.Verify(t.Context(), nil); err != nil || len(r.Damaged) != 1 || r.Incomplete != 1 {
				t.Errorf("Verify: %+v, %v", r, err)
			}
			s.Set(objectName(digest), npy.AppendHeader(nil, array.Float64, []int{extent}))
			checkComputed(t, c, k, "a huge header", []float64{1})
		}
	})
	if taken > 16<<20 {
		t.Errorf("took %d MB", taken>>20)
	}
}
