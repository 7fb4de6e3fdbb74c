"""numcache memoizes functions of NumPy arrays, and shares its caches with Go.

    import numcache

    cache = numcache.open("cache")

    @cache.memo(name="pca", version="1")
    def pca(x, k=10):
        ...
        return scores, axes

    scores, axes = pca(x, 10)               # computed once, and then read
    pca.has(x, 10)                          # is it in the cache?
    pca.key(x, 10)                          # 32 hex digits
    pca.get(x, 10)                          # read it, NotFound where it is not there
    pca.refresh(x, 10)                      # compute and store anew
    pca.forget(x, 10); pca.clear()          # remove one call, or all
    pca.shelve(x, 10).get(mmap_mode="r")    # a reference; map what it refers to
    for r in cache.records():
        print(r.function, r.args, r.duration)

A Go program that memoizes a function of the same name and version hits what this
one computed, and the other way round. The format is memo/FORMAT.md of
github.com/numcache/numcache; results are .npy files. Nothing is ever pickled.

**Keys.** A call is bound to the function's signature and defaults are filled in;
the arguments count in the order of the signature, *args as a list and **kwargs as
a dict. They may be None, bool, int of any size, float, complex, str, bytes, NumPy
arrays and scalars of bool, integer, float and complex types up to 64 (complex 128)
bits, lists, tuples, dicts with str keys, dataclasses, and objects with a method
__memo_key__ that returns one of these. Arrays count by their elements: layout and
byte order do not matter. A NumPy scalar is a scalar, a tuple is a list, a list of
numbers is a list and no array (Go's []any, not its []float64). A dataclass counts
by its fields, as Go's structs do, and must be what the annotation of its parameter
says, since its type is not part of the key; field(metadata={"memo": "name"}) names
a field otherwise, "-" leaves it out.

Anything else is refused, among them subclasses of these types, which may be more
than their value, datetime64, object arrays, masked arrays and sparse matrices:
key(), has() and get() raise Unsupported, a TypeError that says why; a plain call
computes and counts a fault.

**Results** are the same kinds of values; a tuple of none or several is several
results, as in Go. What a memoized function returns is what a hit returns, also where
it was just computed: NumPy scalars are Python's, bytearrays are bytes, tuples within a
result are lists. A dataclass is made again where the function's return annotation says
which. Arrays of a hit are C-contiguous, writeable, and the caller's own.

**Faults** of the cache never fail a call: disk full, read-only, damaged. The call
computes then; Cache.stats() counts them, and the logger "numcache" has the first of
each kind as a warning.

**Concurrency.** Cache and functions may be used from any number of threads and
processes. Calls that miss the same key at the same time compute it once, across
processes of both languages on Linux. Locks only save work. A process that computes
gives a sign of life each second, from a thread; a function that keeps the GIL for
longer than others' patience is computed by them too. A function must not start threads
that call it with the arguments it was called with, and wait for them.

What a function does beside its arguments is not part of a key: captured variables,
files, random seeds. Change the version when it would return something else. Whoever
can write the folder can forge results; it is private by default.
"""

from __future__ import annotations

import base64
import binascii
import collections.abc
import contextlib
import dataclasses
import errno
import functools
import hashlib
import inspect
import json
import logging
import math
import os
import re
import secrets
import stat as stat_
import struct
import sys
import threading
import time
import types
import typing
import weakref
import zipfile
import zlib
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import xxhash

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__version__ = "0.1"
__all__ = [
    "open", "digest", "Cache", "Memoized", "Ref", "Record", "ArrayInfo", "Stats",
    "Error", "Unsupported", "NotCache", "Unsafe", "FormatError", "Damaged", "NotFound", "ReadOnly",
]

FORMAT = 1
WRITER = "numcache-python " + __version__
CHUNK = 262144
MAX_DEPTH = 100

_log = logging.getLogger("numcache")


# --- errors ---


class Error(Exception):
    """The base of this module's errors."""


class Unsupported(Error, TypeError):
    """A value that cannot be part of a key or of an entry."""


class NotCache(Error):
    """A folder that holds something else than a cache."""


class Unsafe(Error):
    """A folder that others can write: they could forge results."""


class FormatError(Error):
    """A cache of a format that this version does not know."""


class Damaged(Error):
    """A file whose bytes are not what was written. Callers of a memoized function never see it."""


class NotFound(Error, LookupError):
    """A call that the cache does not hold."""


class ReadOnly(Error):
    """A removal from a cache that was opened with read_only."""


class _Foreign(Damaged):
    """Something else than a file where a file, or than a folder where a folder should be."""


class _Miss(Exception):
    """An entry that is for somebody else: no fault of the cache."""


# --- array digests ---

_DESCRS = frozenset("|b1 |i1 <i2 <i4 <i8 |u1 <u2 <u4 <u8 <f2 <f4 <f8 <c8 <c16".split())


def _workers() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _descr(dtype: np.dtype) -> str:
    """The little-endian type string of an array that format 1 knows."""
    descr = dtype.newbyteorder("<").str
    if descr in _DESCRS:
        return descr
    why = ""
    if dtype.kind in "mM":
        why = "; its integers are x.view('i8')"
    elif dtype.hasobject:
        why = "; Python objects would have to be pickled"
    raise Unsupported("arrays of dtype %s have no digest%s" % (dtype, why))


