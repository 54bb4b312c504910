"""Columns that number the rows, and those that only look like it."""

import numpy as np
from scipy.sparse import csr_array

from toadstone.kernels.checks.identifiers import identifier_columns


def test_numbers_in_order_or_shuffled_are_found_whatever_their_scale():
    rng = np.random.default_rng(0)
    n = 300
    index = np.arange(n, dtype=float)
    X = np.column_stack([
        rng.normal(size=n),
        index,
        -0.37 * index + 12.0,
        (rng.permutation(n) - 150.0) / 86.6,
        np.cumsum(rng.random(n)),
        rng.integers(0, 1000, n),
    ])  # fmt: skip
    assert identifier_columns(X).tolist() == [1, 2, 3, 4]


def test_repeats_gaps_and_few_rows_are_no_numbering():
    index = np.arange(100, dtype=float)
    twice = index.copy()
    twice[50] = 49.0
    gap = np.random.default_rng(0).permutation(np.r_[index[:-1], 200.0])
    assert identifier_columns(np.column_stack([twice, gap])).tolist() == []
    assert identifier_columns(index[:19, None]).tolist() == []
    assert identifier_columns(csr_array(index[:, None])).tolist() == []


def test_shuffled_rows_keep_an_evenly_spaced_numbering():
    X = np.arange(50, dtype=float)[:, None]
    assert identifier_columns(X[np.random.default_rng(3).permutation(50)]).tolist() == [0]
