// Package parallel runs a function over the items of a slice, of a sequence of any
// length, over index ranges and over row blocks of gonum matrices, on several
// goroutines, with results that do not depend on how many there are.
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
//   - Use [Stream] if results are to be consumed as they come, or are too many
//     for memory.
//   - Use [Reduce] if all items fold into one value. Floating-point sums have
//     the same bits on a laptop and on a server, with 1 worker and with 64.
//   - Use [MapReduce] if what an item gives is merged, and the function of an
//     item may fail or wants a context.
//   - Use [RowBlocks] with any of these if the items are rows of a [mat.Dense]
//     and gonum works better on many rows at once.
//   - Use [MapRows] or [MapBlocks] if each row, or block, of a matrix gives the
//     same row or rows of another; [ForEachBlock] if blocks are changed in place;
//     [ReduceBlocks] if they are merged.
//   - Use [ForRange] if the loop body is a few nanoseconds and wants to be a
//     plain loop over [lo, hi), or if there is no slice to range over.
//   - Use [Protect] if a single call may panic and must not end the program.
//
// The first five take any [Source]: a slice, an iter.Seq, or an iter.Seq2 of values
// and errors, such as the blocks of a file that is larger than memory
// (npy.File.Blocks), or another Stream. Blocks of typed arrays come from
// array.Array.RowBlocks.
//
// What is reduced most often is ready-made, for slices and for the rows and columns
// of a matrix: [Sum], [Dot], [ColumnSums], [ColumnMeans], [RowSums], [RowMeans];
// mean and variance as [Moments] ([MomentsOf], [ColumnMoments], [RowMoments]);
// [Extrema] ([ExtremaOf], [ColumnExtrema], [RowExtrema]); and [Gram].
//
// The functions on matrices and on []float64, ForRange and Protect are not generic,
// so that a gophernotes notebook, whose interpreter leaves out the generic functions
// of a compiled package, can call them.
//
// # Same bits
//
// Reductions merge in a tree whose shape the number of items alone decides, and what
// is measured never has a say in it. The ready-made ones are plain Go with
// every rounding written down, so that their bits are the same on each
// architecture, too. They are pairwise to the bottom, so that errors grow with the
// logarithm of the number of items.
//
// # Scheduling
//
// Workers claim ranges of items from one counter. How long the last range took
// decides how many items the next one has: about a millisecond's, so that a 50 ns
// item is not a goroutine nor even a channel operation; and never more than a
// fraction of what is left, so that uneven items still finish together. A range
// that takes far longer than that is given back to the others. [Options] Grain
// fixes the size where that guess is wrong. A call that has only one worker or only
// one range to run starts no goroutine and runs in its caller's.
//
// A sequence is walked in one goroutine, which stops when [Options].Window items are
// in work, and goes on as their results are consumed.
//
// What that costs is some nanoseconds an item: in the run of cmd/bench that the README
// shows, [Map] takes 32 ns for each of many tasks of 50 ns on two cores, which cannot be
// fewer than 25; a goroutine for each takes 406 ns, and joblib 3.2 µs with processes,
// its batches as large as suits it, and 42 µs with threads.
//
// # Workers, and calls inside calls
//
// By default there are as many workers as the process may use CPUs. [WithWorkers] sets
// another number for all calls under a context, [Options] Workers for one.
//
// A call that is made by an item of another one, under the context that the item was
// given, shares the workers of the outermost call: it runs in the item's
// goroutine, and takes others only as they become free. So calls may be nested to any
// depth, and n workers stay n. No call waits for a worker, and there is nothing to
// deadlock. A call under another context knows nothing of the one around it.
//
// gonum's products of large matrices start goroutines of their own, at most
// GOMAXPROCS for each product that runs, and end them before they return. Beside
// busy workers they bring nothing but a few microseconds; they do not get more CPUs.
//
// # In other processes
//
// A function over row blocks that is to run elsewhere, too, on the nodes of a cluster,
// is registered at package level, under a name and a version:
//
//	var scale = parallel.RegisterMap("scale", "1", func(ctx context.Context, p ScaleParams, b parallel.RowBlock, dst *mat.Dense) error { … })
//	var gram = parallel.RegisterReduce("gram", "1", func(ctx context.Context, p GramParams, b parallel.RowBlock) (*mat.Dense, error) { … }, add)
//
//	func main() {
//		parallel.WorkerMain() // in a worker this does the work and ends the process
//		…
//		y, err := scale.Map(ctx, o, x, cols, params)
//		g, err := gram.Reduce(ctx, o, x, params)
//	}
//
// Without [Options].Executor these are [MapBlocks] and [ReduceBlocks]. With one, such
// as that of the module parallel/slurm, the same program runs on other machines
// as its own worker, and the results have the same bits: a worker gets 2ⁿ blocks, and
// its result is a node of the tree that the reduction has anyway.
//
// Name, version and the parameters as JSON are all that travels, so that nothing can
// come along unnoticed: not a captured variable, nor what main has set. Parameters that
// JSON does not carry back equal are an error, here as there. [MapNamed] and
// [ReduceNamed] call registered functions by their names, without generics.
//
// # Errors, panics, cancellation
//
// The first item to fail stops the others: the context given to the functions
// is cancelled, items not yet begun are not begun, and the call returns
// an [*Error] with the index of the item. With Options.CollectErrors all items
// run, and all errors come back beside the results of the others. A panic does
// not end the program: it comes back in the *Error as a [*PanicError] with its value
// and stack. If the caller's own context ends before the work does, the call
// returns as soon as the running items have, and the error is the context's:
// [context.Canceled] or [context.DeadlineExceeded], with its cause if it has one.
// Options.Timeout ends the context of an item that takes too long.
// Faults no function can recover from (concurrent map writes, stack overflow,
// out of memory) end the program as they always do.
//
// # Concurrency
//
// All functions may be called from any number of goroutines and from inside
// each other. The functions given to them run concurrently; what they share
// they must guard. Writing to distinct elements of a slice is safe.
//
// # Coming from joblib
//
// Parallel(n_jobs=2)(delayed(f)(x) for x in xs) is [Map] with Workers: 2. Workers are
// counted as n_jobs is, but that 0 is the default. return_as="generator" is
// [Stream], "generator_unordered" its option Unordered, pre_dispatch its Window, which
// bounds results as well; batch_size is Grain, timeout Timeout, verbose Progress,
// parallel_config(n_jobs=2) [WithWorkers]. testdata/joblib.md lists joblib's tests and ours.
package parallel