def _share(n: int, task: Callable[[int, int], None]) -> None:
    """Calls task for the ranges that 0 to n is cut into, from several threads where that helps."""
    step = 16  # chunks of one range: 4 MB, the most that a range that must be copied takes
    ranges = iter(range(0, n, step))
    turn = threading.Lock()
    errors: List[BaseException] = []

    def work() -> None:
        try:
            while not errors:
                with turn:
                    lo = next(ranges, n)
                if lo >= n:
                    return
                task(lo, min(lo + step, n))
        except BaseException as e:
            errors.append(e)

    threads = []
    for _ in range(min(_workers(), n // step) - 1):
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there can be no more threads
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _elements(a: np.ndarray, lo: int, hi: int) -> np.ndarray:
    """Elements lo to hi of a in C order, copied only where they are not together in memory."""
    if a.ndim <= 1:
        return a.reshape(-1)[lo:hi]
    row = a.size // len(a)
    first, last = lo // row, -(-hi // row)
    if last - first == 1:
        return _elements(a[first], lo - first * row, hi - first * row)
    parts = []
    if lo % row:
        parts.append(_elements(a[first], lo % row, row))
        first += 1
    end = last - 1 if hi % row else last
    if first < end:
        parts.append(a[first:end].reshape(-1))
    if hi % row:
        parts.append(_elements(a[end], 0, hi % row))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _pieces(a: np.ndarray, descr: str) -> Callable[[int, int], memoryview]:
    """A function that returns the bytes of the chunks lo to hi of a, as the digest wants them."""
    dtype = np.dtype(descr)
    per = CHUNK // dtype.itemsize
    flat = a.reshape(-1) if a.flags.c_contiguous else None

    def piece(lo: int, hi: int) -> memoryview:
        lo, hi = lo * per, min(hi * per, a.size)
        part = flat[lo:hi] if flat is not None else _elements(a, lo, hi)
        part = np.ascontiguousarray(part, dtype=dtype).view(np.uint8)
        if descr == "|b1" and part.size and part.max() > 1:  # a view may have other bytes
            part = (part != 0).view(np.uint8)
        return memoryview(part)

    return piece


class _Table:
    """The digests of an array's chunks, and from them its own."""

    def __init__(self, descr: str, shape: Tuple[int, ...]):
        self.descr, self.shape = descr, shape
        self.size = math.prod(shape) * np.dtype(descr).itemsize
        self.chunks = -(-self.size // CHUNK)
        self.table = bytearray(16 * self.chunks)

    def add(self, first: int, data: memoryview) -> None:
        """Enters the chunks that data begins with. The objects, unlike xxhash's functions, release the GIL."""
        for i in range(-(-len(data) // CHUNK)):
            chunk = data[i * CHUNK : (i + 1) * CHUNK]
            at = 16 * (first + i)
            self.table[at : at + 16] = xxhash.xxh64(chunk).digest() + xxhash.xxh3_64(chunk).digest()

    def info(self) -> "ArrayInfo":
        return ArrayInfo(self.digest(), self.descr, self.shape)

    def sums(self) -> Optional[np.ndarray]:
        """The table of a large array as the array that is kept of it; None of a small one."""
        return np.frombuffer(self.table, ">u8").astype("<u8").reshape(-1, 2) if self.chunks > MAX_WITHOUT_TABLE else None

    def digest(self) -> str:
        head = "numcache/array/1\n%s\n%s\n" % (self.descr, _shape_text(self.shape))
        return _short_sha(head.encode() + bytes(self.table)).hex()


def _shape_text(shape: Tuple[int, ...]) -> str:
    return "(%s%s)" % (", ".join(map(str, shape)), "," if len(shape) == 1 else "")


def _short_sha(b: bytes) -> bytes:
    return hashlib.sha256(b).digest()[:16]


def digest(a: np.ndarray) -> str:
    """The digest of an array: the same for every memory layout and byte order of the same elements."""
    return _hash(a).digest()


def _hash(a: np.ndarray) -> _Table:
    descr = _descr(a.dtype)
    table = _Table(descr, a.shape)
    piece = _pieces(a, descr)
    _share(table.chunks, lambda lo, hi: table.add(lo, piece(lo, hi)))
    return table


# --- keys: values as tagged bytes ---


@dataclasses.dataclass(frozen=True)
class ArrayInfo:
    """An array as a record names it."""

    digest: str
    dtype: str
    shape: Tuple[int, ...]

    def __str__(self) -> str:
        return np.dtype(self.dtype).name + _shape_text(self.shape)


def _decimal(n: int) -> str:
    """str(n), which Python refuses beyond some thousand digits."""
    if n.bit_length() < 10000:
        return str(n)
    if n < 0:
        return "-" + _decimal(-n)
    digits = n.bit_length() * 30103 // 200000  # about half of them
    high, low = divmod(n, 10**digits)
    return _decimal(high) + _decimal(low).rjust(digits, "0")


def _integer(text: str) -> int:
    """int(text), which Python refuses beyond some thousand digits."""
    if len(text) < 3000:
        return int(text)
    if text[0] == "-":
        return -_integer(text[1:])
    half = len(text) // 2
    return _integer(text[:half]) * 10 ** (len(text) - half) + _integer(text[half:])


def _utf8(s: str) -> bytes:
    """The bytes of a string. Those that are no UTF-8 are surrogates in Python, as in names of files."""
    try:
        return s.encode()
    except UnicodeEncodeError:
        pass
    with contextlib.suppress(UnicodeError):
        b = s.encode(errors="surrogateescape")
        if b.decode(errors="surrogateescape") == s:
            return b
    raise Unsupported("a string with half of a surrogate pair is no text")


def _text(b: bytes) -> str:
    return b.decode(errors="surrogateescape")


def _string(s: str) -> bytes:
    b = _utf8(s)
    return b"s%d:" % len(b) + b


def _float_bits(f: float) -> bytes:
    return b"7ff8000000000000" if f != f else binascii.hexlify(struct.pack(">d", f))


def _scalar(v: Any) -> Any:
    """A NumPy scalar as Python's."""
    kind, size = v.dtype.kind, v.dtype.itemsize
    if kind in "biu" or kind == "f" and size <= 8 or kind == "c" and size <= 16:
        return v.item()
    if kind == "U":
        return str(v)
    if kind == "S":
        return bytes(v)
    raise Unsupported("a scalar of dtype %s%s" % (v.dtype, "; give its integer, x.view('i8')" if kind in "mM" else ""))


def _is_dataclass(t: Any) -> bool:
    return isinstance(t, type) and dataclasses.is_dataclass(t)


def _candidates(hint: Any) -> Tuple[Any, ...]:
    """The types that an annotation names side by side."""
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is getattr(types, "UnionType", typing.Union):
        return tuple(c for h in typing.get_args(hint) for c in _candidates(h))
    if hasattr(hint, "__metadata__"):  # Annotated
        return _candidates(hint.__origin__)
    return () if hint is None or hint is type(None) else (hint,)


def _item_hint(hint: Any, i: int, n: int) -> Any:
    """The annotation of the i-th of n items of a value that is annotated with hint."""
    found: List[Any] = []
    for c in _candidates(hint):
        origin, args = typing.get_origin(c), typing.get_args(c)
        if not isinstance(origin, type) or not args:
            continue
        if issubclass(origin, tuple) and not (len(args) == 2 and args[1] is Ellipsis):
            if len(args) == n:
                found.append(args[i])
        elif issubclass(origin, collections.abc.Mapping):
            continue
        elif issubclass(origin, collections.abc.Iterable):
            found.append(args[0])
    return typing.Union[tuple(found)] if found else None


def _value_hint(hint: Any) -> Any:
    """The annotation of the values of a dict that is annotated with hint."""
    found = [
        typing.get_args(c)[1]
        for c in _candidates(hint)
        if isinstance(typing.get_origin(c), type) and issubclass(typing.get_origin(c), collections.abc.Mapping) and len(typing.get_args(c)) == 2
    ]
    return typing.Union[tuple(found)] if found else None


@functools.lru_cache(maxsize=1000)
def _fields(cls: type) -> Tuple[Tuple[str, str, Any], ...]:
    """The name in keys, name and annotation of each field of a dataclass that counts, sorted."""
    try:
        hints = typing.get_type_hints(cls)
    except Exception:  # names that are not there at run time
        hints = {}
    found = []
    for f in dataclasses.fields(cls):
        name = f.metadata.get("memo", f.name)
        if name != "-":
            found.append((name, f.name, hints.get(f.name)))
    found.sort(key=lambda f: _utf8(f[0]))
    for one, next_ in zip(found, found[1:]):
        if one[0] == next_[0]:
            raise Unsupported("%s has two fields named %s" % (cls.__qualname__, one[0]))
    return tuple(found)


def _check_dataclass(v: Any, hint: Any) -> None:
    """Refuses a dataclass that is more than its fields, or whose type the annotation leaves open."""
    cls = type(v)
    if [c for c in _candidates(hint) if _is_dataclass(c)] != [cls]:
        raise Unsupported(
            "a %s whose annotation does not say so, where its type is not part of the key and another type with the "
            "same fields would have the same key; annotate it, or give it a __memo_key__" % cls.__qualname__
        )
    own = {f.name for f in dataclasses.fields(v)}
    for name in getattr(v, "__dict__", {}):
        if name not in own and not isinstance(getattr(cls, name, None), functools.cached_property):
            raise Unsupported("a %s has the attribute %s, which is no field of it; give it a __memo_key__" % (cls.__qualname__, name))


def _check_dict(v: Dict[Any, Any], hint: Any) -> None:
    for c in _candidates(hint):
        if _is_dataclass(c):
            raise Unsupported("a dict where the annotation says %s; the two would have the same key" % c.__qualname__)
    for key in v:
        if type(key) is not str:
            raise Unsupported("a dict with the key %.100r; keys are strings" % (key,))


def _refuse(v: Any) -> Unsupported:
    t = type(v)
    name = t.__qualname__ if t.__module__ == "builtins" else t.__module__ + "." + t.__qualname__
    for base in (np.ndarray, bool, int, float, complex, str, bytes, list, tuple, dict):
        if isinstance(v, base):
            return Unsupported("a %s, which may be more than the %s that it is; give that, or a __memo_key__" % (name, base.__name__))
    return Unsupported("a %s; give arrays, numbers, text, lists or dicts of these, or a __memo_key__" % name)


class _Encoder:
    """Writes values as the tagged bytes that keys are made of."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.arrays: List[_Table] = []

    def value(self, v: Any, hint: Any = None, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise Unsupported("a value that is nested more than %d levels deep, or holds itself" % MAX_DEPTH)
        if isinstance(v, np.generic):
            v = _scalar(v)
        t = type(v)
        if v is None:
            self.out += b"n"
        elif t is bool:
            self.out += b"b1" if v else b"b0"
        elif t is int:
            self.out += b"i" + _decimal(v).encode() + b";"
        elif t is float:
            self.out += b"f" + _float_bits(v)
        elif t is complex:
            self.out += b"c" + _float_bits(v.real) + _float_bits(v.imag)
        elif t is str:
            self.out += _string(v)
        elif t is bytes or t is bytearray:
            self.out += b"y%d:" % len(v)
            self.out += v
        elif t is np.ndarray or t is np.memmap:
            self.arrays.append(_hash(v))
            self.out += b"a" + self.arrays[-1].digest().encode()
        elif t is list or t is tuple:
            self.out += b"l%d:" % len(v)
            for i, item in enumerate(v):
                self.value(item, _item_hint(hint, i, len(v)) if hint is not None else None, depth + 1)
        elif t is dict:
            _check_dict(v, hint)
            items = _value_hint(hint)
            self.out += b"d%d:" % len(v)
            for key in sorted(v, key=_utf8):
                self.out += _string(key)
                self.value(v[key], items, depth + 1)
        elif hasattr(t, "__memo_key__"):
            self.value(v.__memo_key__(), None, depth + 1)
        elif _is_dataclass(t):
            _check_dataclass(v, hint)
            fields = _fields(t)
            self.out += b"d%d:" % len(fields)
            for name, attribute, item in fields:
                self.out += _string(name)
                self.value(getattr(v, attribute), item, depth + 1)
        else:
            raise _refuse(v)


class _Key:
    """The key of one call, and its arguments for the record."""

    def __init__(self, function: str, version: str, args: Sequence[Tuple[str, Any, Any]]):
        self.function, self.version = function, version
        self.args: List[Tuple[bytes, List[_Table]]] = []
        h = hashlib.sha256(b"numcache/call/1\n" + _string(function) + _string(version) + b"l%d:" % len(args))
        for name, value, hint in args:
            e = _Encoder()
            try:
                e.value(value, hint)
            except Unsupported as why:
                raise Unsupported("argument %s of %s: %s" % (name, function, why)) from None
            h.update(e.out)
            self.args.append((bytes(e.out), e.arrays))
        self.hex = h.digest()[:16].hex()

    def tables(self) -> Iterator[np.ndarray]:
        """The chunk tables that the record names."""
        for encoded, arrays in self.args:
            if len(encoded) <= MAX_ARGUMENT:
                yield from (sums for sums in (table.sums() for table in arrays) if sums is not None)


# --- values in records ---

MAX_ARGUMENT = 4096  # bytes of an encoded argument beyond which a record has its hash only
MAX_INLINE = 4096  # bytes of a string or bytes of a result beyond which it is an object
MAX_RECORD = 64 << 20
MAX_WITHOUT_TABLE = 64  # chunks of an array of the arguments beyond which its chunk table is an object

_escaped = re.compile('["\\\\\x00-\x1f\x7f]')


def _quoted(s: str) -> str:
    return '"' + _escaped.sub(lambda m: "\\" + m[0] if m[0] in '"\\' else "\\u%04x" % ord(m[0]), s) + '"'


def _json_string(b: bytes) -> str:
    try:
        return _quoted(b.decode())
    except UnicodeDecodeError:
        return '{"string":"%s"}' % base64.b64encode(b).decode()


def _json_key(b: bytes) -> str:
    return _quoted(b.decode(errors="replace"))


def _json_bytes(b: bytes) -> str:
    return '{"bytes":"%s"}' % base64.b64encode(b).decode()


def _json_float(f: float) -> str:
    if math.isfinite(f):
        return repr(f)
    return '{"float":"%s"}' % struct.pack(">d", f).hex()


def _json_complex(re_: float, im: float) -> str:
    return '{"complex":[%s,%s]}' % (_json_float(re_), _json_float(im))


def _json_array(a: ArrayInfo, sums: Optional[np.ndarray] = None) -> str:
    table = "" if sums is None else ',"table":"%s"' % digest(sums)
    return '{"array":"%s","dtype":"%s","shape":[%s]%s}' % (a.digest, a.dtype, ",".join(map(str, a.shape)), table)


class _Transcoder:
    """Turns what _Encoder wrote into JSON."""

    def __init__(self, encoded: bytes, arrays: List[_Table]):
        self.b, self.at, self.arrays = encoded, 0, iter(arrays)

    def next(self, n: int) -> bytes:
        self.at += n
        return self.b[self.at - n : self.at]

    def until(self, end: bytes) -> bytes:
        b = self.next(self.b.index(end, self.at) - self.at)
        self.at += 1
        return b

    def count(self) -> int:
        return int(self.until(b":"))

    def float(self) -> float:
        return struct.unpack(">d", bytes.fromhex(self.next(16).decode()))[0]

    def value(self) -> str:
        tag = self.next(1)
        if tag == b"b":
            return "true" if self.next(1) == b"1" else "false"
        if tag == b"i":
            return self.until(b";").decode()
        if tag == b"f":
            return _json_float(self.float())
        if tag == b"c":
            return _json_complex(self.float(), self.float())
        if tag == b"s":
            return _json_string(self.next(self.count()))
        if tag == b"y":
            return _json_bytes(self.next(self.count()))
        if tag == b"a":
            self.next(32)
            table = next(self.arrays)
            return _json_array(table.info(), table.sums())
        if tag == b"l":
            return "[%s]" % ",".join([self.value() for _ in range(self.count())])
        if tag == b"d":
            items = []
            for _ in range(self.count()):
                self.next(1)  # the tag of the key, a string
                key = _json_key(self.next(self.count()))
                items.append(key + ":" + self.value())
            return '{"map":{%s}}' % ",".join(items)
        return "null"


def _json_argument(encoded: bytes, arrays: List[_Table]) -> str:
    if len(encoded) > MAX_ARGUMENT:
        return '{"omitted":"%s","size":%d}' % (_short_sha(encoded).hex(), len(encoded))
    return _Transcoder(encoded, arrays).value()


def _plain(v: Any, hint: Any = None, depth: int = 0) -> Any:
    """A result as a hit will return it; arrays stay as they are. What cannot be stored is Unsupported."""
    if depth > MAX_DEPTH:
        raise Unsupported("a result that is nested more than %d levels deep, or holds itself" % MAX_DEPTH)
    if isinstance(v, np.generic):
        v = _scalar(v)
    t = type(v)
    if v is None or t in (bool, int, float, complex, bytes):
        return v
    if t is str:
        _utf8(v)
        return v
    if t is bytearray:
        return bytes(v)
    if t is np.ndarray or t is np.memmap:
        _descr(v.dtype)
        return v
    if t is list or t is tuple:
        return [_plain(item, _item_hint(hint, i, len(v)), depth + 1) for i, item in enumerate(v)]
    if t is dict:
        _check_dict(v, hint)
        for key in v:
            try:
                key.encode()
            except UnicodeEncodeError:
                raise Unsupported("a dict with the key %.100r, which is no UTF-8" % key) from None
        return {key: _plain(item, _value_hint(hint), depth + 1) for key, item in v.items()}
    if _is_dataclass(t):
        _check_dataclass(v, hint)
        if len(_fields(t)) != len(dataclasses.fields(t)):
            raise Unsupported("a %s leaves out a field, which a hit could not give back" % t.__qualname__)
        return _remade(t, {a: _plain(getattr(v, a), h, depth + 1) for _, a, h in _fields(t)})
    raise _refuse(v)


def _remade(cls: type, attributes: Dict[str, Any]) -> Any:
    """A dataclass with these fields, without running any code of its own."""
    v = object.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(v, name, value)
    return v


def _plain_results(value: Any, hint: Any) -> Any:
    """What the function returned, as a hit returns it."""
    if type(value) is not tuple:
        return _plain(value, hint)
    if len(value) == 1:
        raise Unsupported("one result in a tuple; return the result itself")
    return tuple(_plain(v, _item_hint(hint, i, len(value))) for i, v in enumerate(value))


def _copied(v: Any) -> Any:
    """A copy of a plain value that shares nothing that can be changed."""
    if isinstance(v, np.ndarray):
        return np.array(v)
    if type(v) is list:
        return [_copied(item) for item in v]
    if type(v) is tuple:
        return tuple(_copied(item) for item in v)
    if type(v) is dict:
        return {key: _copied(item) for key, item in v.items()}
    if _is_dataclass(type(v)):
        return _remade(type(v), {f.name: _copied(getattr(v, f.name)) for f in dataclasses.fields(v)})
    return v


class _Results:
    """Plain results as JSON for the record, and the arrays that it refers to."""

    def __init__(self, value: Any):
        self.objects: List[Tuple[ArrayInfo, np.ndarray]] = []
        self.json = "[%s]" % ",".join([self.value(v) for v in (value if type(value) is tuple else (value,))])

    def array(self, a: np.ndarray) -> str:
        info = ArrayInfo(digest(a), _descr(a.dtype), a.shape)
        self.objects.append((info, a))
        return _json_array(info)

    def long(self, form: str, b: bytes) -> str:
        return '{"%s":%s}' % (form, self.array(np.frombuffer(b, np.uint8)))

    def value(self, v: Any) -> str:
        t = type(v)
        if v is None:
            return "null"
        if t is bool:
            return "true" if v else "false"
        if t is int:
            return _decimal(v)
        if t is float:
            return _json_float(v)
        if t is complex:
            return _json_complex(v.real, v.imag)
        if t is str:
            b = _utf8(v)
            return self.long("string", b) if len(b) > MAX_INLINE else _json_string(b)
        if t is bytes:
            return self.long("bytes", v) if len(v) > MAX_INLINE else _json_bytes(v)
        if isinstance(v, np.ndarray):
            return self.array(v)
        if t is list:
            return "[%s]" % ",".join([self.value(item) for item in v])
        if t is dict:
            entries = [(key, v[key]) for key in sorted(v, key=_utf8)]
        else:
            entries = [(name, getattr(v, attribute)) for name, attribute, _ in _fields(t)]
        return '{"map":{%s}}' % ",".join([_quoted(key) + ":" + self.value(item) for key, item in entries])


def _array_of(node: Any) -> Optional[ArrayInfo]:
    """A decoded JSON value as a reference to an array."""
    if not isinstance(node, dict):
        return None
    hex_, descr, shape = node.get("array"), node.get("dtype"), node.get("shape")
    if not isinstance(hex_, str) or not re.fullmatch("[0-9a-f]{32}", hex_) or not isinstance(descr, str) or descr not in _DESCRS:
        return None
    if not isinstance(shape, list) or len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
        return None
    if math.prod(n or 1 for n in shape) * np.dtype(descr).itemsize >= 1 << 63:
        return None
    return ArrayInfo(hex_, descr, tuple(shape))


def _arrays_in(node: Any) -> Iterator[ArrayInfo]:
    """The arrays that a decoded JSON value refers to."""
    if isinstance(node, list):
        for item in node:
            yield from _arrays_in(item)
    elif isinstance(node, dict):
        info = _array_of(node)
        if info is not None:
            yield info
            return
        entries = node.get("map")
        for item in (entries if isinstance(entries, dict) else node).values():
            yield from _arrays_in(item)


def _tables_in(node: Any) -> Iterator[str]:
    """The digests of the chunk tables that an argument names."""
    if isinstance(node, list):
        for item in node:
            yield from _tables_in(item)
    elif isinstance(node, dict):
        if re.fullmatch("[0-9a-f]{32}", str(node.get("table"))) and _array_of(node):
            yield node["table"]
        elif isinstance(node.get("map"), dict):
            for item in node["map"].values():
                yield from _tables_in(item)


def _base64(text: Any) -> bytes:
    if not isinstance(text, str):
        raise _Miss("no base64")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _Miss("no base64") from None


def _bits(text: Any, layout: str) -> float:
    try:
        return float(struct.unpack(layout, bytes.fromhex(text))[0])
    except (TypeError, ValueError, struct.error):
        raise _Miss("no float") from None


def _decoded(node: Any, load: Callable[[ArrayInfo], Any]) -> Any:
    """The value that decoded JSON stands for."""
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    if isinstance(node, list):
        return [_decoded(item, load) for item in node]
    info = _array_of(node)
    if info is not None:
        return load(info)
    for form in ("string", "bytes"):
        if form in node:
            info = _array_of(node[form])
            if info is None:
                b = _base64(node[form])
            elif info.dtype != "|u1" or len(info.shape) != 1:
                raise _Miss("no text")
            else:
                held = load(info)
                if isinstance(held, ArrayInfo):
                    return held
                b = held.tobytes()
            return _text(b) if form == "string" else b
    if isinstance(node.get("map"), dict):
        return {key: _decoded(item, load) for key, item in node["map"].items()}
    if "float" in node:
        return _bits(node["float"], ">d")
    if "float32" in node:
        return _bits(node["float32"], ">f")
    parts = node.get("complex")
    if isinstance(parts, list) and len(parts) == 2:
        parts = [_decoded(p, load) for p in parts]
        if all(type(p) in (int, float) for p in parts):
            return complex(*parts)
    if "omitted" in node:
        return ...
    raise _Miss("the stored result has another type")


def _typed(v: Any, hint: Any) -> Any:
    """A decoded value with the dataclasses that the annotation names in place of dicts."""
    if hint is None:
        return v
    if type(v) is list:
        return [_typed(item, _item_hint(hint, i, len(v))) for i, item in enumerate(v)]
    if type(v) is dict:
        classes = [c for c in _candidates(hint) if _is_dataclass(c)]
        if not classes:
            return {key: _typed(item, _value_hint(hint)) for key, item in v.items()}
        fields = _fields(classes[0])
        if len(classes) > 1 or {name for name, _, _ in fields} != set(v):
            raise _Miss("the stored result has other fields")
        return _remade(classes[0], {attribute: _typed(v[name], h) for name, attribute, h in fields})
    return v


# --- records ---

_SEAL = 44  # bytes of a check at the end of a sealed file


def _seal(body: bytes) -> bytes:
    return body + b'"check":"' + _short_sha(body).hex().encode() + b'"}\n'


def _unseal(b: bytes) -> Any:
    """The JSON of a sealed file, checked."""
    if len(b) < _SEAL or _seal(b[:-_SEAL]) != b:
        raise Damaged("its check does not match")

    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        members = json.loads(b.decode(), parse_int=_integer, parse_constant=refuse)
    except (ValueError, RecursionError) as e:
        raise Damaged("no JSON: %s" % e) from None
    if not isinstance(members, dict):
        raise Damaged("no object")
    return members


@dataclasses.dataclass(frozen=True)
class Record:
    """One cached call. In args and results arrays are ArrayInfo, and what was too long to keep is Ellipsis."""

    key: str
    function: str
    version: str
    args: List[Any]
    results: List[Any]
    created: datetime  #: UTC
    duration: float  #: seconds the call took
    writer: str
    used: datetime  #: when the entry was last used, noted at most hourly
    size: int  #: bytes of the record and of the elements of its results

    @property
    def arrays(self) -> List[ArrayInfo]:
        """The arrays of the results."""
        return self._arrays  # type: ignore[attr-defined]


def _moment(text: str) -> datetime:
    """A time as RFC 3339 has it, with up to nine digits behind the point."""
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", text)
    if not m:
        raise Damaged("its time is %.40r" % text)
    at = datetime.strptime(m[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return at + timedelta(microseconds=int((m[2] or ".0")[1:].ljust(9, "0")) // 1000)


def _moment_text(ns: int) -> str:
    seconds, rest = divmod(ns, 10**9)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return text + (".%09d" % rest).rstrip("0").rstrip(".") + "Z"


class _Stored:
    """A record as it was read: its members, and the time of its file."""

    def __init__(self, raw: bytes, modified: int):
        members = _unseal(raw)
        if members.get("format") != FORMAT:
            raise FormatError("a record of format %.20r; this version reads %d" % (members.get("format"), FORMAT))
        self.modified, self.length, self.members = modified, len(raw), members
        self.function, self.version = self.text("function"), self.text("version")
        self.key, self.results = members.get("key"), members.get("results")
        duration = members.get("duration")
        if not isinstance(self.key, str) or not isinstance(self.results, list) or type(duration) not in (int, float):
            raise Damaged("its members are not those of a record")
        self.duration = float(duration)

    def text(self, member: str) -> str:
        v = self.members.get(member)
        if isinstance(v, dict):
            with contextlib.suppress(_Miss):
                return _text(_base64(v.get("string")))
        if not isinstance(v, str):
            raise Damaged("its %s is no string" % member)
        return v

    def record(self) -> Record:
        args = self.members.get("args")
        if not isinstance(args, list):
            raise Damaged("its arguments are no list")
        arrays = list(_arrays_in(self.results))
        size = self.length + sum(math.prod(a.shape) * np.dtype(a.dtype).itemsize for a in arrays)
        try:
            record = Record(
                self.key, self.function, self.version,
                [_decoded(a, lambda info: info) for a in args], [_decoded(r, lambda info: info) for r in self.results],
                _moment(str(self.members.get("created"))), self.duration, str(self.members.get("writer")),
                datetime.fromtimestamp(self.modified / 1e9, timezone.utc), size,
            )
        except _Miss as e:
            raise Damaged(str(e)) from None
        object.__setattr__(record, "_arrays", arrays)
        return record


# --- names of files ---

_devices = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")


def _segment(s: str) -> str:
    """A function's name or version as a file name."""
    raw = _utf8(s)
    if not raw:
        return "%"
    out = []
    device = _devices.match(s)
    for i, c in enumerate(raw):
        char = chr(c)
        plain = c < 128 and (char.isalnum() or char in "-_" or char == "." and 0 < i < len(raw) - 1)
        out.append(char if plain and not (i == 0 and device) else "%%%02X" % c)
    name = "".join(out)
    if len(name) <= 200:
        return name
    cut = 166
    escape = name.rfind("%", 0, cut)
    if escape > cut - 3:
        cut = escape
    return name[:cut] + "%-" + _short_sha(raw).hex()


def _record_name(function: str, version: str, key: str) -> str:
    return "calls/%s/%s/%s/%s.json" % (_segment(function), _segment(version), key[:2], key)


def _object_name(hex_: str, suffix: str = ".npy") -> str:
    return "objects/%s/%s%s" % (hex_[:2], hex_, suffix)


def _header(descr: str, shape: Tuple[int, ...]) -> bytes:
    """The header that np.save writes, whatever the version of NumPy."""
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, _shape_text(shape))
    if shape:
        text += " " * (21 - len(str(shape[0])))
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin-1")


# --- the folder ---

_DIR_FD = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd
_OPEN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NOFOLLOW = {"follow_symlinks": False} if os.utime in os.supports_follow_symlinks else {}
_RENAMES = 20  # retries, each of which means that somebody else removed a folder at just that moment
_MAX_AHEAD = 3600 * 10**9  # nanoseconds by which an object keeps a later time


_seeking = threading.Lock()


def _pread(fd: int, into: memoryview, offset: int) -> None:
    """Fills into from a file."""
    while into:
        if hasattr(os, "preadv"):
            n = os.preadv(fd, [into], offset)
        else:
            with _seeking:
                os.lseek(fd, offset, os.SEEK_SET)
                b = os.read(fd, len(into))
            n = len(b)
            into[:n] = b
        if n == 0:
            raise Damaged("it ends early")
        into, offset = into[n:], offset + n


def _write(fd: int, b: Any) -> None:
    left = memoryview(b)
    while left:
        left = left[os.write(fd, left[: 16 << 20]) :]


class _Folder:
    """A cache's folder. Names are relative, with slashes; no symbolic link is followed."""

    def __init__(self, path: str, group: bool):
        self.path, self.group = path, group
        flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
        self.fd = os.open(path, flags) if _DIR_FD else None
        if self.fd is None and not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)

    @contextlib.contextmanager
    def within(self, name: str, make: bool = False) -> Iterator[Tuple[str, Optional[int]]]:
        """The last part of a name, and the open folder that it is in: what the functions of os take."""
        *folders, last = name.split("/")
        if self.fd is None:
            path = self.path
            for folder in folders:
                path = os.path.join(path, folder)
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(path, 0o700)
                if not stat_.S_ISDIR(os.lstat(path).st_mode):
                    raise _Foreign("%s: %s is no folder" % (name, folder))
            yield os.path.join(path, last), None
            return
        fd = self.fd
        try:
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, 0o700, dir_fd=fd)
                        if self.group:
                            os.chmod(folder, 0o2770, dir_fd=fd)
                try:
                    inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                except OSError as e:
                    if e.errno in (errno.ENOTDIR, errno.ELOOP):
                        raise _Foreign("%s: %s is no folder" % (name, folder)) from None
                    raise
                if fd != self.fd:
                    os.close(fd)
                fd = inner
            yield last, fd
        finally:
            if fd != self.fd:
                os.close(fd)

    def open(self, name: str) -> Tuple[int, os.stat_result]:
        """Opens a regular file for reading."""
        with self.within(name) as (base, at):
            try:
                fd = os.open(base, os.O_RDONLY | _OPEN, dir_fd=at)
            except OSError as e:
                if e.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                    raise _Foreign("%s is no regular file" % name) from None
                raise
        info = os.fstat(fd)
        if not stat_.S_ISREG(info.st_mode):
            os.close(fd)
            raise _Foreign("%s is no regular file" % name)
        return fd, info

    def get(self, name: str, limit: int) -> Tuple[bytes, int]:
        """A file's content, and its time of modification in nanoseconds."""
        fd, info = self.open(name)
        try:
            if info.st_size > limit:
                raise Damaged("%s has %d bytes, more than are read" % (name, info.st_size))
            b = bytearray(info.st_size)
            _pread(fd, memoryview(b), 0)
            return bytes(b), info.st_mtime_ns
        finally:
            os.close(fd)

    def stat(self, name: str) -> os.stat_result:
        with self.within(name) as (base, at):
            info = os.stat(base, dir_fd=at, follow_symlinks=False)
        if not stat_.S_ISREG(info.st_mode):
            raise _Foreign("%s is no regular file" % name)
        return info

    def freshen(self, name: str, ns: int) -> None:
        """Sets the time of modification."""
        with self.within(name) as (base, at):
            os.utime(base, ns=(ns, ns), **({"dir_fd": at} if at is not None else {}), **_NOFOLLOW)

    def sync(self, name: str) -> None:
        """Makes a name durable, and those of the folders that it is in."""
        if self.fd is None:
            return  # Windows has nothing to sync
        parts = name.split("/")
        while parts:
            with contextlib.suppress(FileNotFoundError), self.within("/".join(parts)) as (_, at):
                try:
                    os.fsync(at)  # type: ignore[arg-type]
                except OSError as e:
                    if e.errno not in (errno.EINVAL, errno.ENOTSUP):
                        raise
            parts.pop()

    def put(self, name: str, write: Callable[[int], None], ns: Optional[int] = None, durable: bool = False, keep: Optional[int] = None) -> bool:
        """Publishes a file, whole or not at all, in place of what has the name, unless that is a file of keep bytes: then it is False."""
        staged = "tmp/" + secrets.token_hex(13)
        with self.within(staged, make=True) as (base, at):
            fd = os.open(base, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=at)
            published = False
            try:
                if self.group and hasattr(os, "fchmod"):
                    os.fchmod(fd, 0o660)
                with contextlib.suppress(OSError):  # its age protects it otherwise
                    _set_lock(fd, exclusive=True, offset=0, length=0)
                write(fd)
                if durable:
                    os.fsync(fd)
                if ns is not None and os.utime in os.supports_fd:
                    os.utime(fd, ns=(ns, ns))
                if at is None:  # Windows renames no open file
                    os.close(fd)
                    fd = -1
                    if ns is not None:
                        os.utime(base, ns=(ns, ns))
                published = self.rename(base, at, name, keep)
            finally:
                if fd >= 0:
                    os.close(fd)
                if not published:
                    with contextlib.suppress(OSError):
                        os.unlink(base, dir_fd=at)
        if durable:
            self.sync(name)
        return published

    def rename(self, base: str, at: Optional[int], name: str, keep: Optional[int]) -> bool:
        aside = False
        for attempt in range(_RENAMES):
            try:
                with self.within(name, make=True) as (to, into):
                    if keep is not None:
                        # A rename takes the place of a file that came just now, and may be durable; a second name does not.
                        try:
                            os.link(base, to, src_dir_fd=at, dst_dir_fd=into, follow_symlinks=False)
                        except FileNotFoundError:
                            raise
                        except FileExistsError:
                            with contextlib.suppress(OSError):
                                info = os.stat(to, dir_fd=into, follow_symlinks=False)
                                if stat_.S_ISREG(info.st_mode) and info.st_size == keep:
                                    return False
                        except (OSError, NotImplementedError):
                            pass  # there are none in this file system
                    os.replace(base, to, src_dir_fd=at, dst_dir_fd=into)
                    if keep is not None:
                        with contextlib.suppress(OSError):  # of two names of one file, a replace leaves both
                            os.unlink(base, dir_fd=at)
                return True
            except FileNotFoundError:
                os.stat(base, dir_fd=at, follow_symlinks=False)  # of what is gone itself nothing can be expected
                if attempt == _RENAMES - 1:
                    raise
            except OSError:
                # A folder that stands there, which no rename replaces, is put aside.
                if aside:
                    raise
                aside = True
                try:
                    self.stat(name)
                except _Foreign:
                    self.quarantine(name)
                else:
                    raise

    def quarantine(self, name: str) -> None:
        """Takes what has the name out of the way."""
        aside = "quarantine/%s-%s" % (name.rsplit("/", 1)[-1], secrets.token_hex(4))
        with contextlib.suppress(FileNotFoundError):  # another reader put it aside already
            with self.within(name) as (base, at), self.within(aside, make=True) as (to, into):
                os.rename(base, to, src_dir_fd=at, dst_dir_fd=into)

    def delete(self, name: str) -> bool:
        """Removes a file, and the folders that it leaves empty but for the top one."""
        try:
            with self.within(name) as (base, at):
                os.unlink(base, dir_fd=at)
            removed = True
        except FileNotFoundError:
            removed = False
        folder = name.rpartition("/")[0]
        while "/" in folder:
            try:
                with self.within(folder) as (base, at):
                    os.rmdir(base, dir_fd=at)
            except (OSError, _Foreign):
                break
            folder = folder.rpartition("/")[0]
        return removed

    def list(self, folder: str) -> Iterator[str]:
        """The names of the regular files in a folder and below, sorted."""
        try:
            with self.within(folder + "/.") as (_, at):
                with os.scandir(at if at is not None else os.path.join(self.path, *folder.split("/"))) as entries:
                    found = [
                        (e.name + "/" * is_dir, is_dir)
                        for e in entries
                        for is_dir in (e.is_dir(follow_symlinks=False),)
                        if is_dir or e.is_file(follow_symlinks=False)
                    ]
        except (FileNotFoundError, _Foreign):
            return
        for name, is_dir in sorted(found):
            if is_dir:
                yield from self.list(folder + "/" + name[:-1])
            else:
                yield folder + "/" + name


# --- opening a cache ---

_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by numcache.\n"
    "# For information about cache directory tags see https://bford.info/cachedir/\n"
)
_README = """This folder is a numcache cache: results of functions, kept so that they need
not be computed again. It can be deleted at any time.

calls/    one record (JSON) for each cached call, by function and version
objects/  the arrays, by digest of their content. Python opens them:
          numpy.load("objects/ab/abcd….npy")

  numcache ls     lists what is here
  numcache clear  empties it
"""
_OWN_NAMES = frozenset(
    "calls objects quarantine tmp lock usage.json stats.json evicted.json sources.json CACHEDIR.TAG .gitignore README.txt format.json".split()
)
_UNAVAILABLE = frozenset(
    getattr(errno, name, -1) for name in "EACCES EPERM EROFS ENOSPC EDQUOT EIO ESTALE EMFILE ENFILE".split()
)


def _make_folder(path: str, group: bool) -> None:
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and parent != path:
        _make_folder(parent, group)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    if group:
        os.chmod(path, 0o2770)


def _check_owner(folder: _Folder, read_only: bool) -> None:
    """Refuses a folder that others can write, for whoever can write a cache can forge its results."""
    if folder.fd is None:
        return
    info, user = os.fstat(folder.fd), os.geteuid()
    mode = stat_.S_IMODE(info.st_mode)
    if mode & 0o002:
        raise Unsafe("everybody can write %s, its mode is %o; chmod o-w it, or choose another folder" % (folder.path, mode))
    if read_only:
        return
    if folder.group and (mode & 0o2070) != 0o2070:
        raise Unsafe("what is made in %s may be another group's, its mode is %o; chmod 2770 it" % (folder.path, mode))
    if info.st_uid not in (0, user) and not folder.group:
        raise Unsafe("%s belongs to the user %d, and this is %d; choose another folder, or open it with read_only" % (folder.path, info.st_uid, user))


def _prepare(folder: _Folder, read_only: bool) -> Optional[Error]:
    """Checks that the folder is a cache of this format, or makes it one. Returns what it repaired."""

    def tagged() -> bool:
        try:
            return b"numcache" in folder.get("CACHEDIR.TAG", 1 << 16)[0]
        except (OSError, Damaged):
            return False

    repaired: Optional[Error] = None
    try:
        members = _unseal(folder.get("format.json", 1 << 16)[0])
    except Damaged:
        if not tagged():
            raise NotCache("the format.json in %s is not numcache's; choose another folder" % folder.path) from None
        if read_only:
            raise Damaged("the format.json in %s; open the cache for writing once, which writes it anew" % folder.path) from None
        folder.quarantine("format.json")
        repaired = Damaged("the format.json in %s, which is written anew" % folder.path)
    except FileNotFoundError:
        for name in os.listdir(folder.fd if folder.fd is not None else folder.path):
            if name not in _OWN_NAMES or name != "tmp" and not tagged():
                raise NotCache("%s holds %s; choose an empty folder or a new one" % (folder.path, name)) from None
        if read_only:
            raise NotCache("%s has no format.json; name the folder of a cache" % folder.path) from None
    else:
        if members.get("format") != FORMAT:
            raise FormatError("%s has format %.20r, this version knows %d" % (folder.path, members.get("format"), FORMAT))
        return None
    sealed = _seal(b'{"format":%d,"writer":"%s",' % (FORMAT, WRITER.encode()))
    for name, content in (("CACHEDIR.TAG", _TAG.encode()), (".gitignore", b"*\n"), ("README.txt", _README.encode()), ("format.json", sealed)):
        folder.put(name, functools.partial(_write, b=content))
    return repaired


# --- locks ---

PULSE = 1.0  # seconds between two signs of life of one who holds a lock
_FLOCK = "hhqqi0q"  # short l_type, l_whence; off_t l_start, l_len; pid_t l_pid
_LOCKS = fcntl is not None and hasattr(fcntl, "F_OFD_SETLK") and struct.calcsize("P") == 8


class _Locked(Exception):
    """A lock that another has, who shows no sign of life or was waited for long enough."""


def _set_lock(fd: int, exclusive: bool, offset: int, length: int = 1) -> bool:
    """Takes or drops a lock of the open file description; False where another has it."""
    if not _LOCKS:
        raise OSError(errno.ENOTSUP, "no locks of open file descriptions")
    kind = fcntl.F_WRLCK if exclusive else fcntl.F_UNLCK
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, offset, length, 0))
        return True
    except OSError as e:
        if e.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise


