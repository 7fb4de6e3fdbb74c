package blobstore_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
)

// needPython returns a Python that has boto3 and NumPy.
func needPython(t *testing.T) string {
	t.Helper()
	candidates := []string{"/usr/bin/python3", "python3"}
	if named := os.Getenv("NUMCACHE_PYTHON"); named != "" {
		candidates = slices.Insert(candidates, 0, named)
	}
	for _, python := range candidates {
		if exec.Command(python, "-c", "import boto3, numpy").Run() == nil {
			return python
		}
	}
	text := "no Python can import boto3 and numpy; on Debian: apt-get install python3-boto3 python3-numpy"
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// TestPythonReadsTheBucket: boto3 and NumPy, which know nothing of numcache, read what Go
// wrote.
func TestPythonReadsTheBucket(t *testing.T) {
	t.Parallel()
	s := needServer(t)
	python := needPython(t)
	bucket := s.bucket(t)
	c := openCache(t, url(s.address, bucket))
	want := fmt.Sprintln("records", len(sizes))
	var lines []string
	for _, n := range sizes {
		c.call(t, 7, n)
		m := wanted(7, n)
		a, err := array.FromDense(m)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := array.Hash(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintln(digest, n, n, int64(m.At(0, n-1)), int64(m.At(n-1, 0))))
	}
	slices.Sort(lines)
	want += strings.Join(lines, "")
	command := exec.CommandContext(t.Context(), python, "testdata/read_s3.py", "http://"+s.address, bucket, "some/prefix")
	var problems strings.Builder
	command.Stderr = &problems
	got, err := command.Output()
	if err != nil || string(got) != want {
		t.Errorf("%v %s\n%s\nwant\n%s", err, &problems, got, want)
	}
}
