// Package python holds the Python side of numcache: numcache.py, one file that needs
// NumPy and xxhash, and shares caches with package memo. It can be installed from this
// folder with pip, or copied: numcache python > numcache.py.
package python

import _ "embed"

// Source is the file numcache.py.
//
//go:embed numcache.py
var Source string
