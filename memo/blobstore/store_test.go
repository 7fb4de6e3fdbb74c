package blobstore_test

import (
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	s := needServer(t)
	storetest.RunWith(t, storetest.Abilities{FixedTimes: true, NoBubble: true}, func(t *testing.T) store.Store {
		return openStore(t, url(s.address, s.bucket(t)))
	})
}
