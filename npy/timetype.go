package npy

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// timeUnits are the units of NumPy's times; no unit is the generic one.
var timeUnits = []string{"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"}

// cutTime returns the code M8 (a time) or m8 (a duration) and the unit that a type
// string has behind it, or ok false where it is neither.
func cutTime(code string) (of, unit string, ok bool) {
	for _, prefix := range []string{"M8", "m8", "datetime64", "timedelta64"} {
		if unit, ok := strings.CutPrefix(code, prefix); ok {
			return map[byte]string{'M': "M8", 'd': "M8", 'm': "m8", 't': "m8"}[code[0]], unit, true
		}
	}
	return "", "", false
}

// parseUnit reads a unit such as [ns] or [25s], and returns it as NumPy writes it.
func parseUnit(text string) (unit string, ok bool) {
	if text == "" {
		return "", true
	}
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return "", false
	}
	if inner, ok = strings.CutSuffix(inner, "]"); !ok {
		return "", false
	}
	count := int64(1)
	if i := strings.IndexFunc(inner, isLetter); i < 0 {
		return "", false
	} else if i > 0 {
		n, err := strconv.ParseInt(strings.TrimLeft(inner[:i], " \t\n\v\f\r"), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return "", false
		}
		count, inner = n, inner[i:]
	}
	switch {
	case inner == "generic":
		return "", true
	case inner == "μs":
		inner = "us"
	case !slices.Contains(timeUnits, inner):
		return "", false
	}
	if count == 1 {
		return "[" + inner + "]", true
	}
	return "[" + strconv.FormatInt(count, 10) + inner + "]", true
}

func isLetter(c rune) bool { return c == 'μ' || c|0x20 >= 'a' && c|0x20 <= 'z' }
