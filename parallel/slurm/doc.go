// Package slurm runs the registered functions of package parallel on a Slurm
// cluster: the same program, with the same bits, where one machine does not do.
//
//	var scale = parallel.RegisterMap("scale", "1", scaleBlock)
//
//	func main() {
//		parallel.WorkerMain() // first: this program is its own worker
//
//		c, err := memo.Open("/shared/cache", nil)
//		defer c.Close()
//		e, err := slurm.New(c, &slurm.Options{Partition: "long", CPUs: 4, TimeLimit: time.Hour})
//		y, err := scale.Map(ctx, &parallel.Options{Executor: e}, x, cols, params)
//	}
//
// # What happens
//
// The matrix is stored once in the cache, by its digest, and so is a description of
// the job; a worker is told the name of the cache and the key of that. The row
// blocks are cut into chunks of 2ⁿ, at most Options.Tasks of them, and one job
// array has a task for each that the cache has no result of. A task reads its own
// rows, verified chunk by chunk against the digest, computes, and stores its result
// as a memo entry. The executor looks at the queue, reads the results, and puts
// them together in the fixed tree.
//
// It calls sbatch, squeue, scancel and, to say more about a failure, sacct. There
// is no daemon, no port is opened, and the cluster needs no accounting. Slurm must
// run the program under the path that it has here, or Options.Program, and the
// cache and Options.Logs must be on a file system that all nodes share; the cache
// may also be a store with a URL whose package the program imports; see Options.Cache.
//
// # What is kept
//
// The key of a chunk's result holds the function's name and version, the
// parameters, the matrix's digest, and which rows in blocks of how many. Nothing
// else says that a chunk is done. So a task may run twice, or for two submitters,
// and there is one result; and a program that is killed, or cancelled, and run
// again, with the same Options.Tasks and Grain, computes what is missing, and takes
// over tasks of its own that still run. Limits of the cache that evict results
// before they were read have them computed again. A worker opens the cache with
// [OpenCache].
//
// With a secret ([memo.Options].Secret), which OpenCache gives to workers, descriptions
// and results must be signed. The matrix is known by its digest alone, which is made
// to find damage, and is no defence against who can write the cache and means harm.
//
// # What can go wrong, and what then
//
//   - A task fails, is killed, runs out of time or memory, or its node is lost: the
//     chunk is submitted again, Options.Retries times. Then the call ends with a
//     [*parallel.Error] with the row, around a [*TaskError] with the rows of the
//     chunk and its log file; the other tasks are cancelled.
//   - squeue or sbatch fail, for the controller is busy or being restarted: that
//     says nothing of the tasks. The executor asks again, more and more seldom, and
//     reads results as they come. A task is lost only if the queue answers without
//     it, twice, and the cache has no result. After Options.Patience without any
//     sign the call gives up, and leaves the tasks running for the next one.
//   - sbatch says that the submission is wrong (a partition that does not exist):
//     the call ends at once.
//   - The context ends: the tasks are cancelled with scancel, and the call returns.
//     Two calls at once of the same job under one user have tasks of one name: when
//     one is cancelled, the other submits what it misses, which counts as a retry.
//
// Tasks are submitted with --no-requeue, for Slurm holds back for minutes a task
// that it requeues after the loss of its node, and as often as it likes. A task
// that an administrator requeues stays in the queue under its number, and is waited
// for. So is one that is held: look at squeue where nothing moves.
//
// # Elsewhere
//
// Options.Local runs the same workers as processes of this machine, to try a
// program out or for functions that do not run well in one process.
// [Executor.Prepare] only stores what workers need: numcache k8s-manifest prints an
// indexed Kubernetes Job for it, experimentally, whose pods take their numbers from
// JOB_COMPLETION_INDEX.
//
// # What it costs
//
// A task is a process, which Slurm takes its time to start. On a cluster of three nodes
// on one machine of two CPUs a Map whose blocks are no work took 3.4 s for 100 blocks,
// each a task, and 5.1 s for 10,000 in 157 tasks: 33 ms for a task, of which 26 are
// Slurm's own, as an array of as many empty tasks showed; 34 ms for a block, and 0.5 ms
// (go test -run '^$' -bench Overhead). A task should have some seconds of work.
// SCALE.md beside this file counts requests for sizes beyond that.
package slurm
