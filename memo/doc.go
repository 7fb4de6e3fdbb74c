// Package memo keeps the results of functions of numeric arrays, so that a
// program computes each of them once: today, tomorrow, and in every process that
// shares the folder.
//
//	c, err := memo.Open("cache", nil)
//	defer c.Close()
//	pca, err := memo.Func(c, memo.Spec{Name: "pca", Version: "1"}, computePCA)
//	scores, axes, err := pca.Call(ctx, x, 10)
//
// Call has computePCA's own type. The first call with given arguments computes
// and stores, later ones read. Results are plain .npy files: numpy.load opens
// them.
//
// # What identifies a call
//
// A call is known by the function's name and version, both given in the [Spec],
// and by its arguments, by value. Arrays, matrices and vectors are hashed, all
// their elements, whatever their layout: a slice view and its copy are one
// argument, and so are Fortran and C order. Arguments are
//
//   - bool, integers, floats, complex numbers, strings, []byte;
//   - slices of numbers, every gonum matrix and vector type, *array.Array[T];
//   - structs by exported field (`memo:"-"` leaves a field out, `memo:"name"`
//     names it), maps with string keys, slices and pointers of all these;
//   - any type with a MemoKey method, see [Keyer].
//
// FORMAT.md beside this file has the encoding of each. Anything else is an error
// of [Func] and not of the call; only what an interface holds shows at the call.
// A struct in an interface needs a MemoKey, since its type is not part of the key.
// A variable that the function captures, a file it reads, a random seed it draws
// are not part of the key: pass them as arguments, or change the version.
//
// The version is yours to set. The command numcache stamp makes one of the function's
// source and of all that it reaches, which changes exactly when that could behave
// differently; [Options.WarnStale] warns of a function whose own text changed under a
// version that was set by hand.
//
// # What comes back
//
// Results are of the same types, concrete ones, any number of them. A hit is bit
// for bit what the function returned, NaN payloads and nil slices included. Every
// caller owns what it gets and may write to it. What a hit cannot give back is refused
// by Func: interfaces, structs with fields left out, pointers to pointers.
//
// # The layer underneath
//
// [NewKey] builds a key argument by argument, and [Do] looks it up or computes.
// Func is one thin layer over the two, and makes the same key for the same call.
// For interpreters such as gophernotes, which skip generic functions,
// [Cache.Wrap] stands in for Func and [Cache.Dense] for Do.
//
// # Chains
//
// A step that takes the result of another need not hash it, nor even read it. The verbs
// of [Memoized] take a [Ref] where they take an array, and its digest stands in the key:
//
//	scores, err := pca.Shelve(ctx, x, 10)                 // hashes x
//	near, err := knn.Shelve(ctx, scores.Result(0), 5)     // hashes nothing
//	err = near.Get(ctx, &neighbours)
//
// A reference is to what is stored, which nobody can write to; an array in the
// program's hands may have been changed since it was returned, and is always hashed.
// Ten steps over 256 MB that are in the cache take 1.25 times as long as to hash the
// first argument (go test -bench Chain ./memo). A step whose argument is no longer in the
// cache is [ErrNotFound]: call the one that makes it again.
//
// # In memory
//
// [Options.Memory] keeps results in memory too, in front of the folder, or with
// Open("", …) in place of one. It is bounded by bytes, by entries, or not at all,
// and evicts by W-TinyLFU, LRU or LRI; see [Memory]. A hit there reads no file, and
// for a scalar argument takes a microsecond or less, much of it for the key.
// Each caller gets a copy, unless [Memory.Share] says that nobody writes to results.
// [Spec.Valid] and [Spec.ExpiresAfter] are asked there, too.
//
// # What can go wrong, and what then
//
// A cache never makes a program fail. A disk that is full or read-only, a damaged
// file, a foreign file in the folder: the call computes, the fault is counted in
// [Stats], logged, and reported to [Options.OnEvent]. Every read is verified:
// damaged files move to the folder quarantine and the result is computed anew. So
// does what is no file where one belongs: a symbolic link, a FIFO, a folder. Where a
// folder belongs it stays, and calls compute: no link is followed out of the cache.
// Only mistakes in the program are errors: a type that cannot be cached, a nil
// cache, a folder that holds something else.
//
// # Many goroutines, many processes
//
// A Cache may be used by any number of goroutines. Calls with the same key at the
// same time share one computation, each gets its own copy, and one caller who
// gives up does not end it for the others. What a function returns after its
// context has ended is not stored, and neither is what it made of arguments that
// a caller changed after giving up. Any number of processes may use one
// folder: entries appear whole or not at all. On Linux, processes that miss the
// same key at the same time compute it once: the others wait while the one that
// computes lives, and one of them takes its place if it dies; see
// [Options.Patience]. Elsewhere, and where a file system has no locks, each of
// them computes it.
//
// A memoized function may call memoized functions, itself too. A call that would
// wait for the computation it is made in, through however many functions and
// caches, computes instead. The cache knows such a call by its context or by its
// goroutine, if that is the computation's own or was started by it; one made
// without the context in a goroutine that was there before, it does not know.
// Across processes, a call made in a computation waits for another one no longer
// than Options.Patience.
//
// # How much is kept
//
// Nothing is removed unless asked for. [Options.Limits] bounds the bytes, the
// entries and their age, and is enforced as entries are written: what was used
// least recently goes first, or by another [Policy]. [Cache.Trim] does the same
// once. [Cache.Forget] and [Cache.Clear] remove by name. Results that several
// entries share stay until the last of these goes. [Options.Compress] makes them
// smaller, and slower to read.
//
//	size, err := memo.ParseSize("20G")
//	c, err := memo.Open("cache", &memo.Options{Limits: memo.Limits{MaxBytes: size, MaxAge: 90 * 24 * time.Hour}})
//
// # On an object store, and behind a folder
//
// A program that imports github.com/numcache/numcache/memo/blobstore may give [Open] a URL
// in place of a folder. The cache is then in an object store, under the same names and
// in the same format:
//
//	c, err := memo.Open("s3://bucket/prefix?region=eu-central-1", nil)
//
// Or the cache stays in a folder, on a disk that is near, and the object store is the
// second level behind it, which machines share: [Options.Remote].
//
//	c, err := memo.Open("cache", &memo.Options{Remote: "s3://bucket/prefix?region=eu-central-1"})
//	defer c.Close() // sends what waits to be sent
//
// What the folder has not comes from there once, and is verified like all that is read;
// what is computed goes there in the background, arrays before the record that names
// them. A server that is slow, down or wrong is a fault, and left alone for a while:
// the program goes on with its folder, or computes. What the server has damaged is put
// aside there too, and computed; what a disk has damaged is fetched again. Limits and
// listings are those of the folder; Forget removes from both.
//
// At a URL there are no files to map: [Ref.Open] reads the rows that it is asked for
// from the store, and [npy.File.Map] reads the array into memory. Who can write the
// bucket can forge results, as with a folder: its server says who that is, or else
// [Options.Secret]. Open does not look at it.
//
// # What is happening
//
// [Options.OnEvent] is told of every hit, miss and fault, of the computations
// that begin, and of what is evicted; the log has the same: faults as warnings, evictions at
// level info, the rest at level debug. [Cache.Stats] counts for this Cache, and knows the calls most
// often asked for; it is a plain struct for expvar or OpenTelemetry to publish.
// [Cache.History] counts for all processes that ever used the folder, by function,
// with the time that hits have saved.
//
// Why a call was computed, [Event.Why] tells of a miss, and [Cache.Explain] beforehand:
// the function was never called, its version or which arguments are others than those
// of the most similar call that is stored, the entry has expired, was evicted or was
// damaged. The log says it at level debug. Of an array beyond 16 MB it tells which rows
// are others, to the chunk of 256 KB, if it was hashed: of one that came by reference
// there is but the digest.
//
// Whether functions keep to their arguments can be tried: [Options.Recompute], or
// NUMCACHE_VERIFY=0.01 in the environment of any program, has a share of the hits
// computed again, and tells of every difference with function, arguments and rows.
//
// # Performance
//
// cmd/bench has all of this beside joblib and others, and beside what the machine takes for
// the least of it; a run on two cores of an AMD EPYC is in its testdata, and figures here
// are of that machine. Profiles are those of go test -bench Hit -cpuprofile. Tests hold how
// often hits allocate, which no neighbour changes.
//
// A hit is bounded by what it must read. Of 1 KB that is two files, a record and an
// object, each opened, looked at, read and closed: eight system calls, which are almost half of
// 20 microseconds by the profile, most of it to resolve the names. By package os they take 16 to 17
// microseconds. A third of the rest is the SHA-256 of the record and its JSON, read without
// reflection, and a third is memory. Among 200,000 records the same calls take four
// microseconds more than among ten, for the system has the names and pages of ten at hand.
//
// Of large arrays it is memory: the argument is hashed as fast as it can be read, and the
// result hashed while it is read into fresh memory, chunk by chunk of 256 KB that stay in
// the second-level cache, on all cores. A hit of 8 MB takes 1.4 ms when it is called again
// and again, and 2 to 2.6 ms between other work: to read 8 MB into memory that is there
// takes 1.3 ms then, into fresh memory, which the system has to find and to clear, 1.6,
// and now and then ten. A mapped result ([Ref.Open]) is hashed where it lies in the
// system's memory, and not copied.
//
// A hit in memory makes a key, finds its digest among those of the short keys that were
// lately asked for, without another SHA-256, counts, and looks at the clock twice, which
// is a quarter of it: 0.2 microseconds with Do and 0.35 with Func, where reflection
// calls. With 1 KB in and out it is 1.3 microseconds, of which hashing, and copying into
// memory that is new, take half.
//
// A synced miss waits for the disk twice: for the files, which are synced at once, and then
// for the folders that have their names. [Cache.Trim] lists all files, at 1.7 microseconds
// for each on one core, which is most of it, and takes some 30 to remove one. It is six times as
// fast as joblib's; to be faster it would have to keep a list.
//
// # What to mind
//
// Whoever can write the folder can forge results, so it is private to the user by
// default, and one that everybody can write is refused ([ErrUnsafe]); with
// [Options.Group] those of its group share it, and trust each other; with
// [Options.Secret] only what was stored with the secret is taken. Mind that an
// argument of an interface type costs its check at every call, and that hashing
// reads the whole argument: memoize what takes longer than reading its arguments.
package memo
