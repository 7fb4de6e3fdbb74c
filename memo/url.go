package memo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// urlPatience bounds what Open waits for a server.
const urlPatience = 30 * time.Second

// openURL returns the store at a URL, which it makes a cache where nothing is there,
// and the URL as it may be shown. With a store, the error is one that it may get over:
// ErrDamaged tells what was repaired.
func openURL(rawURL string, options Options) (s store.Store, shown string, err error) {
	shown = store.Scheme(rawURL) + "://"
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" && u.Path == "" {
		return nil, shown, fmt.Errorf("%w: it is no valid URL", ErrArguments) // which err would show
	}
	shown = shownURL(*u)
	if options.Group {
		return nil, shown, fmt.Errorf("%w: Options.Group is for folders; who may read and write what is at a URL its server says", ErrArguments)
	}
	ctx, stop := context.WithTimeout(context.Background(), urlPatience)
	defer stop()
	if s, err = store.OpenURL(ctx, rawURL, options.ReadOnly); err == nil {
		err = prepare(ctx, s, options.ReadOnly)
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: no answer within %v: %w", store.ErrUnavailable, urlPatience, err)
	}
	if err != nil && s != nil && !errors.Is(err, ErrDamaged) {
		err = errors.Join(err, s.Close())
		s = nil
	}
	return s, shown, hide(err, rawURL, u)
}

// shownURL returns a URL without what may be secret in it.
func shownURL(u url.URL) string {
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// hide returns err without what may be secret in a URL.
func hide(err error, rawURL string, u *url.URL) error {
	if err == nil {
		return nil
	}
	secrets := []string{rawURL, shownURL(*u)}
	if u.User != nil {
		secrets = append(secrets, u.User.String()+"@", "…@")
	}
	if u.RawQuery != "" {
		secrets = append(secrets, u.RawQuery, "…")
	}
	if password, _ := u.User.Password(); password != "" {
		secrets = append(secrets, password, "…")
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if len(value) >= 8 { // as credentials have
				secrets = append(secrets, value, "…")
			}
		}
	}
	return hiddenError{strings.NewReplacer(secrets...), err}
}

// hiddenError is an error whose text tells no secrets. It is what its cause is, but
// does not hand it out, for that would print itself.
type hiddenError struct {
	without *strings.Replacer
	err     error
}

func (e hiddenError) Error() string        { return e.without.Replace(e.err.Error()) }
func (e hiddenError) Is(target error) bool { return errors.Is(e.err, target) }
