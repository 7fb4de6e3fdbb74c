package tiered_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/memo/internal/store/tiered"
)

// gated is a store that takes blobs when its gate is open, and notes their names.
type gated struct {
	storetest.Memory
	gate chan struct{} // closed when it is open

	mu    sync.Mutex
	puts  []string
	fresh int
	fail  func(name string) error
}

func (g *gated) enter(ctx context.Context, name string) error {
	select {
	case <-g.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		if err := g.fail(name); err != nil {
			return err
		}
	}
	g.puts = append(g.puts, name)
	return nil
}

func (g *gated) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	if err := g.enter(ctx, name); err != nil {
		return err
	}
	return g.Memory.Put(ctx, name, o, write)
}

func (g *gated) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (bool, error) {
	if err := g.enter(ctx, name); err != nil {
		return false, err
	}
	return g.Memory.PutIfAbsent(ctx, name, size, o, write)
}

func (g *gated) Freshen(ctx context.Context, name string, modified time.Time) error {
	g.mu.Lock()
	g.fresh++
	g.mu.Unlock()
	return g.Memory.Freshen(ctx, name, modified)
}

func (g *gated) order() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.puts)
}

// level is a store of two levels, and the faults it tells of.
type level struct {
	*tiered.Store
	mu     sync.Mutex
	faults []error
}

func newLevel(remote store.Store, o tiered.Options) *level {
	l := &level{}
	o.Last = func(name string) bool { return strings.HasSuffix(name, ".json") }
	o.Fault = func(op, name string, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.faults = append(l.faults, fmt.Errorf("%s %s: %w", op, name, err))
	}
	l.Store = tiered.New(&storetest.Memory{}, remote, o)
	return l
}

func (l *level) put(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := l.Put(t.Context(), name, store.PutOptions{}, func(w io.Writer) error { _, err := io.WriteString(w, name); return err }); err != nil {
			t.Error(err)
		}
	}
}

func (l *level) close(t *testing.T) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func open() chan struct{} {
	gate := make(chan struct{})
	close(gate)
	return gate
}

// TestObjectsFirst sends what is referred to before what refers to it, and where that
// fails neither until it does not.
func TestObjectsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{gate: make(chan struct{})}
		l := newLevel(g, tiered.Options{})
		defer l.close(t)
		failures := 2
		g.fail = func(name string) error {
			if name == "o1" && failures > 0 {
				failures--
				return store.ErrUnavailable
			}
			return nil
		}
		l.put(t, "x") // its round begins at once
		synctest.Wait()
		for i := range 4 {
			l.put(t, fmt.Sprint("o", i), fmt.Sprint("r", i, ".json"))
		}
		close(g.gate)
		synctest.Wait()
		for _, name := range g.order() {
			if strings.HasSuffix(name, ".json") {
				t.Errorf("%s was sent before all that it may refer to", name)
			}
		}
		time.Sleep(3 * tiered.Retry)
		synctest.Wait()
		order := g.order()
		if len(order) != 9 || slices.IndexFunc(order, func(s string) bool { return strings.HasSuffix(s, ".json") }) != 5 {
			t.Errorf("sent %q", order)
		}
		if len(l.faults) != 2 {
			t.Errorf("faults %v", l.faults)
		}
	})
}

// TestQueueOverflow: what goes beyond the bounds stays local, and is a fault.
func TestQueueOverflow(t *testing.T) {
	for _, o := range []tiered.Options{{MaxCount: 4}, {MaxBytes: 8}} {
		synctest.Test(t, func(t *testing.T) {
			g := &gated{gate: make(chan struct{})}
			l := newLevel(g, o)
			l.put(t, "x0")
			synctest.Wait() // it is under way
			names := []string{"a1", "a2", "a3", "a4", "a5", "a6"}
			l.put(t, names...)
			l.put(t, "a1") // it waits already
			if len(l.faults) != 2 || !errors.Is(l.faults[0], tiered.ErrNotSent) || !strings.Contains(l.faults[0].Error(), "a5") {
				t.Errorf("faults %v", l.faults)
			}
			for _, name := range names {
				if b, _, err := l.Get(t.Context(), name, 100); err != nil || string(b) != name {
					t.Errorf("%s: %q, %v", name, b, err)
				}
			}
			close(g.gate)
			synctest.Wait()
			l.put(t, "a5") // there is room again
			l.close(t)
			if order := g.order(); len(order) != 6 || !slices.Contains(order, "a5") || slices.Contains(order, "a6") {
				t.Errorf("sent %q", order)
			}
		})
	}
}

