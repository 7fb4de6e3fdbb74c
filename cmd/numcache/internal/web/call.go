package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/cmd/numcache/internal/text"
	"github.com/numcache/numcache/memo"
)

// callPage is what templates/call.html shows.
type callPage struct {
	Function, Version, Key string
	FunctionURL            string
	Record                 *memo.Record // nil where it cannot be read
	Problem                string       // why not
	Args, Results          []valuePart
	JSON                   string // all of the record
	Why                    *whyPart
	WhyURL                 string // where the comparison takes long
}

// valuePart is an argument or a result.
type valuePart struct {
	Text   string
	Arrays []arrayPart
	More   int // arrays that are not shown
}

const (
	// maxArrays is how many arrays of one argument or result a page shows.
	maxArrays = 12
	// maxRecordJSON is how much of a record is shown.
	maxRecordJSON = 1 << 16
	// maxCompared is how many calls a function may have for one to be compared with all
	// of them unasked.
	maxCompared = 1000
)

func (s *Site) call(r *http.Request) (any, error) {
	ctx, query := r.Context(), r.URL.Query()
	key, err := array.ParseDigest(query.Get("k"))
	if err != nil {
		return nil, &problem{http.StatusBadRequest, "That is no key", "A key has 32 hex digits."}
	}
	p := &callPage{Function: query.Get("f"), Version: query.Get("v"), Key: key.String()}
	p.FunctionURL = "/calls?" + url.Values{"f": {p.Function}}.Encode()
	p.Record, err = s.config.Cache.ReadEntry(ctx, s.config.Cache.EntryOf(p.Function, p.Version, key))
	switch {
	case errors.Is(err, memo.ErrNotFound):
		return nil, &problem{http.StatusNotFound, "The call is not in the cache", "It was removed, or evicted, since you last looked, or it was never there."}
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		p.Problem = s.config.Reason(err)
		return p, nil
	}
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	for _, v := range p.Record.Args {
		p.Args = append(p.Args, s.valuePart(ctx, v, false))
	}
	for _, v := range p.Record.Results {
		p.Results = append(p.Results, s.valuePart(ctx, v, true))
	}
	p.JSON = recordJSON(p.Record)
	if err := s.compare(ctx, p, query); err != nil {
		return nil, err
	}
	return p, ctx.Err()
}

// valuePart tells of a value and of its arrays. Those of a result are looked into;
// those of an argument may be in the cache too, as a result of another call.
func (s *Site) valuePart(ctx context.Context, v memo.Value, result bool) valuePart {
	part := valuePart{Text: v.String()}
	arrays := v.Arrays()
	part.More = max(0, len(arrays)-maxArrays)
	for _, a := range arrays[:len(arrays)-part.More] {
		if result {
			part.Arrays = append(part.Arrays, s.arrayPart(ctx, a))
		} else {
			part.Arrays = append(part.Arrays, s.argumentPart(ctx, a))
		}
	}
	return part
}

// recordJSON is a record as it stands in the folder, but for its check.
func recordJSON(r *memo.Record) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return err.Error()
	}
	whole := b.String()
	if len(whole) > maxRecordJSON {
		whole = strings.ToValidUTF8(whole[:maxRecordJSON], "") + "…"
	}
	lines := strings.Split(strings.TrimSpace(whole), "\n")
	for i, line := range lines {
		lines[i] = text.Printable(line)
	}
	return strings.Join(lines, "\n")
}

// whyPart says how a call differs from the one that is most like it.
type whyPart struct {
	Neighbour string
	URL       string
	Used      time.Time
	Lines     []string
	Problem   string
}

// compare finds the call that is most like this one: at once where the function has few,
// and else where it was asked for.
func (s *Site) compare(ctx context.Context, p *callPage, query url.Values) error {
	if !query.Has("why") {
		n := 0
		for _, err := range s.config.Cache.EntriesOf(ctx, p.Function) {
			if err != nil {
				return err
			}
			if n++; n > maxCompared {
				query.Set("why", "1")
				p.WhyURL = "/call?" + query.Encode()
				return nil
			}
		}
	}
	x, err := s.config.Cache.Compare(ctx, p.Record)
	if err != nil {
		p.Why = &whyPart{Problem: s.config.Reason(err)}
		return ctx.Err()
	}
	p.Why = newWhyPart(x)
	return nil
}

func newWhyPart(x memo.Explanation) *whyPart {
	if x.Neighbour == nil {
		return &whyPart{}
	}
	why := &whyPart{Neighbour: x.Neighbour.Key.String(), Used: x.Neighbour.Used()}
	why.URL = callURL(x.Neighbour.Function, x.Neighbour.Version, why.Neighbour)
	if x.Neighbour.Version != x.Version {
		why.Lines = append(why.Lines, fmt.Sprintf("The version is %q here, %q there.", x.Version, x.Neighbour.Version))
	}
	for _, c := range x.Changes {
		why.Lines = append(why.Lines, text.Change(fmt.Sprintf("Argument %d%s", c.Argument+1, c.Path), c)+".")
	}
	if len(why.Lines) == 0 {
		why.Lines = []string{"The number of arguments is another."}
	}
	return why
}
