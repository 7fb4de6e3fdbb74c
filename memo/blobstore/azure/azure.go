// Package azure brings memo the stores of Azure Blob Storage: a program that imports it
// opens azblob://container/prefix. Credentials are those of the environment, as
// AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY.
//
// It is package blobstore with another service behind it. No server of that service
// has been tried yet; what every service does alike is tested there.
package azure

import (
	"context"
	"net/url"

	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"

	"github.com/numcache/numcache/memo/blobstore/internal/bucket"
)

func init() {
	bucket.Register(bucket.Driver{
		Scheme: azureblob.Scheme,
		Open: func(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
			return blob.OpenBucket(ctx, u.String())
		},
	})
}
