#!/usr/bin/env python3
"""Make digits.npy and labels.npy from scikit-learn's copy of the UCI digits.

    python3 make.py [FOLDER]

writes both files to FOLDER, by default the folder of this script. It needs
NumPy and scikit-learn (Debian: python3-sklearn), no network, and draws no
random numbers: every run writes the same bytes. digits_test.go holds what is
in the files.
"""

import os
import sys

import numpy as np
import sklearn.datasets


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    digits = sklearn.datasets.load_digits()

    # The byte order and width are spelled out because the platform's own
    # integer differs, and the data is a view into a wider array, so it is
    # copied to C order before it is saved.
    images = np.ascontiguousarray(digits.data, dtype="<f8")
    labels = np.ascontiguousarray(digits.target, dtype="<i8")
    assert images.shape == (1797, 64) and labels.shape == (1797,)

    np.save(os.path.join(folder, "digits.npy"), images, allow_pickle=False)
    np.save(os.path.join(folder, "labels.npy"), labels, allow_pickle=False)


if __name__ == "__main__":
    main()
