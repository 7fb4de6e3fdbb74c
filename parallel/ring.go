package parallel

// ring holds the values at consecutive positions that move on: each has the place
// of its position modulo the length, which is a power of 2.
type ring[T any] struct{ buf []T }

// at returns the place of a position that is held.
func (r *ring[T]) at(i int) *T { return &r.buf[i&(len(r.buf)-1)] }

// pop takes the value out of a position.
func (r *ring[T]) pop(i int) T {
	var none T
	p := r.at(i)
	v := *p
	*p = none // let go of its memory
	return v
}

// hold makes room for the positions [lo, hi), of which those that were held keep
// their values.
func (r *ring[T]) hold(lo, hi int) {
	if hi-lo <= len(r.buf) {
		return
	}
	old := *r
	size := max(2*len(old.buf), 4)
	for size < hi-lo {
		size *= 2
	}
	r.buf = make([]T, size)
	for i := lo; i < lo+len(old.buf); i++ {
		*r.at(i) = *old.at(i)
	}
}
