package memo_test

import (
	"testing"

	"github.com/numcache/numcache/testdata/joblib"
)

func TestJoblibTable(t *testing.T) {
	joblib.Table{
		Path: "testdata/joblib.md", Room: "memo", File: "test_memory.py", Least: 90,
		Rooms: map[string]string{"memo": ".", "array": "../array", "npy": "../npy"},
	}.Check(t)
}
