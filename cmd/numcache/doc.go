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
	numcache cat FILE|DIGEST
	                        print the values of a .npy file, or of a cached result
	numcache import FILE...|DIR...
	                        turn what Python's joblib wrote into .npy and .npz files
	numcache export KEY     write the results of one call as .npz, or as a folder
	numcache python         print numcache.py, which shares caches with Python

The cache is the folder that --dir names, or else the environment variable
NUMCACHE_DIR, or else the folder numcache in the user's cache folder
([os.UserCacheDir]). Only demo makes one; every other command wants one that is
there. With --json a command prints JSON, one object a line, for programs to
read; numcache help COMMAND says which members it has.

Results go to standard output, all else to standard error. An error is one line
that begins with "numcache: ".

# Exit status

	0  done
	1  failed, at least in part: a file that cannot be read, a damaged entry, …
	2  the command was called in a wrong way: an unknown flag, a missing argument
*/
package main
