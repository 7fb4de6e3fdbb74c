package picture

import (
	"math"
	"strconv"
)

// padded returns a range to draw e in: a little wider, and never that of one number.
func (e *extent) padded() (lo, hi float64) {
	spread := e.hi - e.lo
	largest := max(math.Abs(e.lo), math.Abs(e.hi))
	if least := max(largest*1e-12, 1e-300); spread < least {
		spread = max(largest*0.1, least)
		if largest == 0 {
			spread = 1
		}
		return e.lo - spread, e.hi + spread
	}
	return e.lo - 0.04*spread, e.hi + 0.04*spread
}

// mark is a number on a scale.
type mark struct {
	at   float64
	text string
}

// marksOf returns up to about most round numbers from lo to hi.
func marksOf(lo, hi float64, most int) (marks []mark) {
	step := stepOf((hi - lo) / float64(max(most, 1)))
	if step <= 0 || math.IsInf(step, 0) {
		return nil
	}
	first := math.Ceil(lo / step)
	for i := range most + 1 {
		// A step that is lost in large numbers makes all marks one.
		at := (first + float64(i)) * step
		if at > hi+step*1e-9 || len(marks) > 0 && at == marks[len(marks)-1].at {
			break
		}
		marks = append(marks, mark{at, numberText(at, step)})
	}
	return marks
}

// stepOf returns the least of 1, 2 and 5 times a power of ten that is not below least.
func stepOf(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 5} {
		if times*power >= least {
			return times * power
		}
	}
	return 10 * power
}

// numberText writes a number with the digits that tell it from others a step away.
func numberText(v, step float64) string {
	if math.Abs(v) < step/2 {
		return "0"
	}
	decimals := max(int(-math.Floor(math.Log10(step)+1e-9)), 0)
	if largest := math.Abs(v); largest < 1e6 && decimals <= 5 {
		return strconv.FormatFloat(v, 'f', decimals, 64)
	}
	digits := int(math.Floor(math.Log10(math.Abs(v)))) - int(math.Floor(math.Log10(step)+1e-9))
	return strconv.FormatFloat(v, 'e', min(max(digits, 0), 16), 64)
}

// shortText writes a number with four digits.
func shortText(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
