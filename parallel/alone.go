package parallel

import (
	"iter"
	"runtime/debug"
)

// alone is a flow of one worker, in the caller's goroutine: it takes an item only
// when the outcome of the one before was consumed.
func (f *flow[X, Y]) alone(source iter.Seq2[X, error], each func(Y, *Error) bool) (err error) {
	// A panic of the source is an error. One that comes through it from the
	// consumer is none of ours: it is not even recovered from.
	ours := true
	defer func() {
		if !ours {
			return
		}
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	for x, broken := range source {
		if broken != nil {
			return broken
		}
		if f.caller.Err() != nil {
			return cancelled(f.caller)
		}
		o := f.one(x)
		if o.err != nil && causedBy(o.err.Err, f.caller) {
			return cancelled(f.caller)
		}
		f.taken++
		ours = false
		more := each(o.y, o.err)
		ours = true
		if !more || o.err != nil && !f.collect {
			return nil
		}
	}
	return nil
}

// one runs one item.
func (f *flow[X, Y]) one(x X) (o outcome[Y]) {
	at := f.taken
	failed := func(err error) { o.err = &Error{Index: at, Err: err, reported: true} }
	defer func() {
		if v := recover(); v != nil {
			failed(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	y, err := f.task(f.tasks, &at, x)
	if err != nil {
		failed(err)
	} else {
		o.y = y
	}
	f.meter.add(1)
	return o
}
