// Package joblib reads what Python's joblib.dump wrote, without executing anything: the
// arrays, numbers and text in it, and nothing that is more than that. It also lists the
// calls in a cache of joblib.Memory.
//
//	v, err := joblib.Load("model.pkl")
//	weights := v.(map[string]any)["weights"].(array.Any)
//
// A joblib file is a pickle, a program that makes objects of any class and calls any
// function, with the bytes of arrays in between. [Load] knows the instructions that make
// plain values, and the few functions that make NumPy's. Every other one is refused, and the
// error says its name.
//
// # What is read
//
//	Python                              Go
//	None, bool                          nil, bool
//	int                                 int64, beyond that *big.Int
//	float, complex                      float64, complex128
//	str; bytes, bytearray               string; []byte
//	list, tuple                         []any
//	dict, OrderedDict, keys all str     map[string]any
//	dict with other keys                []Pair, in order
//	ndarray, memmap, matrix             array.Any, in C order and the machine's byte order
//	  of bool, integer, float, complex
//	ndarray of S and U                  *npy.Strings
//	NumPy scalars                       bool, int8 … complex128, array.Half, string
//
// A list, tuple or dict that is several times in the file is the same slice or map
// each time; one that holds itself is refused.
//
// # Formats
//
//	joblib 0.10 and later               read: arrays behind their wrapper, with the padding
//	                                    of 1.2 and later, in C or Fortran order, either
//	                                    byte order, empty and without dimensions
//	pickle.dump                         read, protocols 2 to 5: arrays within the pickle
//	pickle protocols 0 and 1            refused: text; joblib writes 3 and later by itself
//	joblib before 0.10                  refused: each array in a file of its own, ZF files
//	uncompressed, zlib, gzip, bz2,      read, whatever the file's name
//	  xz, lzma, lz4
//	dtype object                        refused: any Python object, pickled by itself
//	datetime64, timedelta64             refused: Go's arrays have no such element; write
//	                                    x.view("i8")
//	structured, void, long double       refused: the same
//	masked arrays, sparse matrices,     refused: classes; write their arrays
//	  data frames, estimators
//	sets, functions, other classes      refused
//	buffers out of band, extensions,    refused: they are not in the file
//	  persistent ids
//
// # Memory
//
// The caller may not trust who wrote a file. A wrong one is an error, never a panic.
// Memory grows with the bytes that are really there, whatever the file says of its
// lengths; a compressed file may hold [MaxInflated] bytes at most, or what
// [Options.MaxInflated] says, and ask for a dictionary of 64 MB, as the highest level of
// xz has it.
package joblib
