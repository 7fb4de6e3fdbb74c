package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/numcache/numcache/cmd/numcache/internal/text"
	"github.com/numcache/numcache/memo"
)

//go:embed templates
var files embed.FS

// templates are the pages, each with the frame around it.
var templates = parse("functions", "calls", "call", "array", "history", "sizes", "problem", "token")

func parse(names ...string) map[string]*template.Template {
	frame := template.Must(template.New("frame").Funcs(template.FuncMap{
		"bytes":    text.Bytes,
		"escape":   url.QueryEscape,
		"duration": text.Duration,
		"show":     text.Printable,
		"number":   func(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) },
		"percent":  func(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) },
		"head": func(s sorting, column, title string) columnHead {
			return columnHead{s.URL(column), title, s.by == column}
		},
		"moment": func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") },
	}).ParseFS(files, "templates/frame.html", "templates/parts.html"))
	pages := map[string]*template.Template{}
	for _, name := range names {
		pages[name] = template.Must(template.Must(frame.Clone()).ParseFS(files, "templates/"+name+".html"))
	}
	return pages
}

// nameIn returns what a query names. A form has a name escaped, for browsers change some
// characters of what a form sends.
func nameIn(query url.Values, parameter string) (name string, given bool) {
	if escaped, there := query[parameter+"-escaped"]; there {
		name, err := url.QueryUnescape(escaped[0])
		return name, err == nil
	}
	return query.Get(parameter), query.Has(parameter)
}

// file serves one of the templates' own files.
func file(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		http.ServeFileFS(w, r, files, "templates/"+name)
	})
}

// frame is what every page has; templates/frame.html shows it.
type frame struct {
	Page      string // its name
	Dir       string
	Removable bool
	CSRF      string
	Done      string // what was just removed
	Now       time.Time
	Content   any
}

// Folder is Dir as a person would write it.
func (f frame) Folder() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return f.Dir
	}
	if below, found := strings.CutPrefix(f.Dir, home+string(filepath.Separator)); found {
		return filepath.Join("~", below)
	}
	return f.Dir
}

// columnHead is the link that sorts a table by a column.
type columnHead struct {
	URL, Title string
	Chosen     bool
}

// Age says how long ago something was.
func (f frame) Age(t time.Time) string { return text.Age(f.Now.Sub(t)) }

// problem is what a request asked for and cannot have, in words.
type problem struct {
	Status      int
	Title, Text string
}

func (p *problem) Error() string { return p.Title + ": " + p.Text }

// shown makes a page of what look finds.
func (s *Site) shown(name string, look func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content, err := look(r)
		if err != nil {
			s.trouble(w, r, err)
			return
		}
		s.render(w, r, http.StatusOK, name, content)
	}
}

// trouble is the page of an error.
func (s *Site) trouble(w http.ResponseWriter, r *http.Request, err error) {
	s.render(w, r, s.problemOf(err).Status, "problem", s.problemOf(err))
}

// problemOf says an error in words.
func (s *Site) problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, memo.ErrNotFound):
		return &problem{http.StatusNotFound, "It is not in the cache", "It was removed, or never there: " + s.config.Reason(err)}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &problem{http.StatusServiceUnavailable, "It took too long", "The cache holds too much to look at all of it for one page. Choose a function, or a sort that needs no reading: key, or last used."}
	}
	return &problem{http.StatusInternalServerError, "The cache cannot be read", s.config.Reason(err)}
}

// render writes a page: all of it, or none.
func (s *Site) render(w http.ResponseWriter, r *http.Request, status int, name string, content any) {
	var b bytes.Buffer
	f := frame{Page: name, Dir: s.config.Cache.Dir(), Removable: s.config.Remover != nil, CSRF: s.csrf, Done: r.URL.Query().Get("done"), Now: s.config.Now(), Content: content}
	if err := templates[name].ExecuteTemplate(&b, "frame", f); err != nil {
		http.Error(w, "numcache: the page cannot be written: "+s.config.Reason(err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // to nobody, if the browser is gone
}
