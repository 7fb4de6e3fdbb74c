package python_test

import (
	"fmt"
	"testing"

	"github.com/numcache/numcache/testdata/numpy"
)

// BenchmarkDigest compares numcache.digest with joblib.hash on 256 MB of float64, turn
// by turn in one process: the best of five each.
func BenchmarkDigest(b *testing.B) {
	numpy.Require(b, "xxhash", "joblib")
	for b.Loop() {
		out := numpy.Run(b, `
import sys, time
sys.path.insert(0, sys.argv[1])
import joblib, numpy as np, numcache
x = np.random.default_rng(1).standard_normal(32 << 20)
best = {}
for _ in range(5):
    for name, f in ("numcache", numcache.digest), ("joblib", joblib.hash):
        began = time.perf_counter()
        f(x)
        best[name] = min(best.get(name, 1e9), time.perf_counter() - began)
print(x.nbytes / best["numcache"] / 1e9, x.nbytes / best["joblib"] / 1e9)
`, here(b))
		var ours, theirs float64
		if _, err := fmt.Sscan(out, &ours, &theirs); err != nil {
			b.Fatalf("%q: %v", out, err)
		}
		b.ReportMetric(ours, "GB/s")
		b.ReportMetric(theirs, "joblib-GB/s")
		b.ReportMetric(ours/theirs, "times-joblib")
	}
}

// BenchmarkHit is a hit of a small and of a large result, each verified.
func BenchmarkHit(b *testing.B) {
	numpy.Require(b, "xxhash")
	for b.Loop() {
		out := numpy.Run(b, `
import sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np, numcache
cache = numcache.open(sys.argv[2])
f = cache.memo(name="f", version="1")(lambda x: x + 1)
for n in 128, 1 << 20:
    x = np.arange(float(n))
    f(x)
    best = 1e9
    for _ in range(50):
        began = time.perf_counter()
        f(x)
        best = min(best, time.perf_counter() - began)
    print(best * 1e6)
`, here(b), folder(b))
		var small, large float64
		if _, err := fmt.Sscan(out, &small, &large); err != nil {
			b.Fatalf("%q: %v", out, err)
		}
		b.ReportMetric(small, "µs-1KB")
		b.ReportMetric(large, "µs-8MB")
	}
}
