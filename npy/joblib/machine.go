package joblib

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"unicode/utf8"
)

// machine runs a pickle: instructions that push values onto a stack and make others of
// them. It knows those that make plain values, and calls no function but those in
// calls.go.
//
// nlpodyssey/gopickle has such a machine too. It allocates what a file says of its
// lengths, and panics where that is more than there is memory; and there is no place in it
// to read an array's bytes where joblib has them, in the middle of the instructions.
type machine struct {
	in    input
	stack []any
	marks []int // where on the stack a MARK stands
	memo  map[uint32]any
	spent int64 // bytes that calls copied
}

// The values on the stack, beside Go's own: nil, bool, int64, *big.Int, float64,
// complex128, string, []byte, and what NumPy's are in Go.
type (
	// A list, tuple or dict is a pointer, so that one that is several times in the
	// file is so in memory.
	list  struct{ items []any }
	tuple struct{ items []any }
	dict  struct{ items []Pair }
	// oldString is a str of Python 2: text, or bytes.
	oldString []byte
	// global is a class or function by its name.
	global struct{ module, name string }
)

// Pair is an item of a dict with other keys than strings.
type Pair struct{ Key, Value any }

// The instructions, from Python's pickletools.
const (
	opMark           = '('
	opStop           = '.'
	opPop            = '0'
	opPopMark        = '1'
	opDup            = '2'
	opBinFloat       = 'G'
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opBinInt2        = 'M'
	opNone           = 'N'
	opReduce         = 'R'
	opBinString      = 'T'
	opShortBinString = 'U'
	opBinUnicode     = 'X'
	opAppend         = 'a'
	opBuild          = 'b'
	opGlobal         = 'c'
	opAppends        = 'e'
	opBinGet         = 'h'
	opLongBinGet     = 'j'
	opList           = 'l'
	opEmptyList      = ']'
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opSetItem        = 's'
	opTuple          = 't'
	opEmptyTuple     = ')'
	opSetItems       = 'u'
	opEmptyDict      = '}'
	opDict           = 'd'
	opBinBytes       = 'B'
	opShortBinBytes  = 'C'

	opProto           = 0x80
	opNewObj          = 0x81
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
)

// otherOps names the instructions that are known and refused.
var otherOps = map[byte]string{
	'F': "FLOAT, of protocol 0", 'I': "INT, of protocol 0", 'L': "LONG, of protocol 0", 'S': "STRING, of protocol 0", 'V': "UNICODE, of protocol 0",
	'g': "GET, of protocol 0", 'p': "PUT, of protocol 0", 'P': "PERSID", 'Q': "BINPERSID", 'i': "INST", 'o': "OBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
	0x8f: "EMPTY_SET", 0x90: "ADDITEMS, of sets", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER, of a buffer out of band", 0x98: "READONLY_BUFFER",
}

// run executes the pickle to its end and returns what it made.
func (m *machine) run() (any, error) {
	first, err := m.in.ReadByte()
	if err != nil {
		return nil, err
	}
	if first != opProto {
		return nil, damaged("it begins with the byte %#02x, and is no pickle of protocol 2 or later, compressed or not", first)
	}
	for op := first; op != opStop; {
		if err := m.step(op); err != nil {
			return nil, err
		}
		if op, err = m.in.ReadByte(); err != nil {
			return nil, err
		}
	}
	if len(m.marks) > 0 || len(m.stack) != 1 {
		return nil, damaged("it ends with %d values and %d marks", len(m.stack), len(m.marks))
	}
	return m.stack[0], nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// pop takes the n topmost values; none below the last mark.
func (m *machine) pop(n int) ([]any, error) {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	at := len(m.stack) - n
	if at < floor {
		return nil, damaged("the stack is empty")
	}
	values := m.stack[at:]
	m.stack = m.stack[:at]
	return values, nil
}

// popMark takes a copy of the values above the last mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, damaged("there is no mark")
	}
	at := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	values := append([]any(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return values, nil
}

// top returns the topmost value, which must be a T.
func top[T any](m *machine, what string) (T, error) {
	var none T
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if len(m.stack) <= floor {
		return none, damaged("the stack is empty")
	}
	v, ok := m.stack[len(m.stack)-1].(T)
	if !ok {
		return none, damaged("%s of what is none", what)
	}
	return v, nil
}

// number reads a little-endian number of so many bytes.
func (m *machine) number(bytes int) (uint64, error) {
	b, err := m.in.take(uint64(bytes))
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// sized reads bytes behind their length, which is a number of so many bytes.
func (m *machine) sized(bytes int) ([]byte, error) {
	n, err := m.number(bytes)
	if err != nil {
		return nil, err
	}
	return m.in.take(n)
}

func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		protocol, err := m.in.ReadByte()
		if err == nil && (protocol < 2 || protocol > 5) {
			err = refused("pickle protocol %d; 2 to 5 are read", protocol)
		}
		return err
	case opFrame:
		_, err := m.number(8) // frames follow each other without a gap
		return err
	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return nil
	case opPop:
		if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
			m.marks = m.marks[:n-1]
			return nil
		}
		_, err := m.pop(1)
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		values, err := m.pop(1)
		if err != nil {
			return err
		}
		m.stack = append(m.stack, values[0], values[0])
		return nil
	case opNone:
		return m.push(nil)
	case opNewTrue, opNewFalse:
		return m.push(op == opNewTrue)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return m.pushNumber(op)
	case opBinUnicode, opShortBinUnicode, opBinUnicode8, opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8, opBinString, opShortBinString:
		return m.pushText(op)
	case opEmptyList:
		return m.push(&list{})
	case opEmptyTuple:
		return m.push(&tuple{})
	case opEmptyDict:
		return m.push(&dict{})
	case opList, opTuple, opDict, opTuple1, opTuple2, opTuple3, opAppend, opAppends, opSetItem, opSetItems:
		return m.collect(op)
	case opBinGet, opLongBinGet, opBinPut, opLongBinPut, opMemoize:
		return m.remember(op)
	case opGlobal, opStackGlobal:
		return m.global(op)
	case opReduce, opNewObj:
		return m.call()
	case opBuild:
		return m.build()
	}
	if name, known := otherOps[op]; known {
		return refused("the instruction %s", name)
	}
	return damaged("the instruction %#02x", op)
}