def _is_locked(fd: int, offset: int) -> bool:
    b = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0))
    return struct.unpack(_FLOCK, b)[0] != fcntl.F_UNLCK


class _Lock:
    """A lock that is held, on the byte at offset of the lock file, with its pulse on the next byte."""

    def __init__(self, fd: int, offset: int):
        self.fd, self.offset = fd, offset
        self.mutex, self.beat, self.due = threading.Lock(), False, 0.0

    def acquire(self, patience: float, most: float, closed: threading.Event) -> None:
        """Waits while the holder gives signs of life, but no longer than most.

        Patience is spent by looking and not by the clock: whoever was stopped himself
        meanwhile has not waited.
        """
        wait, quiet, waited, last = 0.001, 0.0, 0.0, False
        while not _set_lock(self.fd, True, self.offset):
            beat = _is_locked(self.fd, self.offset + 1)
            if beat != last:
                quiet, last = 0.0, beat
            if quiet >= patience or waited >= most:
                raise _Locked("quiet" if quiet >= patience else "busy")
            step = min(wait, patience - quiet)
            if closed.wait(step):
                raise _Locked("closed")
            quiet, waited, wait = quiet + step, waited + step, min(2 * wait, 0.02)

    def toggle(self) -> None:
        with self.mutex:
            if self.fd >= 0:
                with contextlib.suppress(OSError):  # the next one may show
                    _set_lock(self.fd, not self.beat, self.offset + 1)
                    self.beat = not self.beat

    def release(self) -> None:
        _pulse.remove(self)
        with self.mutex:
            if self.fd < 0:
                return
            # To close the file would do, but for a child process that has it open too.
            with contextlib.suppress(OSError):
                _set_lock(self.fd, False, self.offset)
            with contextlib.suppress(OSError):
                _set_lock(self.fd, False, self.offset + 1)
            os.close(self.fd)
            self.fd = -1


