package bucket

import (
	"context"
	"iter"

	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/internal/store"
)

// pageSize is how many blobs a request lists, the most that S3 gives.
const pageSize = 1000

// List implements [store.Store], in the order in which the server lists: by name.
func (s *Bucket) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		folder := prefix + "/"
		if prefix == "." {
			folder, prefix = "", "all" // for the check of names alone
		}
		b, release, err := s.begin(ctx, "list", prefix, false)
		if err != nil {
			yield(store.Info{}, err)
			return
		}
		defer release()
		for page, err := range s.pages(ctx, b, folder) {
			if err != nil {
				yield(store.Info{}, s.fail(ctx, b, "list", prefix, err))
				return
			}
			for _, o := range page {
				if valid("list", o.Key) != nil {
					continue // what stands for a folder, or was put there by others
				}
				if !yield(store.Info{Name: o.Key, Size: o.Size, Modified: o.ModTime}, nil) {
					return
				}
			}
		}
	}
}

// pages yields the pages of the blobs whose names begin with a prefix.
func (s *Bucket) pages(ctx context.Context, b *blob.Bucket, prefix string) iter.Seq2[[]*blob.ListObject, error] {
	return func(yield func([]*blob.ListObject, error) bool) {
		for token := blob.FirstPageToken; len(token) > 0; {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			bounded, cancel := s.within(ctx, 0)
			page, next, err := b.ListPage(bounded, token, pageSize, &blob.ListOptions{Prefix: prefix})
			cancel()
			if !yield(page, err) || err != nil {
				return
			}
			token = next
		}
	}
}
