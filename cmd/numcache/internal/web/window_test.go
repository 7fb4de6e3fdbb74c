package web

import (
	"flag"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// many is how many calls TestManyCalls lists: -calls 100000 is the full form.
var many = flag.Int("calls", 1100, "how many calls TestManyCalls lists")

// TestWindow: whatever the order that calls are added in, walking from page to page,
// forwards and backwards, gives all of them in order.
func TestWindow(t *testing.T) {
	const n = 57
	var all []place
	for i := range n {
		// Many values are equal, and added out of order.
		all = append(all, place{position: position{int64(i * 7 % 5), array.Digest{byte(i * 31 % n)}}})
	}
	for _, limit := range []int{1, 2, 10, n - 1, n, n + 1} {
		for _, descending := range []bool{false, true} {
			order := window{descending: descending}
			want := slices.Clone(all)
			slices.SortFunc(want, func(a, b place) int { return order.compare(a.position, b.position) })
			page := func(from *position, backwards bool) *window {
				w := &window{limit: limit, descending: descending, from: from, backwards: backwards}
				for _, p := range all {
					w.add(p)
				}
				if w.added != n || w.ahead < 0 || w.behind() < 0 || !slices.Equal(w.places, want[w.ahead:w.ahead+len(w.places)]) {
					t.Fatalf("limit %d from %v: %d places from %d on of %d", limit, from, len(w.places), w.ahead, w.added)
				}
				return w
			}
			var forwards, back []place
			w := page(nil, false)
			for forwards = append(forwards, w.places...); w.behind() > 0; forwards = append(forwards, w.places...) {
				w = page(&w.places[len(w.places)-1].position, false)
			}
			w = page(nil, true)
			for back = slices.Clone(w.places); w.ahead > 0; back = append(slices.Clone(w.places), back...) {
				w = page(&w.places[0].position, true)
			}
			if !slices.Equal(forwards, want) || !slices.Equal(back, want) {
				t.Errorf("limit %d, descending %v: the pages are not all calls in order", limit, descending)
			}
		}
	}
}

func TestPositions(t *testing.T) {
	for _, p := range []position{{0, array.Digest{}}, {-1, array.Digest{1}}, {1 << 62, array.Digest{15: 255}}} {
		if got, err := parsePosition(p.String()); err != nil || got != p {
			t.Errorf("%v is read as %v, %v", p, got, err)
		}
	}
	for _, s := range []string{"", ".", "1", "1.", "1.zz", "x." + array.Digest{}.String(), "99999999999999999999." + array.Digest{}.String(), "1." + array.Digest{}.String() + "0"} {
		if p, err := parsePosition(s); err == nil {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}

// TestManyCalls walks through the pages of a function with many calls, in each order,
// and searches among them.
func TestManyCalls(t *testing.T) {
	f := newFixture(t, nil)
	call := func(n int) memo.Key { return memo.NewKey("f", "1").Add(n).Add("x") }
	began := time.Now()
	for n := range *many {
		store(t, f.writer, call(n), float64(n))
	}
	t.Logf("%d calls made in %v", *many, time.Since(began))
	shown := regexp.MustCompile(`<td class="mono"><a href="[^"]*">([0-9a-f]{8})`)
	next := regexp.MustCompile(`<a href="([^"]*)" rel="next"`)
	previous := regexp.MustCompile(`<a href="([^"]*)" rel="prev"`)
	last := regexp.MustCompile(`<a href="([^"]*)">Last</a>`)
	look := func(target string) string {
		began := time.Now()
		page := f.page(t, 200, target)
		t.Logf("%8v  %s", time.Since(began).Round(time.Millisecond), target)
		return page
	}
	for _, sort := range []string{"key", "used", "created", "compute", "size"} {
		target := "/calls?f=f&sort=" + sort
		page := look(target)
		says(t, page, fmt.Sprintf("1–100 of %d calls", *many))
		// All pages of a small cache, three of a large one.
		seen := map[string]bool{}
		pages := min(3, *many/pageLength)
		if *many <= 2000 { // a multiple of a page
			pages = *many / pageLength
		}
		for i := range pages {
			for _, match := range shown.FindAllStringSubmatch(page, -1) {
				seen[match[1]] = true
			}
			if match := next.FindStringSubmatch(page); match != nil {
				target = html.UnescapeString(match[1])
				page = look(target)
			} else if i < *many/pageLength-1 {
				t.Fatalf("sorted by %s: page %d has no next:\n%s", sort, i, page)
			}
		}
		if len(seen) != pages*pageLength {
			t.Errorf("sorted by %s: %d different calls on %d pages", sort, len(seen), pages)
		}
		page = look("/calls?f=f&sort=" + sort + "&at=end")
		says(t, page, fmt.Sprintf("%d–%d of %d calls", *many-pageLength+1, *many, *many))
		match := previous.FindStringSubmatch(page)
		if match == nil {
			t.Fatalf("sorted by %s: the last page has no previous", sort)
		}
		page = look(html.UnescapeString(match[1]))
		says(t, page, fmt.Sprintf("%d–%d of %d calls", *many-2*pageLength+1, *many-pageLength, *many))
		if last.FindString(page) == "" {
			t.Errorf("sorted by %s: the page before the last has no link to it", sort)
		}
	}
	page := look("/calls?f=f&q=" + url.QueryEscape("("+fmt.Sprint(*many-1)+", "))
	says(t, page, fmt.Sprintf("1–1 of 1 found among %d calls", *many), call(*many - 1).String()[:8])
	for _, target := range []string{"/", "/sizes", "/history"} {
		says(t, look(target), fmt.Sprintf("%d calls", *many))
	}
	page = look(callURL("f", "1", call(0).String()))
	if *many > maxCompared {
		says(t, page, "Compare it with every call of the function")
		page = look(callURL("f", "1", call(0).String()) + "&why=1")
	}
	says(t, page, "Most like it is")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("%d MB of heap in use, %d calls noted", m.HeapInuse>>20, len(f.site.catalogue.noted))
}

// TestCatalogueIsBounded: beyond its bound it forgets calls, and answers all the same.
func TestCatalogueIsBounded(t *testing.T) {
	f := newFixture(t, nil)
	k := store(t, f.writer, memo.NewKey("f", "1").Add(1), 2.5)
	e := f.writer.EntryOf("f", "1", k.Digest())
	var c catalogue
	for i := range maxNoted + 10 {
		c.note(memo.Entry{Key: array.Digest{byte(i), byte(i >> 8), byte(i >> 16)}}, &memo.Record{Function: "g"})
	}
	got, err := c.of(t.Context(), f.writer, e)
	if err != nil || got.function.Value() != "f" || got.size == 0 || len(c.noted) != maxNoted {
		t.Errorf("%+v, %v, %d noted", got, err, len(c.noted))
	}
}