class _Pulse:
    """A thread that gives the signs of life of all locks that this process holds."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.locks: List[_Lock] = []
        self.thread: Optional[threading.Thread] = None

    def add(self, lock: _Lock) -> None:
        with self.changed:
            lock.due = time.monotonic() + PULSE
            self.locks.append(lock)
            if self.thread is None:
                self.thread = threading.Thread(target=self.run, name="numcache-pulse", daemon=True)
                try:
                    self.thread.start()
                except RuntimeError:  # others lose patience; locks only save work
                    self.thread = None
            elif len(self.locks) == 1:
                self.changed.notify()

    def remove(self, lock: _Lock) -> None:
        with self.changed:
            if lock in self.locks:
                self.locks.remove(lock)

    def run(self) -> None:
        while True:
            with self.changed:
                while not self.locks:
                    self.changed.wait()
                now = time.monotonic()
                due = [lock for lock in self.locks if lock.due <= now]
                for lock in due:
                    lock.due = now + PULSE
                if not due:
                    self.changed.wait(min(lock.due for lock in self.locks) - now)
            for lock in due:
                lock.toggle()


_pulse = _Pulse()


# --- calls that are being computed ---


class _Flight:
    """The computation of one key, for all the threads that ask for it meanwhile."""

    def __init__(self, key: str, around: Optional["_Flight"]):
        self.key, self.around = key, around
        self.owner = threading.get_ident()
        self.done = threading.Event()
        self.waiters = 0
        self.shared = False  # value is what waiters get copies of
        self.value: Any = None
        self.error: Optional[Exception] = None


class _Sky:
    """The flights of this process, which know who waits for whom, so that none waits for itself."""

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self.waits: Dict[int, _Flight] = {}  # by the thread that waits
        self.local = threading.local()

    def around(self) -> Optional[_Flight]:
        """The flight that the current thread computes."""
        return getattr(self.local, "flight", None)

    def wait(self, flight: _Flight) -> bool:
        """Waits for a flight to land; False where it waits, in the end, for this thread."""
        me = threading.get_ident()
        with self.mutex:
            next_: Optional[_Flight] = flight
            while next_ is not None and not next_.done.is_set():
                if next_.owner == me:
                    return False
                next_ = self.waits.get(next_.owner)
            self.waits[me] = flight
        try:
            flight.done.wait()
            return True
        finally:
            with self.mutex:
                del self.waits[me]


_sky = _Sky()


# --- the cache ---


@dataclasses.dataclass
class Stats:
    """What a Cache did since it was opened."""

    hits: int = 0  #: calls answered from the cache
    misses: int = 0  #: calls computed
    shared: int = 0  #: calls that waited for the computation of another
    faults: int = 0  #: things that went wrong without failing a call
    saved: float = 0.0  #: seconds of compute time of the hits, less what they took


_caches: List["weakref.ref[Cache]"] = []


class Cache:
    """A cache in a folder; see open. Use it in a with statement, or close it."""

    def __init__(self, path: str, sync: str, patience: float, read_only: bool, group: bool):
        self.path = path
        self._sync, self._patience, self._read_only = sync, patience, read_only
        self._folder: Optional[_Folder] = None
        self._users = 0
        self._closed = threading.Event()
        self._mutex = threading.Lock()
        self._flights: Dict[str, _Flight] = {}
        self._landed = 0
        self._stats = Stats()
        self._seen: set = set()
        self._locks: List[_Lock] = []
        self._open(group)
        _remember(self)

    def _open(self, group: bool) -> None:
        folder = None
        try:
            if not self._read_only:
                _make_folder(self.path, group)
            folder = _Folder(self.path, group)
            _check_owner(folder, self._read_only)
            repaired = _prepare(folder, self._read_only)
        except BaseException as e:
            if folder is not None:
                folder.close()
            if isinstance(e, OSError) and (e.errno in _UNAVAILABLE or self._read_only and e.errno == errno.ENOENT):
                self._fault(e)  # every call computes
                return
            raise
        self._folder = folder
        if repaired is not None:
            self._fault(repaired)

    def __enter__(self) -> "Cache":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_folder"):
            self.close()

    def __repr__(self) -> str:
        return "numcache.Cache(%r)" % self.path

    def close(self) -> None:
        """Frees the folder. Functions memoized with the cache still work, and compute every time."""
        with self._mutex:
            self._closed.set()
            folder = self._folder if self._users == 0 else None
            if folder is not None:
                self._folder = None
        if folder is not None:
            folder.close()

    @contextlib.contextmanager
    def _use(self) -> Iterator[Optional[_Folder]]:
        """The folder, which stays open meanwhile; None where nothing is cached."""
        with self._mutex:
            folder = None if self._closed.is_set() else self._folder
            self._users += folder is not None
        try:
            yield folder
        finally:
            last = None
            if folder is not None:
                with self._mutex:
                    self._users -= 1
                    if self._users == 0 and self._closed.is_set():
                        last, self._folder = self._folder, None
            if last is not None:
                last.close()

    def stats(self) -> Stats:
        """What this Cache did since it was opened."""
        with self._mutex:
            return dataclasses.replace(self._stats)

    def _count(self, hits: int = 0, misses: int = 0, shared: int = 0, saved: float = 0.0) -> None:
        with self._mutex:
            self._stats.hits += hits
            self._stats.misses += misses
            self._stats.shared += shared
            self._stats.saved += saved

    def _fault(self, error: BaseException, function: str = "") -> None:
        """Counts and logs what went wrong: the first of its kind as a warning, so that a full disk does not fill the log too."""
        kind = str(error.strerror) if isinstance(error, OSError) else "%s: %s" % (type(error).__name__, error)
        with self._mutex:
            self._stats.faults += 1
            first = kind not in self._seen and len(self._seen) < 100
            if first:
                self._seen.add(kind)
        _log.log(
            logging.WARNING if first else logging.DEBUG,
            "numcache: the cache in %s could not serve a call%s, which goes on without it: %s",
            self.path, " of " + function if function else "", error,
        )

    # -- what users call --

    def memo(self, *, name: str, version: str = "", ignore: Sequence[str] = ()) -> Callable[[Callable[..., Any]], "Memoized"]:
        """A decorator that memoizes a function.

        name identifies the function among all that use the cache, in any language; version
        says which behaviour of it: change it whenever the function would return something
        else. ignore names parameters that are no part of the key, which may be of any type.
        """
        return lambda fn: Memoized(self, fn, name, version, ignore)

    def records(self) -> Iterator[Record]:
        """The calls in the cache, by function and version, then key. What cannot be read counts as a fault."""
        with self._use() as folder:
            if folder is None:
                return
            for name in folder.list("calls"):
                if not name.endswith(".json"):
                    continue
                try:
                    yield self._read_record(folder, name).record()
                except FileNotFoundError:
                    continue  # forgotten since it was listed
                except (OSError, Error) as e:
                    self._fault(e)

    def clear(self) -> int:
        """Empties the cache and returns how many files that removed."""
        return self._remove("calls", "objects", "quarantine")

    def _remove(self, *folders: str) -> int:
        if self._read_only:
            raise ReadOnly("the cache in %s was opened with read_only" % self.path)
        with self._use() as folder:
            if folder is None:
                return 0
            return sum([folder.delete(name) for within in folders for name in list(folder.list(within))])

    # -- reading --

    def _read_record(self, folder: _Folder, name: str) -> _Stored:
        try:
            stored = _Stored(*folder.get(name, MAX_RECORD))
            if _record_name(stored.function, stored.version, stored.key) != name:
                raise Damaged("it is the record of another call")
        except Damaged as e:
            raise type(e)("%s: %s" % (name, e)) from None
        return stored

    def _entry(self, folder: _Folder, key: "_Named") -> _Stored:
        stored = self._read_record(folder, key.record_name)
        if (stored.function, stored.version, stored.key) != (key.function, key.version, key.hex):
            raise Damaged("%s: it is the record of another call" % key.record_name)
        return stored

    def _set_aside(self, folder: _Folder, name: str) -> None:
        if not self._read_only:
            folder.quarantine(name)

    def _stored(self, key: "_Named") -> bool:
        """Whether there is an intact record of the call whose results have their files."""
        with self._use() as folder:
            if folder is None:
                return False
            try:
                stored = self._entry(folder, key)
                for info in _arrays_in(stored.results):
                    self._stat_object(folder, info.digest)
                return True
            except (FileNotFoundError, Damaged, FormatError):
                return False

    def _stat_object(self, folder: _Folder, hex_: str) -> str:
        """The name of the file of an object, in either form."""
        try:
            folder.stat(_object_name(hex_))
            return _object_name(hex_)
        except FileNotFoundError:
            folder.stat(_object_name(hex_, ".npz"))
            return _object_name(hex_, ".npz")

    def _load(self, key: "_Named", hint: Any, mmap_mode: Optional[str] = None) -> Tuple[Any, _Stored]:
        """The results of a cached call. Damaged files are put aside; where there are no results the error says why."""
        with self._use() as folder:
            if folder is None:
                raise FileNotFoundError(errno.ENOENT, "nothing is cached", self.path)
            try:
                stored = self._entry(folder, key)
            except Damaged:
                self._set_aside(folder, key.record_name)
                raise
            values = [_decoded(node, lambda info: self._object(folder, info, mmap_mode)) for node in stored.results]
            if len(values) == 1:
                value = _typed(values[0], hint)
            else:
                value = tuple(_typed(v, _item_hint(hint, i, len(values))) for i, v in enumerate(values))
            self._touch(folder, key, stored)
            return value, stored

    def _object(self, folder: _Folder, info: ArrayInfo, mmap_mode: Optional[str]) -> np.ndarray:
        name = _object_name(info.digest)
        try:
            try:
                fd, found = folder.open(name)
            except FileNotFoundError:
                packed = _object_name(info.digest, ".npz")
                fd, found = folder.open(packed)
                name = packed
            try:
                if name.endswith(".npz"):
                    return _read_packed(fd, info)
                return _read_plain(fd, found.st_size, info, mmap_mode)
            finally:
                os.close(fd)
        except Damaged as e:
            self._set_aside(folder, name)
            raise type(e)("%s: %s" % (name, e)) from None

    def _touch(self, folder: _Folder, key: "_Named", stored: _Stored) -> None:
        """Notes that an entry was used, at most hourly: first its objects, then the record, to the same time."""
        now = time.time_ns()
        if self._read_only or 0 <= now - stored.modified < 3600 * 10**9:
            return
        try:
            for info in _arrays_in(stored.results):
                folder.freshen(self._stat_object(folder, info.digest), now)
            for table in _tables_in(stored.members.get("args")):
                with contextlib.suppress(FileNotFoundError):  # the entry is whole without
                    folder.freshen(self._stat_object(folder, table), now)
            folder.freshen(key.record_name, now)
        except OSError as e:  # a hit is a hit
            if e.errno not in _UNAVAILABLE and e.errno != errno.ENOENT:
                self._fault(e, key.function)

    # -- writing --

    def _save(self, key: _Key, name: str, value: Any, took: float) -> None:
        """Publishes an entry: the objects first, the record, which makes it visible, last."""
        with self._use() as folder:
            if folder is None or self._read_only:
                return
            results = _Results(value)
            created = time.time_ns()
            durable = self._sync == "full" or self._sync == "auto" and took >= 0.1
            for info, a in results.objects:
                self._put_object(folder, info, a, created, durable)
            for sums in key.tables():  # none is worth a sync: without it a miss is explained in fewer words
                self._put_object(folder, _hash(sums).info(), sums, created, False)
            body = '{"format":%d,"key":"%s","function":%s,"version":%s,"args":[%s],"results":%s,"created":"%s","duration":%s,"writer":%s,' % (
                FORMAT, key.hex, _json_string(_utf8(key.function)), _json_string(_utf8(key.version)),
                ",".join(_json_argument(*a) for a in key.args), results.json, _moment_text(created), _json_float(took), _quoted(WRITER),
            )
            record = _seal(body.encode())
            if len(record) > MAX_RECORD:
                raise Unsupported("a record of %d bytes, more than are read; return arrays, or one string" % len(record))
            folder.put(name, functools.partial(_write, b=record), created, durable)

    def _put_object(self, folder: _Folder, info: ArrayInfo, a: np.ndarray, ns: int, durable: bool) -> None:
        """Publishes an object, or leaves the one that is there, unless it is to be durable: who wrote that one may not have synced it."""
        name, header = _object_name(info.digest), _header(info.dtype, info.shape)
        elements = a.size * np.dtype(info.dtype).itemsize
        size = len(header) + elements

        def write(fd: int) -> None:
            _write(fd, header)
            piece, chunks = _pieces(a, info.dtype), -(-elements // CHUNK)
            for lo in range(0, chunks, 16):
                _write(fd, piece(lo, min(lo + 16, chunks)))

        for keep in (size, None):
            modified = ns
            with contextlib.suppress(OSError, _Foreign):
                there = folder.stat(name)
                if there.st_size == size:
                    if 0 < there.st_mtime_ns - ns <= _MAX_AHEAD:
                        modified = there.st_mtime_ns
                    if not durable and self._is_whole(folder, name, info):
                        folder.freshen(name, modified)
                        return
            if folder.put(name, write, modified, durable, None if durable else keep):
                return

    def _is_whole(self, folder: _Folder, name: str, info: ArrayInfo) -> bool:
        """Whether a file is the object that its name says. One that is damaged is put aside."""
        fd, found = folder.open(name)
        try:
            _read_plain(fd, found.st_size, info, "r")
            return True
        except Damaged as e:
            self._set_aside(folder, name)
            self._fault(type(e)("%s: %s" % (name, e)))
            return False
        finally:
            os.close(fd)

    # -- one computation of a key --

    def _turn(self, key: "_Named", nested: bool) -> Optional[_Lock]:
        """Waits until no other process computes the key, and returns its lock; None where there are no locks."""
        if not _LOCKS or self._patience <= 0:
            return None
        with self._use() as folder:
            if folder is None or self._read_only:
                return None
            flags = os.O_RDWR | os.O_CREAT | _OPEN
            fd = os.open("lock", flags, 0o600, dir_fd=folder.fd)
            try:
                info = os.fstat(fd)
                if not stat_.S_ISREG(info.st_mode):
                    raise _Foreign("lock is no regular file")
                if folder.group and stat_.S_IMODE(info.st_mode) != 0o660:
                    with contextlib.suppress(OSError):
                        os.fchmod(fd, 0o660)
                lock = _Lock(fd, 2 * (int(key.hex[:16], 16) >> 3))
                # A nested call may wait for one that it is nested in, in another process.
                lock.acquire(self._patience, self._patience if nested else math.inf, self._closed)
            except BaseException:
                os.close(fd)
                raise
        with self._mutex:
            self._locks = [held for held in self._locks if held.fd >= 0] + [lock]
        _pulse.add(lock)
        return lock

    def _join(self, key: str, landed: int) -> Tuple[Optional[_Flight], bool]:
        """The flight for a key, and whether this thread is to compute it; None if one has landed since."""
        with self._mutex:
            flight = self._flights.get(key)
            if flight is not None:
                flight.waiters += 1
                return flight, False
            if 0 <= landed != self._landed:
                return None, False
            flight = self._flights[key] = _Flight(key, _sky.around())
            return flight, True

    def _land(self, flight: _Flight) -> bool:
        """Takes the flight off the list, and reports whether somebody waits for it."""
        with self._mutex:
            self._landed += 1
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            return flight.waiters > 0

    def _do(self, f: "Memoized", key: _Key, call: Callable[[], Any], began: float) -> Any:
        """The results of a call: from the cache, or from another thread, or computed and stored."""
        named = _Named(key.function, key.version, key.hex)
        for attempt in range(3):
            landed = self._landed if attempt < 2 else -1
            try:
                value, stored = self._load(named, f._returns)
                self._count(hits=1, saved=stored.duration - (time.perf_counter() - began))
                return value
            except Exception as e:
                self._miss(e, key.function)
            flight, first = self._join(key.hex, landed)
            if flight is None:
                continue
            if first:
                return self._fly(f, key, named, call, flight, began)
            if not _sky.wait(flight):
                break
            if flight.error is not None:
                self._count(shared=1)
                raise flight.error
            if flight.shared:
                self._count(shared=1)
                return _copied(flight.value)
            # It was interrupted, or what it returned cannot be copied.
        self._count(misses=1)
        return call()

    def _miss(self, e: Exception, function: str) -> None:
        """Tells of an error of a look-up, unless it is the plain absence of an entry."""
        if not isinstance(e, (FileNotFoundError, _Miss, FormatError)):
            self._fault(e, function)

    def _fly(self, f: "Memoized", key: _Key, named: "_Named", call: Callable[[], Any], flight: _Flight, began: float, refresh: bool = False) -> Any:
        """Computes and stores, for this thread and those that wait for it."""
        lock = None
        _sky.local.flight = flight
        try:
            within, around = False, flight.around
            while around is not None:
                within, around = within or around.key == key.hex, around.around
            if not refresh and not within:
                try:
                    lock = self._turn(named, flight.around is not None)
                except _Locked as e:
                    if str(e) == "quiet":
                        self._fault(Error("the process that computes it has shown no sign of life for %g seconds, so it is computed here too" % self._patience), key.function)
                except OSError as e:
                    if e.errno not in _UNAVAILABLE and e.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.EOVERFLOW):
                        self._fault(e, key.function)
                except Exception as e:
                    self._fault(e, key.function)
                try:
                    value, stored = self._load(named, f._returns)  # somebody may have stored it meanwhile
                    self._count(hits=1, saved=stored.duration - (time.perf_counter() - began))
                    return self._share_with(flight, value)
                except Exception as e:
                    self._miss(e, key.function)
            started = time.perf_counter()
            try:
                value = call()
            except Exception as e:
                flight.error = e
                raise
            took = time.perf_counter() - started
            self._count(misses=1)
            try:
                value = _plain_results(value, f._returns)
            except Exception as e:
                self._fault(Unsupported("a result of %s: %s" % (key.function, e)), key.function)
                return value
            try:
                self._save(key, named.record_name, value, took)
            except Exception as e:
                self._fault(e, key.function)
            return self._share_with(flight, value)
        finally:
            _sky.local.flight = flight.around
            self._land(flight)
            flight.done.set()
            if lock is not None:
                lock.release()

    def _share_with(self, flight: _Flight, value: Any) -> Any:
        """Keeps a copy for those who wait, before the first caller can change the value."""
        if self._land(flight):
            with contextlib.suppress(Exception):
                flight.value = _copied(value)
                flight.shared = True
        return value

    def _after_fork(self) -> None:
        """A child has none of the threads that compute or wait, and holds no lock."""
        self._mutex, self._closed = threading.Lock(), threading.Event()
        self._flights, self._users = {}, 0
        for lock in self._locks:
            if lock.fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(lock.fd)
                lock.fd, lock.mutex = -1, threading.Lock()
        self._locks = []


class _Named:
    """What names a call: enough to read it."""

    def __init__(self, function: str, version: str, hex_: str):
        self.function, self.version, self.hex = function, version, hex_
        self.record_name = _record_name(function, version, hex_)


def _remember(cache: Cache) -> None:
    _caches[:] = [r for r in _caches if r() is not None] + [weakref.ref(cache)]


def _after_fork() -> None:
    global _pulse, _sky, _seeking
    _pulse, _sky, _seeking = _Pulse(), _Sky(), threading.Lock()
    for r in _caches:
        cache = r()
        if cache is not None:
            cache._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _read_plain(fd: int, size: int, info: ArrayInfo, mmap_mode: Optional[str]) -> np.ndarray:
    """Reads and verifies an object that is a .npy file. Nothing is allocated before its length and header are right."""
    header = _header(info.dtype, info.shape)
    table = _Table(info.dtype, info.shape)
    if size != len(header) + table.size:
        raise Damaged("it has %d bytes, not %d" % (size, len(header) + table.size))
    found = bytearray(len(header))
    _pread(fd, memoryview(found), 0)
    if found != header:
        raise Damaged("its header is not that of %s" % info)
    a = None
    if mmap_mode is None or table.size == 0:
        a = np.empty(info.shape, info.dtype)
    raw = memoryview(a.reshape(-1).view(np.uint8)) if a is not None else None

    def read(lo: int, hi: int) -> None:
        lo_, hi_ = lo * CHUNK, min(hi * CHUNK, table.size)
        piece = raw[lo_:hi_] if raw is not None else memoryview(bytearray(hi_ - lo_))
        _pread(fd, piece, len(header) + lo_)
        if info.dtype == "|b1" and np.frombuffer(piece, np.uint8).max(initial=0) > 1:
            raise Damaged("a bool is neither 0 nor 1")
        table.add(lo, piece)

    _share(table.chunks, read)
    if table.digest() != info.digest:
        raise Damaged("its content does not match its digest")
    if a is not None:
        a.flags.writeable = mmap_mode != "r"
        return a if sys.byteorder == "little" else a.astype(a.dtype.newbyteorder("="))
    with os.fdopen(os.dup(fd), "rb") as f:
        return np.memmap(f, dtype=info.dtype, mode=mmap_mode, offset=len(header), shape=info.shape)  # type: ignore[call-overload]


def _read_packed(fd: int, info: ArrayInfo) -> np.ndarray:
    """Reads and verifies a compressed object: a zip file of one member, which inflates to no more than it should."""
    header = _header(info.dtype, info.shape)
    table = _Table(info.dtype, info.shape)
    try:
        with os.fdopen(os.dup(fd), "rb") as f:
            f.seek(0)
            with zipfile.ZipFile(f) as z:
                members = z.infolist()
                if [m.filename for m in members] != ["data.npy"]:
                    raise Damaged("its members are not the one data.npy")
                if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Damaged("its member is compressed in another way")
                if members[0].file_size != len(header) + table.size:
                    raise Damaged("its member has %d bytes, not %d" % (members[0].file_size, len(header) + table.size))
                # deflate packs a thousand bytes into one at most, so that a small file cannot ask for much memory.
                if table.size > 1032 * os.fstat(fd).st_size + 1024:
                    raise Damaged("its member cannot inflate to %d bytes" % table.size)
                with z.open(members[0]) as member:
                    if member.read(len(header)) != header:
                        raise Damaged("its header is not that of %s" % info)
                    a = np.empty(info.shape, info.dtype)
                    raw = memoryview(a.reshape(-1).view(np.uint8))
                    for i in range(table.chunks):
                        piece = raw[i * CHUNK : (i + 1) * CHUNK]
                        at = 0
                        while at < len(piece):
                            b = member.read(len(piece) - at)
                            if not b:
                                raise Damaged("it ends early")
                            piece[at : at + len(b)] = b
                            at += len(b)
                        table.add(i, piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as e:
        raise Damaged("no zip file: %s" % e) from None
    if table.digest() != info.digest:
        raise Damaged("its content does not match its digest")
    return a if sys.byteorder == "little" else a.astype(a.dtype.newbyteorder("="))


# --- memoized functions ---


class Memoized:
    """A memoized function. It is called as the function itself; its methods take the same arguments."""

    def __init__(self, cache: Cache, fn: Callable[..., Any], name: str, version: str, ignore: Sequence[str]):
        if not callable(fn):
            raise Unsupported("%s is to memoize a function, not a %s" % (name, type(fn).__name__))
        if inspect.iscoroutinefunction(fn) or inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise Unsupported("%s is a coroutine or generator, whose result is nothing that can be kept" % name)
        if not isinstance(name, str) or not name or not isinstance(version, str):
            raise Error("a function needs a name and a version, which are strings, and the name not empty")
        self._named = (name, version)
        _Key(name, version, ())  # which refuses what is no text
        self._cache, self._fn, self._signature = cache, fn, inspect.signature(fn)
        self._ignore = frozenset((ignore,) if isinstance(ignore, str) else ignore)
        unknown = self._ignore - set(self._signature.parameters)
        if unknown:
            raise Error("ignore of %s names %s; its parameters are %s" % (name, ", ".join(sorted(unknown)), ", ".join(self._signature.parameters)))
        try:
            hints = typing.get_type_hints(fn, include_extras=True)
        except Exception:  # names that are not there at run time
            hints = {}
        self._hints = {}
        for p in self._signature.parameters.values():
            hint = hints.get(p.name)
            if hint is not None and p.kind is p.VAR_POSITIONAL:
                hint = List[hint]  # type: ignore[valid-type]
            elif hint is not None and p.kind is p.VAR_KEYWORD:
                hint = Dict[str, hint]  # type: ignore[valid-type]
            self._hints[p.name] = hint
        self._returns = hints.get("return")
        functools.update_wrapper(self, fn)

    def __repr__(self) -> str:
        return "<memoized %s, version %r>" % self._named

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def _bind(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> inspect.BoundArguments:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound

    def _key(self, bound: inspect.BoundArguments) -> _Key:
        counted = [(name, value, self._hints[name]) for name, value in bound.arguments.items() if name not in self._ignore]
        return _Key(*self._named, counted)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(args, kwargs, False)

    def refresh(self, *args: Any, **kwargs: Any) -> Any:
        """Computes, whatever the cache holds, and stores the results in place of that."""
        return self._run(args, kwargs, True)

    def _run(self, args: Tuple[Any, ...], kwargs: Dict[str, Any], refresh: bool) -> Any:
        began = time.perf_counter()
        try:
            bound = self._bind(args, kwargs)
        except TypeError:
            return self._fn(*args, **kwargs)  # which says what is wrong with the arguments

        def call() -> Any:
            return self._fn(*bound.args, **bound.kwargs)

        try:
            key = self._key(bound)
        except Exception as e:
            self._cache._fault(e, self._named[0])
            self._cache._count(misses=1)
            return call()
        if refresh:
            flight = _Flight(key.hex, _sky.around())
            return self._cache._fly(self, key, _Named(*self._named, key.hex), call, flight, began, refresh=True)
        return self._cache._do(self, key, call, began)

    def _ref(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> "Ref":
        return Ref(*self._named, self._key(self._bind(args, kwargs)).hex, self._cache, returns=self._returns)

    def key(self, *args: Any, **kwargs: Any) -> str:
        """The key of the call, 32 hex digits; Unsupported where an argument cannot be part of one."""
        return self._key(self._bind(args, kwargs)).hex

    def has(self, *args: Any, **kwargs: Any) -> bool:
        """Whether the call would be a hit. The results are not read."""
        return self._ref(args, kwargs).exists()

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """The results from the cache, NotFound where it does not hold them. Nothing is computed."""
        return self._ref(args, kwargs).get()

    def shelve(self, *args: Any, **kwargs: Any) -> "Ref":
        """Calls the function, unless the cache holds the results, and returns a reference to them.

        Where they could not be stored the reference holds them itself.
        """
        began = time.perf_counter()
        try:
            ref = self._ref(args, kwargs)
        except Exception:
            ref = Ref(*self._named, "", self._cache, returns=self._returns)
        if ref.key and ref.exists():
            self._cache._count(hits=1, saved=-(time.perf_counter() - began))
            return ref
        value = self(*args, **kwargs)
        if not (ref.key and ref.exists()):
            ref._held = (value,)
        return ref

    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Removes the results of the call."""
        self._ref(args, kwargs).forget()

    def clear(self) -> int:
        """Removes the results of all calls of the function, of every version, and returns how many there were.

        Arrays stay until numcache trim or Cache.clear, as other calls may share them.
        """
        return self._cache._remove("calls/" + _segment(self._named[0]))


