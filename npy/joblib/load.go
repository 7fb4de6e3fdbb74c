package joblib

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxInflated is how many bytes a compressed file may hold where [Options] do not say.
const MaxInflated = 4 << 30

// Options say how a file is read. The zero value, and nil, are the defaults.
type Options struct {
	// MaxInflated bounds the bytes that a compressed file may hold. 0 is [MaxInflated].
	MaxInflated int64
}

// Load reads the file at path, which joblib.dump or pickle.dump wrote. The package
// comment says what it may hold and what its values are in Go; they belong to the
// caller. Anything else is [ErrRefused], and a file that is damaged or no pickle
// [ErrFormat]. Every error is an [*Error].
func Load(path string) (any, error) { return LoadWith(path, nil) }

// LoadWith is [Load] with options.
func LoadWith(path string, o *Options) (any, error) {
	v, err := load(path, o)
	if err != nil {
		return nil, &Error{path, err}
	}
	return v, nil
}

func load(path string, o *Options) (any, error) {
	// What is no regular file, such as a FIFO, could make the open itself wait.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, cause(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	return Read(f, o)
}

// cause leaves out the path that the caller has.
func cause(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// Read is [Load] of a stream. It may read beyond the end of the pickle. Options may be
// nil.
func Read(r io.Reader, o *Options) (any, error) {
	limit := int64(MaxInflated)
	if o != nil && o.MaxInflated > 0 {
		limit = o.MaxInflated
	}
	in := bufio.NewReaderSize(r, 1<<16)
	inflated, err := inflate(in, limit)
	if err != nil {
		return nil, err
	}
	m := &machine{in: input{r: inflated}, memo: map[uint32]any{}}
	v, err := m.run()
	if err == nil && inflated != in {
		_, err = io.Copy(io.Discard, inflated) // to the check at its end
	}
	if err != nil {
		return nil, m.in.explain(err)
	}
	return (&converter{done: map[any]any{}}).value(v, 0)
}

// input reads a pickle and counts.
type input struct {
	r     *bufio.Reader
	count int64
}

func (in *input) ReadByte() (byte, error) {
	b, err := in.r.ReadByte()
	if err == nil {
		in.count++
	}
	return b, err
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.count += int64(n)
	return n, err
}

// trusted is how many bytes are asked for before any have come.
const trusted = 1 << 16

// take reads n bytes. Memory grows with what arrives.
func (in *input) take(n uint64) ([]byte, error) {
	b := make([]byte, 0, min(n, trusted))
	for uint64(len(b)) < n {
		start := len(b)
		if start == cap(b) {
			b = append(b, 0)[:start]
		}
		b = b[:min(uint64(cap(b)), n)]
		got, err := io.ReadFull(in, b[start:])
		if b = b[:start+got]; err != nil {
			return nil, err
		}
	}
	return b, nil
}

// line reads a line of a name, without its end.
func (in *input) line() (string, error) {
	var b []byte
	for len(b) < 1000 {
		c, err := in.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(b), nil
		}
		b = append(b, c)
	}
	return "", damaged("a name has more than %d bytes", len(b))
}

// explain makes the plain end of a stream an error of the format.
func (in *input) explain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends after %d bytes", in.count)
	}
	for _, known := range []error{ErrFormat, ErrRefused, ErrTooLarge} {
		if errors.Is(err, known) {
			return fmt.Errorf("%w, at byte %d", err, in.count)
		}
	}
	return err
}
