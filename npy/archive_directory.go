package npy

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// member is one file of an archive.
type member struct {
	name   string // with .npy
	method uint16
	sealed bool // encrypted
	offset int64
	packed int64 // bytes from offset on
	size   int64 // bytes once inflated
	crc    uint32
	blocks []uint32 // deflated sizes of its blocks, if it tells them
}

const (
	// localHeader is the least that stands before a member's bytes.
	localHeader = 30
	// maxRatio bounds what DEFLATE can make of a byte: a match of 258 bytes takes
	// two bits at least.
	maxRatio = 1032
	// trustedRatio is up to what ratio the size that a member claims is believed
	// before it is inflated; numbers seldom reach it. Beyond, memory grows with
	// what really comes.
	trustedRatio = 64
)

// readDirectory lists the members of an archive of the given size.
func (a *Archive) readDirectory(size int64) error {
	// To a SectionReader, what lies outside is the end and no error of its own.
	z, err := zip.NewReader(io.NewSectionReader(a.r, 0, size), size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked below
		return zipError(err)
	}
	a.names = make([]string, 0, len(z.File))
	a.members = make(map[string]*member, 2*len(z.File))
	members := make([]*member, len(z.File))
	for i, f := range z.File {
		offset, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("member %.200q: %w", f.Name, zipError(err))
		}
		// Beyond 63 bits they become negative.
		m := &member{f.Name, f.Method, f.Flags&1 != 0, offset, int64(f.CompressedSize64), int64(f.UncompressedSize64), f.CRC32, nil}
		if offset < 0 || offset > size || m.packed < 0 || m.packed > size-offset || m.size < 0 {
			return fmt.Errorf("%w: member %.200q reaches outside of the file", ErrFormat, m.name)
		}
		m.blocks = m.parseBlocks(f.Extra)
		members[i] = m
		if err := a.enter(m); err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
	}
	return checkApart(members)
}

// enter makes a member known by its name, with and without .npy. As np.load
// looks under both, neither may be another's.
func (a *Archive) enter(m *member) error {
	if err := checkName(m.name); err != nil {
		return err
	}
	if strings.HasSuffix(m.name, "/") && m.size == 0 {
		return nil // a folder
	}
	bare := bareName(m.name)
	if a.members[m.name] != nil || a.members[bare] != nil {
		return fmt.Errorf("%w: there are two members %.200q", ErrName, bare)
	}
	a.members[m.name], a.members[bare] = m, m
	a.names = append(a.names, bare)
	return nil
}

// checkApart refuses members that share bytes, which is how a small file becomes
// a large amount of data. It sorts them.
func checkApart(members []*member) error {
	slices.SortFunc(members, func(a, b *member) int { return cmp.Compare(a.offset, b.offset) })
	for i := 1; i < len(members); i++ {
		before, m := members[i-1], members[i]
		if m.offset-localHeader-int64(len(m.name)) < before.offset+before.packed {
			return fmt.Errorf("%w: members %.200q and %.200q share bytes", ErrFormat, before.name, m.name)
		}
	}
	return nil
}

// held is how many bytes follow the first n of the inflated member, as readData
// takes it.
func (m *member) held(n int64) int64 {
	if m.method == zip.Deflate && m.size/trustedRatio > m.packed {
		return unknown
	}
	return m.size - n
}

// check refuses a member that cannot be read, or will not be, before memory for
// it is allocated.
func (m *member) check(options ArchiveOptions) error {
	switch {
	case m.sealed:
		return fmt.Errorf("%w: it is encrypted", ErrUnsupported)
	case m.method != zip.Store && m.method != zip.Deflate:
		return fmt.Errorf("%w: compression method %d; stored (0) and deflated (8) members are read", ErrUnsupported, m.method)
	case m.method == zip.Store && m.size != m.packed:
		return fmt.Errorf("%w: it is stored as %d bytes, and said to be %d", ErrFormat, m.packed, m.size)
	case m.method == zip.Store:
		return nil
	case m.size/maxRatio > m.packed:
		return fmt.Errorf("%w: %d deflated bytes cannot be the %d that they are said to be", ErrFormat, m.packed, m.size)
	case m.size > options.MaxInflated:
		return fmt.Errorf("%w: %d bytes once inflated, more than the %d of ArchiveOptions.MaxInflated", ErrTooLarge, m.size, options.MaxInflated)
	}
	return nil
}

// zipError tells a damaged archive from one that cannot be read.
func zipError(err error) error {
	for _, damage := range []error{zip.ErrFormat, zip.ErrAlgorithm, zip.ErrChecksum, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, damage) {
			return fmt.Errorf("%w: %v", ErrFormat, err) // not wrapped: it is no end of the caller's stream
		}
	}
	return err
}
