"""Tests of numcache.py alone; those against Go are in python_test.go.

    python -m unittest test_numcache
"""

import dataclasses
import datetime
import functools
import hashlib
import io
import json
import logging
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import typing
import unittest
from unittest import mock

import numpy as np
import xxhash

import numcache

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "..", "testdata", "golden.json")


def slow_digest(a):
    """The digest as FORMAT.md says it, without a thought for speed."""
    little = a.astype(a.dtype.newbyteorder("<"))
    data = np.array(little, order="C").tobytes()
    h = hashlib.sha256(b"numcache/array/1\n%s\n%s\n" % (little.dtype.str.encode(), repr(a.shape).encode()))
    for i in range(0, len(data), 262144):
        h.update(xxhash.xxh64_digest(data[i : i + 262144]) + xxhash.xxh3_64_digest(data[i : i + 262144]))
    return h.hexdigest()[:32]


def same(a, b):
    """Whether two values are the same, bit for bit and type for type."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return set(a) == set(b) and all(same(a[k], b[k]) for k in a)
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return a == b


@dataclasses.dataclass
class Circle:
    r: float
    centre: typing.Optional[np.ndarray] = None


@dataclasses.dataclass
class Square:
    r: float
    centre: typing.Optional[np.ndarray] = None


@dataclasses.dataclass(frozen=True)
class Scene:
    shapes: typing.List[Circle]
    by_name: typing.Dict[str, Circle] = dataclasses.field(default_factory=dict)
    size: int = dataclasses.field(default=0, metadata={"memo": "Size"})


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "cache")
        logging.getLogger("numcache").setLevel(logging.CRITICAL)

    def open(self, **options):
        cache = numcache.open(self.path, **options)
        self.addCleanup(cache.close)
        return cache

    def counted(self, cache, fn, name="f", version="1", **options):
        """fn, memoized, and the list of the arguments that it was computed for."""
        calls = []

        @functools.wraps(fn)
        def counting(*args, **kwargs):
            calls.append(args)
            return fn(*args, **kwargs)

        return cache.memo(name=name, version=version, **options)(counting), calls

    def files(self, suffix):
        return sorted(
            os.path.join(folder, name)
            for top in ("calls", "objects")
            for folder, _, names in os.walk(os.path.join(self.path, top))
            for name in names
            if name.endswith(suffix)
        )

    def until(self, holds, seconds=30):
        """Looks until something that another thread or process does is done."""
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, "it did not happen in time")
            time.sleep(0.001)


class Digests(Case):
    def test_golden(self):
        with open(GOLDEN, encoding="utf-8") as f:
            golden = json.load(f)
        self.assertGreater(len(golden["arrays"]), 20)
        for case in golden["arrays"]:
            a = eval(case["numpy"])
            self.assertEqual(numcache.digest(a), case["digest"], case["name"])

        def value(v):
            if isinstance(v, list):
                return [value(item) for item in v]
            if isinstance(v, dict):
                return {k: value(item) for k, item in v.items()}
            if not isinstance(v, str):
                return v
            form, _, text = v.partition(":")
            if form == "array":
                return next(eval(a["numpy"]) for a in golden["arrays"] if a["digest"] == text)
            if form == "float":
                return struct.unpack(">d", bytes.fromhex(text))[0]
            return {"bytes": bytes.fromhex, "complex": complex}.get(form, lambda _: v)(text)

        for case in golden["keys"]:
            args = [("x", value(v), None) for v in case["args"]]
            self.assertEqual(numcache._Key(case["function"], case["version"], args).hex, case["key"], case)
            e = numcache._Encoder()
            e.value([v for _, v, _ in args])
            self.assertEqual(e.out.hex(), case["encoded_hex"])

    def test_layouts(self):
        r = random.Random(1)
        tried = 0
        for _ in range(1500):
            descr = r.choice(sorted(numcache._DESCRS))
            shape = tuple(r.choice((0, 1, 1, 2, 3, 5, 40)) for _ in range(r.randrange(5)))
            if r.random() < 0.05:
                shape = r.choice(((2, 70001), (70001, 2), (3, 200, 333), (131073,), (1, 1, 99999)))
            size = int(np.prod(shape)) * np.dtype(descr).itemsize
            a = np.frombuffer(r.randbytes(size), descr).reshape(shape)
            if descr == "|b1":
                a = a.view("u1") % 2 == 1
            for change in range(r.randrange(4)):
                way = r.randrange(6)
                if way == 0:
                    a = a.astype(a.dtype.newbyteorder(">"))
                elif way == 1:
                    a = np.asfortranarray(a).reshape(a.shape, order="F")
                elif way == 2:
                    a = a.transpose(r.sample(range(a.ndim), a.ndim))
                elif way == 3 and a.ndim:
                    a = a[tuple(slice(None, None, r.choice((1, 2, -1))) for _ in a.shape)]
                elif way == 4:
                    a = np.broadcast_to(a, (2,) + a.shape) if a.size < 100000 else a
                elif a.ndim:
                    a = a[1:]
            self.assertEqual(numcache.digest(a), slow_digest(a), (a.dtype, a.shape, a.strides))
            tried += 1
        self.assertEqual(tried, 1500)

    def test_bool_of_other_bytes(self):
        a = np.array([0, 1, 2, 255], "u1").view(bool)
        self.assertEqual(numcache.digest(a), numcache.digest(np.array([False, True, True, True])))

    def test_threads_agree(self):
        a = np.random.default_rng(1).standard_normal((1200, 2000))
        with mock.patch.object(numcache, "_workers", lambda: 5):
            for b in (a, a.T, a[::2, 3:]):
                self.assertEqual(numcache.digest(b), slow_digest(b))

    def test_refused(self):
        for a, why in (
            (np.array(["2020-01-01"], "M8[D]"), "i8"),
            (np.array([1], "m8[s]"), "i8"),
            (np.array([None]), "pickled"),
            (np.zeros(2, "f8,i4"), "no digest"),
            (np.array(["a"]), "no digest"),
            (np.zeros(2, np.longdouble), "no digest"),
        ):
            with self.assertRaisesRegex(numcache.Unsupported, why):
                numcache.digest(a)


class Keys(Case):
    def encoded(self, v, hint=None):
        e = numcache._Encoder()
        e.value(v, hint)
        return bytes(e.out)

    def test_values(self):
        huge = 10**5000 + 7
        for v, want in (
            (huge, b"i1" + b"0" * 4999 + b"7;"),
            (-huge, b"i-1" + b"0" * 4999 + b"7;"),
            (np.int8(-3), b"i-3;"), (np.uint64(2**64 - 1), b"i18446744073709551615;"), (np.bool_(True), b"b1"),
            (np.float32(1.5), b"f3ff8000000000000"), (np.float16(-0.0), b"f8000000000000000"),
            (struct.unpack(">d", bytes.fromhex("fff8000000000001"))[0], b"f7ff8000000000000"),
            (complex(float("nan"), -0.0), b"c7ff80000000000008000000000000000"), (np.complex64(1j), b"c" + b"0" * 16 + b"3ff0000000000000"),
            ("é", b"s2:\xc3\xa9"), (np.str_("é"), b"s2:\xc3\xa9"), ("\udcff", b"s1:\xff"), ("\U0001f600", b"s4:\xf0\x9f\x98\x80"),
            (b"\0\xff", b"y2:\0\xff"), (bytearray(b"a"), b"y1:a"), (np.bytes_(b"a"), b"y1:a"),
            ((1, [None]), b"l2:i1;l1:n"), ({"é": 1, "z": 2, "": 3}, b"d3:s0:i3;s1:zi2;s2:\xc3\xa9i1;"),
            ({"\uffff": 1, "\U00010000": 2}, b"d2:s3:\xef\xbf\xbfi1;s4:\xf0\x90\x80\x80i2;"),
        ):
            self.assertEqual(self.encoded(v), want)
        self.assertEqual(self.encoded(np.array(3.0)), b"a5f706051b56ee611756061f079d74c19")

    def test_dataclasses(self):
        circle = Circle(2.0)
        as_dict = self.encoded({"r": 2.0, "centre": None})
        for hint in (Circle, typing.Optional[Circle], typing.Union[Circle, np.ndarray]):
            self.assertEqual(self.encoded(circle, hint), as_dict)
        self.assertEqual(self.encoded([circle], typing.List[Circle]), b"l1:" + as_dict)
        self.assertEqual(self.encoded((1, circle), typing.Tuple[int, Circle]), b"l2:i1;" + as_dict)
        scene = Scene([circle], {"a": circle}, 3)
        self.assertEqual(self.encoded(scene, Scene), b"d3:s4:Sizei3;s7:by_named1:s1:a" + as_dict + b"s6:shapesl1:" + as_dict)
        for v, hint in (
            (circle, None), (circle, Square), (circle, typing.Union[Circle, Square]), (circle, typing.Any), ({"r": 2.0, "centre": None}, Circle),
            ([circle], None), ((circle, Square(1.0)), typing.Tuple[Circle, Circle]), (Scene([Square(1)]), Scene),
        ):
            with self.assertRaises(numcache.Unsupported):
                self.encoded(v, hint)
        circle.more = 1
        with self.assertRaisesRegex(numcache.Unsupported, "more"):
            self.encoded(circle, Circle)

    def test_memo_key(self):
        class Path:
            def __memo_key__(self):
                return ["path", 1]

        self.assertEqual(self.encoded(Path()), b"l2:s4:pathi1;")

    def test_refused(self):
        class Int(int):
            pass

        holds_itself = []
        holds_itself.append(holds_itself)
        for v in (
            Int(1), object(), {1}, {1: 2}, range(3), datetime.datetime.now(), np.datetime64("2020-01-01"), np.timedelta64(1, "s"), np.longdouble(1),
            np.ma.array([1.0]), np.zeros((1, 1)).view(np.recarray), np.array([None]), np.zeros(2, "f8,i4"), "\ud800", "\udcc3\udca9", holds_itself, len, signal.SIGINT,
        ):
            with self.assertRaises(numcache.Unsupported, msg=repr(v)):
                self.encoded(v)

    def test_signature(self):
        cache = self.open()

        def fn(x, k=10, *rest, scale=1.0, **more):
            return 1

        f = cache.memo(name="f", version="1")(fn)
        want = numcache._Key("f", "1", [("", v, None) for v in (2, 10, (), 1.0, {})]).hex
        self.assertEqual({f.key(2), f.key(2, 10), f.key(x=2, k=10), f.key(2, scale=1.0)}, {want})
        want = numcache._Key("f", "1", [("", v, None) for v in (2, 3, [4], 5, {"a": 6})]).hex
        self.assertEqual(f.key(2, 3, 4, scale=5, a=6), want)
        g = cache.memo(name="f", version="1", ignore=["k", "rest", "scale", "more"])(fn)
        self.assertEqual({g.key(2), g.key(2, object(), 1, 2, scale=object(), z=3)}, {numcache._Key("f", "1", [("", 2, None)]).hex})
        with self.assertRaisesRegex(numcache.Error, "nosuch"):
            cache.memo(name="f", version="1", ignore=["nosuch"])(fn)
        with self.assertRaises(TypeError):
            f()
        self.assertEqual(cache.stats().faults, 0)

    def test_names_of_files(self):
        for name, want in (
            ("a.b-c_D9", "a.b-c_D9"), (".a.", "%2Ea%2E"), ("", "%"), ("é/", "%C3%A9%2F"), ("aux", "%61ux"), ("COM1.txt", "%43OM1.txt"), ("com10", "com10"),
            ("a" * 200, "a" * 200), ("a" * 201, "a" * 166 + "%-" + hashlib.sha256(b"a" * 201).hexdigest()[:32]),
            ("é" * 60, "%C3%A9" * 27 + "%C3%-" + hashlib.sha256("é".encode() * 60).hexdigest()[:32]),
        ):
            self.assertEqual(numcache._segment(name), want)

    def test_header_is_numpys(self):
        if tuple(map(int, np.__version__.split(".")[:2])) < (1, 24):
            self.skipTest("this NumPy writes headers without room to grow")
        for descr in numcache._DESCRS:
            for shape in ((), (0,), (3,), (10**6, 0), (1, 2, 3)):
                saved = io.BytesIO()
                np.save(saved, np.empty(shape, descr))
                self.assertTrue(saved.getvalue().startswith(numcache._header(descr, shape)))


class Calls(Case):
    RESULTS = (
        None, True, 0, -(2**70), 10**6000, 0.1, -0.0, float("inf"), float("nan"), 5e-324, 1e22, 1 - 2j, complex(float("nan"), float("inf")),
        "", "é\"\\\n\x00\x7f\u2028", "\udcff", "x" * 5000, "\udcff" * 5000, b"", b"\xff\x00", b"y" * 5000, [], {}, [1, [2.0, "a"]], {"a": [None], "array": "x"},
        {"array": "00" * 16, "dtype": "<f8", "shape": [1]}, {"map": {}}, (), (1, 2.5), (np.arange(3), "a"), np.array(3), np.zeros((0, 3)), np.arange(5, dtype=">i2"),
        [np.ones((2, 2), "c8")], {"m": np.arange(4.0).reshape(2, 2)},
    )

    def test_results_come_back(self):
        cache = self.open()
        f, calls = self.counted(cache, lambda i: self.RESULTS[i])
        for i, want in enumerate(self.RESULTS):
            first, second = f(i), f(i)
            self.assertTrue(same(first, want), (first, want))
            if isinstance(want, np.ndarray):
                want = want.astype(want.dtype.newbyteorder("<"))
            self.assertTrue(same(second, want), (second, want))
            self.assertTrue(same(f.get(i), want) and f.has(i))
        self.assertEqual(len(calls), len(self.RESULTS))
        stats = cache.stats()
        self.assertEqual((stats.misses, stats.faults), (len(calls), 0))

    def test_results_are_made_plain(self):
        cache = self.open()
        values = (np.float64(1.5), np.int8(3), np.bool_(True), bytearray(b"a"), [(1, 2)], {"a": (np.float32(0.5),)})
        f, _ = self.counted(cache, lambda i: values[i])
        for i, want in enumerate((1.5, 3, True, b"a", [[1, 2]], {"a": [0.5]})):
            self.assertTrue(same(f(i), want))
            self.assertTrue(same(f(i), want))

    def test_dataclass_results(self):
        cache = self.open()

        def fn(n: int) -> typing.Tuple[Scene, typing.Optional[Circle]]:
            return Scene([Circle(1.0, np.arange(3))], {"a": Circle(2.0)}, n), None

        f, calls = self.counted(cache, fn)
        self.assertTrue(same(f(1), f(1)))
        self.assertTrue(same(f(1), fn(1)))
        self.assertEqual(len(calls), 1)
        g, calls = self.counted(cache, lambda: Circle(1.0), name="g")
        self.assertEqual((g().r, g().r, len(calls)), (1.0, 1.0, 2))  # refused: nothing says which class
        self.assertEqual(cache.stats().faults, 2)

    def test_hit_is_a_copy(self):
        cache = self.open()
        f, calls = self.counted(cache, lambda: np.zeros(3))
        for _ in range(3):
            a = f()
            a += 1
            self.assertEqual(a.sum(), 3)
        self.assertEqual(len(calls), 1)

    def test_unsupported_computes(self):
        cache = self.open()
        f, calls = self.counted(cache, lambda x: 7)
        for v in (np.array(["2020"], "M8[Y]"), object()):
            self.assertEqual(f(v), 7)
            for verb in (f.key, f.has, f.get, f.forget):
                with self.assertRaises(TypeError):
                    verb(v)
            self.assertEqual(f.shelve(v).get(), 7)
        g, _ = self.counted(cache, lambda: object(), name="g")
        self.assertIsNot(g(), g())
        self.assertIsNot(g.shelve().get(), None)
        with self.assertRaises(TypeError):
            cache.memo(name="h")(test_is_a_coroutine)

    def test_errors_pass(self):
        cache = self.open()
        f, calls = self.counted(cache, lambda x: 1 // x)
        for _ in range(2):
            with self.assertRaises(ZeroDivisionError):
                f(0)
        self.assertEqual((len(calls), cache.stats().faults, f.has(0)), (2, 0, False))

    def test_verbs(self):
        cache = self.open()
        n = 0

        def fn(x, k=10):
            nonlocal n
            n += 1
            return x * k, n

        f = cache.memo(name="verbs", version="1")(fn)
        self.assertFalse(f.has(2))
        with self.assertRaises(numcache.NotFound):
            f.get(2)
        self.assertEqual((f(2), f(2, 10), f.refresh(2), f(2)), ((20, 1), (20, 1), (20, 2), (20, 2)))
        ref = f.shelve(2)
        self.assertEqual((ref.key, ref.get(), n), (f.key(2), (20, 2), 2))
        record = ref.record()
        self.assertEqual((record.function, record.version, record.args, record.results, record.writer), ("verbs", "1", [2, 10], [20, 2], numcache.WRITER))
        self.assertLess(abs(record.created.timestamp() - time.time()), 60)
        f.forget(2)
        with self.assertRaises(numcache.NotFound):
            ref.get()
        f(2), f(3)
        self.assertEqual(sorted(r.args[0] for r in cache.records()), [2, 3])
        self.assertEqual((f.clear(), f.has(3), list(cache.records())), (2, False, []))
        f(4)
        self.assertGreater(cache.clear(), 0)
        cache.close()
        self.assertEqual(f(4)[0], 40)

    def test_mapped(self):
        cache = self.open()
        f, calls = self.counted(cache, lambda n: (np.arange(n), np.zeros((0, 2)), np.array(3.0), np.ones(3, bool)))
        for n in (1, 10**5):
            a, empty, scalar, bools = f.shelve(n).get(mmap_mode="r")
            self.assertIsInstance(a, np.memmap)
            self.assertTrue(same(np.array(a), np.arange(n)) and empty.shape == (0, 2) and scalar.shape == () and bools.all())
            with self.assertRaises(ValueError):
                a[0] = 1
            a = f.shelve(n).get(mmap_mode="c")[0]
            a[0] = 5
            self.assertEqual(f(n)[0][0], 0)
            with self.assertRaises(ValueError):
                f.shelve(n).get(mmap_mode="r+")
        self.assertEqual(len(calls), 2)

    def test_method(self):
        cache = self.open()

        class Model:
            @cache.memo(name="fit", version="1", ignore=["self"])
            def fit(self, n):
                return n + 1

        self.assertEqual((Model().fit(1), Model().fit(1), cache.stats().hits), (2, 2, 1))


async def test_is_a_coroutine():
    pass


class Folders(Case):
    def test_times_of_files(self):
        cache = self.open()
        f, _ = self.counted(cache, lambda: np.arange(3))
        f()
        record, object_ = self.files(".json") + self.files(".npy")
        self.assertEqual(os.stat(record).st_mtime_ns, os.stat(object_).st_mtime_ns)
        with open(record, encoding="utf-8") as r:
            created = json.load(r)["created"]
        self.assertEqual(numcache._moment_text(os.stat(record).st_mtime_ns), created)
        for back, touched in ((1800, False), (7200, True), (-7200, True)):  # ago
            at = time.time_ns() - back * 10**9
            for name in (record, object_):
                os.utime(name, ns=(at, at))
            f()
            for name in (record, object_):
                self.assertEqual(os.stat(name).st_mtime_ns != at, touched, back)
            self.assertEqual(os.stat(record).st_mtime_ns, os.stat(object_).st_mtime_ns)

    def test_modes(self):
        self.open()
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(os.path.join(self.path, "format.json")).st_mode & 0o777, 0o600)

    def test_group(self):
        cache = self.open(group=True)
        f, _ = self.counted(cache, lambda: np.arange(3))
        f()
        for folder, _, names in os.walk(self.path):
            self.assertEqual(os.stat(folder).st_mode & 0o7777, 0o2770, folder)
            for name in names:
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o777, 0o660, name)

    def test_foreign_folders(self):
        os.mkdir(self.path)
        with open(os.path.join(self.path, "thesis.txt"), "w"):
            pass
        with self.assertRaises(numcache.NotCache):
            numcache.open(self.path)
        self.assertEqual(os.listdir(self.path), ["thesis.txt"])
        os.remove(os.path.join(self.path, "thesis.txt"))
        self.open().close()
        os.chmod(self.path, 0o777)
        with self.assertRaises(numcache.Unsafe):
            numcache.open(self.path)
        os.chmod(self.path, 0o700)
        with open(os.path.join(self.path, "format.json"), "wb") as f:
            f.write(numcache._seal(b'{"format":2,"writer":"later",'))
        with self.assertRaises(numcache.FormatError):
            numcache.open(self.path)
        with open(os.path.join(self.path, "format.json"), "wb") as f:
            f.write(b"torn")
        self.assertEqual(self.open().stats().faults, 1)
        self.assertEqual(self.open().stats().faults, 0)

    def test_damage(self):
        """Every byte of every file changed, or the file cut: a miss, the file put aside, and the right result."""
        cache = self.open()
        want = np.arange(5)
        f, calls = self.counted(cache, lambda: want)
        f()
        tried = 0
        for name in self.files(""):
            with open(name, "rb") as file:
                good = file.read()
            for i in list(range(0, len(good), 3)) + [len(good) - 1]:
                for bad in (good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :], good[:i]):
                    with open(name, "wb") as file:
                        file.write(bad)
                    before = len(calls)
                    self.assertTrue(same(f(), want))
                    self.assertEqual(len(calls), before + 1, (name, i))
                    self.assertTrue(same(f(), want))
                    self.assertEqual(len(calls), before + 1)
                    tried += 1
        self.assertGreater(tried, 200)
        self.assertEqual(cache.stats().faults, tried)
        self.assertEqual(len(os.listdir(os.path.join(self.path, "quarantine"))), tried)

    def test_torn_object(self):
        """A power cut may leave an object of the right length and wrong elements: nothing is built upon it."""
        for sync in ("none", "full"):
            cache = self.open(sync=sync)
            want = np.arange(500)
            f, calls = self.counted(cache, lambda: want)
            f()
            (record,) = self.files(".json")
            (name,) = self.files(".npy")
            os.remove(record)
            with open(name, "r+b") as file:
                file.seek(-5, os.SEEK_END)
                file.write(b"wrong")
            f()
            self.assertTrue(same(f(), want))
            self.assertEqual((len(calls), cache.stats().faults), (2, int(sync == "none")))
            f.clear()
            os.remove(name)

    def test_chunk_tables(self):
        """The chunk table of a large argument is an object, from which the array's digest comes, and is used with its entry."""
        cache = self.open()
        f, calls = self.counted(cache, lambda x, y: y)
        large, small = np.arange(1 << 21, dtype="<f8").reshape(512, -1), np.arange(3.0)
        large = np.concatenate([large, large[:1]])
        for y in (1, 2):
            f({"a": large, "b": small}, y)
        (name,) = self.files(".npy")
        sums = np.load(name)
        self.assertEqual((sums.dtype.str, sums.shape), ("<u8", (65, 2)))
        table = numcache._Table("<f8", large.shape)
        table.table[:] = sums.astype(">u8").tobytes()
        self.assertEqual(table.digest(), numcache.digest(large))
        for record in self.files(".json"):
            with open(record, encoding="utf-8") as file:
                self.assertEqual(list(numcache._tables_in(json.load(file)["args"])), [numcache.digest(sums)])
        for path in self.files(""):
            os.utime(path, (1e9, 1e9))
        f({"a": large, "b": small}, 2)
        self.assertGreater(os.stat(name).st_mtime, 1e9)
        os.remove(name)
        for path in self.files(""):
            os.utime(path, (1e9, 1e9))
        f({"a": large, "b": small}, 1)
        self.assertEqual((len(calls), cache.stats().faults), (2, 0))

    def test_durable_object_stays(self):
        """An object that is not synced does not take the place of one that came meanwhile, and may be; one of another length does."""
        cache = self.open(sync="none")
        cache.memo(name="first")(lambda: 1)()
        with cache._use() as folder:
            for came, keep, stays in ((b"two", 3, True), (b"four", 3, False), (b"two", None, False)):
                name = "objects/aa/%s%s.npy" % (came.decode(), keep)

                def write(fd):
                    self.assertTrue(folder.put(name, lambda fd: os.write(fd, came), durable=True))
                    os.write(fd, b"one")

                self.assertEqual(folder.put(name, write, keep=keep), not stays)
                self.assertEqual(folder.get(name, 9)[0], came if stays else b"one")
        self.assertEqual(os.listdir(os.path.join(self.path, "tmp")), [])

    def forge(self, results):
        """A cache whose one call has these results, in JSON."""
        cache = self.open()
        f, calls = self.counted(cache, lambda: 1)
        f()
        (name,) = self.files(".json")
        with open(name, "rb") as file:
            raw = file.read()
        with open(name, "wb") as file:
            file.write(numcache._seal(raw[:-44].replace(b'"results":[1]', b'"results":' + results.encode())))
        return cache, f, calls

    def test_hostile_records(self):
        a = '{"array":"%s","dtype":"<f8","shape":%s}'
        for results in (
            "[%s]" % (a % ("00" * 16, "[1099511627776]")), "[%s]" % (a % ("00" * 16, "[9223372036854775807,9223372036854775807]")),
            "[%s]" % (a % ("../../../etc/passwd", "[1]")), "[%s]" % (a % ("00" * 16, "[-1]")), '[{"string":5}]', '[{"bytes":"!"}]', '[{"float":"x"}]',
            '[{"complex":["a",1]}]', '[{"map":[]}]', "[NaN]", "{}", "[" * 5000 + "]" * 5000, '[{"nosuch":1}]', "[1", '[{"string":%s}]' % (a % ("00" * 16, "[1]")),
        ):
            cache, f, calls = self.forge(results)
            self.assertEqual((f(), len(calls)), (1, 2), results)
            f.clear()

    def test_huge_sparse_object(self):
        """A file as long as a forged record says is read, found wrong, and costs what it is: nothing is executed or kept."""
        hex_, shape = "ab" * 16, (1 << 20,)
        cache, f, calls = self.forge('[{"array":"%s","dtype":"|u1","shape":[%d]}]' % (hex_, shape[0]))
        os.makedirs(os.path.join(self.path, "objects", hex_[:2]))
        header = numcache._header("|u1", shape)
        with open(os.path.join(self.path, numcache._object_name(hex_)), "wb") as file:
            file.write(header)
            file.truncate(len(header) + shape[0])
        self.assertEqual((f(), len(calls)), (1, 2))
        self.assertEqual(len(os.listdir(os.path.join(self.path, "quarantine"))), 1)

    def test_symbolic_links(self):
        outside = os.path.join(self.folder.name, "outside")
        cache = self.open()
        f, calls = self.counted(cache, lambda: np.arange(3))
        for part in ("objects", "calls", "calls/f", "tmp", "lock"):
            with self.subTest(part):
                self.assertTrue(same(f(), np.arange(3)))
                before, place = len(calls), os.path.join(self.path, part)
                os.rename(place, outside)
                os.symlink(outside, place)
                mark = sorted(os.path.join(d, n) for d, _, names in os.walk(outside) for n in names)
                times = [os.stat(n).st_mtime_ns for n in mark]
                f.refresh() if part == "tmp" else f()
                if part not in ("tmp", "lock"):
                    self.assertEqual(len(calls), before + 1)
                self.assertEqual(sorted(os.path.join(d, n) for d, _, names in os.walk(outside) for n in names), mark)
                self.assertEqual([os.stat(n).st_mtime_ns for n in mark], times)
                if os.path.islink(place):
                    os.remove(place)
                    os.rename(outside, place)
                else:
                    os.system("rm -r '%s'" % outside)
        for name in self.files(".npy") + self.files(".json"):  # files that are links
            f()
            os.rename(name, outside)
            os.symlink(outside, name)
            before = len(calls)
            self.assertTrue(same(f(), np.arange(3)))
            self.assertEqual(len(calls), before + 1)
            os.remove(outside)

    def test_fifo(self):
        cache = self.open()
        f, calls = self.counted(cache, lambda: np.arange(3))
        f()
        (name,) = self.files(".npy")
        os.remove(name)
        os.mkfifo(name)
        self.assertTrue(same(f(), np.arange(3)) and len(calls) == 2)
        os.remove(name) if os.path.islink(name) else None
        os.remove(name)
        os.mkdir(name)
        self.assertTrue(same(f(), np.arange(3)) and len(calls) == 3)
        self.assertTrue(same(f(), np.arange(3)) and len(calls) == 3)

    def test_no_room(self):
        """A disk that is full, as a limit on the length of files: nothing is stored, and what was begun is removed."""
        cache = self.open()
        f, calls = self.counted(cache, lambda: np.zeros(100000))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10000, limits[1]))
        try:
            for _ in range(2):
                self.assertEqual(f().shape, (100000,))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual((len(calls), cache.stats().faults, os.listdir(os.path.join(self.path, "tmp"))), (2, 2, []))

    def test_cannot_be_written(self):
        if os.geteuid() == 0:
            os.mkdir(self.path, 0o755)
            os.chown(self.path, 12345, 12345)
            with self.assertRaises(numcache.Unsafe):
                numcache.open(self.path)
            os.chown(self.path, 0, 0)
        with mock.patch("os.mkdir", side_effect=PermissionError(13, "no")):
            cache = numcache.open(os.path.join(self.folder.name, "other"))
        f, calls = self.counted(cache, lambda: 1)
        self.assertEqual((f(), f(), len(calls), cache.stats().faults), (1, 1, 2, 1))

    def test_read_only(self):
        self.counted(self.open(), lambda x: x)[0](1)
        cache = self.open(read_only=True)
        f, calls = self.counted(cache, lambda x: x)
        self.assertEqual((f(1), f(2), f(2), len(calls)), (1, 2, 2, 2))
        self.assertEqual((len(self.files(".json")), cache.stats().faults), (1, 0))
        for remove in (f.clear, cache.clear, lambda: f.forget(1)):
            with self.assertRaises(numcache.ReadOnly):
                remove()