class Ref:
    """A reference to the results of one call, which does not hold them."""

    def __init__(self, function: str, version: str, key: str, cache: Cache, returns: Any = None):
        self.function, self.version, self.key = function, version, key
        self._cache, self._returns = cache, returns
        self._held: Optional[Tuple[Any]] = None

    def __repr__(self) -> str:
        return "<numcache reference %s/%s/%s>" % (self.function, self.version, self.key)

    def exists(self) -> bool:
        """Whether the results are there."""
        return self._held is not None or self._cache._stored(_Named(self.function, self.version, self.key))

    def get(self, mmap_mode: Optional[str] = None) -> Any:
        """The results, verified; NotFound where they are no longer there.

        With mmap_mode "r" arrays are mapped and cannot be written, with "c" what is written
        stays in memory. The whole file is verified before it is mapped. Arrays that are
        empty, or were stored compressed, are read into memory all the same.
        """
        if mmap_mode not in (None, "r", "c"):
            raise ValueError("mmap_mode is %r; use 'r', 'c' or None, for results in a cache are never changed" % (mmap_mode,))
        if self._held is not None:
            return self._held[0]
        try:
            return self._cache._load(_Named(self.function, self.version, self.key), self._returns, mmap_mode)[0]
        except (FileNotFoundError, Damaged, FormatError, _Miss) as e:
            raise NotFound("%s %s, %s: %s" % (self.function, self.version, self.key, e)) from None

    def record(self) -> Record:
        """What is known of the call; NotFound where it is no longer there."""
        try:
            with self._cache._use() as folder:
                if folder is None or not self.key:
                    raise FileNotFoundError("nothing is cached")
                return self._cache._entry(folder, _Named(self.function, self.version, self.key)).record()
        except (FileNotFoundError, Damaged, FormatError) as e:
            raise NotFound("%s %s, %s: %s" % (self.function, self.version, self.key, e)) from None

    def forget(self) -> None:
        """Removes the results, so that they are computed next time."""
        self._held = None
        if self._cache._read_only:
            raise ReadOnly("the cache in %s was opened with read_only" % self._cache.path)
        with self._cache._use() as folder:
            if folder is not None and self.key:
                folder.delete(_record_name(self.function, self.version, self.key))


def open(path: "str | os.PathLike[str]", *, sync: str = "auto", patience: float = 30.0, read_only: bool = False, group: bool = False) -> Cache:
    """Opens the cache in a folder, which it makes, private to the user, where it is missing.

    A folder that holds something else is NotCache, one of a later format FormatError, one
    that others can write Unsafe. One that cannot be made or written, for want of permission
    or of space, is no error: the cache counts a fault and computes, or serves what it reads.

    sync: "auto" syncs what took a tenth of a second or longer to compute, so that a power cut
    does not lose it; "full" everything, "none" nothing. patience: the seconds after which a
    process that computes the same key and shows no sign of life is waited for no longer;
    with 0 nobody waits. read_only: serve what is there and change nothing. group: the
    folder is shared with its group; every member says so.
    """
    if sync not in ("auto", "full", "none"):
        raise ValueError("sync is %r; use 'auto', 'full' or 'none'" % (sync,))
    return Cache(os.path.abspath(os.fspath(path)), sync, patience, read_only, group)
