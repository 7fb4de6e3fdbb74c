package memo

import "fmt"

// Memory are the settings of a cache's memory tier: results kept in memory, in
// front of the folder. A hit there needs no file. Where both limits are zero there
// is no bound but the memory of the machine, as with functools.cache. Where both
// are set, both hold.
//
// The tier belongs to the Cache. It does not see that another process, or another
// Cache on the same folder, forgets or refreshes an entry.
type Memory struct {
	// MaxBytes bounds the bytes of the results, about: elements and text, and
	// half a kilobyte for each entry. A larger entry is not kept.
	MaxBytes int64

	// MaxEntries bounds the number of calls.
	MaxEntries int

	// Policy says which entries go first: DefaultPolicy, LRU or LRI. LRU and LRI
	// keep as much as the limits allow. DefaultPolicy weighs an entry by the larger
	// of its shares of the two limits, and so may keep less where both are set.
	Policy Policy

	// Share hands the same results to all callers instead of a copy to each.
	// Nobody may write to them then, nor may the function keep what it
	// returned, or return part of an argument, that is written to later.
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
