// Package gs brings memo the stores of Google Cloud Storage: a program that imports it
// opens gs://bucket/prefix. Credentials are the application's default ones.
//
// It is package blobstore with another service behind it. No server of that service
// has been tried yet; what every service does alike is tested there.
package gs

import (
	"context"
	"net/url"

	"gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"

	"github.com/numcache/numcache/memo/blobstore/internal/bucket"
)

func init() {
	bucket.Register(bucket.Driver{
		Scheme: gcsblob.Scheme,
		Open: func(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
			return blob.OpenBucket(ctx, u.String())
		},
	})
}
