package npy_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

type (
	level   int8
	phase   complex64
	weight  float32
	label   string
	weights []float64
	switchy bool
)

// A rich struct has every sort of type that can be dumped.
type rich struct {
	B    bool
	I    int
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	U    uint
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	Up   uintptr
	H    array.Half
	F32  float32
	F64  float64
	C64  complex64
	C128 complex128
	S    string

	Level  level
	Phase  phase
	Weight weight
	Label  label

	Bytes    []byte
	Floats   []float64
	Halves   []array.Half
	Ints     []int
	Uints    []uint
	Pointers []uintptr
	Bools    []bool
	Named    weights
	Levels   []level
	Phases   []phase
	Switches []switchy
	Texts    []string
	Labels   [2]label
	Rows     [][]float64
	Deep     [][][]int16
	Fixed    [2][3]float32
	Points   [][2]int16
	Hollow   [0]int
	Pairs    [2][]int8

	When     time.Time
	Times    []time.Time
	Duration time.Duration
	Big      *big.Int

	Ptr    *float64
	PP     **[]int
	Struct *inner
	List   []inner
	Nested map[string]inner
	ByInt  map[int16][]float32
	ByUint map[uint64]string
	ByName map[label]*inner
	Any    any
	AnyMap map[string]any
	Inner

	Dense       *mat.Dense
	Vec         *mat.VecDense
	Sym         *mat.SymDense
	Tri         *mat.TriDense
	Diag        *mat.DiagDense
	Tridiag     *mat.Tridiag
	Band        *mat.BandDense
	SymBand     *mat.SymBandDense
	TriBand     *mat.TriBandDense
	CDense      *mat.CDense
	VecValue    mat.VecDense
	Array       *array.Array[int32]
	ArrayValue  array.Array[complex64]
	Whatever    array.Any
	Matrices    []*mat.SymBandDense
	Strings     *npy.Strings
	Skipped     chan int `npy:"-"`
	unexported  int      `npy:"-"`
	Renamed     int      `npy:"re.named %"`
	Omitted     []int    `npy:",omitempty"`
	OmittedDeep inner    `npy:"o,omitempty"`
	_           int
}

type inner struct {
	Name string
	X    []float32
	Next *inner
	Void struct{}
}

type Inner struct{ Value float32 }

var oddTexts = []string{"", "a", "value", "π ≈ 3", "a.b", "50%", "%", "x/y", `x\y`, "..", ".", "nul\x00", "\x00", "a\x00b", "\xff", "é\xe9", "new\nline", "%2E", "x.npy"}

