package blobstore

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/blobstore/internal/bucket"
)

// sweepUploads drops the multipart uploads below a prefix to which nothing came for
// [bucket.Grace].
func sweepUploads(ctx context.Context, b *blob.Bucket, name, prefix string, now time.Time) (freed int64, err error) {
	var client *s3.Client
	if !b.As(&client) {
		return 0, errors.New("no client of S3")
	}
	pages := s3.NewListMultipartUploadsPaginator(client, &s3.ListMultipartUploadsInput{Bucket: aws.String(name), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return freed, err
		}
		for _, u := range page.Uploads {
			size, last, err := parts(ctx, client, name, u)
			if err != nil {
				return freed, err
			}
			if now.Sub(last).Abs() < bucket.Grace {
				continue
			}
			_, err = client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String(name), Key: u.Key, UploadId: u.UploadId})
			if err != nil {
				return freed, err
			}
			freed += size
		}
	}
	return freed, nil
}

// parts returns what an upload takes, and when the last part came.
func parts(ctx context.Context, client *s3.Client, name string, u types.MultipartUpload) (size int64, last time.Time, err error) {
	last = aws.ToTime(u.Initiated)
	pages := s3.NewListPartsPaginator(client, &s3.ListPartsInput{Bucket: aws.String(name), Key: u.Key, UploadId: u.UploadId})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return size, last, err
		}
		for _, p := range page.Parts {
			size += aws.ToInt64(p.Size)
			if t := aws.ToTime(p.LastModified); t.After(last) {
				last = t
			}
		}
	}
	return size, last, nil
}
