package text

import (
	"fmt"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// Change says in a clause how an argument of the given name is another than that of the
// call most like it.
func Change(name string, c memo.Change) string {
	is, was := c.Is.String(), c.Was.String()
	switch {
	case len(c.Rows) > 0:
		return fmt.Sprintf("%s, %s, is another in rows %s", name, is, rows(c.Rows))
	case is == was:
		return fmt.Sprintf("%s, %s, is another", name, is)
	}
	return fmt.Sprintf("%s is %s here, %s there", name, is, was)
}

// maxRanges is how many ranges of rows are named.
const maxRanges = 8

func rows(ranges []array.RowRange) string {
	var parts []string
	for _, r := range ranges[:min(len(ranges), maxRanges)] {
		parts = append(parts, fmt.Sprintf("%d–%d", r.Lo, r.Hi-1))
	}
	if len(ranges) > maxRanges {
		parts = append(parts, fmt.Sprintf("and %s more", Count(len(ranges)-maxRanges, "range")))
	}
	return strings.Join(parts, ", ")
}
