package parallel

import (
	"context"
	"encoding/json"

	"gonum.org/v1/gonum/mat"
)

// MapFunc is a function that [RegisterMap] has registered. It may be used from any
// number of goroutines.
type MapFunc[P any] struct {
	name, version string
	err           error
}

// RegisterMap registers a function that fills a block of a result from a block of a
// matrix, as that of [MapBlocks] does, so that an [Executor] may run it in another
// process of the same program. It belongs at package level, where every process comes
// by before main:
//
//	var scale = parallel.RegisterMap("scale", "1", func(ctx context.Context, p ScaleParams, b parallel.RowBlock, dst *mat.Dense) error { … })
//
// Only name, version and the JSON of the parameters travel. A package-level function
// captures nothing; what else it depends on, a variable that main sets, a file, must
// be the same in each process, or be a parameter. Results are kept by name and version:
// change the version whenever the function would give another result.
//
// An empty name or version, a nil f, and a name and version that are registered
// already are errors of every call of the function, here and in workers.
func RegisterMap[P any](name, version string, f func(ctx context.Context, params P, b RowBlock, dst *mat.Dense) error) *MapFunc[P] {
	return &MapFunc[P]{name, version, register(name, version, &registered{
		kind: MapKind,
		bind: bindTo(name, func(p P) bound {
			return bound{fill: func(ctx context.Context, b RowBlock, dst *mat.Dense) error { return f(ctx, p, b, dst) }}
		}),
	}, f == nil)}
}

// Map makes a matrix with as many rows as x and the given number of columns, and has
// the function fill it, as [MapBlocks] does: in this process, or through
// Options.Executor, with the same bits. Parameters that JSON does not carry back equal are
// [ErrInvalid], in this process, too. Options.CollectErrors is, with an Executor.
func (f *MapFunc[P]) Map(ctx context.Context, o *Options, x *mat.Dense, cols int, params P) (*mat.Dense, error) {
	t, err := f.task(cols, params)
	if err != nil {
		return nil, err
	}
	return t.do(ctx, o, x)
}

// Job describes the work of Map without doing it, for an executor that prepares it.
func (f *MapFunc[P]) Job(o *Options, x *mat.Dense, cols int, params P) (*Job, error) {
	t, err := f.task(cols, params)
	if err != nil {
		return nil, err
	}
	return t.job(o, x)
}

func (f *MapFunc[P]) task(cols int, params P) (Task, error) {
	if f == nil {
		return Task{}, invalid("the MapFunc is nil; make it with RegisterMap")
	}
	if f.err != nil {
		return Task{}, f.err
	}
	raw, err := encodeParams(params)
	return Task{Kind: MapKind, Function: f.name, Version: f.version, Params: raw, Cols: cols}, err
}

// RegisterMapJSON is [RegisterMap] for those who cannot call generic functions: the
// function decodes its parameters itself, and [MapNamed] calls it.
func RegisterMapJSON(name, version string, f func(ctx context.Context, params json.RawMessage, b RowBlock, dst *mat.Dense) error) error {
	return RegisterMap(name, version, f).err
}

// MapNamed calls a registered function by its name and version, as [MapFunc.Map]
// does. Parameters are any value that marshals to the JSON that the function takes;
// a json.RawMessage is it already.
func MapNamed(ctx context.Context, o *Options, name, version string, x *mat.Dense, cols int, params any) (*mat.Dense, error) {
	raw, err := encodeAny(params)
	if err != nil {
		return nil, err
	}
	return Task{Kind: MapKind, Function: name, Version: version, Params: raw, Cols: cols}.do(ctx, o, x)
}
