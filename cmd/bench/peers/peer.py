"""joblib, functools, diskcache and NumPy on the work of the benchmark.

A line on stdin is "do hit 1024 100": a work, the bytes of its array, or another number
that it needs, and how often it is done; the answer on stdout is the seconds that it took.
With "say" in place of "do" it is done once, and what came of it is the answer. With "cpu" it
is the seconds of the processor in this process. What is prepared for a work of a size,
before its time begins, is kept for the next time.
"""
import atexit
import functools
import os
import sys
import tempfile
import time
import warnings
import zlib

import joblib
import numpy

warnings.simplefilter("ignore")
top = sys.argv[1]


def array(size):
    return numpy.arange(size // 8, dtype=numpy.int64) * 2654435761 % 1000003 / 1000003


def said(result):
    return str(zlib.crc32(result)) if isinstance(result, numpy.ndarray) else "%g" % result


def identity(x):
    return x


def memory(name, **options):
    return joblib.Memory(os.path.join(top, name), verbose=0, **options)


class Work:
    """A work: do is what is timed; say does it once and tells of the result."""

    def __init__(self, do, say=None):
        self.do = do
        self.say = say or (lambda: said(do()))


def hash(size):
    x = array(size)

    def say():
        clone = x.copy()
        same = joblib.hash(clone) == joblib.hash(x)
        clone[-1] += 1
        return "copy %s, changed %s" % (str(same).lower(), str(joblib.hash(clone) == joblib.hash(x)).lower())

    return Work(lambda: joblib.hash(x), say)


def hit(size, mmap_mode=None):
    f, x = memory("hit", mmap_mode=mmap_mode).cache(identity), array(size)
    f(x)
    return Work(lambda: f(x))


def mapped(size):
    return hit(size, "r")


def missing(f, size):
    x = array(size)

    def do():
        x[0] += 1
        return f(x)

    return Work(do, lambda: "its argument: %s" % str(numpy.array_equal(do(), x)).lower())


def miss(size):
    return missing(memory("miss").cache(identity), size)


def memoized_by_diskcache():
    import diskcache

    return diskcache.Cache(tempfile.mkdtemp(dir=top)).memoize()(identity)


def diskcache_hit(size):
    f, x = memoized_by_diskcache(), array(size)
    f(x)
    return Work(lambda: f(x))


def diskcache_miss(size):
    return missing(memoized_by_diskcache(), size)


def lru(size):
    f = functools.lru_cache(maxsize=None)(lambda n: float(n))
    f(7)
    return Work(lambda: f(7))


def lru_bytes(size):
    f, x = functools.lru_cache(maxsize=None)(numpy.frombuffer), array(size)
    f(x.tobytes())
    return Work(lambda: f(x.tobytes()))


def load(size):
    path = os.path.join(top, "load.npy")
    numpy.save(path, array(size))
    return Work(lambda: numpy.load(path))


def save(size):
    path, x = os.path.join(top, "save.npy"), array(size)

    def say():
        numpy.save(path, x)
        with open(path, "rb") as file:
            return str(zlib.crc32(file.read()))

    return Work(lambda: numpy.save(path, x), say)


def one_entry(size):
    """One entry of the folder that the works on many entries are on."""
    f = memory("many").cache(made)
    return Work(lambda: f(size))


def made(n):
    return numpy.array([float(n)])


def get_items(size):
    m = memory("many")
    return Work(lambda: len(m.store_backend.get_items()))


def reduce_size(size):
    """Remove as many entries; all are of the same size."""
    m = memory("many")
    items = m.store_backend.get_items()
    limit = sum(item.size for item in items) - size * items[0].size + 1

    def do():
        if hasattr(m, "bytes_limit"):  # before joblib 1.5
            m.bytes_limit = limit
            m.reduce_size()
        else:
            m.reduce_size(bytes_limit=limit)
        return size

    return Work(do, lambda: "%d left" % (do() and len(m.store_backend.get_items())))


def burn(milliseconds, key):
    end = time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass
    return 2 * key


def burning(milliseconds):
    f = memory("burn").cache(burn)
    return lambda key: f(milliseconds, key)


def square(x):
    return x * x + 1


def spin(x):
    end = time.perf_counter() + 0.001
    while time.perf_counter() < end:
        pass
    return x


def workers(backend):
    """Workers that stay, from one turn to the next."""
    parallel = joblib.Parallel(n_jobs=-1, backend=backend)
    parallel.__enter__()
    atexit.register(parallel.__exit__, None, None, None)
    return parallel


def mapping(task, backend, n):
    parallel = workers(backend)
    do = lambda: parallel(joblib.delayed(task)(i) for i in range(n))
    do()
    return Work(do, lambda: "as a plain loop: %s" % str(do() == [task(i) for i in range(n)]).lower())


def short_threading(n):
    return mapping(square, "threading", n)


def short_loky(n):
    return mapping(square, "loky", n)


def long_threading(n):
    return mapping(spin, "threading", n)


def long_loky(n):
    return mapping(spin, "loky", n)


def sum_threading(size):
    parts = numpy.array_split(array(size), joblib.effective_n_jobs(-1))
    parallel = workers("threading")
    do = lambda: sum(parallel(joblib.delayed(numpy.sum)(p) for p in parts))
    do()
    return Work(do, lambda: "%.6e" % do())


def main():
    prepared = {}
    for line in sys.stdin:
        verb, name, size, times = line.split()
        if (name, size) not in prepared:
            if name != "one_entry" and len(prepared) > 2:  # large arrays are not kept
                prepared.clear()
            prepared[name, size] = globals()[name](int(size))
        work = prepared[name, size]
        if verb == "say":
            answer = work.say()
        elif verb == "cpu":
            start = time.process_time()
            result = work(int(times))
            answer = "%.9f %d" % (time.process_time() - start, result)
        else:
            do = work.do
            start = time.perf_counter()
            for _ in range(int(times)):
                do()
            answer = "%.9f" % (time.perf_counter() - start)
        print(answer, flush=True)


if __name__ == "__main__":
    main()
