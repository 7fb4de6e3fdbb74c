/*
Numcache looks into caches of package [github.com/numcache/numcache/memo], and
shows what such a cache does.

	numcache demo           run a pipeline on real data, twice: computed, then cached
	numcache ls [FUNCTION]  list the cached calls
	numcache show KEY|FILE  tell everything about one call, or one .npy or .npz file
	numcache stats [FUNCTION]
	                        tell what the cache holds, how often it helped, what it saved
	numcache verify         read everything, and put aside what is damaged
	numcache trim           remove what is over given limits, and results that no call needs
	numcache forget KEY...  remove single calls, by their keys
	numcache clear          empty the cache, or forget one function's calls
	numcache hash FILE...   print the array digests of .npy files
	numcache cat KEY|DIGEST|FILE
	                        print the values of a .npy file, or of a cached result
	numcache head KEY|DIGEST|FILE
	                        print the first rows of them
	numcache diff A B       compare two arrays: by how much they differ, and where
	numcache plot KEY|DIGEST|FILE
	                        draw an array, in the terminal or as PNG or SVG
	numcache import FILE...|DIR...
	                        turn what Python's joblib wrote into .npy and .npz files
	numcache export KEY     write the results of one call as .npz, or as a folder
	numcache serve          show the cache as pages for a browser on this machine
	numcache python         print numcache.py, which shares caches with Python
	numcache stamp [PACKAGE...]
	                        write versions of functions that change when their code does
	numcache doctor         check the folder and what it needs, and say what to do
	numcache k8s-manifest KEY
	                        print a Kubernetes Job for a prepared task (experimental)

The cache is the folder that --dir names, or else the environment variable
NUMCACHE_DIR, or else the folder numcache in the user's cache folder
([os.UserCacheDir]). Only demo makes one; every other command wants one that is there,
but for hash, stamp, python, k8s-manifest, and for cat, head, diff and plot of files, which need none.
With --json a command prints JSON, one object a line, for programs to read; numcache
help COMMAND says which members it has. On a terminal lines are cut to its width, or to
COLUMNS, and pictures have colours unless NO_COLOR is set.

Results go to standard output, all else to standard error. An error is one line
that begins with "numcache: ".

# Stamps

Numcache stamp ./... writes the file stamp/stamp.go, with a constant for each
function that is marked, to be its version:

	//numcache:stamp PCA
	func computePCA(x *mat.Dense, k int) (*mat.Dense, error) { … }

	pca, err := memo.Func(c, memo.Spec{Name: "pca", Version: stamp.PCA}, computePCA)

A mark is a comment on the line above a function, a method, a variable that has a
function literal, or a literal. Without a name the constant is named after the
function. Marks in test files are not seen. The constants need not be there yet, nor
be right, for the program to be stamped; how the file stands has no part in a stamp.
With go generate, or by hand, it is written; numcache stamp --check fails where it
is stale, for use in CI.

A stamp covers the function and all that it reaches in the module, in workspaces'
other modules, and in those that a folder replaces:

  - functions, methods, literals, generic ones with their type arguments, types with
    their tags, values of constants;
  - behind a call of an interface's method, that of every type in the module that
    implements it; all methods of a value that becomes an interface, as fmt or sort
    may call them;
  - variables, with what computes them, and the functions that set them; init
    functions that may set them, or that call other modules or the standard library in
    packages that are linked with the function; packages imported for their effects;
  - embedded files; assembly, C and libraries in the folders of the packages;
    functions joined by go:linkname;
  - the versions, by the hashes in go.sum, of the other modules it refers to, and of
    those that they import; in a vendor folder the source itself;
  - build tags, and the minor version of the go command, 1.26 or 1.27, as compiler and
    standard library change with it. So one version of Go makes and checks the file.

It changes with a name that is declared in a package, and with no comment, format, name
of a local, place in a file, other file of the package, or code that is not reached.
A literal that captures variables counts with the whole function around it.

What cannot be seen: what data say (files that are read, the environment, a
variable's value at run time beyond the code that sets it); functions that reach the
code as values from elsewhere; types of other modules behind the module's interfaces;
a write to a variable by way of a copy of its reference outside of init; methods called by
reflection on values that were interfaces before; C libraries outside of the module;
GODEBUG and GOEXPERIMENT. Stamps are made for the GOOS and GOARCH that the go command
has, which do not count themselves: where the code has files for each, set them as the
check does.

# Exit status

	0  done
	1  failed, at least in part: a file that cannot be read, a damaged entry, …;
	   of diff also that two arrays differ, of doctor that there are problems
	2  the command was called in a wrong way: an unknown flag, a missing argument
*/
package main
