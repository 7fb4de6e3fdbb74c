// Package blobstore keeps caches of memo in buckets of S3, and of the many servers that
// speak its protocol. A program imports it for that, and opens a URL in place of a
// folder:
//
//	import _ "github.com/numcache/numcache/memo/blobstore"
//
//	c, err := memo.Open("s3://bucket/prefix?region=eu-central-1", nil)
//	c, err = memo.Open("s3://bucket/prefix?endpoint=http://127.0.0.1:7070&use_path_style=true&region=us-east-1", nil)
//
// Packages gs and azure beside it do the same for gs:// and azblob:// URLs. Each brings
// the client of one service; it is a module of its own so that programs with folders
// need none. No server of those two services has been tried yet.
//
// # The URL
//
// The path is a prefix of all names; the bucket must be there. Of the query:
//
//	endpoint        the server, where that is not AWS
//	use_path_style  true for servers whose buckets have no host names
//	region, profile as in the files of the AWS tools
//	timeout         of one operation, 30s where it is not given
//
// and the other parameters of gocloud.dev's V2ConfigFromURLParams. Credentials come from
// the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), the files of the AWS tools,
// or the machine's role, as the SDK finds them. A URL with credentials in it is refused, and no
// error and no log has any. The credentials need GetObject, PutObject, DeleteObject, ListBucket and
// AbortMultipartUpload; Sweep also ListBucketMultipartUploads and ListMultipartUploadParts.
//
// # What is in the bucket
//
// The format of a folder, under the same names: objects/ab/….npy, calls/…, format.json.
// A Python program reads it with boto3 or fsspec and np.load. Times of modification are the server's.
// Beside it stand quarantine/, and lock/ with a small lease for each call that is being
// computed.
//
// # What an operation costs
//
// A hit asks for the record and for the object, whose first 64 KB come with the opening:
// two requests for a small result. A larger one is read in ranges, by one request of 256 KB
// and then each sixteen times as long, up to 64 MB, for every goroutine that reads; one of
// 64 MB at most by one request for all the rest, once a megabyte was read. Rows that are read
// with Ref.Open cost their own bytes. A result from 16 MB on is uploaded in parts of 8 MB, four
// at once; 80 GB is the largest. A result that is there already is copied onto itself by the
// server, which sets its time; S3 does that up to 5 GB.
//
// # What can go wrong, and what then
//
// Nothing is half there: an object gets its name when the server has all of it, and an upload whose
// writer fails or dies is dropped, or left for [memo.Cache.Trim] to sweep after a day. The server checks
// what it is sent by a CRC, and memo what it reads by digest. While a blob is read its
// content cannot change: requests after the first are for the same ETag.
//
// A request is made three times at most, and an operation that has no answer within the
// timeout (and a second more for each MB of content) has failed. A server that is down, slow or refuses is
// a fault as a full disk is: the call computes. After three failures in a row memo leaves the store
// alone for five seconds at a time, and after a silence of 20 seconds for thirty, so that calls do not
// wait for it.
//
// # Several processes
//
// Puts ask the server to keep what is there already. That saves an upload; nothing depends
// on it. Processes that miss the same key compute it once, by a lease that the server makes for one of them
// only (If-None-Match), and which the holder rewrites while it lives. The others look every
// quarter of a second at most, and go by whether it changes and by their own clock, so that
// clocks need not agree. One that has not changed for [memo.Options.Patience] is of a process
// that died: who waited removes it, and computes. A server that ignores conditions lets
// each process compute.
package blobstore
