// Package blobstore brings memo the stores of S3 and of what speaks its protocol: a
// program that imports it opens s3:// URLs as caches.
package blobstore
