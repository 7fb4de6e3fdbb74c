"""Writes joblib files of many kinds for joblib_test.go, and beside each what it holds.

sys.argv[1] is the folder. A line for each file: its name, and a description of its value.
"""

import base64
import collections
import json
import os
import pickle
import sys

import joblib
import numpy as np

out = sys.argv[1]


def b64(b):
    return base64.b64encode(b).decode()


def describe(v):
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, np.generic) and v.dtype.kind in "biufc":
        return {"scalar": v.dtype.newbyteorder("<").str, "data": b64(v.astype(v.dtype.newbyteorder("<")).tobytes())}
    if isinstance(v, int):
        return {"int": str(v)}
    if isinstance(v, float):
        return {"float": np.float64(v).tobytes().hex()}
    if isinstance(v, complex):
        return {"complex": np.complex128(v).tobytes().hex()}
    if isinstance(v, str):
        return {"str": str(v)}
    if isinstance(v, (bytes, bytearray)):
        return {"bytes": b64(v)}
    if isinstance(v, np.ndarray) and v.dtype.kind in "SU":
        flat = [s if isinstance(s, str) else s.decode("latin-1") for s in v.ravel().tolist()]
        return {"strings": flat, "shape": list(v.shape)}
    if isinstance(v, np.ndarray):
        a = np.array(v, dtype=v.dtype.newbyteorder("<"), order="C")
        return {"array": a.dtype.str, "shape": list(v.shape), "data": b64(a.tobytes())}
    if isinstance(v, (list, tuple)):
        return [describe(item) for item in v]
    if all(isinstance(key, str) for key in v):
        return {"map": {key: describe(item) for key, item in v.items()}}
    return {"pairs": [[describe(key), describe(item)] for key, item in v.items()]}


def done(name, value):
    print(json.dumps([name, describe(value)]))


rng = np.random.default_rng(1)
arrays = {"zero": np.array(3.5), "empty": np.zeros((0, 3)), "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "view": np.arange(40.0).reshape(5, 8)[::2, 1:5],
          "big": rng.standard_normal((300, 70)), "S": np.array([b"a", b"bb", b""]), "U": np.array([["é", "abc"], ["", "\U0001f600"]]), "Ubig": np.array(["é"]).astype(">U3"),
          "matrix": np.matrix([[1, 2]])}
for code in "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split():
    a = rng.integers(0, 100, (3, 4)).astype(code)
    arrays[code], arrays[">" + code], arrays["F" + code] = a, a.astype(a.dtype.newbyteorder(">")), np.asfortranarray(a)
shared = [1, "twice"]
values = {
    "none": None, "bools": [True, False], "ints": [0, 255, 256, 65535, 65536, -1, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 2**63, 2**200, -(2**200), 10**700],
    "floats": (0.1, -0.0, float("inf"), 1e300), "complex": 1 - 2j, "text": ["", "é", "x" * 300, "\U0001f600", "line\nend"], "bytes": [b"", b"\xff\x00", b"y" * 300, bytearray(b"q")],
    "scalars": [np.float64(2.5), np.float32(0.1), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1j), np.float16(1.5), np.str_("é")],
    "nested": {"a": [1, (2.0, {"b": None})], "shared": [shared, shared], "": {}}, "keys": {1: "a", "b": 2, (1, "x"): 3.0, None: [], 2.5: ()}, "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "ordered": collections.OrderedDict(z=1, a=np.arange(3)), "arrays": arrays, "list": [np.arange(3), "between", np.arange(4.0), np.arange(3)], "long": list(range(3000)),
}
values.update(("array-" + name.replace("?", "b").replace(">", "big-"), a) for name, a in arrays.items())

compressors = ["zlib", "gzip", "bz2", "xz", "lzma"]
try:
    import lz4.frame  # noqa: F401

    compressors.append("lz4")
except ImportError:
    pass
for name, value in values.items():
    joblib.dump(value, os.path.join(out, name))
    done(name, value)
for protocol in (2, 3, 4, 5):
    name = "protocol-%d" % protocol
    joblib.dump(values, os.path.join(out, name), protocol=protocol)
    done(name, values)
    name = "pickle-%d" % protocol
    with open(os.path.join(out, name), "wb") as f:
        pickle.dump({k: v for k, v in values.items() if k != "array-matrix"}, f, protocol)
    done(name, {k: v for k, v in values.items() if k != "array-matrix"})
for compressor in compressors:
    for level in (1, 3, 9):
        name = "%s-%d" % (compressor, level)
        joblib.dump(values, os.path.join(out, name), compress=(compressor, level))
        done(name, values)
large = np.arange(120000.0).reshape(300, 400)
for compressor in [0] + [(c, 3) for c in compressors]:
    name = "large-%s" % (compressor[0] if compressor else "plain")
    joblib.dump([large, large.T], os.path.join(out, name), compress=compressor)
    done(name, [large, large.T])
mapped = joblib.load(os.path.join(out, "large-plain"), mmap_mode="r")[0]
joblib.dump(mapped, os.path.join(out, "mapped"))
done("mapped", mapped)


class Estimator:
    pass


def function():
    pass


loop = []
loop.append(loop)
deep = []
for _ in range(900):
    deep = [deep]
sys.setrecursionlimit(100000)
deeper = []
for _ in range(2000):
    deeper = [deeper]
joblib.dump(deep, os.path.join(out, "deep"))
done("deep", deep)
for name, value, why in (
    ("object-array", np.array([None, {}], dtype=object), 'dtype "O8"'), ("datetime", np.array(["2020"], "M8[D]"), 'dtype "M8"'), ("timedelta", np.array([1], "m8[s]"), 'dtype "m8"'),
    ("structured", np.zeros(2, "f8,i4"), 'dtype "V12"'), ("longdouble", np.zeros(2, np.longdouble), "f16"), ("masked", np.ma.array([1.0], mask=[True]), "_mareconstruct"), ("estimator", Estimator(), "Estimator"),
    ("function", function, "function"), ("set", {1, 2}, "EMPTY_SET"), ("frozenset", frozenset([1]), "FROZENSET"), ("default", collections.defaultdict(list), "defaultdict"),
    ("type", int, '"int"'), ("dtype", np.dtype("f8"), "a dtype by itself"), ("class", np.ndarray, "by itself"), ("loop", loop, "holds itself"), ("deeper", deeper, "nested more than"),
    ("range", range(3), "range"), ("slice", slice(1), "slice"), ("date", __import__("datetime").date(2020, 1, 1), "date"), ("path", __import__("pathlib").PurePosixPath("/"), "PurePosixPath"),
    ("nested-refused", {"ok": np.arange(3), "bad": [Estimator()]}, "Estimator"), ("protocol-0", [1], "protocol 2"),
):
    joblib.dump(value, os.path.join(out, "refused-" + name), **({"protocol": 0} if name == "protocol-0" else {}))
    print(json.dumps(["refused-" + name, why]))
