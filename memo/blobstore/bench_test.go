package blobstore_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// BenchmarkS3 has calls beside the SDK, which gets and puts the same bytes.
func BenchmarkS3(b *testing.B) {
	s := needServer(b)
	bucket := s.bucket(b)
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + s.address), UsePathStyle: true, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	})
	for _, size := range []int{1 << 10, 8 << 20} {
		n := int(math.Sqrt(float64(size / 8)))
		c := openCache(b, url(s.address, bucket))
		content := noise(1, n*n*8)
		name := func(what string) string { return fmt.Sprintf("%s/%dKB", what, size>>10) }
		key := 0
		call := func(b *testing.B, seed int) {
			if _, err := memo.Do(context.Background(), c.Cache, memo.NewKey("bench", "1").Add(seed).Add(n), func(context.Context) (*mat.Dense, error) {
				return wanted(seed, n), nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name("hit"), func(b *testing.B) {
			call(b, -n)
			b.SetBytes(int64(n * n * 8))
			for b.Loop() {
				call(b, -n)
			}
		})
		b.Run(name("get"), func(b *testing.B) {
			object := name("raw")
			if err := putRaw(client, bucket, object, content); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				out, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &object})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(out.Body, content); err != nil {
					b.Fatal(err)
				}
				_ = out.Body.Close()
			}
		})
		b.Run(name("miss"), func(b *testing.B) {
			b.SetBytes(int64(n * n * 8))
			for b.Loop() {
				key++
				call(b, key)
			}
		})
		b.Run(name("put"), func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				key++
				if err := putRaw(client, bucket, fmt.Sprint("raw/", key), content); err != nil {
					b.Fatal(err)
				}
			}
		})
		c.noFaults(b)
	}
}

func putRaw(client *s3.Client, bucket, name string, content []byte) error {
	_, err := client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: bytes.NewReader(content)})
	return err
}
