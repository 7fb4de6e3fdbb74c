package blobstore_test

// childVariable tells a process of these tests what it is to do.
const childVariable = "NUMCACHE_BLOBSTORE_CHILD"

func child() int { return 2 }