func (m *machine) pushNumber(op byte) error {
	switch op {
	case opBinInt:
		n, err := m.number(4)
		return orPush(m, int64(int32(n)), err)
	case opBinInt1:
		n, err := m.number(1)
		return orPush(m, int64(n), err)
	case opBinInt2:
		n, err := m.number(2)
		return orPush(m, int64(n), err)
	case opBinFloat:
		b, err := m.in.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	size := 1
	if op == opLong4 {
		size = 4
	}
	b, err := m.sized(size)
	if err != nil {
		return err
	}
	return m.push(integer(b))
}

// orPush pushes v where there is no error.
func orPush[T any](m *machine, v T, err error) error {
	if err != nil {
		return err
	}
	return m.push(v)
}

// integer reads a two's complement number, its least byte first.
func integer(b []byte) any {
	reversed := make([]byte, len(b))
	for i, c := range b {
		reversed[len(b)-1-i] = c
	}
	n := new(big.Int).SetBytes(reversed)
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

func (m *machine) pushText(op byte) error {
	size := map[byte]int{opShortBinUnicode: 1, opShortBinBytes: 1, opShortBinString: 1, opBinUnicode8: 8, opBinBytes8: 8, opByteArray8: 8}[op]
	if size == 0 {
		size = 4
	}
	b, err := m.sized(size)
	if err != nil {
		return err
	}
	switch op {
	case opBinUnicode, opShortBinUnicode, opBinUnicode8:
		return m.push(string(b))
	case opBinString, opShortBinString:
		return m.push(oldString(b))
	}
	return m.push(b)
}

// text reads a value that must be text.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case oldString:
		return string(v), utf8.Valid(v)
	}
	return "", false
}

// collect makes or extends a list, tuple or dict.
func (m *machine) collect(op byte) error {
	switch op {
	case opTuple1, opTuple2, opTuple3:
		values, err := m.pop(int(op-opTuple1) + 1)
		if err != nil {
			return err
		}
		return m.push(&tuple{append([]any(nil), values...)})
	case opAppend, opSetItem:
		n := 1
		if op == opSetItem {
			n = 2
		}
		values, err := m.pop(n)
		if err != nil {
			return err
		}
		return m.extend(append([]any(nil), values...), op == opSetItem)
	}
	values, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case opTuple:
		return m.push(&tuple{values})
	case opList:
		return m.push(&list{values})
	case opDict:
		m.stack = append(m.stack, &dict{})
	}
	return m.extend(values, op == opDict || op == opSetItems)
}

// extend adds values to the list or dict on top of the stack.
func (m *machine) extend(values []any, pairs bool) error {
	if !pairs {
		l, err := top[*list](m, "an item")
		if err == nil {
			l.items = append(l.items, values...)
		}
		return err
	}
	d, err := top[*dict](m, "a key")
	if err != nil {
		return err
	}
	if len(values)%2 != 0 {
		return damaged("a key without a value")
	}
	for i := 0; i < len(values); i += 2 {
		d.items = append(d.items, Pair{values[i], values[i+1]})
	}
	return nil
}

// remember writes to the memo and reads from it.
func (m *machine) remember(op byte) error {
	var i uint64
	var err error
	switch op {
	case opBinGet, opBinPut:
		i, err = m.number(1)
	case opLongBinGet, opLongBinPut:
		i, err = m.number(4)
	default:
		i = uint64(len(m.memo))
	}
	if err != nil {
		return err
	}
	if op == opBinGet || op == opLongBinGet {
		v, ok := m.memo[uint32(i)]
		if !ok {
			return damaged("there is no value %d", i)
		}
		return m.push(v)
	}
	if len(m.stack) == 0 {
		return damaged("the stack is empty")
	}
	m.memo[uint32(i)] = m.stack[len(m.stack)-1]
	return nil
}

// spend counts bytes that a call copies: else a short file could have the same long
// string copied over and over.
func (m *machine) spend(n int) error {
	m.spent += int64(n)
	if m.spent > 8*m.in.count+1<<20 {
		return fmt.Errorf("%w: its calls make %d bytes of %d", ErrTooLarge, m.spent, m.in.count)
	}
	return nil
}
