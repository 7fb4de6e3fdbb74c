#!/usr/bin/env python3
"""Make the .npy vectors beside this script, and index.json that lists them.

    python3 make.py [FOLDER]

writes them to FOLDER, by default the folder of this script. Every run writes
the same bytes. The files here are NumPy 1.24's; much older ones pad the header
differently. A test in testdata/numpy runs this script and compares.

A vector holds its elements by formula, so that a reader can compute them
again: element k of the array in C order, counted from 0, is

    bool        k % 2 == 1
    int, float  7k % 11
    complex     k + (0 - k/2) j     (element 0 is 0+0j, not 0-0j)
    S           k % 4 times the letter k of the alphabet
    U           k % 4 times the code point 0x3b1 + 10000k
    struct      id = k, x = (k, -k/2), tag as S has it

whatever the byte order, memory order and format version of the file. index.json
holds one object a file: name, file, descr (as the header spells it), fortran (as
the header says), shape and version ([major, minor]).

The grid: every dtype at shape (3, 4) in C order, Fortran order and big endian
(where bytes have an order), and in C order in format versions 2.0 and 3.0; every
other shape for u1, f8 and c16. Strings and records have fewer. np.save writes Fortran order only where it differs
from C order, so at the shapes (), (0,), (5,) and (0, 3) the Fortran files are C order
bytes under a header that says fortran_order. That is legal, other writers do so,
and a reader must take them.
"""

import json
import os
import sys

import numpy as np
from numpy.lib import format as npy

DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]
SHAPES = [(), (0,), (5,), (3, 4), (0, 3), (2, 3, 4)]
FULL_SHAPE = (3, 4)  # every dtype has this shape
FULL_DTYPES = ["u1", "f8", "c16"]  # these have every shape
# Padding stands between id and x, and at the end.
RECORD = {"names": ["id", "x", "tag"], "formats": ["i4", ("f8", (2,)), "S3"], "offsets": [0, 8, 24], "itemsize": 30}


def values(dtype, shape):
    """The array of a vector, in C order and with the byte order of dtype."""
    k = np.arange(int(np.prod(shape)))
    if dtype.names:
        v = np.zeros(shape, dtype)
        v["id"] = k.reshape(shape)
        v["x"] = np.stack([k, 0 - k / 2], axis=-1).reshape(shape + (2,))
        v["tag"] = values(dtype["tag"], shape)
        return v
    if dtype.kind in "SU":
        first, step = (0x61, 1) if dtype.kind == "S" else (0x3B1, 10000)
        return np.array([chr(first + step * n) * (n % 4) for n in k.tolist()], dtype).reshape(shape)
    if dtype.kind == "b":
        v = k % 2 == 1
    elif dtype.kind == "c":
        v = k + 1j * (0 - k / 2)
    else:
        v = k * 7 % 11
    return v.astype(dtype).reshape(shape)


def layouts(dtype):
    """The layouts of one dtype: a word for the name, the dtype, Fortran order or not."""
    little = np.dtype(dtype).newbyteorder("<")
    big = little.newbyteorder(">")
    yield "c", little, False
    yield "fortran", little, True
    if little != big:
        yield "big", big, False
        yield "big-fortran", big, True


def vectors():
    """Every vector of the grid: dtype name, layout, dtype, Fortran order or not, shape, version."""
    for name in DTYPES:
        for word, dtype, fortran in layouts(name):
            for shape in SHAPES:
                if word == "big-fortran" and (shape != FULL_SHAPE or name not in FULL_DTYPES):
                    continue
                if shape == FULL_SHAPE or name in FULL_DTYPES:
                    yield name, word, dtype, fortran, shape, (1, 0)
        for version in [(2, 0), (3, 0)]:
            yield name, "c", np.dtype(name).newbyteorder("<"), False, FULL_SHAPE, version
            if name in FULL_DTYPES:
                yield name, "fortran", np.dtype(name).newbyteorder("<"), True, FULL_SHAPE, version
    for name, dtype in [("S3", "S3"), ("U3", "U3"), ("struct", RECORD)]:
        for word, dtype, fortran in layouts(dtype):
            yield name, word, dtype, fortran, FULL_SHAPE, (1, 0)


def write(path, array, fortran, version):
    """Write array with NumPy; say Fortran order also where np.save would not."""
    with open(path, "wb") as f:
        if fortran and array.flags.c_contiguous and array.flags.f_contiguous:
            head = npy.header_data_from_array_1_0(array)
            head["fortran_order"] = True
            npy.write_array_header_1_0(f, head)
            f.write(array.tobytes())
        else:
            array = np.asfortranarray(array) if fortran else array
            npy.write_array(f, array, version=version, allow_pickle=False)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    index = []
    for name, word, dtype, fortran, shape, version in vectors():
        size = "x".join(map(str, shape)) if shape else "scalar"
        stem = f"{name.replace('?', 'bool')}-{size}-{word}-v{version[0]}"
        file = stem + ".npy"
        array = values(dtype, shape)
        write(os.path.join(folder, file), array, fortran, version)

        back = np.load(os.path.join(folder, file), allow_pickle=False)
        assert back.dtype == dtype and back.shape == shape and np.array_equal(back, array), file
        index.append(
            {
                "name": stem,
                "file": file,
                "descr": repr(dtype.descr) if dtype.names else dtype.str,
                "fortran": fortran,
                "shape": list(shape),
                "version": list(version),
            }
        )
    with open(os.path.join(folder, "index.json"), "w", newline="\n") as f:
        f.write("[\n" + ",\n".join(" " + json.dumps(v) for v in index) + "\n]\n")


if __name__ == "__main__":
    main()
