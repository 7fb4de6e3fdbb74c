package web

import (
	"net/http"
	"net/url"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// sameOrigin refuses forms that another site sends.
var sameOrigin = http.NewCrossOriginProtection()

// removal removes what a form asks for, if the form is one of this site's pages: the
// browser says that it comes from here, and it has the token that only they have.
func (s *Site) removal(remove func(*http.Request) (next string, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin.Check(r); err != nil {
			s.trouble(w, r, &problem{http.StatusForbidden, "Nothing was removed", "The form did not come from these pages."})
			return
		}
		if err := r.ParseForm(); err != nil {
			s.trouble(w, r, &problem{http.StatusBadRequest, "Nothing was removed", "The form cannot be read."})
			return
		}
		if !same(r.PostForm.Get("csrf"), s.csrf) {
			s.trouble(w, r, &problem{http.StatusForbidden, "Nothing was removed", "The form is of another run of numcache serve, or not of these pages. Load the page again."})
			return
		}
		next, err := remove(r)
		if err != nil {
			s.trouble(w, r, err)
			return
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// forget removes one call. One that is gone already is no error.
func (s *Site) forget(r *http.Request) (next string, err error) {
	query := r.URL.Query()
	key, err := array.ParseDigest(query.Get("k"))
	if err != nil {
		return "", &problem{http.StatusBadRequest, "That is no key", "A key has 32 hex digits."}
	}
	function := query.Get("f")
	call := &memo.Record{Function: function, Version: query.Get("v"), Key: key}
	if err := s.config.Remover.RefOf(call).Forget(r.Context()); err != nil {
		return "", err
	}
	for _, err := range s.config.Cache.EntriesOf(r.Context(), function) {
		if err == nil { // there are others to show
			return "/calls?" + url.Values{"f": {function}, "done": {"forgotten"}}.Encode(), nil
		}
		break
	}
	return "/?done=forgotten", nil
}

// clear removes the calls of a function.
func (s *Site) clear(r *http.Request) (next string, err error) {
	function := r.URL.Query().Get("f")
	if function == "" {
		return "", &problem{http.StatusBadRequest, "Nothing was removed", "The form names no function."}
	}
	if _, err := s.config.Remover.ClearFunction(r.Context(), function); err != nil {
		return "", err
	}
	return "/?done=cleared", nil
}
