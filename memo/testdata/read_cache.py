"""Reads a numcache cache by what memo/FORMAT.md says and by nothing else, and
checks every byte of it: names, checks, keys, digests, and that NumPy itself
would have written the objects. With the path of a secret it also counts the
records that are signed, and checks the content digests of their arrays."""

import base64
import hashlib
import hmac
import io
import json
import os
import struct
import sys

import numpy as np
import xxhash


def short_sha(b):
    return hashlib.sha256(b).digest()[:16]


def hash_chunks(domain, a, chunk_digest):
    a = np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<"), copy=False).reshape(a.shape)
    data = a.tobytes()
    h = hashlib.sha256(domain + b"\n" + a.dtype.str.encode() + b"\n" + repr(a.shape).encode() + b"\n")
    for i in range(0, len(data), 262144):
        h.update(chunk_digest(data[i : i + 262144]))
    return h.digest()


def array_digest(a):
    fast = lambda chunk: xxhash.xxh64(chunk).digest() + xxhash.xxh3_64(chunk).digest()
    return hash_chunks(b"numcache/array/1", a, fast)[:16].hex()


def content_digest(a):
    return hash_chunks(b"numcache/content/1", a, lambda chunk: hashlib.sha256(chunk).digest()).hex()


def mac_member(secret, body):
    return b'"mac":"' + hmac.new(secret, b"numcache/record/1\n" + body, hashlib.sha256).hexdigest().encode() + b'",'


def check_member(body):
    return b'"check":"' + short_sha(body).hex().encode() + b'"}\n'


def is_signed(secret, raw):
    body, tail = raw[:-117], raw[-117:-44]
    return hmac.compare_digest(tail, mac_member(secret, body))


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return b"s%d:" % len(b) + b


def float_hex(node):
    f = node if isinstance(node, float) else struct.unpack(">d", bytes.fromhex(node["float"]))[0]
    return b"7ff8000000000000" if f != f else struct.pack(">d", f).hex().encode()


def encode(node):
    """The tagged bytes of an argument as a record has it."""
    if node is None:
        return b"n"
    if node is True or node is False:
        return b"b1" if node else b"b0"
    if isinstance(node, int):
        return b"i%d;" % node
    if isinstance(node, float) or "float" in node:
        return b"f" + float_hex(node)
    if isinstance(node, str):
        return text(node)
    if isinstance(node, list):
        return b"l%d:" % len(node) + b"".join(map(encode, node))
    if "array" in node:
        return b"a" + node["array"].encode()
    if "complex" in node:
        return b"c" + b"".join(map(float_hex, node["complex"]))
    if "bytes" in node:
        b = base64.b64decode(node["bytes"])
        return b"y%d:" % len(b) + b
    if "string" in node:
        return text(base64.b64decode(node["string"]))
    m = {k.encode(): v for k, v in node["map"].items()}
    return b"d%d:" % len(m) + b"".join(text(k) + encode(m[k]) for k in sorted(m))


DEVICES = {"con", "prn", "aux", "nul"} | {d + str(i) for d in ("com", "lpt") for i in range(10)}


def segment(s):
    raw = s.encode()
    out = b""
    for i, c in enumerate(raw):
        plain = chr(c).isascii() and (chr(c).isalnum() or chr(c) in "-_" or chr(c) == "." and 0 < i < len(raw) - 1)
        if plain and not (i == 0 and s.split(".")[0].lower() in DEVICES):
            out += bytes([c])
        else:
            out += b"%%%02X" % c
    if not raw:
        return "%"
    if len(out) > 200:
        cut = 166
        for back in (1, 2):
            if out[cut - back : cut - back + 1] == b"%":
                cut -= back
                break
        out = out[:cut] + b"%-" + short_sha(raw).hex().encode()
    return out.decode()


def arrays(node):
    if isinstance(node, list):
        for item in node:
            yield from arrays(item)
    elif isinstance(node, dict):
        if "array" in node:
            yield node
        else:
            for item in node.values():
                yield from arrays(item)


MEMBERS = "format key function version args results created duration writer check".split()


def main(root, secret=None):
    records = objects = keys = signed = 0
    named = set()
    for folder, _, files in os.walk(os.path.join(root, "calls")):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                raw = f.read()
            assert raw[-44:] == check_member(raw[:-44]), path
            r = json.loads(raw)
            assert list(r) in (MEMBERS, MEMBERS[:-1] + ["sha256", "mac", "check"]), path
            assert r["format"] == 1
            want = os.path.join(root, "calls", segment(r["function"]), segment(r["version"]), r["key"][:2], r["key"] + ".json")
            assert path == want, (path, want)
            if not any(isinstance(a, dict) and "omitted" in a for a in r["args"]):
                call = b"numcache/call/1\n" + text(r["function"]) + text(r["version"]) + encode(r["args"])
                assert short_sha(call).hex() == r["key"], path
                keys += 1
            sealed = secret is not None and is_signed(secret, raw)
            signed += sealed
            for a in arrays(r["results"]):
                named.add(a["array"])
                object_path = os.path.join(root, "objects", a["array"][:2], a["array"] + ".npy")
                value = np.load(object_path, allow_pickle=False)
                assert value.dtype.str == a["dtype"] and list(value.shape) == a["shape"], object_path
                assert not sealed or r["sha256"][a["array"]] == content_digest(value), object_path
            for a in arrays(r["args"]):
                if "table" in a:
                    named.add(a["table"])
                    sums = np.load(os.path.join(root, "objects", a["table"][:2], a["table"] + ".npy"), allow_pickle=False)
                    head = "numcache/array/1\n%s\n%s\n" % (a["dtype"], tuple(a["shape"]))
                    assert short_sha(head.encode() + sums.astype(">u8").tobytes()).hex() == a["array"], path
            if "sha256" in r:
                assert list(r["sha256"]) == sorted({a["array"] for a in arrays(r["results"])}), path
            records += 1
    for folder, _, files in os.walk(os.path.join(root, "objects")):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                raw = f.read()
            value = np.load(io.BytesIO(raw), allow_pickle=False)
            again = io.BytesIO()
            np.save(again, value)
            assert again.getvalue() == raw, path + ": np.save writes other bytes"
            assert array_digest(value) == name[:-4], path
            assert name[:-4] in named, path
            objects += 1
    with open(os.path.join(root, "format.json"), "rb") as f:
        raw = f.read()
    assert raw[-44:] == check_member(raw[:-44])
    print(records, "records", keys, "keys", objects, "objects", *([signed, "signed"] if secret else []))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as f:
            main(sys.argv[1], f.read())
    else:
        main(sys.argv[1])
