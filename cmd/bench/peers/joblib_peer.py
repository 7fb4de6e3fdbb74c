"""joblib.Parallel on the work of the benchmark.

A line on stdin, "tasks loky 1000" or "sum threading 1000000", is a piece of work; the
answer on stdout is the seconds it took.
"""
import sys
import time

import joblib
import numpy


def task(x):
    return x * x + 1


arrays = {}


def array(n):
    if n not in arrays:
        arrays.clear()
        arrays[n] = numpy.random.default_rng(1).random(n)
    return arrays[n]


def run(work, backend, n):
    with joblib.Parallel(n_jobs=-1, backend=backend) as parallel:
        parallel(joblib.delayed(task)(i) for i in range(8))  # workers are there
        if work == "tasks":
            start = time.perf_counter()
            parallel(joblib.delayed(task)(i) for i in range(n))
        else:
            x = array(n)
            parts = numpy.array_split(x, joblib.effective_n_jobs(-1))
            start = time.perf_counter()
            sum(parallel(joblib.delayed(numpy.sum)(p) for p in parts))
        return time.perf_counter() - start


if __name__ == "__main__":
    for line in sys.stdin:
        work, backend, n = line.split()
        print("%.9f" % run(work, backend, int(n)), flush=True)
