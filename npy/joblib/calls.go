package joblib

import (
	"bytes"
	"strings"

	"github.com/numcache/numcache/array"
)

// allowed lists the classes and functions that a file may name, by Python's names for
// them in all versions that wrote such files. None is ever looked up or run: it only says
// which of the functions below makes the value.
var allowed = map[global]callable{
	{"numpy", "ndarray"}: ndarrayClass, {"numpy", "memmap"}: ndarrayClass, {"numpy", "matrix"}: ndarrayClass,
	{"numpy.core.memmap", "memmap"}: ndarrayClass, {"numpy.matrixlib.defmatrix", "matrix"}: ndarrayClass,
	{"numpy._core.memmap", "memmap"}:          ndarrayClass,
	{"numpy", "dtype"}:                        newDType,
	{"numpy.core.multiarray", "_reconstruct"}: newArray, {"numpy._core.multiarray", "_reconstruct"}: newArray,
	{"numpy.core.multiarray", "scalar"}: newScalar, {"numpy._core.multiarray", "scalar"}: newScalar,
	{"numpy.core.numeric", "_frombuffer"}: fromBuffer, {"numpy._core.numeric", "_frombuffer"}: fromBuffer,
	{"joblib.numpy_pickle", "NumpyArrayWrapper"}:                   newWrapper,
	{"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"}: newWrapper,
	{"builtins", "complex"}:                                        newComplex, {"__builtin__", "complex"}: newComplex,
	{"builtins", "bytearray"}: newBytes, {"__builtin__", "bytearray"}: newBytes,
	{"builtins", "bytes"}: newBytes, {"__builtin__", "bytes"}: newBytes,
	{"_codecs", "encode"}:          encode,
	{"collections", "OrderedDict"}: newDict,
}

// callable makes a value of arguments.
type callable func(m *machine, args []any) (any, error)

// global pushes a class or function, if it is allowed.
func (m *machine) global(op byte) error {
	var g global
	if op == opGlobal {
		var err error
		if g.module, err = m.in.line(); err != nil {
			return err
		}
		if g.name, err = m.in.line(); err != nil {
			return err
		}
	} else {
		names, err := m.pop(2)
		if err != nil {
			return err
		}
		var okModule, okName bool
		g.module, okModule = text(names[0])
		g.name, okName = text(names[1])
		if !okModule || !okName {
			return damaged("a class or function whose name is no text")
		}
	}
	if _, ok := allowed[g]; ok {
		return m.push(g)
	}
	why := ""
	if strings.HasPrefix(g.module, "joblib.") && strings.HasSuffix(g.name, "NDArrayWrapper") {
		why = ", which joblib before 0.10 wrote; load it with joblib and dump it again"
	}
	return refused("%.200q of %.200q%s", g.name, g.module, why)
}

// call has a function or class make a value, for REDUCE and NEWOBJ.
func (m *machine) call() error {
	values, err := m.pop(2)
	if err != nil {
		return err
	}
	g, isGlobal := values[0].(global)
	args, isTuple := values[1].(*tuple)
	if !isGlobal || !isTuple {
		return damaged("a call of what is no function")
	}
	v, err := allowed[g](m, args.items)
	if err != nil {
		return err
	}
	return m.push(v)
}

func badArguments(name string) error { return damaged("%s has other arguments than it takes", name) }

func ndarrayClass(*machine, []any) (any, error) { return nil, refused("a call of numpy.ndarray") }

func newDict(_ *machine, args []any) (any, error) {
	if len(args) > 0 {
		return nil, refused("an OrderedDict of a list, as Python 2 wrote it")
	}
	return &dict{}, nil
}

func newComplex(_ *machine, args []any) (any, error) {
	if len(args) == 2 {
		re, okRe := args[0].(float64)
		im, okIm := args[1].(float64)
		if okRe && okIm {
			return complex(re, im), nil
		}
	}
	return nil, badArguments("complex")
}

func newBytes(m *machine, args []any) (any, error) {
	if len(args) == 0 {
		return []byte{}, nil
	}
	b, ok := args[0].([]byte)
	if !ok || len(args) > 1 {
		return nil, badArguments("bytearray")
	}
	return bytes.Clone(b), m.spend(len(b))
}

// encode makes bytes of the string that stands for them up to protocol 2.
func encode(m *machine, args []any) (any, error) {
	if len(args) != 2 {
		return nil, badArguments("_codecs.encode")
	}
	s, okText := text(args[0])
	codec, okCodec := text(args[1])
	if !okText || !okCodec || codec != "latin1" && codec != "latin-1" {
		return nil, badArguments("_codecs.encode")
	}
	if err := m.spend(len(s)); err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, damaged("bytes with the value %d", r)
		}
		b = append(b, byte(r))
	}
	return b, nil
}

// newScalar makes a NumPy scalar of its bytes.
func newScalar(m *machine, args []any) (any, error) {
	if len(args) != 2 {
		return nil, badArguments("numpy's scalar")
	}
	d, okType := args[0].(*dtype)
	b, okBytes := rawBytes(args[1])
	if !okType || !okBytes {
		return nil, badArguments("numpy's scalar")
	}
	if err := m.spend(len(b)); err != nil {
		return nil, err
	}
	v, err := m.read(d, bytes.NewReader(b), nil, false)
	if err != nil {
		return nil, err
	}
	return element(v), nil
}

// rawBytes reads bytes of either Python.
func rawBytes(v any) ([]byte, bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case oldString:
		return v, true
	}
	return nil, false
}

// newArray begins an array, whose state BUILD brings.
func newArray(_ *machine, args []any) (any, error) {
	if len(args) == 0 {
		return nil, badArguments("numpy's _reconstruct")
	}
	return &pending{}, checkClass(args[0])
}

// newWrapper begins an array that joblib wrote, whose state BUILD brings.
func newWrapper(*machine, []any) (any, error) { return &pending{wrapped: true}, nil }

// checkClass refuses subclasses of arrays, which are more than their elements.
func checkClass(v any) error {
	g, ok := v.(global)
	if !ok {
		return damaged("an array of no class")
	}
	switch g.name {
	case "ndarray", "memmap", "matrix":
		return nil
	}
	return refused("an array of the class %s.%s", g.module, g.name)
}

// fromBuffer makes an array of bytes, as protocol 5 has them.
func fromBuffer(m *machine, args []any) (any, error) {
	if len(args) != 4 {
		return nil, badArguments("numpy's _frombuffer")
	}
	b, okBytes := rawBytes(args[0])
	d, okType := args[1].(*dtype)
	shape, okShape := shapeOf(args[2])
	order, okOrder := text(args[3])
	if !okBytes || !okType || !okShape || !okOrder || order != "C" && order != "F" {
		return nil, badArguments("numpy's _frombuffer")
	}
	return m.fromBytes(b, d, shape, order == "F")
}

// fromBytes makes an array of its bytes, all of them.
func (m *machine) fromBytes(b []byte, d *dtype, shape []int, fortran bool) (any, error) {
	if err := m.spend(len(b)); err != nil {
		return nil, err
	}
	r := bytes.NewReader(b)
	v, err := m.read(d, r, shape, fortran)
	if err == nil && r.Len() > 0 {
		err = damaged("an array %s of %s has %d bytes too many", array.FormatShape(shape), d.descr(), r.Len())
	}
	return v, err
}
