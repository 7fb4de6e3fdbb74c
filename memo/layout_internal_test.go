package memo

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// madeMeanwhile is a store that another process makes a cache of just after it was
// looked for a tag.
type madeMeanwhile struct {
	store.Store
	made bool
}

func (m *madeMeanwhile) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	b, modified, err := m.Store.Get(ctx, name, limit)
	if name == tagFile && !m.made {
		m.made = true
		if prepareErr := prepare(ctx, m.Store, false); prepareErr != nil {
			return nil, modified, prepareErr
		}
	}
	return b, modified, err
}

func TestTwoMakeACacheAtOnce(t *testing.T) {
	s := &madeMeanwhile{Store: &storetest.Memory{}}
	if err := prepare(t.Context(), s, false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Store.Get(t.Context(), tagFile, 1<<10); err != nil {
		t.Error(err)
	}
	foreign := &storetest.Memory{}
	if err := foreign.Put(t.Context(), ".gitignore", store.PutOptions{}, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := prepare(t.Context(), foreign, false); err == nil {
		t.Error("a store with somebody else's .gitignore is taken for a cache")
	}
	if _, _, err := foreign.Get(t.Context(), tagFile, 1<<10); err == nil {
		t.Error("and written to")
	}
}
