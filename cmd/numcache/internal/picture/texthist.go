package picture

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// eighths are the parts of a block from its left.
var eighths = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// histText draws a bar for each bin, with where it begins, or with
// the one value it is for, and how many are in it.
func histText(w *bufio.Writer, h *histogram, o Options) {
	labels := make([]string, len(h.counts))
	wide := 0
	for i := range labels {
		labels[i] = numberText(h.first+float64(i)*h.width, stepOf(h.width/10))
		if h.single {
			labels[i] = strconv.FormatFloat(h.lo+float64(i), 'g', 16, 64)
		}
		wide = max(wide, utf8.RuneCountInString(labels[i]))
	}
	most := h.most()
	room := max(o.Width-wide-2-len(fmt.Sprint(most)), 1)
	for i, n := range h.counts {
		parts := int(float64(n) / float64(most) * float64(8*room))
		if n > 0 {
			parts = max(parts, 1) // few are not none
		}
		fmt.Fprintf(w, "%*s│%s%s%s %d\n", wide, labels[i],
			o.Color.foreground(lineColours[0]), strings.Repeat("█", parts/8)+eighths[parts%8], o.Color.reset(), n)
	}
	if left := h.leftOut(); left != "" {
		fmt.Fprintln(w, left)
	}
}
