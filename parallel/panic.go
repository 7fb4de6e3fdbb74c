package parallel

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is a panic that was turned into an error.
type PanicError struct {
	// Value is what was passed to panic.
	Value any

	// Stack is the stack of the goroutine that panicked, at the panic, as
	// debug.Stack formats it.
	Stack []byte
}

// Error returns the text of Value. The stack is left to those who ask for it.
func (p *PanicError) Error() string { return fmt.Sprintf("parallel: panic: %v", p.Value) }

// Unwrap returns Value if it is an error, such as a [runtime.Error], and nil
// otherwise.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// ErrGoexit is the Err of an [*Error] whose item called [runtime.Goexit], which
// testing's FailNow, Fatal and Skip do. An item that runs in the caller's own
// goroutine (one worker, or a single range) ends that goroutine instead, as it
// would in a plain loop.
var ErrGoexit = errors.New("parallel: the function called runtime.Goexit; return an error instead")

// Protect calls f and returns its error. If f panics, Protect returns the panic
// as a *PanicError. A nil f is an error.
//
// A [runtime.Goexit] in f passes through: it cannot be stopped in the
// goroutine that called it. Deferred functions of the callers still run.
func Protect(f func() error) (err error) {
	if f == nil {
		return invalid("Protect: the function is nil; pass the function to call")
	}
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
