package npy

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"slices"
)

// ArchiveWriter writes a .npz file, one array after the other: [CreateArchive]
// makes one of a file, which appears at its path when Close has succeeded, whole;
// [NewArchiveWriter] writes to a stream. An ArchiveWriter is for one goroutine at a
// time.
type ArchiveWriter struct {
	path    string        // "" for a stream
	file    *staged       // nil for a stream
	out     *bufio.Writer // to either
	offset  int64         // bytes written to out
	names   map[string]bool
	entries directory
	level   int
	small   []byte    // where a member is gathered until it is too large for that
	deflate *deflater // nil where members are stored
	err     error     // the first one, or fs.ErrClosed
}

var errPanicked = errors.New("npy: the value panicked while it was written")

// CreateArchive begins a .npz file that is to be at path. Its bytes depend on
// nothing but what is written and [ArchiveOptions.Level]: as np.savez does, it
// dates members at 1980-01-01. Every error, of the writer's methods too, is an
// [*Error].
func CreateArchive(path string, options *ArchiveOptions) (*ArchiveWriter, error) {
	resolved, err := options.resolve()
	if err != nil {
		return nil, onFile("write", path, err)
	}
	file, err := stage(path)
	if err != nil {
		return nil, onFile("write", path, err)
	}
	w := newArchiveWriter(file, resolved.Level)
	w.path, w.file = path, file
	return w, nil
}

// NewArchiveWriter begins a .npz file that is written to out, which nobody else
// writes to until Close. It has the same members as one of [CreateArchive], and
// readers find them in the same way; only the lengths of large ones stand behind
// them. Close and Abort do not close out. No error is an [*Error], as there is no
// path to name.
func NewArchiveWriter(out io.Writer, options *ArchiveOptions) (*ArchiveWriter, error) {
	resolved, err := options.resolve()
	if err != nil {
		return nil, err
	}
	return newArchiveWriter(out, resolved.Level), nil
}

func newArchiveWriter(out io.Writer, level int) *ArchiveWriter {
	w := &ArchiveWriter{out: bufio.NewWriterSize(out, 1<<16), names: map[string]bool{}, level: level}
	if level > 0 {
		w.deflate = newDeflater(level)
	}
	return w
}

// Write adds an array under a name, to which .npy is added; v is what [Write]
// takes, and must not be written to meanwhile. The elements of a stored array
// begin at a multiple of 64 bytes, so that they can be mapped; a deflated one is
// deflated on all cores.
//
// A name that cannot be one, or that is taken, is [ErrName]; as np.load finds a
// member with and without .npy, x and x.npy are the same. Other errors are those
// of Write. Behind an error the archive is lost: every further call returns it.
func (w *ArchiveWriter) Write(name string, v any) error {
	if w.err == nil {
		w.err = errPanicked // which stays if a foreign matrix does
		err := w.write(name+".npy", v)
		if err != nil {
			err = fmt.Errorf("member %.200q: %w", name, err)
		}
		w.err = err
	}
	return w.onFile(w.err)
}

// onFile names the file in an error, where there is one.
func (w *ArchiveWriter) onFile(err error) error {
	if w.file == nil {
		return err
	}
	return onFile("write", w.path, err)
}

func (w *ArchiveWriter) write(full string, v any) error {
	if err := checkName(full); err != nil {
		return err
	}
	bare := bareName(full)
	if w.names[full] || w.names[bare] {
		return fmt.Errorf("%w: it is there already", ErrName)
	}
	w.names[full], w.names[bare] = true, true
	m := &memberWriter{w: w, entry: entry{name: full, deflated: w.level > 0}}
	w.small = w.small[:0]
	if w.deflate == nil {
		if err := Write(m, v); err != nil {
			return err
		}
		return m.finish()
	}
	w.deflate.begin(m.put)
	defer w.deflate.wait() // also where a foreign matrix panics
	if err := Write(m, v); err != nil {
		return err
	}
	if err := w.deflate.finish(); err != nil {
		return err
	}
	m.entry.blocks = w.deflate.sizes
	return m.finish()
}

// Close ends the archive, and publishes a file, atomically as [WriteFile] does.
// After an error, or if there was one before, no file is left, and what stood at
// the path stands there as it was.
func (w *ArchiveWriter) Close() error {
	defer w.Abort()
	if w.err == nil {
		w.err = w.publish()
	}
	return w.onFile(w.err)
}

func (w *ArchiveWriter) publish() error {
	if err := writeAll(w.out, w.entries.end(w.offset)); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil || w.file == nil {
		return err
	}
	return w.file.publish()
}

// Abort gives the archive up and removes the file. After Close it does nothing,
// so that it can be deferred.
func (w *ArchiveWriter) Abort() {
	if w.file != nil {
		w.file.discard()
	}
	if w.err == nil {
		w.err = fs.ErrClosed
	}
}

// memberWriter takes the .npy file of one member.
type memberWriter struct {
	w     *ArchiveWriter
	entry entry
	// complete is set when the sizes are known.
	complete bool
	spilled  bool // the local header stands in the file, maybe without sizes
}

// crcBlock is how much is summed at a time, before it leaves the cache.
const crcBlock = 1 << 18

// Write implements io.Writer.
func (m *memberWriter) Write(p []byte) (int, error) {
	for block := range slices.Chunk(p, crcBlock) {
		m.entry.crc = crc32.Update(m.entry.crc, crc32.IEEETable, block)
		m.entry.size += int64(len(block))
		put := m.put
		if m.w.deflate != nil {
			put = m.w.deflate.write
		}
		if err := put(block); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// put takes the bytes that go into the file. A small member is kept until its
// sizes are known, and written at once.
func (m *memberWriter) put(b []byte) error {
	m.entry.packed += int64(len(b))
	w := m.w
	if !m.spilled {
		if len(w.small)+len(b) <= smallMember {
			w.small = append(w.small, b...)
			return nil
		}
		if err := m.spill(); err != nil {
			return err
		}
	}
	return w.append(b)
}

// spill writes the local header and what was kept behind it. Of a large member in
// a stream, sizes follow.
func (m *memberWriter) spill() error {
	m.entry.sizesBehind = m.w.file == nil && !m.complete
	m.spilled = true
	m.entry.offset = m.w.offset
	if err := m.w.append(m.entry.local()); err != nil {
		return err
	}
	return m.w.append(m.w.small)
}

// finish completes the member and lists it.
func (m *memberWriter) finish() error {
	w := m.w
	m.complete = true
	switch {
	case !m.spilled:
		if err := m.spill(); err != nil {
			return err
		}
	case m.entry.sizesBehind:
		if err := w.append(m.entry.descriptor()); err != nil {
			return err
		}
	default: // the local header did not know the sizes
		if err := w.out.Flush(); err != nil {
			return err
		}
		if _, err := w.file.WriteAt(m.entry.local(), m.entry.offset); err != nil {
			return err
		}
	}
	w.entries.add(&m.entry)
	return nil
}

// append writes b at the end of the file.
func (w *ArchiveWriter) append(b []byte) error {
	w.offset += int64(len(b))
	return writeAll(w.out, b)
}

// WriteArchive writes arrays, as [Write] takes them, to the .npz file at path, in
// the order of their names. It is np.savez, and with a Level np.savez_compressed.
// The file is written atomically, as [WriteFile] does. Every error is an [*Error].
func WriteArchive(path string, arrays map[string]any, options *ArchiveOptions) error {
	w, err := CreateArchive(path, options)
	if err != nil {
		return err
	}
	defer w.Abort()
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		if err := w.Write(name, arrays[name]); err != nil {
			return err
		}
	}
	return w.Close()
}
