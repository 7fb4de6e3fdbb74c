package memo

import (
	"bytes"
	"context"
	"regexp"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// maxWithoutTable is the number of chunks up to which an array of the arguments leaves
// but its digest. The chunk table of a larger one is an object of its own, that the
// record names, so that [Cache.Explain] can tell later which rows are not the same.
const maxWithoutTable = 64

// hashArgument returns the digest of an array of the given shape, and the table of one
// that is large.
func hashArgument(ctx context.Context, src array.Source, shape []int) (digest array.Digest, table *array.Table, err error) {
	if n, err := array.Elements(shape, src.DType().Size()); err == nil && n*src.DType().Size() <= maxWithoutTable*array.ChunkSize {
		digest, err = array.Hash(ctx, src)
		return digest, nil, err
	}
	if table, err = array.HashTable(ctx, src); err != nil {
		return digest, nil, err
	}
	return table.Digest(), table, nil
}

// tableObject returns a chunk table as an array to store: uint64, two for each chunk.
func tableObject(t *array.Table) object {
	sums := t.Array()
	digest, _ := array.Hash(context.Background(), sums) // which nothing cancels
	return object{digest: digest, source: sums}
}

// tables returns the chunk tables of the large arrays in arguments that a record shows.
func (k Key) tables() (tables []*array.Table) {
	for _, a := range k.args {
		if len(a.encoded) > maxRecordedArgument {
			continue
		}
		for _, info := range a.arrays {
			if info.table != nil {
				tables = append(tables, info.table)
			}
		}
	}
	return tables
}

// tableReference finds the tables that a record names. An argument may be a map of
// strings that looks like one; what is taken for a table then is no object, or one of
// another entry, which keeps it as it keeps any that it shares.
var tableReference = regexp.MustCompile(`(\{"array":"[0-9a-f]{32}","dtype":"[^"]*","shape":\[[0-9,]*\]),"table":"([0-9a-f]{32})"`)

// namesTables tells at little cost of most records that they name none.
func namesTables(record []byte) bool { return bytes.Contains(record, []byte(`],"table":"`)) }

// tableDigests returns the tables that a record names, or part of one.
func tableDigests(record []byte) (digests []array.Digest) {
	if !namesTables(record) {
		return nil
	}
	for _, match := range tableReference.FindAllSubmatch(record, -1) {
		if digest, err := array.ParseDigest(string(match[2])); err == nil {
			digests = append(digests, digest)
		}
	}
	return digests
}

// withoutTables returns an argument as a writer leaves it that keeps no tables.
func withoutTables(argument []byte) []byte {
	if !namesTables(argument) {
		return argument
	}
	return tableReference.ReplaceAll(argument, []byte("$1"))
}

// sameArgument reports whether two arguments of records are equal.
func sameArgument(a, b []byte) bool {
	return bytes.Equal(a, b) || bytes.Equal(withoutTables(a), withoutTables(b))
}

// tableReader has the chunk tables of arrays in arguments.
type tableReader struct {
	s    store.Store
	mine []*array.Table // of the call that is not stored
}

// table returns the chunk table of an array, nil where there is none. What stands in the
// folder need not be believed: with other chunks the array has another digest.
func (t tableReader) table(ctx context.Context, ref arrayRef) *array.Table {
	for _, table := range t.mine {
		if table.Digest() == ref.Digest {
			return table
		}
	}
	if ref.table == (array.Digest{}) {
		return nil
	}
	n, err := array.Elements(ref.Shape, ref.DType.Size())
	if err != nil {
		return nil
	}
	chunks := (n*ref.DType.Size() + array.ChunkSize - 1) / array.ChunkSize
	found, err := readObject(ctx, t.s, arrayRef{Digest: ref.table, DType: array.Uint64, Shape: []int{chunks, 2}}, true, nil)
	sums, ok := found.(*array.Array[uint64])
	if err != nil || !ok {
		return nil
	}
	table, err := array.TableOf(ref.DType, ref.Shape, sums)
	if err != nil || table.Digest() != ref.Digest {
		return nil
	}
	return table
}

// rows returns the rows in which an argument is not the same, as far as can be told.
func (t tableReader) rows(ctx context.Context, c Change) []array.RowRange {
	wasNode, wasErr := decodeJSON(c.Was.raw)
	isNode, isErr := decodeJSON(c.Is.raw)
	was, wasOK := arrayRefOf(wasNode)
	is, isOK := arrayRefOf(isNode)
	if wasErr != nil || isErr != nil || !wasOK || !isOK {
		return nil
	}
	a := t.table(ctx, was)
	if a == nil {
		return nil
	}
	rows, err := array.Diff(a, t.table(ctx, is))
	if err != nil {
		return nil
	}
	return rows
}
