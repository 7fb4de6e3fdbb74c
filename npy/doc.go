// Package npy reads and writes .npy files, NumPy's format for one array, for
// [array.Array] and gonum's matrices and vectors. The format is described at
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
//
// # Reading
//
//	a, err := npy.ReadFile("x.npy")              // any type: array.Any
//	a, err := npy.ReadFileAs[float32]("x.npy")   // *array.Array[float32]
//	m, err := npy.ReadDense("x.npy")             // *mat.Dense, of a 2-d float64 file
//	v, err := npy.ReadVec("x.npy")               // *mat.VecDense, of a 1-d one
//	f, err := npy.ReadFloat64s("x.npy")          // []float64 in C order
//
// What comes back is in C order and in the machine's byte order, whatever the
// file's, and belongs to the caller. [Read] and [ReadAs] read a stream, and
// [ReadHeader] only its header. [HashFile] gives the digest of a file's array
// without holding it in memory.
//
// Read are the format versions 1.0, 2.0 and 3.0, C and Fortran order, little and
// big endian, of bool, int8 to int64, uint8 to uint64, float16, float32, float64,
// complex64 and complex128, with up to 64 dimensions, 0-d and empty arrays included.
// A bool byte other than 0 is true.
//
// Strings have readers of their own, and so have the fields of records, NumPy's
// structured types, one at a time:
//
//	s, err := npy.ReadStrings("names.npy")            // *Strings, NumPy's S and U
//	a, err := npy.ReadField("points.npy", "pose.x")   // array.Any
//	s, err := npy.ReadStringField("points.npy", "id") // *Strings
//
// A [Header] is read of every type, times and long doubles among them. Its text may
// be any Python literal, and its type any name, that np.load takes, but for a few
// that are listed below.
//
// # What is refused
//
// The caller may not trust who wrote a file, so a wrong one is an error, never a
// panic, and costs no more memory than the bytes it really has justify.
//
// [ErrFormat] is a file that is damaged or not .npy:
//   - another beginning or format version;
//   - a header that np.load would refuse, too, among them one of more than 10000
//     characters, which np.load takes only from those whom it is told to trust;
//   - negative extents, which np.load finds later, and shapes beyond what
//     [array.Elements] takes; strings of negative length, for which NumPy 1 takes
//     some numbers;
//   - fewer bytes of elements than the shape needs, before memory for them is
//     allocated. More bytes are ignored, as np.load ignores them.
//
// [ErrUnsupported] is a legal file of elements of another kind than the function
// called reads. It is also, for good, a file of Python objects, alone or in a field.
// They are pickled, and whoever unpickles a file runs what it says.
//
// Some headers that np.load accepts are refused, because no writer makes them, or
// because versions of NumPy and Python differ on them. Of literals:
//   - values of other types than strings, bool, None, integers of 64 bits, tuples, lists
//     and dictionaries with string keys, where np.load looks at no value: in front
//     of an equal key, or behind the second item of a pair;
//   - characters by name, \N{…}, and half ones, \ud800, which no Go string holds;
//   - a sign before a parenthesis;
//   - a carriage return alone as the end of a line, lines joined by a backslash
//     outside of the dictionary, a form feed at the beginning of a later line.
//
// Of types:
//   - lists in a string, "f8,i4" and "2f8"; types by number, "\x0c"; fractions of
//     units of time, "M8[s/2]";
//   - an array as element of the whole file, which np.load cannot read either;
//   - a second type where a shape stands, ("f8", "i8"), or None; a length for an array
//     of no bytes;
//   - fields that are neither tuple nor list, titles that are no strings.
//
// The other way round, names of types that NumPy 2 has dropped, such as float_, and
// fields of 33 to 64 dimensions, which NumPy 1 has not, are read. A test compares all
// this with NumPy.
//
// # Writing
//
// [Write] and [WriteFile] take arrays, numeric slices and all of gonum's matrices
// and vectors, as [array.Of] does, and write the bytes that np.save writes for a
// C-contiguous array: version 1.0, little-endian, elements at a multiple of 64
// bytes, and the room that NumPy leaves for the first extent to grow. A strided or
// transposed matrix is gathered chunk by chunk, not copied as a whole. Text is
// written, too: a string, a slice of them, [Strings]. [Header.Append] writes headers
// of all other types and orders, for those who write the elements themselves.
//
// WriteFile is atomic: it writes and syncs a staging file in the same folder, whose
// name begins with ".npy-", and renames it. Who reads the path at any time sees the
// old file or the new one. Only a process that is killed leaves its staging file
// behind.
//
// # Handles
//
//	f, err := npy.Open("x.npy")                  // *npy.File; reads the header
//	a, err := f.ReadRows(5000, 6000)             // the bytes of these rows and no others
//	m, err := f.ReadRowsDense(5000, 6000)        // *mat.Dense
//	for block, err := range f.Blocks(ctx, 0) {}  // all rows, about 1 MiB at a time
//
// [Open] is for a file that is read in parts or may be larger than memory. In C
// order some rows cost the same in a file of any size; in Fortran order they cost
// one read for each column. A File has no position, and serves several goroutines
// at once.
//
// # Appending
//
//	a, err := npy.Create("x.npy", array.Float64, 3) // no rows of 3, yet
//	a, err := npy.OpenAppend("x.npy")               // or the rows of a file
//	err = a.Append(m)                               // what Write takes: rows, or one row
//	err = a.Close()
//
// An [Appender] adds rows in place: first the elements, then the number of rows,
// which is written over the room that NumPy leaves in the header. Readers at any
// time, and those who come after a killed process, see a whole file; np.load reads
// it, and it is the file that np.save would write of all rows. [Appender.Sync] makes
// rows outlive a power cut.
//
// # Mapping
//
//	m, err := npy.MapFile("x.npy", npy.ReadOnly) // or npy.CopyOnWrite
//	defer m.Close()
//	d, err := m.Dense()                          // over the file's pages
//
// A [Mapping] is the array where it lies in the file, on linux and darwin: pages are
// read when they are touched. Nothing may touch it after Close, and nobody may cut or
// rewrite the file before; a process that does dies, and Go cannot turn that into an
// error. So a map is for files that are only ever replaced, as [WriteFile] does, or
// appended to; otherwise read.
//
// # Archives
//
// An .npz file is a zip of .npy files. [OpenArchive] reads one member by member,
// [ReadArchive] all of it; [CreateArchive] and [WriteArchive] are np.savez, and with a
// level np.savez_compressed. Members are stored or deflated, and as large and as many
// as zip64 allows.
//
//	a, err := npy.OpenArchive("x.npz", nil)
//	m, err := a.Dense("weights")
//
// A member is known by its name with and without .npy, as np.load has it. Every
// byte that is read is tested against its checksum. Refused are names that are
// absolute, hold "..", a backslash or NUL, or come twice; members that share bytes;
// other methods of compression and encryption; and before memory is allocated, what
// claims to be more than its deflated bytes can hold, or than
// [ArchiveOptions].MaxInflated. Python's pickled objects are listed, and never read.
//
// # Whole objects
//
// [Dump] writes structs, maps and lists of arrays, matrices, numbers and strings, one
// inside the other, as an archive whose members are named by their paths, and [Load]
// makes them again. They stand in the place of joblib.dump and joblib.load, without
// pickle: np.load opens every member.
//
//	err := npy.Dump("model.npz", model, nil)
//	err := npy.Load("model.npz", &model)          // or, one part of it:
//	w, err := a.Dense("Model.Layers.0.Weights")   // np.load("model.npz")["Model.Layers.0.Weights"]
//
// # Concurrency
//
// All functions may be called from several goroutines at once, and so may the
// methods of a File, an Appender, a Mapping and an Archive, but not those of an
// ArchiveWriter. What is being written must not change meanwhile.
package npy
