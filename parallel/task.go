package parallel

import (
	"context"
	"encoding/json"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Kind is what a registered function is for.
type Kind string

const (
	MapKind    Kind = "map"    // [RegisterMap]
	ReduceKind Kind = "reduce" // [RegisterReduce]
)

// Task describes work on row blocks so that another process can do it: which function,
// by name and version, with which parameters. It marshals as JSON.
type Task struct {
	Kind      Kind            `json:"kind"`
	Function  string          `json:"function"`
	Version   string          `json:"version"`
	Params    json.RawMessage `json:"params"`
	BlockRows int             `json:"block_rows"`        // rows of a block
	Cols      int             `json:"cols,omitempty"`    // of the result, with MapKind
	Timeout   time.Duration   `json:"timeout,omitempty"` // of a block, as Options.Timeout
}

// Check reports a function that is not registered, or is so twice, and parameters
// that are not its: errors that match [ErrInvalid].
func (t Task) Check() error {
	f, err := t.find()
	if err != nil {
		return err
	}
	if t.BlockRows < 1 {
		return invalid("a task with %d rows in a block", t.BlockRows)
	}
	_, err = f.bind(t.Params)
	return err
}

// Run does the task for the rows that m holds, which begin at row start of the whole
// matrix, at the start of a block: it is what a worker calls. Blocks know their place
// in the whole. Of MapKind the result has these rows' results; of ReduceKind it is the
// subtree of the fixed tree over their blocks, if there are 2ⁿ of them and start is a
// multiple of as many, or they are the last. Of o only Workers and Progress count.
// Errors are those of [MapBlocks] and [ReduceBlocks], with rows of the whole matrix.
func (t Task) Run(ctx context.Context, o *Options, m *mat.Dense, start int) (*mat.Dense, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if start < 0 || start%t.BlockRows != 0 {
		return nil, invalid("row %d is not the first of a block of %d rows", start, t.BlockRows)
	}
	inner := &Options{Grain: t.BlockRows, Timeout: t.Timeout}
	if o != nil {
		inner.Workers, inner.Progress, inner.ProgressInterval = o.Workers, o.Progress, o.ProgressInterval
	}
	out, err := t.here(ctx, inner, m, start)
	if e, ok := err.(*Error); ok && e != nil {
		moved := *e
		moved.Index += start
		err = &moved
	}
	return out, err
}

// here runs the task in this process; the blocks of m begin at row start.
func (t Task) here(ctx context.Context, o *Options, m *mat.Dense, start int) (*mat.Dense, error) {
	f, err := t.find()
	if err != nil {
		return nil, err
	}
	b, err := f.bind(t.Params)
	if err != nil {
		return nil, err
	}
	if t.Kind == ReduceKind {
		return ReduceBlocks(ctx, o, m, func(ctx context.Context, block RowBlock) (*mat.Dense, error) {
			block.Start += start
			part, err := b.give(ctx, block)
			return part, local(err, start)
		}, f.merge)
	}
	return MapBlocks(ctx, o, m, t.Cols, func(ctx context.Context, block RowBlock, dst *mat.Dense) error {
		block.Start += start
		return local(b.fill(ctx, block, dst), start)
	})
}

// local translates the row that a function names in its error, see [named], to one of
// the rows at hand.
func local(err error, start int) error {
	if e, ok := err.(*Error); ok && e != nil && !e.reported {
		return &Error{Index: e.Index - start, Err: e.Err}
	}
	return err
}
