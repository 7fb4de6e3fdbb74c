"""Makes the archives beside it: python3 make.py. They seed the fuzz targets."""
import os
import zipfile

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def at(name):
    return os.path.join(here, name)


arrays = {
    "a": np.arange(3.0),
    "b": np.arange(6, dtype=">i4").reshape(2, 3),
    "c": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "flags": np.array([True, False]),
    "text": np.array("π"),
    "texts": np.array(["a", "bc"]),
    "bytes": np.array([b"a", b"bc"]),
    "K": 3,
    "net.w": np.ones((2, 2)),
}
np.savez(at("saved.npz"), **arrays)
np.savez_compressed(at("compressed.npz"), **arrays)
# Sizes that are not known before the data, as a pipe makes them.
with open(at("streamed.npz"), "wb") as f:
    class Pipe:
        def write(self, b):
            return f.write(b)

        def flush(self):
            f.flush()

    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as z:
        with z.open(zipfile.ZipInfo("x.npy"), "w", force_zip64=True) as m:
            np.lib.format.write_array(m, np.arange(5))
