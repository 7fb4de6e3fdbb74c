package memo_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// maker makes random types and values for generated signatures.
type maker struct {
	*rand.Rand
	t testing.TB
}

// Named types of every kind that may have a name.
type (
	flag8    bool
	small    int8
	count    int
	mask     uint16
	ratio    float32
	phase    complex64
	blob     []byte
	masks    []mask
	phases   []phase
	triplet  [3]ratio
	settings map[label]count
)

var (
	commonTypes = typesOf[struct {
		A int
		B float64
		C string
		D []float64
		E complex128
	}]()
	scalarTypes = typesOf[struct {
		A bool
		B int
		C int8
		D int16
		E int32
		F int64
		G uint
		H uint8
		I uint16
		J uint32
		K uint64
		L float32
		M float64
		N complex64
		O complex128
		P array.Half
		Q flag8
		R small
		S count
		T mask
		U ratio
		V celsius
		W phase
	}]()
	textTypes = typesOf[struct {
		A string
		B label
		C []byte
		D blob
		E [4]byte
	}]()
	namedTypes = typesOf[struct {
		A masks
		B phases
		C triplet
		D settings
		E readings
		F twins
		G pair
	}]()
	// Types whose values can be arguments but not results.
	argumentTypes = typesOf[struct {
		A any
		B mat.Matrix
		C mat.Vector
		D mat.Symmetric
		E keyer
		F *keyer
		G []any
		H map[string]any
		I Grid
	}]()
	// Types of arguments that only Spec.Ignore lets pass.
	ignoredTypes = typesOf[struct {
		A func(int) int
		B chan string
		C error
		D map[int]hidden
		E *testing.T
	}]()
	matrixTypes = func() (types []reflect.Type) {
		for t := range speciesOf {
			types = append(types, t)
		}
		return sorted(types)
	}()
)

// typesOf returns the types of a struct's fields.
func typesOf[T any]() (types []reflect.Type) {
	for i := range reflect.TypeFor[T]().NumField() {
		types = append(types, reflect.TypeFor[T]().Field(i).Type)
	}
	return types
}

// typ returns a random type. stored ones can be results.
func (g *maker) typ(stored bool, depth int) reflect.Type {
	choices := 12
	if depth == 0 {
		choices = 7
	}
	switch g.IntN(choices) {
	case 0:
		return pick(g, commonTypes)
	case 1:
		return pick(g, scalarTypes)
	case 2:
		return pick(g, textTypes)
	case 3:
		return reflect.SliceOf(pick(g, scalarTypes))
	case 4:
		return reflect.ArrayOf(g.IntN(4), pick(g, scalarTypes))
	case 5:
		return pick(g, matrixTypes)
	case 6:
		if stored {
			return pick(g, namedTypes)
		}
		return pick(g, append(namedTypes[:len(namedTypes):len(namedTypes)], argumentTypes...))
	case 7:
		return reflect.SliceOf(g.typ(stored, depth-1))
	case 8:
		return reflect.ArrayOf(g.IntN(3), g.typ(stored, depth-1))
	case 9:
		return reflect.MapOf(pick(g, []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[label]()}), g.typ(stored, depth-1))
	case 10:
		return g.structOf(stored, depth-1)
	}
	for {
		t := g.typ(stored, depth-1)
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface: // two levels of nothing
			continue
		}
		return reflect.PointerTo(t)
	}
}

// structOf returns a struct type with tags.
func (g *maker) structOf(stored bool, depth int) reflect.Type {
	var fields []reflect.StructField
	for i := range g.IntN(4) {
		f := reflect.StructField{Name: fmt.Sprint("F", i), Type: g.typ(stored, depth)}
		switch g.IntN(3) {
		case 0:
			f.Tag = reflect.StructTag(fmt.Sprintf("memo:%q json:\"-\"", pick(g, []string{"é", "a b", "Z", "0", "_"})+fmt.Sprint(i)))
		case 1:
			if !stored {
				f.Tag, f.Type = `memo:"-"`, pick(g, ignoredTypes)
			}
		}
		fields = append(fields, f)
	}
	return reflect.StructOf(fields)
}

// value returns a random value of a type.
func (g *maker) value(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if s, ok := speciesOf[t]; ok {
		if g.IntN(6) > 0 {
			v.Set(reflect.ValueOf(s.make(g)))
		}
		return v
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString(g.text())
	case reflect.Slice:
		if n := g.length(); n >= 0 {
			v.Set(reflect.MakeSlice(t, n, n))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).Set(g.value(t.Elem()))
		}
	case reflect.Map:
		if n := g.length(); n >= 0 {
			v.Set(reflect.MakeMap(t))
			for range n {
				key := g.value(t.Key())
				if key.Kind() == reflect.String && !utf8.ValidString(key.String()) {
					continue // a result cannot have it
				}
				v.SetMapIndex(key, g.value(t.Elem()))
			}
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				v.Field(i).Set(g.value(t.Field(i).Type))
			}
		}
		if t == reflect.TypeFor[keyer]() {
			v.Set(reflect.ValueOf(keyer{g.IntN(100)}))
		}
	case reflect.Pointer:
		if g.IntN(4) > 0 && t != reflect.TypeFor[*testing.T]() {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(g.value(t.Elem()))
		}
	case reflect.Interface:
		if g.IntN(6) > 0 {
			if x := g.dynamic(t); x != nil {
				v.Set(reflect.ValueOf(x))
			}
		}
	case reflect.Func:
		if g.IntN(2) == 0 {
			v.Set(reflect.ValueOf(func(n int) int { return n }))
		}
	case reflect.Chan:
		if g.IntN(2) == 0 {
			v.Set(reflect.MakeChan(t, 1))
		}
	default:
		g.setNumber(v)
	}
	return v
}

