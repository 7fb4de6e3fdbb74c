package slurm

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/parallel"
	"github.com/numcache/numcache/parallel/slurm/internal/cluster"
)

// BenchmarkOverhead measures what a Map costs whose blocks are no work, on a Slurm of
// three nodes with four CPUs each, all on this machine: by task and by row block. In each
// round an array of as many tasks that run /bin/true goes before, with the same look at
// the queue: that is Slurm's own share. There is nothing in the cache.
//
//	go test -run '^$' -bench Overhead -benchtime 3x ./parallel/slurm
func BenchmarkOverhead(b *testing.B) {
	c := cluster.Start(b, 3)
	c.Setenv(b)
	for _, blocks := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("blocks=%d", blocks), func(b *testing.B) {
			x := normal(blocks, 8)
			var slurms, ours time.Duration
			tasks := 0
			for i := range b.N {
				e := newExecutor(b, openCache(b), Options{Poll: poll})
				j, err := scale.Job(&parallel.Options{Grain: 1}, x, 8, work{By: 1})
				if err != nil {
					b.Fatal(err)
				}
				tasks = len(j.Cut(e.options.Tasks))
				began := time.Now()
				emptyArray(b, fmt.Sprintf("empty-%d-%d", blocks, i), tasks)
				slurms += time.Since(began)
				began = time.Now()
				if _, err := scale.Map(b.Context(), &parallel.Options{Grain: 1, Executor: e}, x, 8, work{By: 1.5}); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(began)
				if s := e.Stats(); s.Submitted != int64(tasks) || s.Resubmitted != 0 {
					b.Fatalf("%+v", s)
				}
			}
			n := float64(b.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(tasks), "tasks")
			b.ReportMetric(ours.Seconds()/n*1e3/float64(tasks), "ms/task")
			b.ReportMetric(ours.Seconds()/n*1e6/float64(blocks), "µs/block")
			b.ReportMetric(ours.Seconds()/n, "s/call")
			b.ReportMetric(slurms.Seconds()/n, "s/empty")
			b.ReportMetric(slurms.Seconds()/ours.Seconds()*100, "%slurm")
		})
	}
}

// emptyArray runs a job array that does nothing and returns when it has left the queue.
func emptyArray(b *testing.B, name string, tasks int) {
	b.Helper()
	submit := exec.CommandContext(b.Context(), "sbatch", "--parsable", "--job-name="+name, fmt.Sprintf("--array=0-%d", tasks-1), "--no-requeue", "--output="+b.TempDir()+"/%a", "--ntasks=1")
	submit.Stdin = strings.NewReader("#!/bin/sh\nexec /bin/true\n")
	submit.Stderr = os.Stderr
	if err := submit.Run(); err != nil {
		b.Fatal(err)
	}
	s := &commands{run: runCommand, name: name}
	for {
		seen, err := s.look(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		active := 0
		for _, task := range seen {
			if task.active && !task.ending { // as the executor counts
				active++
			}
		}
		if active == 0 {
			return
		}
		time.Sleep(poll)
	}
}
