"""The Python half of a pipeline that main.go shares; see there."""

from dataclasses import dataclass

import numpy as np

import numcache

cache = numcache.open("cache")


@dataclass
class Fit:
    name: str
    scale: np.ndarray


def samples(n, features):
    i, j = np.indices((n, features))
    return ((i * 7 + j * 3) % 11).astype(float)


@cache.memo(name="example/gram", version="1")
def gram(x):
    return x.T @ x, x.mean(axis=0)


@cache.memo(name="example/scale", version="1")
def scale(g, name) -> Fit:
    return Fit(name, np.diag(g) / np.diag(g).max())


g, means = gram(samples(1000, 3))
fit = scale(g, "diagonal")
stats = cache.stats()
print("means [%s], scale [%s]; hits: %d misses: %d" % (" ".join("%.3f" % m for m in means), " ".join("%.3f" % s for s in fit.scale), stats.hits, stats.misses))
