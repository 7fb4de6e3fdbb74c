package memo

import "fmt"

// Memory are the settings of a cache's memory tier: results kept in memory, in
// front of the folder. A hit there needs no file. Where both limits are zero there
// is no bound but the memory of the machine, as with functools.cache.
//
// The tier belongs to the Cache. It does not see that another process, or another
// Cache on the same folder, forgets or refreshes an entry.
type Memory struct {
	// MaxBytes bounds the bytes of the results, about.
	MaxBytes int64

	// MaxEntries bounds the number of calls.
	MaxEntries int

	// Policy says which entries go first: DefaultPolicy, LRU or LRI.
	Policy Policy

	// Share hands the same results to all callers instead of a copy to each.
	// Nobody may write to them then, nor may the function keep what it
	// returned to write to it later.
	Share bool
}

func (m *Memory) check() error {
	switch {
	case m == nil:
		return nil
	case m.MaxBytes < 0:
		return fmt.Errorf("%w: Options.Memory.MaxBytes is %d; use 0 for no limit", ErrArguments, m.MaxBytes)
	case m.MaxEntries < 0:
		return fmt.Errorf("%w: Options.Memory.MaxEntries is %d; use 0 for no limit", ErrArguments, m.MaxEntries)
	case m.Policy < DefaultPolicy || m.Policy > LRI:
		return fmt.Errorf("%w: Options.Memory.Policy is %v; use DefaultPolicy, LRU or LRI", ErrArguments, m.Policy)
	}
	return nil
}