// TestCloseFlushes sends what waits, and gives up when its time is over.
func TestCloseFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{gate: make(chan struct{})}
		l := newLevel(g, tiered.Options{})
		l.put(t, "a", "b.json", "c")
		go func() {
			time.Sleep(tiered.FlushTimeout / 2)
			close(g.gate)
		}()
		l.close(t)
		if order := g.order(); len(order) != 3 || len(l.faults) != 0 {
			t.Errorf("sent %q, faults %v", order, l.faults)
		}
		stuck := newLevel(&gated{gate: make(chan struct{})}, tiered.Options{})
		stuck.put(t, "a", "b.json", "c")
		began := time.Now()
		stuck.close(t)
		if took := time.Since(began); took != tiered.FlushTimeout {
			t.Errorf("Close took %v", took)
		}
		if len(stuck.faults) != 1 || !errors.Is(stuck.faults[0], tiered.ErrNotSent) || !strings.Contains(stuck.faults[0].Error(), "3 files") {
			t.Errorf("faults %v", stuck.faults)
		}
		stuck.close(t) // a second time does nothing
	})
}

// TestLockUntilSent: a remote lock is held until what was put under it is there, and
// another call on the same machine takes it over.
func TestLockUntilSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{gate: make(chan struct{})}
		here, there := newLevel(g, tiered.Options{}), newLevel(g, tiered.Options{})
		defer here.close(t)
		defer there.close(t)
		for range 3 {
			unlock, err := here.Lock(t.Context(), 7, 0)
			if err != nil {
				t.Fatal(err)
			}
			here.put(t, "a.json")
			unlock()
		}
		if _, err := there.Lock(t.Context(), 7, 0); !errors.Is(err, store.ErrLocked) {
			t.Errorf("%v, want ErrLocked", err)
		}
		go func() {
			time.Sleep(time.Second)
			close(g.gate)
		}()
		unlock, err := there.Lock(t.Context(), 7, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if b, _, err := there.Get(t.Context(), "a.json", 100); err != nil || string(b) != "a.json" {
			t.Errorf("%q, %v", b, err)
		}
	})
}

// TestDeletedWhileSent: a blob that is deleted while it is sent does not come back.
func TestDeletedWhileSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{gate: make(chan struct{})}
		l := newLevel(g, tiered.Options{})
		l.put(t, "a", "b")
		synctest.Wait()
		l.put(t, "c") // it waits
		for _, name := range []string{"a", "c"} {
			if err := l.Delete(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		close(g.gate)
		synctest.Wait()
		for _, name := range []string{"a", "c"} {
			if _, err := l.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
		l.close(t)
		if blobs := g.Blobs(); len(blobs) != 1 || string(blobs["b"]) != "b" {
			t.Errorf("%q", blobs)
		}
	})
}

// TestRefused gives up on a blob that the remote store refuses, and sends the others.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{gate: open()}
		refused := errors.New("403 Forbidden")
		g.fail = func(name string) error {
			if name == "bad" {
				return refused
			}
			return nil
		}
		l := newLevel(g, tiered.Options{})
		defer l.close(t)
		l.put(t, "bad", "good", "r.json")
		time.Sleep(time.Hour)
		if order := g.order(); len(order) != 2 || len(l.faults) != 3 || !errors.Is(l.faults[0], refused) {
			t.Errorf("sent %q, faults %v", order, l.faults)
		}
	})
}

// TestFreshenHourly tells the remote store once an hour that a blob is used.
func TestFreshenHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{gate: open()}
		l := newLevel(g, tiered.Options{})
		defer l.close(t)
		l.put(t, "a")
		for range 13 { // two hours
			if err := l.Freshen(t.Context(), "a", time.Now()); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Minute)
		}
		synctest.Wait()
		if g.fresh != 3 {
			t.Errorf("told %d times", g.fresh)
		}
	})
}

// TestQuarantine puts aside at the remote store what has the damaged content, and no
// other.
func TestQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for local, aside := range map[string]int{"damaged at the server": 1, "damaged by the disk": 0} {
			g := &gated{gate: open()}
			g.Set("a", []byte("damaged at the server"))
			l := newLevel(g, tiered.Options{})
			if _, _, err := l.Get(t.Context(), "a", 100); err != nil {
				t.Error(err)
			}
			l.Local().(*storetest.Memory).Set("a", []byte(local))
			if err := l.Quarantine(t.Context(), "a"); err != nil {
				t.Error(err)
			}
			if n := g.Aside(); n != aside {
				t.Errorf("%s: %d put aside there", local, n)
			}
			l.close(t)
		}
	})
}

// TestFetchIntoFullDisk serves a blob that cannot be kept.
func TestFetchIntoFullDisk(t *testing.T) {
	g := &gated{gate: open()}
	g.Set("a", []byte("content"))
	g.Set("b", []byte("content"))
	full := &storetest.Faulty{Store: &storetest.Memory{}}
	full.Fail(func(_ int, op string) error {
		if op == "write" {
			return errors.New("no space left on device")
		}
		return nil
	})
	faults := 0
	s := tiered.New(full, g, tiered.Options{Fault: func(string, string, error) { faults++ }})
	defer s.Close()
	if b, _, err := s.Get(t.Context(), "a", 100); err != nil || string(b) != "content" {
		t.Errorf("%q, %v", b, err)
	}
	b, err := s.Open(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p := make([]byte, 7)
	if _, err := b.ReadAt(p, 0); string(p) != "content" {
		t.Errorf("%q, %v", p, err)
	}
	if faults != 2 {
		t.Errorf("%d faults", faults)
	}
}
