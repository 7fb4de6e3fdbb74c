package npy_test

import (
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/numcache/numcache/npy"
)

// A type whose UnmarshalText writes into the memory it has must not reach what
// the variable held, which others may share, and which an error leaves as it was.
func TestLoadLeavesOldText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.Dump(path, map[string]*big.Int{"N": big.NewInt(7)}, nil); err != nil {
		t.Fatal(err)
	}
	large := new(big.Int).Lsh(big.NewInt(1), 300)
	v := struct {
		N       big.Int
		Missing int
	}{N: *large}
	if err := npy.Load(path, &v); !errors.Is(err, npy.ErrMissing) {
		t.Errorf("got %v", err)
	}
	if want := new(big.Int).Lsh(big.NewInt(1), 300); v.N.Cmp(want) != 0 || large.Cmp(want) != 0 {
		t.Errorf("the variable became %s, what it shared %s", &v.N, large)
	}
}

// A slice with a text type that is nil in places keeps the difference.
func TestDumpNilText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	in := []strs{{"a", "b"}, nil, {}}
	if err := npy.Dump(path, in, nil); err != nil {
		t.Fatal(err)
	}
	var out []strs
	if err := npy.Load(path, &out); err != nil || !reflect.DeepEqual(out, in) {
		t.Errorf("%#v became %#v, %v", in, out, err)
	}
	ips := []net.IP{net.IPv4(1, 2, 3, 4), nil}
	if err := npy.Dump(path, ips, nil); err != nil {
		t.Fatal(err)
	}
	var back []net.IP
	if err := npy.Load(path, &back); err != nil || !reflect.DeepEqual(back, ips) {
		t.Errorf("%#v became %#v, %v", ips, back, err)
	}
}

// strs is a slice that is stored as its text.
type strs []string

func (s strs) MarshalText() ([]byte, error) { return []byte(strings.Join(s, ",")), nil }
func (s *strs) UnmarshalText(b []byte) error {
	*s = strs{}
	if len(b) > 0 {
		*s = strings.Split(string(b), ",")
	}
	return nil
}

// One long key among many must not give the note of the keys a size that nothing
// justifies, for all strings of an array are as long as the longest.
func TestDumpLongKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	long := strings.Repeat("k", 20_000)
	in := map[string]int{long: -1, "": 1000}
	for i := range 500 {
		in[strings.Repeat("x", i+1)] = i
	}
	if err := npy.Dump(path, in, nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 2<<20 {
		t.Errorf("the file has %d bytes", info.Size())
	}
	var out map[string]int
	if err := npy.Load(path, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%d keys became %d, %v", len(in), len(out), err)
	}
	var all any
	if err := npy.Load(path, &all); err != nil || len(all.(map[string]any)) != len(in) || all.(map[string]any)[""] != int64(1000) {
		t.Errorf("as any: %v", err)
	}
}

// An error for a name that is not there says what is.
func TestMissingNames(t *testing.T) {
	type layer struct {
		Weights, Bias []float64
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.Dump(path, struct{ Layers []layer }{[]layer{{[]float64{1}, []float64{2}}}}, nil); err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	_, dense := a.Dense("Layers.0.wieghts")
	_, file := a.File("Layers.0.bais")
	for _, tt := range []struct {
		err  error
		want error
		text string
	}{
		{dense, npy.ErrMissing, `"Layers.0.Weights"`},
		{file, npy.ErrMissing, `"Layers.0.Bias"`},
		{a.Load("Layers.0", new(struct{ Wights []float64 })), npy.ErrMissing, `"Layers.0.Weights"`},
		{a.Load("Layers", new(layer)), npy.ErrType, "a list of 1"},
	} {
		if !errors.Is(tt.err, tt.want) || !strings.Contains(tt.err.Error(), tt.text) {
			t.Errorf("%v does not tell of %s", tt.err, tt.text)
		}
	}
}
