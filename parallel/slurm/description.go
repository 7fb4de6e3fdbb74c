package slurm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// The names of what is stored beside results. Results are those of the function
// "slurm/" and the name of the registered function, with its version.
const (
	inputFunction  = "slurm/input"
	jobFunction    = "slurm/job"
	storedVersion  = "1"
	resultFunction = "slurm/"
)

// description is a job as a worker reads it from the cache: everything but the chunk.
type description struct {
	Task      parallel.Task `json:"task"`
	Input     array.Digest  `json:"input"` // of the matrix
	Table     array.Digest  `json:"table"` // of its chunk table
	Rows      int           `json:"rows"`
	Cols      int           `json:"cols"`
	ChunkRows int           `json:"chunk_rows"`
	Chunks    int           `json:"chunks"`
}

// chunk returns the rows of chunk i.
func (d *description) chunk(i int) (parallel.Chunk, error) {
	if i < 0 || i >= d.Chunks {
		return parallel.Chunk{}, fmt.Errorf("slurm: there is no chunk %d, the job has %d", i, d.Chunks)
	}
	start := i * d.ChunkRows
	return parallel.Chunk{Start: start, Rows: min(d.ChunkRows, d.Rows-start)}, nil
}

// check reports a description that describes nothing.
func (d *description) check() error {
	if d.Rows < 1 || d.Cols < 1 || d.ChunkRows < 1 || d.Chunks != (d.Rows-1)/d.ChunkRows+1 {
		return fmt.Errorf("slurm: a job of %d chunks of %d rows for a %d×%d matrix", d.Chunks, d.ChunkRows, d.Rows, d.Cols)
	}
	return d.Task.Check()
}

// resultKey is the key of a chunk's result: all that it depends on. So a chunk that was
// computed for one job is there for every other that has it, too.
func (d *description) resultKey(c parallel.Chunk) memo.Key {
	t := d.Task
	return memo.NewKey(resultFunction+t.Function, t.Version).
		Add(string(t.Kind)).Add(string(t.Params)).Add(d.Input.String()).
		Add(t.BlockRows).Add(t.Cols).Add(c.Start).Add(c.Rows)
}

// store stores the description and returns the reference that workers are given.
func (d *description) store(ctx context.Context, c *memo.Cache) (memo.Ref, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return memo.Ref{}, err
	}
	k := memo.NewKey(jobFunction, storedVersion).Add(string(text))
	return stored(memo.Shelve(ctx, c, k, func(context.Context) (string, error) { return string(text), nil }))
}

// stored turns down a reference to what could not be stored.
func stored(r memo.Ref, err error) (memo.Ref, error) {
	if err == nil {
		_, err = r.MarshalText()
	}
	if err != nil {
		return memo.Ref{}, fmt.Errorf("slurm: the cache does not keep what workers need: %w", err)
	}
	return r, nil
}

// load reads the description of the job with the given key.
func load(ctx context.Context, c *memo.Cache, key string) (*description, error) {
	if _, err := array.ParseDigest(key); err != nil {
		return nil, fmt.Errorf("slurm: the key of a job: %w", err)
	}
	var r memo.Ref
	if err := r.UnmarshalText([]byte("slurm%2Fjob/" + storedVersion + "/" + key)); err != nil {
		return nil, err
	}
	var text string
	if err := r.In(c).Get(ctx, &text); err != nil {
		return nil, fmt.Errorf("slurm: the job %s: %w", key, err)
	}
	d := &description{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		return nil, fmt.Errorf("slurm: the job %s: %w", key, err)
	}
	return d, d.check()
}

// storeInput stores the matrix and its chunk table, by content: a matrix that is in the
// cache already is hashed and not written.
func (d *description) storeInput(ctx context.Context, c *memo.Cache, x *mat.Dense) error {
	input, err := memo.Func(c, memo.Spec{Name: inputFunction, Version: storedVersion},
		func(ctx context.Context, x *mat.Dense) (*mat.Dense, *array.Array[uint64], error) {
			src, err := array.Of(x)
			if err != nil {
				return nil, nil, err
			}
			table, err := array.HashTable(ctx, src)
			if err != nil {
				return nil, nil, err
			}
			return x, table.Array(), nil
		})
	if err != nil {
		return err
	}
	r, err := stored(input.Shelve(ctx, x))
	if err != nil {
		return err
	}
	record, err := r.Record(ctx)
	if err != nil {
		return err
	}
	if len(record.Results) != 2 || len(record.Results[0].Arrays()) != 1 || len(record.Results[1].Arrays()) != 1 {
		return errors.New("slurm: the cache has something else for the matrix")
	}
	d.Input, d.Table = record.Results[0].Arrays()[0].Digest, record.Results[1].Arrays()[0].Digest
	return nil
}

// rows reads rows of the matrix, and no others: each part that is read is compared with
// the chunk table, and that with the digest of the whole.
func (d *description) rows(ctx context.Context, c *memo.Cache, lo, hi int) (*mat.Dense, error) {
	a, err := c.Object(ctx, d.Table)
	if err != nil {
		return nil, err
	}
	sums, ok := a.(*array.Array[uint64])
	if !ok {
		return nil, fmt.Errorf("slurm: %v is no chunk table", d.Table)
	}
	table, err := array.TableOf(array.Float64, []int{d.Rows, d.Cols}, sums)
	if err != nil {
		return nil, err
	}
	if table.Digest() != d.Input {
		return nil, fmt.Errorf("slurm: %v is not the chunk table of %v", d.Table, d.Input)
	}
	rows, err := c.ObjectRows(ctx, table, lo, hi)
	if err != nil {
		return nil, err
	}
	return rows.(*array.Array[float64]).Dense()
}
