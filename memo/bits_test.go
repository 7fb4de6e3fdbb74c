package memo

import (
	"context"
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// signalling is a float32 NaN that turns into another one where it is converted
// to float64 and back.
const signalling = 0x7fa00001

type (
	single  float32
	spinor  complex64
	spinors []spinor
)

func sNaN() float32 { return math.Float32frombits(signalling) }

func isSignalling(f float32) bool { return math.Float32bits(f) == signalling }

// decoded encodes v as a result and decodes it as a T. A copy of v must be the same.
func decoded[T any](t *testing.T, v any) (T, error) {
	t.Helper()
	checkClone(t, v)
	r, err := storeResults(context.Background(), []reflect.Value{reflect.ValueOf(v)}, false)
	if err != nil {
		t.Fatal(err)
	}
	d := resultDecoder{load: func(ref arrayRef) (array.Any, error) {
		for _, o := range r.objects {
			if o.digest == ref.Digest {
				return array.Copy(o.source)
			}
		}
		return nil, ErrNotFound
	}}
	list, ok := readValues(r.json)
	if !ok {
		t.Fatalf("%s is no list", r.json)
	}
	values, err := d.results(list, []reflect.Type{reflect.TypeFor[T]()})
	if err != nil {
		var none T
		return none, err
	}
	return values[0].Interface().(T), nil
}

func TestSignallingNaNsSurvive(t *testing.T) {
	if f, err := decoded[float32](t, sNaN()); err != nil || !isSignalling(f) {
		t.Errorf("float32: %x %v", math.Float32bits(f), err)
	}
	if f, err := decoded[single](t, single(sNaN())); err != nil || !isSignalling(float32(f)) {
		t.Errorf("named float32: %x %v", math.Float32bits(float32(f)), err)
	}
	if c, err := decoded[complex64](t, complex(sNaN(), 1)); err != nil || !isSignalling(real(c)) || imag(c) != 1 {
		t.Errorf("complex64: %x %v", math.Float32bits(real(c)), err)
	}
	if c, err := decoded[spinor](t, spinor(complex(1, sNaN()))); err != nil || !isSignalling(imag(c)) {
		t.Errorf("named complex64: %x %v", math.Float32bits(imag(c)), err)
	}
	if c, err := decoded[spinors](t, spinors{spinor(complex(1, sNaN()))}); err != nil || !isSignalling(imag(c[0])) {
		t.Errorf("slice of named complex64: %x %v", math.Float32bits(imag(c[0])), err)
	}
	if c, err := decoded[[1]complex64](t, [1]complex64{complex(sNaN(), 1)}); err != nil || !isSignalling(real(c[0])) {
		t.Errorf("array of complex64: %x %v", math.Float32bits(real(c[0])), err)
	}
	if keyOf(spinors{spinor(complex(1, sNaN()))}).Digest() != keyOf([]complex64{complex(1, sNaN())}).Digest() {
		t.Error("the key of a slice of named numbers does not have their bits")
	}
}

// TestIntegersAreNoRoundedFloats: an integer that some other writer stored is a
// float only where the float is that integer.
func TestIntegersAreNoRoundedFloats(t *testing.T) {
	for _, n := range []int64{0, 1, -7, 1 << 53, 1 << 60, -1 << 62} {
		if f, err := decoded[float64](t, n); err != nil || int64(f) != n {
			t.Errorf("%d: %v %v", n, f, err)
		}
	}
	for _, n := range []int64{1<<53 + 1, math.MaxInt64} {
		if f, err := decoded[float64](t, n); err == nil {
			t.Errorf("%d became %v", n, f)
		}
		if c, err := decoded[float32](t, n); err == nil {
			t.Errorf("%d became %v", n, c)
		}
	}
}

// TestHalvesAreNoRoundedFloats: a float is a float16 only where it is one exactly,
// and an integer never is its bits.
func TestHalvesAreNoRoundedFloats(t *testing.T) {
	for _, f := range []float64{0.5, -65504, math.Inf(1), 0x1p-24} {
		if h, err := decoded[array.Half](t, f); err != nil || float64(h.Float32()) != f {
			t.Errorf("%v: %v %v", f, h, err)
		}
	}
	for _, f := range []float64{0.1, 65520, 1e300, 0x1p-25} {
		if h, err := decoded[array.Half](t, f); err == nil {
			t.Errorf("%v became %v", f, h)
		}
	}
	if h, err := decoded[array.Half](t, uint16(7)); err != nil || h.Float32() != 7 {
		t.Errorf("7: %v %v", h, err)
	}
	for _, v := range []any{[]uint16{7}, "7", true} {
		if h, err := decoded[[]array.Half](t, v); err == nil {
			t.Errorf("%v became %v", v, h)
		}
	}
}

// TestMatricesOfEverySize stores every gonum type at small sizes, empty ones
// included, and compares type, layout and elements.
func TestMatricesOfEverySize(t *testing.T) {
	same := func(name string, got, want mat.Matrix, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		r, c := want.Dims()
		if gr, gc := got.Dims(); gr != r || gc != c || array.Layout(got) != array.Layout(want) {
			t.Errorf("%s: %d×%d %q, want %d×%d %q", name, gr, gc, array.Layout(got), r, c, array.Layout(want))
			return
		}
		for i := range r {
			for j := range c {
				if math.Float64bits(got.At(i, j)) != math.Float64bits(want.At(i, j)) {
					t.Errorf("%s: element %d,%d is %v, want %v", name, i, j, got.At(i, j), want.At(i, j))
				}
			}
		}
	}
	fill := func(n int) []float64 {
		data := make([]float64, n)
		for i := range data {
			data[i] = float64(i + 1)
		}
		data[0] = math.Copysign(0, -1)
		data[n-1] = math.NaN()
		return data
	}
	for n := 1; n <= 4; n++ {
		for k := range n {
			for _, kind := range []mat.TriKind{mat.Upper, mat.Lower} {
				want := mat.NewTriBandDense(n, k, kind, fill(n*(k+1)))
				got, err := decoded[*mat.TriBandDense](t, want)
				same("TriBandDense", got, want, err)
			}
			sym := mat.NewSymBandDense(n, k, fill(n*(k+1)))
			gotSym, err := decoded[*mat.SymBandDense](t, sym)
			same("SymBandDense", gotSym, sym, err)
			for m := k + 1; m <= 4; m++ {
				band := mat.NewBandDense(n, m, min(k, n-1), m-1-k, nil)
				for i := range n {
					for j := range m {
						if kl, ku := band.Bandwidth(); j >= i-kl && j <= i+ku {
							band.SetBand(i, j, float64(i*m+j+1))
						}
					}
				}
				gotBand, err := decoded[*mat.BandDense](t, band)
				same("BandDense", gotBand, band, err)
			}
		}
		for _, kind := range []mat.TriKind{mat.Upper, mat.Lower} {
			tri := mat.NewTriDense(n, kind, fill(n*n))
			got, err := decoded[*mat.TriDense](t, tri)
			same("TriDense", got, tri, err)
		}
		sym := mat.NewSymDense(n, fill(n*n))
		gotSym, err := decoded[*mat.SymDense](t, sym)
		same("SymDense", gotSym, sym, err)
		diag := mat.NewDiagDense(n, fill(n))
		gotDiag, err := decoded[*mat.DiagDense](t, diag)
		same("DiagDense", gotDiag, diag, err)
		three := mat.NewTridiag(n, fill(n + 1)[:n-1], fill(n), fill(n + 1)[:n-1])
		gotThree, err := decoded[*mat.Tridiag](t, three)
		same("Tridiag", gotThree, three, err)
		view := mat.NewDense(n+2, n+2, fill((n+2)*(n+2))).Slice(1, n+1, 1, n+1).(*mat.Dense)
		gotView, err := decoded[*mat.Dense](t, view)
		same("Dense", gotView, view, err)
		column := mat.NewDense(n, 3, fill(3*n)).ColView(1).(*mat.VecDense)
		gotColumn, err := decoded[*mat.VecDense](t, column)
		same("VecDense", gotColumn, column, err)
	}
	var err error
	check := func(name string, m mat.Matrix, err error) { same(name, m, &mat.Dense{}, err) }
	var dense *mat.Dense
	dense, err = decoded[*mat.Dense](t, &mat.Dense{})
	check("empty Dense", dense, err)
	var sym *mat.SymDense
	sym, err = decoded[*mat.SymDense](t, &mat.SymDense{})
	check("empty SymDense", sym, err)
	var diag *mat.DiagDense
	diag, err = decoded[*mat.DiagDense](t, &mat.DiagDense{})
	check("empty DiagDense", diag, err)
	if v, err := decoded[*mat.VecDense](t, &mat.VecDense{}); err != nil || v.Len() != 0 {
		t.Errorf("empty VecDense: %v %v", v, err)
	}
	for _, err := range []error{
		second(decoded[*mat.TriDense](t, &mat.TriDense{})), second(decoded[*mat.BandDense](t, &mat.BandDense{})),
		second(decoded[*mat.SymBandDense](t, &mat.SymBandDense{})), second(decoded[*mat.TriBandDense](t, &mat.TriBandDense{})),
		second(decoded[*mat.Tridiag](t, &mat.Tridiag{})), second(decoded[*mat.CDense](t, &mat.CDense{})),
	} {
		if err != nil {
			t.Error("an empty matrix:", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestReferencesAreToldFromLookalikes: only the record's own form of an array is
// one, not a map of somebody's with the same members.
func TestReferencesAreToldFromLookalikes(t *testing.T) {
	const inner = `"array":"3dbbec467ceba150bd0e18328cc3a754","dtype":"<f8","shape":[3,4]`
	var v Value
	if err := v.UnmarshalJSON([]byte(`{"map":{` + inner + `}}`)); err != nil {
		t.Fatal(err)
	}
	if found := v.Arrays(); len(found) != 0 {
		t.Errorf("a map with the members of an array is taken for one: %v", found)
	}
	if err := v.UnmarshalJSON([]byte(`[{"map":{"a":{` + inner + `}}}, {"string":{` + inner + `}}]`)); err != nil {
		t.Fatal(err)
	}
	if found := v.Arrays(); len(found) != 2 {
		t.Errorf("%d arrays found, want 2", len(found))
	}
}