class Concurrency(Case):
    def test_threads_compute_once(self):
        cache = self.open()
        started, go = threading.Event(), threading.Event()

        def fn(x):
            started.set()
            go.wait(30)
            return np.arange(x)

        f, calls = self.counted(cache, fn)
        results = []
        threads = [threading.Thread(target=lambda: results.append(f(5))) for _ in range(16)]
        threads[0].start()
        started.wait(30)
        for t in threads[1:]:
            t.start()
        self.until(lambda: sum(flight.waiters for flight in cache._flights.values()) == 15)
        go.set()
        for t in threads:
            t.join(30)
        self.assertEqual(len(calls), 1)
        self.assertTrue(len(results) == 16 and all(same(r, np.arange(5)) for r in results))
        self.assertEqual(len({r.__array_interface__["data"][0] for r in results}), 16)
        self.assertEqual((cache.stats().misses, cache.stats().shared), (1, 15))

    def test_threads_share_an_error(self):
        cache = self.open()
        started, go = threading.Event(), threading.Event()

        def fn():
            started.set()
            go.wait(30)
            raise KeyError("x")

        f, calls = self.counted(cache, fn)
        errors = []

        def call():
            try:
                f()
            except KeyError as e:
                errors.append(e)

        threads = [threading.Thread(target=call) for _ in range(4)]
        threads[0].start()
        started.wait(30)
        for t in threads[1:]:
            t.start()
        self.until(lambda: sum(flight.waiters for flight in cache._flights.values()) == 3)
        go.set()
        for t in threads:
            t.join(30)
        self.assertEqual((len(calls), len(errors)), (1, 4))

    def test_recursion_and_cycles(self):
        cache = self.open()
        memo = cache.memo(name="fib", version="1")

        @memo
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)

        self.assertEqual(fib(20), 6765)

        @cache.memo(name="self", version="1")
        def itself(depth=0):
            return state.pop() or itself()

        state = [7, 0]
        self.assertEqual(itself(), 7)
        # Two threads, each computing what the other asks for.
        barrier = threading.Barrier(2)

        @cache.memo(name="c", version="1")
        def c(i):
            with lock:
                depth[i] = depth.get(i, 0) + 1
                outer = depth[i] == 1
            if outer:
                barrier.wait(30)
            return 1 if depth[i] > 1 else c(1 - i)

        depth, lock, results = {}, threading.Lock(), []
        threads = [threading.Thread(target=lambda i=i: results.append(c(i))) for i in (0, 1)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
        self.assertEqual(results, [1, 1])

    @unittest.skipUnless(numcache._LOCKS, "no locks of open file descriptions")
    def test_pulse(self):
        cache = self.open()
        seen = set()
        with mock.patch.object(numcache, "PULSE", 0.005):

            def fn():
                fd = os.open(os.path.join(self.path, "lock"), os.O_RDWR)
                offset = 2 * (int(f.key()[:16], 16) >> 3)
                self.assertTrue(numcache._is_locked(fd, offset))
                self.until(lambda: seen.add(numcache._is_locked(fd, offset + 1)) or len(seen) == 2)
                os.close(fd)
                return offset

            f = cache.memo(name="f", version="1")(fn)
            offset = f()
        self.assertEqual((seen, cache.stats().faults), ({True, False}, 0))
        fd = os.open(os.path.join(self.path, "lock"), os.O_RDWR)
        self.addCleanup(os.close, fd)
        self.assertFalse(numcache._is_locked(fd, offset) or numcache._is_locked(fd, offset + 1))

    @unittest.skipUnless(numcache._LOCKS, "no locks of open file descriptions")
    def test_stopped_holder(self):
        cache = self.open(patience=0.05)
        f, calls = self.counted(cache, lambda: 1)
        fd = os.open(os.path.join(self.path, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, fd)
        self.assertTrue(numcache._set_lock(fd, True, 2 * (int(f.key()[:16], 16) >> 3)))
        self.assertEqual((f(), len(calls), cache.stats().faults, f.has()), (1, 1, 1, True))

    CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, numcache
cache = numcache.open(sys.argv[2])
@cache.memo(name="once", version="1")
def once(n):
    with open(sys.argv[3], "a") as f:
        f.write("x")
    return np.full((100, 100), float(n))
print("ready", flush=True)
for line in sys.stdin:
    assert (once(int(line)) == int(line)).all()
    print(cache.stats().faults, flush=True)
"""

    def start(self, script, *args):
        child = subprocess.Popen([sys.executable, "-c", script, HERE, self.path, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (child.kill(), child.wait(), child.stdin.close(), child.stdout.close()))
        return child

    @unittest.skipUnless(numcache._LOCKS, "no locks of open file descriptions")
    def test_processes_compute_once(self):
        count = os.path.join(self.folder.name, "count")
        children = [self.start(self.CHILD, count) for _ in range(4)]
        for child in children:
            self.assertEqual(child.stdout.readline(), "ready\n")
        for n in range(10):
            for child in children:
                child.stdin.write("%d\n" % n)
                child.stdin.flush()
            for child in children:
                self.assertEqual(child.stdout.readline(), "0\n")
        with open(count, encoding="utf-8") as f:
            self.assertEqual(f.read(), "x" * 10)

    def test_killed_writers(self):
        """Processes that are killed while they write leave nothing that others see."""
        script = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, numcache
cache = numcache.open(sys.argv[2], sync="none")
@cache.memo(name="big", version="1")
def big(n):
    return np.full(200000, float(n)), "text" * 2000
print("ready", flush=True)
n = int(sys.argv[3])
while True:
    assert big(n)[0][-1] == n
    n += 1
"""
        r = random.Random(1)
        for i in range(3):
            child = self.start(script, str(1000 * i))
            self.assertEqual(child.stdout.readline(), "ready\n")
            seen = len(self.files(".json"))
            self.until(lambda: len(self.files(".json")) > seen + r.randrange(3))
            child.send_signal(signal.SIGKILL)
            child.wait()
        cache = self.open()
        f, calls = self.counted(cache, lambda n: 0, name="big")
        records = list(cache.records())
        self.assertGreaterEqual(len(records), 3)
        for record in records:
            a, text = f(record.args[0])
            self.assertTrue(same(a, np.full(200000, float(record.args[0]))) and text == "text" * 2000)
        self.assertEqual((calls, cache.stats().faults), ([], 0))

    @unittest.skipUnless(hasattr(os, "fork"), "no fork")
    def test_fork_within_a_computation(self):
        cache = self.open()

        def fn(n):
            if n > 0:
                return n
            child = os.fork()
            if child == 0:  # a child holds no lock and waits for no thread of its parent
                try:
                    os._exit(0 if numcache._sky.around() is None and cache._locks == [] and f(1) == 1 else 1)
                finally:
                    os._exit(2)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        f = cache.memo(name="f", version="1")(fn)
        self.assertEqual((f(0), f(0), f.has(1), cache.stats().faults), (0, 0, True, 0))

    def test_close_meanwhile(self):
        cache = self.open()

        def fn(n):
            cache.close()
            return n

        f, calls = self.counted(cache, fn)
        self.assertEqual((f(1), f(1), len(calls)), (1, 1, 2))
        self.assertFalse(f.has(1))


if __name__ == "__main__":
    unittest.main()
