package parallel_test

import (
	"testing"

	"github.com/numcache/numcache/testdata/joblib"
)

func TestJoblibTable(t *testing.T) {
	joblib.Table{
		Path: "testdata/joblib.md", Room: "parallel", File: "test_parallel.py", Least: 85,
		Rooms: map[string]string{"parallel": ".", "npy": "../npy", "examples": "../examples"},
	}.Check(t)
}
