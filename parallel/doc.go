// Package parallel runs a function over the items of a slice, over index
// ranges and over row blocks of gonum matrices, on several goroutines, with
// results that do not depend on how many there are.
//
//	squares, err := parallel.Map(ctx, nil, xs, func(ctx context.Context, x float64) (float64, error) {
//		return x * x, nil
//	})
//
// A loop becomes parallel by changing its first line: every function takes a
// context, a pointer to [Options] (nil is a good default) and what to run, and
// returns only when every goroutine it started has ended.
//
// # Which function
//
//   - Use [Map] if each item gives one result. Results come in input order.
//   - Use [ForEach] if the function stores its own results or has none.
//   - Use [Reduce] if all items fold into one value. Floating-point sums have
//     the same bits on a laptop and on a server, with 1 worker and with 64.
//   - Use [RowBlocks] with Map, ForEach or Reduce if the items are rows of a
//     [mat.Dense] and gonum works better on many rows at once.
//   - Use [ForEachBlock] if that is all you want to do with the blocks.
//   - Use [MapRows] if each row of a matrix gives one row of another.
//   - Use [ForRange] if the loop body is a few nanoseconds and wants to be a
//     plain loop over [lo, hi), or if there is no slice to range over.
//   - Use [Protect] if a single call may panic and must not end the program.
//
// ForRange, ForEachBlock, MapRows and Protect are not generic, so that a
// gophernotes notebook, whose interpreter leaves out the generic functions of
// a compiled package, can call them.
//
// # Scheduling
//
// Workers claim ranges of items from one counter. A range is a fraction of
// what is left: large at first, so that a 50 ns item is not a goroutine nor
// even a channel operation, and single items at the end, so that uneven items
// still finish together. [Options] Grain fixes the size where that guess is
// wrong. A call that has only one worker or only one range to run starts no
// goroutine and runs in its caller's.
//
// # Errors, panics, cancellation
//
// The first item to fail stops the others: the context given to the functions
// is cancelled, items not yet begun are not begun, and the call returns
// an [*Error] with the index of the item. A panic does not end the program: it
// comes back in the *Error as a [*PanicError] with its value and stack. If the
// caller's own context ends before the work does, the call returns as soon as
// the running items have, and the error is the context's: [context.Canceled]
// or [context.DeadlineExceeded], with its cause if it has one.
// Faults no function can recover from (concurrent map writes, stack overflow,
// out of memory) end the program as they always do.
//
// # Concurrency
//
// All functions may be called from any number of goroutines and from inside
// each other. The functions given to them run concurrently; what they share
// they must guard. Writing to distinct elements of a slice is safe.
package parallel
