package blobstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http"
	gcaws "gocloud.dev/aws"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"github.com/numcache/numcache/memo/blobstore/internal/bucket"
)

// attempts bounds how often a request is made.
const attempts = 3

// backoff is the pause before a request is repeated: short, for who waits can compute
// instead. The pauses of several clients differ.
func backoff(attempt int, _ error) (time.Duration, error) {
	longest := 100 * time.Millisecond << (2 * min(attempt-1, 3))
	return longest/2 + rand.N(longest/2), nil
}

func init() {
	bucket.Register(bucket.Driver{
		Scheme:       s3blob.Scheme,
		Open:         openS3,
		Tag:          tag,
		ReadTagged:   readTagged,
		WriteTagged:  writeTagged,
		Rewrite:      rewrite,
		DropsUnread:  true,
		Lacking:      lacking,
		Conflict:     conflict,
		SweepUploads: sweepUploads,
	})
}

// openS3 makes a client of the environment, of the files of the AWS tools, and of the
// query. It reads nothing of the bucket.
func openS3(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	query := u.Query()
	var pathStyle bool
	if text := query.Get("use_path_style"); text != "" {
		var err error
		if pathStyle, err = strconv.ParseBool(text); err != nil {
			return nil, errors.New("use_path_style is neither true nor false")
		}
		query.Del("use_path_style")
	}
	endpoint := query.Get("endpoint")
	query.Del("endpoint")
	config, err := gcaws.V2ConfigFromURLParams(ctx, query)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle = pathStyle
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Backoff, o.RateLimiter = attempts, retry.BackoffDelayerFunc(backoff), ratelimit.None
		})
		// That a stored object has no checksum is nothing to log: memo verifies it.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return s3blob.OpenBucket(ctx, client, u.Host, &s3blob.Options{RequestChecksumCalculation: config.RequestChecksumCalculation})
}

// tag returns the ETag of what is read.
func tag(r *blob.Reader) string {
	var out s3.GetObjectOutput
	if !r.As(&out) {
		return ""
	}
	return aws.ToString(out.ETag)
}

func readTagged(tag string) func(as func(any) bool) error {
	return func(as func(any) bool) error {
		var in *s3.GetObjectInput
		if as(&in) {
			in.IfMatch = aws.String(tag)
		}
		return nil
	}
}

func writeTagged(tag string) func(as func(any) bool) error {
	return func(as func(any) bool) error {
		var in *transfermanager.UploadObjectInput
		if tag != "" && as(&in) {
			in.IfMatch = aws.String(tag)
		}
		return nil
	}
}

// rewrite replaces the metadata, without which S3 refuses to copy an object onto itself.
func rewrite(as func(any) bool) error {
	var in *s3.CopyObjectInput
	if as(&in) {
		in.MetadataDirective = types.MetadataDirectiveReplace
		in.Metadata = map[string]string{"freshened": time.Now().UTC().Format(time.RFC3339)}
		in.ContentType = aws.String(bucket.ContentType(aws.ToString(in.Key)))
	}
	return nil
}

func lacking(b *blob.Bucket, err error) bool {
	var api smithy.APIError
	return b.ErrorAs(err, &api) && api.ErrorCode() == "NoSuchBucket"
}

// conflict is what S3 answers to conditions on what is being written, and others also
// without any.
func conflict(b *blob.Bucket, err error) bool {
	var response *http.ResponseError
	return b.ErrorAs(err, &response) && response.HTTPStatusCode() == 409
}
