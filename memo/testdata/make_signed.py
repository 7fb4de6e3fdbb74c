"""Writes signed.json: a signed record and its objects, and content digests, as
memo/FORMAT.md says they are. Run it as python3 make_signed.py > signed.json"""

import base64
import io
import json

import numpy as np

from read_cache import array_digest, check_member, content_digest, encode, mac_member, short_sha, text

SECRET = bytes(range(1, 41))


def reference(a):
    return {"array": array_digest(a), "dtype": a.dtype.str, "shape": list(a.shape)}


def npy(a):
    f = io.BytesIO()
    np.save(f, a)
    return base64.b64encode(f.getvalue()).decode()


def compact(node):
    return json.dumps(node, separators=(",", ":"), ensure_ascii=False)


x = np.arange(12.0).reshape(3, 4)
gram, rank = x @ x.T, np.array([2], dtype="<i8")
args = [reference(x), 0.5]
call = b"numcache/call/1\n" + text("gram") + text("2") + encode(args)
results = {array_digest(a): a for a in (gram, rank)}
record = {
    "format": 1,
    "key": short_sha(call).hex(),
    "function": "gram",
    "version": "2",
    "args": args,
    "results": [reference(gram), "é", reference(rank), reference(gram)],
    "created": "2026-01-02T03:04:05.000000006Z",
    "duration": 1.5,
    "writer": "make_signed.py",
    "sha256": {digest: content_digest(results[digest]) for digest in sorted(results)},
}
body = compact(record)[:-1].encode() + b","
body += mac_member(SECRET, body)
print(json.dumps({
    "secret": base64.b64encode(SECRET).decode(),
    "record": (body + check_member(body)).decode(),
    "objects": {digest: npy(a) for digest, a in sorted(results.items())},
    "contents": [
        {"numpy": code, "digest": content_digest(eval(code))}
        for code in (
            "np.zeros(0)", "np.array(1.5)", "np.arange(12.).reshape(3,4)", "np.arange(32768.)", "np.arange(32769.)",
            "np.arange(200000.)", "np.arange(300000, dtype='u1')",
        )
    ],
}, indent=1, ensure_ascii=False))
