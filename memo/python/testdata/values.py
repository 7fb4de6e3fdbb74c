"""Values in a form that Go and Python both build theirs from, for python_test.go.

sys.argv: the folder of numcache.py, then what to do.
"""

import base64
import dataclasses
import json
import random
import struct
import sys
import typing

import numpy as np

sys.path.insert(0, sys.argv[1])
import numcache  # noqa: E402

DESCRS = sorted(numcache._DESCRS)


def b64(b):
    return base64.b64encode(b).decode()


def laid_out(a, r):
    """The same elements in some layout and byte order."""
    way = r.randrange(6)
    if way == 0:
        return np.asfortranarray(a).reshape(a.shape, order="F")
    if way == 1:
        return a.astype(a.dtype.newbyteorder(">"))
    if way == 2 and a.ndim:  # a view of every second row
        twice = np.zeros((2 * len(a),) + a.shape[1:], a.dtype)
        twice[::2] = a
        return twice[::2]
    if way == 3 and a.ndim:
        return a[::-1].copy()[::-1]
    return a


def build(node, r):
    """The value that a node describes, in one of the forms that count as the same."""
    kind, v = node["k"], node.get("v")
    if kind == "nil":
        return None
    if kind == "bool":
        return np.bool_(v) if r.random() < 0.3 else v
    if kind == "int":
        n = int(v)
        if r.random() < 0.3:
            for scalar in (np.int8, np.uint16, np.int64, np.uint64):
                if np.iinfo(scalar).min <= n <= np.iinfo(scalar).max:
                    return scalar(n)
        return n
    if kind == "float":
        f = struct.unpack(">d", bytes.fromhex(v))[0]
        if r.random() < 0.5:
            with np.errstate(all="ignore"):
                for scalar in (np.float16, np.float32, np.float64):
                    if float(scalar(f)) == f or f != f:
                        return scalar(f)
        return f
    if kind == "complex":
        c = complex(*struct.unpack(">dd", bytes.fromhex(v)))
        return np.complex128(c) if r.random() < 0.3 else c
    if kind == "str":
        return base64.b64decode(v).decode(errors="surrogateescape")
    if kind == "bytes":
        b = base64.b64decode(v)
        return bytearray(b) if r.random() < 0.3 else b
    if kind == "array":
        a = np.frombuffer(base64.b64decode(v), node["d"]).reshape(node["s"])
        return laid_out(a, r)
    if kind == "list":
        items = [build(item, r) for item in v]
        return tuple(items) if r.random() < 0.3 else items
    if kind == "map":
        items = [(base64.b64decode(key).decode(errors="surrogateescape"), build(item, r)) for key, item in v]
        r.shuffle(items)
        return dict(items)
    raise ValueError(kind)


def describe(v):
    """The node of a value."""
    if isinstance(v, np.generic):
        v = v.item()
    if v is None:
        return {"k": "nil"}
    if isinstance(v, bool):
        return {"k": "bool", "v": v}
    if isinstance(v, int):
        return {"k": "int", "v": str(v)}
    if isinstance(v, float):
        return {"k": "float", "v": struct.pack(">d", v).hex()}
    if isinstance(v, complex):
        return {"k": "complex", "v": struct.pack(">dd", v.real, v.imag).hex()}
    if isinstance(v, str):
        return {"k": "str", "v": b64(v.encode(errors="surrogateescape"))}
    if isinstance(v, (bytes, bytearray)):
        return {"k": "bytes", "v": b64(bytes(v))}
    if isinstance(v, np.ndarray):
        a = np.array(v, dtype=v.dtype.newbyteorder("<"), order="C")
        return {"k": "array", "d": a.dtype.str, "s": list(v.shape), "v": b64(a.tobytes())}
    if isinstance(v, (list, tuple)):
        return {"k": "list", "v": [describe(item) for item in v]}
    return {"k": "map", "v": [[b64(key.encode(errors="surrogateescape")), describe(item)] for key, item in v.items()]}


def text(r):
    alphabet = r.choice(("ab", "aé\u0000\"\\\n", "\U0001f600\ud7ff\ue000\uffff", "\udc80\udcfe", "\u0301e\u00e9"))
    return "".join(r.choice(alphabet) for _ in range(r.choice((0, 1, 3, 300))))


