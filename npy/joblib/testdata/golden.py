"""Writes the files in this folder, as far as joblib with python3-lz4 is needed for them:

    python3 golden.py
"""

import os
import pickle

import joblib
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
value = {
    "matrix": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big": np.arange(3, dtype=">i2"),
    "words": np.array(["é", "abc"]),
    "list": [None, True, 3, 2**70, 0.5, 1 - 2j, "é", b"\xff", np.float32(0.5), (1, "x")],
    "keys": {1: "a"},
}
for compressor in (None, "zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
    joblib.dump(value, os.path.join(here, "golden-%s.pkl" % (compressor or "plain")), compress=(compressor, 3) if compressor else 0)
joblib.dump(value, os.path.join(here, "golden-protocol2.pkl"), protocol=2)
with open(os.path.join(here, "golden-pickle5.pkl"), "wb") as f:
    pickle.dump(value, f, 5)
