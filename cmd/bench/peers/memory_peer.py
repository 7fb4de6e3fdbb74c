"""joblib.Memory, functools.lru_cache and NumPy on the work of the benchmark.

A line on stdin, "hit 1024 100", is a piece of work: its name, the bytes of an array and
how often it is done; the answer on stdout is the seconds that it took. What is prepared
for a work of that size, before its time begins, is kept for the next time.
"""
import functools
import os
import shutil
import sys
import tempfile
import time
import warnings

import joblib
import numpy

warnings.simplefilter("ignore")
top = tempfile.mkdtemp(prefix="memory_peer", dir=sys.argv[1])


def array(size):
    return numpy.random.default_rng(size).random(size // 8)


def identity(x):
    return x


def memory(name, **options):
    return joblib.Memory(os.path.join(top, name), verbose=0, **options)


def prepare_hash(size):
    x = array(size)
    return lambda i: joblib.hash(x)


def prepare_hit(size, mmap_mode=None):
    f, x = memory("hit", mmap_mode=mmap_mode).cache(identity), array(size)
    f(x)
    return lambda i: f(x)


def prepare_mapped(size):
    return prepare_hit(size, "r")


def prepare_miss(size):
    f, x = memory("miss").cache(identity), array(size)

    def miss(i):
        x[0] += 1
        f(x)

    return miss


def prepare_lru(size):
    f = functools.lru_cache(maxsize=None)(lambda n: float(n))
    f(7)
    return lambda i: f(7)


def prepare_load(size):
    path = os.path.join(top, "%d.npy" % size)
    numpy.save(path, array(size))
    return lambda i: numpy.load(path)


def prepare_save(size):
    path, x = os.path.join(top, "saved.npy"), array(size)
    return lambda i: numpy.save(path, x)


if __name__ == "__main__":
    prepared = {}
    try:
        for line in sys.stdin:
            name, size, times = line.split()
            if (name, size) not in prepared:
                prepared.clear()
                prepared[name, size] = globals()["prepare_" + name](int(size))
            work, times = prepared[name, size], range(int(times))
            start = time.perf_counter()
            for i in times:
                work(i)
            print("%.9f" % (time.perf_counter() - start), flush=True)
    finally:
        shutil.rmtree(top)
