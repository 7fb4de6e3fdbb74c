package slurm

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// indexedPod runs the test binary as a pod of an indexed Kubernetes Job runs the program:
// with the environment of the manifest and the number that Kubernetes gives it.
func indexedPod(t *testing.T, cache, key, index string) (string, error) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "SLURM_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "NUMCACHE_WORKER=slurm", "NUMCACHE_SLURM_CACHE="+cache, "NUMCACHE_SLURM_JOB="+key, "JOB_COMPLETION_INDEX="+index)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Pods do a prepared job, and the program's own call then finds everything.
func TestIndexedJob(t *testing.T) {
	c := openCache(t)
	e := newExecutor(t, c, Options{Tasks: 4})
	x, w, o := normal(13, 2), work{By: 1.1}, &parallel.Options{Grain: 2, Executor: e}
	j, err := sum.Job(o, x, w)
	if err != nil {
		t.Fatal(err)
	}
	key, chunks, err := e.Prepare(t.Context(), j)
	if err != nil || chunks != 4 {
		t.Fatal(key, chunks, err)
	}
	for i := range chunks {
		for range 2 { // Kubernetes runs a pod again where it likes
			if out, err := indexedPod(t, c.Dir(), key, strconv.Itoa(i)); err != nil {
				t.Fatal(out, err)
			}
		}
	}
	e.run = nil // nothing of Slurm's is called
	got, err := sum.Reduce(within(t, time.Minute), o, x, w)
	want, wantErr := sum.Reduce(t.Context(), &parallel.Options{Grain: 2}, x, w)
	if err != nil || wantErr != nil || !sameBits(got, want) {
		t.Error(got, want, err, wantErr)
	}
}

// What a worker is told wrongly it says, and fails.
func TestWorkerErrors(t *testing.T) {
	c := openCache(t)
	e := newExecutor(t, c, Options{Tasks: 4})
	j, err := scale.Job(nil, normal(3, 2), 2, work{By: 1})
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := e.Prepare(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	j.Task.Function = "nobody's"
	if _, _, err := e.Prepare(t.Context(), j); !errors.Is(err, parallel.ErrInvalid) {
		t.Error("a job is prepared whose function is not registered")
	}
	d, err := load(t.Context(), c, key)
	if err != nil {
		t.Fatal(err)
	}
	d.Task.Function = "nobody's"
	r, err := d.store(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	unregistered := r.Key().String()
	for says, told := range map[string][3]string{
		"there is no chunk 1":                    {c.Dir(), key, "1"},
		"is no number of a chunk":                {c.Dir(), key, "one"},
		"says which chunk this worker does":      {c.Dir(), key, ""},
		"does not say which cache":               {"", key, "0"},
		"the key of a job":                       {c.Dir(), "key", "0"},
		"not found":                              {c.Dir(), strings.Repeat("0", 32), "0"},
		"nobody's (version 1) is not registered": {c.Dir(), unregistered, "0"},
	} {
		out, err := indexedPod(t, told[0], told[1], told[2])
		if status := new(exec.ExitError); !errors.As(err, &status) || status.ExitCode() != 1 || !strings.Contains(out, says) {
			t.Errorf("want %q: %s, %v", says, out, err)
		}
	}
}

// The manifest that the command prints has the names that workers know.
func TestManifestNames(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("..", "..", "cmd", "numcache", "testdata", "script", "k8s_manifest.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`name: "` + parallel.WorkerVariable + `"`, `value: "` + workerName + `"`, `name: "` + cacheVariable + `"`, `name: "` + jobVariable + `"`} {
		if !strings.Contains(string(golden), want) {
			t.Errorf("the manifest lacks %s", want)
		}
	}
}

// A result is found by any other job that has the same chunk, and by no other.
func TestResultKey(t *testing.T) {
	base := description{
		Task:  parallel.Task{Kind: parallel.MapKind, Function: "f", Version: "1", Params: []byte(`{"a":1}`), BlockRows: 2, Cols: 3},
		Input: [16]byte{1}, Rows: 10, Cols: 3, ChunkRows: 4, Chunks: 3,
	}
	chunk := parallel.Chunk{Start: 4, Rows: 4}
	keys := map[string]string{}
	see := func(what string, change func(d *description, c *parallel.Chunk)) {
		d, c := base, chunk
		change(&d, &c)
		k := d.resultKey(c).String()
		if other, known := keys[k]; known {
			t.Errorf("%s and %s have one key", what, other)
		}
		keys[k] = what
	}
	see("nothing", func(*description, *parallel.Chunk) {})
	see("function", func(d *description, _ *parallel.Chunk) { d.Task.Function = "g" })
	see("version", func(d *description, _ *parallel.Chunk) { d.Task.Version = "2" })
	see("kind", func(d *description, _ *parallel.Chunk) { d.Task.Kind = parallel.ReduceKind })
	see("parameters", func(d *description, _ *parallel.Chunk) { d.Task.Params = []byte(`{"a":2}`) })
	see("matrix", func(d *description, _ *parallel.Chunk) { d.Input[0] = 2 })
	see("rows of a block", func(d *description, _ *parallel.Chunk) { d.Task.BlockRows = 4 })
	see("columns", func(d *description, _ *parallel.Chunk) { d.Task.Cols = 2 })
	see("start", func(_ *description, c *parallel.Chunk) { c.Start = 0 })
	see("rows", func(_ *description, c *parallel.Chunk) { c.Rows = 2 })
	same := base
	same.Task.Timeout, same.Rows, same.Chunks, same.Table = time.Second, 8, 2, [16]byte{9}
	if same.resultKey(chunk).String() != base.resultKey(chunk).String() {
		t.Error("another job does not find the result")
	}
}

// A job whose matrix or result does not match the chunk table is not computed.
func TestOtherTable(t *testing.T) {
	c := openCache(t)
	d := &description{Rows: 3, Cols: 2}
	if err := d.storeInput(t.Context(), c, mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})); err != nil {
		t.Fatal(err)
	}
	if _, err := d.rows(t.Context(), c, 0, 3); err != nil {
		t.Error(err)
	}
	other := *d
	other.Input[0]++
	if _, err := other.rows(t.Context(), c, 0, 3); err == nil || !strings.Contains(err.Error(), "is not the chunk table") {
		t.Error(err)
	}
	other = *d
	other.Table = d.Input
	if _, err := other.rows(t.Context(), c, 0, 3); err == nil || !strings.Contains(err.Error(), "is no chunk table") {
		t.Error(err)
	}
	other.Table[0]++
	if _, err := other.rows(t.Context(), c, 0, 3); !errors.Is(err, memo.ErrNotFound) {
		t.Error(err)
	}
}
