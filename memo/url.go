package memo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/guarded"
)

// urlPatience bounds what Open waits for the store at a URL to be opened.
const urlPatience = guarded.Timeout

// openURL returns the store at a URL, which it makes a cache where nothing is there,
// and the URL as it may be shown. With a store, the error is that the store cannot be had
// now: it is tried again.
func (c *Cache) openURL(rawURL string) (s store.Store, shown string, err error) {
	shown = store.Scheme(rawURL) + "://"
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" && u.Path == "" {
		return nil, shown, fmt.Errorf("%w: it is no valid URL", ErrArguments) // which err would show
	}
	shown = shownURL(*u)
	ctx, stop := context.WithTimeout(context.Background(), urlPatience)
	defer stop()
	opened, err := store.OpenURL(ctx, rawURL, c.options.ReadOnly)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: no answer within %v: %w", store.ErrUnavailable, urlPatience, err)
		}
		return nil, shown, hide(err, rawURL, u)
	}
	guard := guarded.New(opened, guarded.Options{Prepare: func(ctx context.Context, s store.Store) error {
		err := prepare(ctx, s, c.options.ReadOnly)
		if errors.Is(err, ErrDamaged) { // which the cache gets over
			c.tell(&Event{Kind: Fault, Err: &Error{"open", shown, hide(err, rawURL, u)}})
			return nil
		}
		return hide(err, rawURL, u)
	}})
	err = guard.Ready(context.Background())
	if err != nil && !unavailable(err) {
		return nil, shown, errors.Join(err, hide(guard.Close(), rawURL, u))
	}
	return guard, shown, err
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
