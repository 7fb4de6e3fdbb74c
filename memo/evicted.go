package memo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// evictedFile names the calls that were last evicted, so that [Cache.Explain] can tell
// those from calls that were never made.
const evictedFile = "evicted.json"

// maxEvicted is how many calls the file names.
const maxEvicted = 1000

// parseEvicted reads the file; what is none names no calls.
func parseEvicted(raw []byte) []string {
	var members struct {
		Format int
		Keys   []string
	}
	if err := json.Unmarshal(raw, &members); err != nil || members.Format != format {
		return nil
	}
	return members.Keys
}

// noteEvicted adds calls to the file. Which they were does not matter enough for a
// fault, should it fail.
func noteEvicted(ctx context.Context, s store.Store, keys []array.Digest) {
	if len(keys) == 0 {
		return
	}
	_ = revise(ctx, s, evictedFile, func(raw []byte) []byte {
		names := parseEvicted(raw)
		for _, k := range keys {
			names = append(names, k.String())
		}
		if len(names) > maxEvicted {
			names = names[len(names)-maxEvicted:]
		}
		text, err := json.Marshal(names)
		if err != nil { // of a list of strings
			text = []byte("[]")
		}
		return fmt.Appendf(nil, `{"format":%d,"keys":%s,`, format, text)
	})
}

// wasEvicted reports whether the call is among those that were last evicted.
func wasEvicted(ctx context.Context, s store.Store, key array.Digest) bool {
	raw, err := readShared(ctx, s, evictedFile)
	return err == nil && slices.Contains(parseEvicted(raw), key.String())
}