// length is that of a slice or map: −1 for a nil one.
func (g *maker) length() int {
	if g.IntN(50) == 0 {
		return 1000
	}
	return g.IntN(6) - 1
}

// dynamic returns a value for an interface of type t.
func (g *maker) dynamic(t reflect.Type) any {
	vector := func() any { return speciesOf[reflect.TypeFor[*mat.VecDense]()].make(g) }
	symmetric := func() any { return speciesOf[pick(g, symmetricTypes)].make(g) }
	switch t {
	case reflect.TypeFor[mat.Vector]():
		return vector()
	case reflect.TypeFor[mat.Symmetric]():
		return symmetric()
	case reflect.TypeFor[mat.Matrix]():
		switch g.IntN(5) {
		case 0:
			return vector()
		case 1:
			return symmetric()
		case 2:
			return speciesOf[reflect.TypeFor[*mat.TriDense]()].make(g)
		case 3:
			return speciesOf[reflect.TypeFor[*mat.BandDense]()].make(g)
		}
		return g.dense()
	case reflect.TypeFor[error]():
		return fmt.Errorf("error %d", g.IntN(10))
	}
	for { // any holds whatever says by its encoding what it is
		inner := pick(g, anyTypes)
		if v := g.value(inner); v.Kind() != reflect.Interface {
			return v.Interface()
		}
	}
}

var (
	symmetricTypes = []reflect.Type{reflect.TypeFor[*mat.SymDense](), reflect.TypeFor[*mat.SymBandDense](), reflect.TypeFor[*mat.DiagDense]()}
	anyTypes       = sorted(append(append(matrixTypes, append(scalarTypes, textTypes...)...), typesOf[struct {
		A []float64
		B []string
		C *celsius
		D keyer
		E masks
		F []any
		G map[string]any
		H [][]int
	}]()...))
)

// texts are strings for values.
var texts = []string{"", "a", "A", "map", "héllo 🎈", "a\x00b", "\"\\\n\u2028</script>", strings.Repeat("long ", 900), "\xff\xfe", "a\x80"}

func (g *maker) text() string { return pick(g, texts) }

// setNumber sets v, of a number's or bool's type, to a random one; its edges are as
// likely as all others together.
func (g *maker) setNumber(v reflect.Value) {
	switch bits := g.Uint64() >> (g.IntN(2) * g.IntN(64)); v.Kind() {
	case reflect.Bool:
		v.SetBool(bits&1 == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		unused := 64 - v.Type().Bits()
		v.SetInt(int64(bits) << unused >> unused)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(bits & (math.MaxUint64 >> (64 - v.Type().Bits())))
	case reflect.Float32:
		*as[float32](v) = g.float32()
	case reflect.Float64:
		v.SetFloat(g.float64())
	case reflect.Complex64:
		*as[complex64](v) = complex(g.float32(), g.float32())
	case reflect.Complex128:
		v.SetComplex(complex(g.float64(), g.float64()))
	default:
		g.t.Fatalf("no values of %v", v.Type())
	}
}

func (g *maker) float64() float64 {
	return pick(g, []float64{
		0, math.Copysign(0, -1), 1, 1e22, math.NaN(), math.Float64frombits(0xfff8000000000123), math.Float64frombits(0x7ff0000000000001), math.Inf(1), math.Inf(-1), 5e-324, math.MaxFloat64,
		g.NormFloat64(), g.NormFloat64(), math.Float64frombits(g.Uint64()),
	})
}

func (g *maker) float32() float32 {
	return pick(g, []float32{
		0, float32(math.Copysign(0, -1)), 0.1, math.Float32frombits(0x7fc00123), math.Float32frombits(0x7fa00001), float32(math.Inf(1)), 1e-45, math.MaxFloat32,
		float32(g.NormFloat64()), math.Float32frombits(g.Uint32()),
	})
}

func (g *maker) floats(n int) []float64 {
	data := make([]float64, n)
	for i := range data {
		data[i] = g.float64()
	}
	return data
}

func (g *maker) complexes(n int) []complex128 {
	data := make([]complex128, n)
	for i := range data {
		data[i] = complex(g.float64(), g.float64())
	}
	return data
}

// fill sets the elements of an array.
func (g *maker) fill(a array.Any) {
	data := reflect.ValueOf(a).MethodByName("Data").Call(nil)[0]
	for i := range data.Len() {
		g.setNumber(data.Index(i))
	}
}

func pick[T any](g *maker, from []T) T { return from[g.IntN(len(from))] }