// fill gives v a random value. Deeper ones are smaller, and nil in the end.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	t := v.Type()
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC()
		return
	case **big.Int:
		*p = new(big.Int).Lsh(big.NewInt(r.Int64()), 70)
		return
	case **npy.Strings:
		*p = &npy.Strings{Data: []string{"a", "bcd"}, Shape: []int{2, 1}, Width: 3}
		return
	case *array.Any:
		*p = filled(r, array.DType(1+r.IntN(14)), []int{r.IntN(3), 2})
		return
	case **array.Array[int32]:
		*p = filled(r, array.Int32, []int{r.IntN(3), r.IntN(3)}).(*array.Array[int32])
		return
	case *array.Array[complex64]:
		*p = *filled(r, array.Complex64, []int{2, r.IntN(3)}).(*array.Array[complex64])
		return
	case *any:
		*p = dynamic(r, depth)
		return
	}
	if m := matrix(r, t); m.IsValid() {
		v.Set(m)
		return
	}
	n := r.IntN(4)
	if depth > 4 {
		n = 0
	}
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - t.Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(r.Uint64() >> (64 - t.Bits()))
	case reflect.Float32: // any bits, signalling NaNs too
		f := math.Float32frombits([]uint32{r.Uint32(), 0x7f800001, 1 << 31}[r.IntN(3)])
		v.Set(reflect.ValueOf(&f).Convert(reflect.PointerTo(t)).Elem())
	case reflect.Float64:
		v.SetFloat(math.Float64frombits([]uint64{r.Uint64(), 0x7ff0000000000001, 1 << 63}[r.IntN(3)]))
	case reflect.Complex64:
		c := complex(math.Float32frombits(r.Uint32()), math.Float32frombits(0x7f800001))
		v.Set(reflect.ValueOf(&c).Convert(reflect.PointerTo(t)).Elem())
	case reflect.Complex128:
		v.SetComplex(complex(math.Float64frombits(r.Uint64()), math.Float64frombits(0x7ff0000000000001)))
	case reflect.String:
		v.SetString(oddTexts[r.IntN(len(oddTexts))])
	case reflect.Pointer:
		if n > 0 {
			v.Set(reflect.New(t.Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if n > 0 {
			v.Set(reflect.MakeSlice(t, n-1, n))
			for i := range n - 1 {
				fill(r, v.Index(i), depth+1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		if n > 0 {
			v.Set(reflect.MakeMap(t))
			for range n - 1 {
				key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
				fill(r, key, depth+1)
				fill(r, value, depth+1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := t.Field(i); f.IsExported() && f.Tag.Get("npy") != "-" {
				fill(r, v.Field(i), depth+1)
			}
		}
	}
}

// filled returns an array of random bits.
func filled(r *rand.Rand, d array.DType, shape []int) array.Any {
	a, err := array.Make(d, shape...)
	if err != nil {
		panic(err)
	}
	b := make([]byte, a.Len()*d.Size())
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if err := a.Decode(0, b); err != nil {
		panic(err)
	}
	return a
}

// dynamic returns a value of a type that Load chooses for an any.
func dynamic(r *rand.Rand, depth int) any {
	n := 11
	if depth > 4 {
		n = 8
	}
	switch r.IntN(n) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return int64(r.Uint64())
	case 3:
		return r.Uint64()
	case 4:
		return math.Float64frombits(r.Uint64())
	case 5:
		return complex(r.NormFloat64(), math.NaN())
	case 6:
		return oddTexts[r.IntN(len(oddTexts))]
	case 7:
		return []string{"x", "", "yz"}[r.IntN(3):]
	case 8:
		return filled(r, array.DType(1+r.IntN(14)), []int{r.IntN(3)})
	case 9:
		list := make([]any, r.IntN(3))
		for i := range list {
			list[i] = dynamic(r, depth+1)
		}
		return list
	}
	m := map[string]any{}
	for range r.IntN(3) {
		m[oddTexts[r.IntN(len(oddTexts))]] = dynamic(r, depth+1)
	}
	return m
}

// matrix returns a matrix of one of gonum's types, at times a nil or an empty one.
func matrix(r *rand.Rand, t reflect.Type) reflect.Value {
	n := 1 + r.IntN(3)
	k := r.IntN(n)
	data := func(n int) []float64 {
		d := make([]float64, n)
		for i := range d {
			d[i] = r.NormFloat64()
		}
		return d
	}
	var m any
	switch reflect.Zero(t).Interface().(type) {
	case *mat.Dense:
		m = mat.NewDense(n, 2, data(2*n))
	case *mat.VecDense:
		m = mat.NewVecDense(n, data(n))
	case mat.VecDense:
		return reflect.ValueOf(mat.NewVecDense(n, data(n))).Elem()
	case *mat.SymDense:
		m = mat.NewSymDense(n, data(n*n))
	case *mat.TriDense:
		m = mat.NewTriDense(n, mat.TriKind(r.IntN(2) == 0), data(n*n))
	case *mat.DiagDense:
		m = mat.NewDiagDense(n, data(n))
	case *mat.Tridiag:
		m = mat.NewTridiag(n, data(n-1), data(n), data(n-1))
	case *mat.BandDense:
		m = mat.NewBandDense(n, n+1, k, k, data(n*(2*k+1)))
	case *mat.SymBandDense:
		m = mat.NewSymBandDense(n, k, data(n*(k+1)))
	case *mat.TriBandDense:
		m = mat.NewTriBandDense(n, k, mat.TriKind(r.IntN(2) == 0), data(n*(k+1)))
	case *mat.CDense:
		m = mat.NewCDense(1, 2, []complex128{complex(r.NormFloat64(), math.NaN()), 2i})
	default:
		return reflect.Value{}
	}
	switch r.IntN(8) {
	case 0:
		return reflect.Zero(t)
	case 1:
		return reflect.New(t.Elem())
	}
	return reflect.ValueOf(m)
}
