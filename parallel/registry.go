package parallel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// registered is a function that tasks name. It is kept without its parameters' type,
// which bind knows.
type registered struct {
	kind  Kind
	bind  func(params json.RawMessage) (bound, error)
	merge func(a, b *mat.Dense) *mat.Dense // of Reduce
	twice bool
}

// bound is a registered function with its parameters: fill of Map, give of Reduce.
type bound struct {
	fill func(ctx context.Context, b RowBlock, dst *mat.Dense) error
	give func(ctx context.Context, b RowBlock) (*mat.Dense, error)
}

type functionID struct{ name, version string }

var (
	registryMu sync.Mutex
	registry   = map[functionID]*registered{}
)

// register makes f known. Its error is also that of every call of the function, here
// and in a worker, as nobody looks at the error of a package-level variable.
func register(name, version string, f *registered, isNil bool) error {
	switch {
	case name == "" || version == "":
		return invalid("a function that travels needs a name and a version, not %q and %q", name, version)
	case isNil:
		return invalid("%s is registered with a nil function", functionText(name, version))
	}
	registryMu.Lock()
	defer registryMu.Unlock()
	id := functionID{name, version}
	if known := registry[id]; known != nil {
		known.twice = true
		return errTwice(name, version)
	}
	registry[id] = f
	return nil
}

func errTwice(name, version string) error {
	return invalid("%s is registered twice; give each function a name of its own, and each behaviour a version", functionText(name, version))
}

// functionText names a function for errors.
func functionText(name, version string) string { return fmt.Sprintf("%s (version %s)", name, version) }

// find returns the function that a task names.
func (t Task) find() (*registered, error) {
	registryMu.Lock()
	defer registryMu.Unlock()
	f := registry[functionID{t.Function, t.Version}]
	switch {
	case f == nil:
		return nil, invalid("%s is not registered in this program; call RegisterMap or RegisterReduce for a variable at package level, and import that package", functionText(t.Function, t.Version))
	case f.twice:
		return nil, errTwice(t.Function, t.Version)
	case f.kind != t.Kind:
		return nil, invalid("%s is registered for %s, and asked for as %s", functionText(t.Function, t.Version), f.kind, t.Kind)
	}
	return f, nil
}

// bindTo returns a registered function's bind for parameters of type P.
func bindTo[P any](name string, with func(P) bound) func(json.RawMessage) (bound, error) {
	return func(raw json.RawMessage) (bound, error) {
		p, err := decodeParams[P](raw)
		if err != nil {
			return bound{}, invalid("parameters of %s: %v", name, err)
		}
		return with(p), nil
	}
}

// encodeParams returns parameters as they travel. What JSON does not carry back
// equal, such as a NaN, a function or an unexported field, is an error.
func encodeParams[P any](params P) (json.RawMessage, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, invalid("parameters must be JSON to travel: %v", err)
	}
	back, err := decodeParams[P](raw)
	if err != nil {
		return nil, invalid("parameters do not come back from JSON: %v", err)
	}
	if !reflect.DeepEqual(params, back) {
		return nil, invalid("parameters come back from JSON as others: %+v as %+v; export all fields, and use types that JSON has", params, back)
	}
	return raw, nil
}

func decodeParams[P any](raw json.RawMessage) (p P, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err = d.Decode(&p); err == nil && d.More() {
		err = fmt.Errorf("more than one JSON value")
	}
	return p, err
}

// encodeAny is encodeParams for parameters whose type the caller need not know: JSON
// as it is, or any value that can be marshalled.
func encodeAny(params any) (json.RawMessage, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, invalid("parameters must be JSON to travel: %v", err)
	}
	return raw, nil
}
