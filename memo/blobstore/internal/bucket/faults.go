package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/numcache/numcache/memo/internal/store"
)

// errCondition is a request whose condition did not hold.
var errCondition = errors.New("another blob has the name")

// errConflict is a request that came just when others wrote the same blob.
var errConflict = fmt.Errorf("%w: %w just now", store.ErrUnavailable, errCondition)

// fail says what an error of the bucket means for an operation on a name. ctx is the
// caller's; that the operation's own time was up is a store that cannot be had.
func (s *Bucket) fail(ctx context.Context, b *blob.Bucket, op, name string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return &fs.PathError{Op: op, Path: name, Err: ctx.Err()}
	}
	return &fs.PathError{Op: op, Path: name, Err: s.cause(b, err)}
}

// cause says what an error of the bucket means.
func (s *Bucket) cause(b *blob.Bucket, err error) error {
	switch {
	case errors.Is(err, fs.ErrClosed), errors.Is(err, store.ErrTooLarge), errors.Is(err, store.ErrUnavailable):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// Not as that error: nobody has ended the caller's context.
		return fmt.Errorf("%w: %s://%s did not answer in time: %v", store.ErrUnavailable, s.driver.Scheme, s.name, err)
	case s.driver.Lacking != nil && s.driver.Lacking(b, err):
		return fmt.Errorf("%w: there is no bucket %s: %v", store.ErrUnavailable, s.name, err)
	case s.driver.Conflict != nil && s.driver.Conflict(b, err):
		return errConflict
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fs.ErrNotExist
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return errCondition
	}
	return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
}
