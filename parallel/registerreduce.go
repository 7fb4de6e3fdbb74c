package parallel

import (
	"context"
	"encoding/json"

	"gonum.org/v1/gonum/mat"
)

// ReduceFunc is a function that [RegisterReduce] has registered. It may be used from
// any number of goroutines.
type ReduceFunc[P any] struct {
	name, version string
	err           error
}

// RegisterReduce registers a function that makes a matrix of each row block, and one
// that merges two of these, as those of [ReduceBlocks], for an [Executor] to run. See
// [RegisterMap] for where it belongs, what travels, and errors.
//
//	var gram = parallel.RegisterReduce("gram", "1", func(ctx context.Context, p Params, b parallel.RowBlock) (*mat.Dense, error) { … }, add)
func RegisterReduce[P any](name, version string, f func(ctx context.Context, params P, b RowBlock) (*mat.Dense, error), merge func(a, b *mat.Dense) *mat.Dense) *ReduceFunc[P] {
	return &ReduceFunc[P]{name, version, register(name, version, &registered{
		kind: ReduceKind,
		bind: bindTo(name, func(p P) bound {
			return bound{give: func(ctx context.Context, b RowBlock) (*mat.Dense, error) { return f(ctx, p, b) }}
		}),
		merge: merge,
	}, f == nil || merge == nil)}
}

// Reduce calls the function on every row block of x and merges the results in the
// fixed tree, as [ReduceBlocks] does: in this process, or through Options.Executor, with
// the same bits. Parameters that JSON does not carry back equal are [ErrInvalid].
func (f *ReduceFunc[P]) Reduce(ctx context.Context, o *Options, x *mat.Dense, params P) (*mat.Dense, error) {
	t, err := f.task(params)
	if err != nil {
		return nil, err
	}
	return t.do(ctx, o, x)
}

// Job describes the work of Reduce without doing it, for an executor that prepares it.
func (f *ReduceFunc[P]) Job(o *Options, x *mat.Dense, params P) (*Job, error) {
	t, err := f.task(params)
	if err != nil {
		return nil, err
	}
	return t.job(o, x)
}

func (f *ReduceFunc[P]) task(params P) (Task, error) {
	if f == nil {
		return Task{}, invalid("the ReduceFunc is nil; make it with RegisterReduce")
	}
	if f.err != nil {
		return Task{}, f.err
	}
	raw, err := encodeParams(params)
	return Task{Kind: ReduceKind, Function: f.name, Version: f.version, Params: raw}, err
}

// RegisterReduceJSON is [RegisterReduce] for those who cannot call generic functions,
// as [RegisterMapJSON] is RegisterMap. [ReduceNamed] calls it.
func RegisterReduceJSON(name, version string, f func(ctx context.Context, params json.RawMessage, b RowBlock) (*mat.Dense, error), merge func(a, b *mat.Dense) *mat.Dense) error {
	return RegisterReduce(name, version, f, merge).err
}

// ReduceNamed calls a registered function by its name and version, as
// [ReduceFunc.Reduce] does. Parameters are as in [MapNamed].
func ReduceNamed(ctx context.Context, o *Options, name, version string, x *mat.Dense, params any) (*mat.Dense, error) {
	raw, err := encodeAny(params)
	if err != nil {
		return nil, err
	}
	return Task{Kind: ReduceKind, Function: name, Version: version, Params: raw}.do(ctx, o, x)
}
