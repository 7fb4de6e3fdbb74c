package memo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/parallel"
)

// recomputeVariable is the environment variable that sets Options.Recompute where the
// program does not.
const recomputeVariable = "NUMCACHE_VERIFY"

// recomputeRate returns the share of hits to compute again.
func recomputeRate(option float64) (float64, error) {
	if option != 0 {
		if !(option > 0 && option <= 1) {
			return 0, fmt.Errorf("%w: Options.Recompute is %v; use a share of the hits, 0 to 1", ErrArguments, option)
		}
		return option, nil
	}
	text := os.Getenv(recomputeVariable)
	if text == "" {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate >= 0 && rate <= 1) {
		return 0, fmt.Errorf("%w: the environment variable %s is %q; set it to a share of the hits, 0 to 1", ErrArguments, recomputeVariable, text)
	}
	return rate, nil
}

// DifferenceError is a function that returned something else for the same arguments
// than the cache holds. It wraps [ErrNotDeterministic].
type DifferenceError struct {
	Function, Version string
	Args              []Value
	Result            int              // the first that differs
	Rows              []array.RowRange // in which it does, where it is an array of the same type and shape
	What              string           // differs, in words
}

func (e *DifferenceError) Error() string {
	if e == nil {
		return "<nil>"
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = a.String()
	}
	return fmt.Sprintf("%v: %s(%s), version %q: result %d %s; make it depend on nothing but its arguments, or give what it depends on as one",
		ErrNotDeterministic, e.Function, strings.Join(args, ", "), e.Version, e.Result, e.What)
}

// Unwrap returns [ErrNotDeterministic].
func (e *DifferenceError) Unwrap() error { return ErrNotDeterministic }

// recompute computes some of the hits again, and tells of a fault where the results
// differ from those in the cache. The caller gets what is in the cache.
//
// It takes the request by value, as a hit in memory does.
func (c *Cache) recompute(ctx context.Context, r request, values []reflect.Value) {
	if rand.Float64() >= c.options.Recompute {
		return
	}
	// What a computation calls in its turn is not computed again: recursion would
	// take the time that it takes without a cache.
	around := flightAround(ctx)
	for f := around; f != nil; f = f.around {
		if f.again {
			return
		}
	}
	f := newFlight(r.key.Digest())
	f.again, f.around = true, around
	defer close(f.done)
	inner, leave := f.enter(ctx)
	defer leave()
	var again []reflect.Value
	err := parallel.Protect(func() (err error) {
		again, err = r.callee.compute(inner, r.args)
		return err
	})
	if ctx.Err() != nil || errors.As(err, new(*linkError)) {
		return // it was told to stop, or could not begin
	}
	c.counters.recomputed.Add(1)
	if err == nil {
		err = difference(ctx, r.key, values, again)
	} else {
		err = &DifferenceError{r.key.function, r.key.version, newRecord(r.key, c.now(), 0).Args, 0, nil, fmt.Sprintf("is an error now: %v", err)}
	}
	if err != nil {
		c.fault(r.key, err)
	}
}

// difference compares results bit by bit; nil where they are the same.
func difference(ctx context.Context, k Key, before, after []reflect.Value) error {
	for i := range before {
		a, err := storeResults(ctx, before[i:i+1], false)
		if err != nil {
			return err
		}
		b, err := storeResults(ctx, after[i:i+1], false)
		if err != nil {
			return err
		}
		if string(a.json) == string(b.json) {
			continue
		}
		d := &DifferenceError{Function: k.function, Version: k.version, Args: newRecord(k, clockStart, 0).Args, Result: i}
		d.What = fmt.Sprintf("is %v now and was %v", resultValue(b), resultValue(a))
		if len(a.objects) == 1 && len(b.objects) == 1 {
			if rows, err := differentRows(ctx, a.objects[0].source, b.objects[0].source); err == nil && len(rows) > 0 {
				d.Rows = rows
				d.What = fmt.Sprintf("differs in %s of %v", rowsText(rows), resultValue(a))
			}
		}
		return d
	}
	return nil
}

// resultValue is the one result that was encoded.
func resultValue(s *stored) Value { return Value{s.json[1 : len(s.json)-1]} }

// differentRows returns the rows in which two arrays of one type and shape differ,
// each range as short as it can be: chunk tables tell where to look closer.
func differentRows(ctx context.Context, a, b array.Source) ([]array.RowRange, error) {
	tableA, err := array.HashTable(ctx, a)
	if err != nil {
		return nil, err
	}
	tableB, err := array.HashTable(ctx, b)
	if err != nil {
		return nil, err
	}
	blocks, err := array.Diff(tableA, tableB)
	if err != nil {
		return nil, err
	}
	shape := a.Shape()
	if len(shape) == 0 {
		return blocks, nil
	}
	n, err := array.Elements(shape[1:], a.DType().Size())
	if err != nil || n == 0 {
		return nil, err
	}
	var rows []array.RowRange
	rowA, rowB := make([]byte, n*a.DType().Size()), make([]byte, n*a.DType().Size())
	for _, block := range blocks {
		for i := block.Lo; i < block.Hi; i++ {
			if err := errors.Join(ctx.Err(), a.Encode(rowA, i*n), b.Encode(rowB, i*n)); err != nil {
				return nil, err
			}
			if slices.Equal(rowA, rowB) {
				continue
			}
			if last := len(rows) - 1; last >= 0 && rows[last].Hi == i {
				rows[last].Hi++
			} else {
				rows = append(rows, array.RowRange{Lo: i, Hi: i + 1})
			}
		}
	}
	return rows, nil
}

// maxRangesShown is how many ranges of rows a text names.
const maxRangesShown = 3

// rowsText names ranges of rows, the last row of each included.
func rowsText(rows []array.RowRange) string {
	var parts []string
	for i, r := range rows {
		switch {
		case i == maxRangesShown:
			parts = append(parts, fmt.Sprintf("… (%d ranges)", len(rows)))
		case i > maxRangesShown:
		case r.Hi == r.Lo+1:
			parts = append(parts, strconv.Itoa(r.Lo))
		default:
			parts = append(parts, fmt.Sprintf("%d to %d", r.Lo, r.Hi-1))
		}
	}
	if len(rows) == 1 && rows[0].Hi == rows[0].Lo+1 {
		return "row " + parts[0]
	}
	return "rows " + strings.Join(parts, ", ")
}
