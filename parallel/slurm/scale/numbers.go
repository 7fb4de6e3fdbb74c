package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// short is a number in as many digits as its size deserves.
func short(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f >= 1e6 || f < 1e-3:
		return scientific(f)
	case f >= 100:
		return grouped(int64(math.Round(f)))
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

// scientific is a number as 1.2e+09, or 1e+09.
func scientific(f float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', 1, 64), "e")
	return strings.TrimSuffix(mantissa, ".0") + "e" + exponent
}

// grouped is a whole number with commas.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// lasting is a time in seconds, told in the unit that fits.
func lasting(seconds float64) string {
	const day = 24 * 3600
	switch {
	case seconds < 1:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	case seconds < 10:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 180:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%.0f min", seconds/60)
	case seconds < 2*day:
		return fmt.Sprintf("%.1f h", seconds/3600)
	case seconds < 1000*day:
		return fmt.Sprintf("%.0f days", seconds/day)
	}
	return fmt.Sprintf("%.1f years", seconds/day/365)
}

// byteSize is a size in the unit that fits.
func byteSize(bytes float64) string {
	switch {
	case bytes < 1e6:
		return fmt.Sprintf("%.0f kB", bytes/1e3)
	case bytes < 1e9:
		return fmt.Sprintf("%.0f MB", bytes/1e6)
	}
	return fmt.Sprintf("%.0f GB", bytes/1e9)
}

func percent(f float64) string { return fmt.Sprintf("%.0f%%", 100*f) }

// dollars is a price, given in millionths.
func dollars(millionths float64) string { return fmt.Sprintf("%.2f", millionths/1e6) }
