package bucket

import (
	"context"
	"crypto/rand"
	"path"
	"time"

	"gocloud.dev/blob"
)

// quarantine is the folder of blobs that lost their name.
const quarantine = "quarantine"

// Delete implements [store.Store].
func (s *Bucket) Delete(ctx context.Context, name string) error {
	b, release, err := s.begin(ctx, "delete", name, true)
	if err != nil {
		return err
	}
	defer release()
	return s.fail(ctx, b, "delete", name, s.delete(ctx, b, name))
}

func (s *Bucket) delete(ctx context.Context, b *blob.Bucket, name string) error {
	bounded, cancel := s.within(ctx, 0)
	defer cancel()
	err := b.Delete(bounded, name)
	if s.missing(b, err) {
		return nil
	}
	return err
}

// Quarantine implements [store.Store]. The server copies the blob; one that takes its
// place meanwhile is removed with it, and is computed anew.
func (s *Bucket) Quarantine(ctx context.Context, name string) error {
	b, release, err := s.begin(ctx, "quarantine", name, true)
	if err != nil {
		return err
	}
	defer release()
	err = s.copy(ctx, b, quarantine+"/"+path.Base(name)+"-"+rand.Text()[:8], name, nil)
	if err == nil {
		err = s.delete(ctx, b, name)
	} else if s.missing(b, err) {
		err = nil // another reader put it aside already
	}
	return s.fail(ctx, b, "quarantine", name, err)
}

// Freshen implements [store.Store]: the server copies the blob onto itself, and the time
// that it gets is the server's, whatever modified says.
func (s *Bucket) Freshen(ctx context.Context, name string, modified time.Time) error {
	b, release, err := s.begin(ctx, "freshen", name, true)
	if err != nil {
		return err
	}
	defer release()
	return s.fail(ctx, b, "freshen", name, s.freshen(ctx, b, name))
}

func (s *Bucket) freshen(ctx context.Context, b *blob.Bucket, name string) error {
	return s.copy(ctx, b, name, name, &blob.CopyOptions{BeforeCopy: s.driver.Rewrite})
}

func (s *Bucket) copy(ctx context.Context, b *blob.Bucket, to, from string, o *blob.CopyOptions) error {
	bounded, cancel := s.within(ctx, 0)
	defer cancel()
	return b.Copy(bounded, to, from, o)
}
