package memo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes with an optional unit: "500", "64K", "1.5 GB",
// "2GiB". As in joblib and du, K, M, G, T and P are powers of 1024, whether B or iB
// follows or not; case does not matter. What is no size, is negative, or does not
// fit 63 bits is [ErrArguments].
func ParseSize(text string) (int64, error) {
	number := strings.ToUpper(strings.TrimSpace(text))
	number = strings.TrimSuffix(number, "B")
	unit := 1.0
	if i := strings.IndexAny(number, "KMGTP"); i >= 0 {
		if after := number[i+1:]; after != "" && after != "I" {
			return 0, badSize(text)
		}
		unit = math.Pow(1024, float64(1+strings.IndexByte("KMGTP", number[i])))
		number = number[:i]
	}
	number = strings.TrimSpace(number)
	if strings.Trim(number, "0123456789.") != "" { // ParseFloat takes more: 1e3, 0x10, Inf, 1_000
		return 0, badSize(text)
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && unit == 1 {
		return n, nil
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n*unit >= 1<<63 {
		return 0, badSize(text)
	}
	return int64(n * unit), nil
}

func badSize(text string) error {
	return fmt.Errorf(`%w: %.100q is no size; give bytes, or a number with K, M, G, T or P such as "2G"`, ErrArguments, text)
}