def clean(s):
    """s, where its surrogates do not happen to be UTF-8 that Python would write otherwise."""
    return s if s.encode(errors="surrogateescape").decode(errors="surrogateescape") == s else s + "a"


def array(r):
    descr = r.choice(DESCRS)
    shape = tuple(r.choice((0, 1, 2, 3, 7)) for _ in range(r.randrange(4)))
    if r.random() < 0.02:
        shape = r.choice(((300000,), (2, 40000), (40000, 2), (5, 3, 9000)))
    raw = r.randbytes(int(np.prod(shape)) * np.dtype(descr).itemsize)
    if descr == "|b1":
        raw = bytes(b & 1 for b in raw)
    return laid_out(np.frombuffer(raw, descr).reshape(shape), r)


def value(r, depth=0):
    """Some value."""
    kind = r.randrange(11 if depth < 4 else 9)
    if kind == 0:
        return r.choice((None, True, False, np.bool_(True)))
    if kind == 1:
        return r.choice((1, -1)) * r.getrandbits(r.choice((1, 8, 31, 63)))
    if kind == 2:
        return r.choice((2**64 - 1, -(2**63), 2**63, np.uint64(2**63), np.int8(-128)))
    if kind == 3:
        bits = r.getrandbits(64)
        if r.random() < 0.3:
            bits = r.choice((0x7FF8000000000000, 0xFFF8000000000001, 0x7FF0000000000001, 0x8000000000000000, 1, 0xFFF0000000000000))
        f = struct.unpack("<d", struct.pack("<Q", bits))[0]
        return f if r.random() < 0.7 else np.float32(r.random())
    if kind == 4:
        return complex(value_float(r), value_float(r))
    if kind == 5:
        return clean(text(r))
    if kind == 6:
        return r.randbytes(r.choice((0, 1, 50, 5000)))
    if kind < 9:
        return array(r)
    if kind == 9:
        items = [value(r, depth + 1) for _ in range(r.randrange(4))]
        return tuple(items) if r.random() < 0.3 else items
    return {clean(text(r)): value(r, depth + 1) for _ in range(r.randrange(4))} if r.random() < 0.97 else {}


def value_float(r):
    return r.choice((0.0, -0.0, float("nan"), float("inf"), r.random()))


def key_of(args):
    return numcache._Key("property", "é", [("", v, None) for v in args]).hex


def keys_of_go():
    """For each line of arguments that Go described, their key."""
    r = random.Random(1)
    for line in sys.stdin:
        print(key_of([build(node, r) for node in json.loads(line)]))


def keys_of_python(n, seed):
    """Described arguments and their key, n lines."""
    r = random.Random(int(seed))
    for _ in range(int(n)):
        args = [value(r) for _ in range(r.randrange(4))]
        print(json.dumps({"args": [describe(v) for v in args], "key": key_of(args)}))


def echo(folder, n):
    """Stores what it finds as the result of go(i) as that of python(i), and describes it."""
    cache = numcache.open(folder, sync="none")
    found = None
    go = cache.memo(name="go", version="1")(lambda i: 1 / 0)
    python = cache.memo(name="python", version="1")(lambda i: found)
    for i in range(int(n)):
        found = go(i)
        python(i)
        # A list of one is what one result looks like, and a tuple what several do.
        print(json.dumps([describe(v) for v in (found if isinstance(found, tuple) else (found,))]))
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.faults) == (int(n), int(n), 0), stats


@dataclasses.dataclass
class Point:
    x: float = dataclasses.field(metadata={"memo": "X"})
    name: str = dataclasses.field(metadata={"memo": "name"})
    rows: np.ndarray = dataclasses.field(metadata={"memo": "Rows"})
    note: str = dataclasses.field(default="", metadata={"memo": "-"})


def struct_key():
    e = numcache._Encoder()
    e.value([Point(1.5, "é", np.arange(3.0), "left out")], typing.List[Point])
    print(e.out.hex())


{"keys-of-go": keys_of_go, "keys-of-python": keys_of_python, "echo": echo, "struct": struct_key}[sys.argv[2]](*sys.argv[3:])
