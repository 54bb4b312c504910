"""Rows in blocks, mixtures of mixtures, and the canonical order."""

from __future__ import annotations

import numpy as np

from toadstone.kernels.robust_mean import order
from toadstone.kernels.robust_mean.order import canonical_order, distinct_rows
from toadstone.kernels.robust_mean.rows import Rows


def whole(rows):
    pieces = list(rows.blocks())
    assert [piece.start for piece, _ in pieces[1:]] == [piece.stop for piece, _ in pieces[:-1]]
    assert all(block.flags.c_contiguous and block.dtype == np.float64 for _, block in pieces)
    return np.concatenate([block for _, block in pieces], axis=1)


def test_blocks_hold_the_rows_in_the_order_given():
    table = np.random.default_rng(0).normal(size=(6, 9001)).astype(np.float32)
    table[4] = table[1]
    np.testing.assert_array_equal(whole(Rows(table)), table)


def test_mixtures_compose():
    rng = np.random.default_rng(1)
    table, first, second = rng.normal(size=(6, 40)), rng.normal(size=(5, 6)), rng.normal(size=(3, 5))
    table[3], first[2] = table[0], first[4]
    rows = Rows(table).mixed(first).mixed(second)
    assert rows.shape == (3, 40)
    np.testing.assert_allclose(whole(rows), second @ first @ table, atol=1e-13)


def test_blocks_are_bounded_and_the_table_is_not_copied(tmp_path):
    table = np.memmap(tmp_path / "updates", dtype=np.float32, mode="w+", shape=(3, 20000))
    rows = Rows(table)
    assert rows.base is table
    assert max(block.shape[1] for _, block in rows.blocks()) <= 4096


def test_the_canonical_order_is_one_of_content():
    rng = np.random.default_rng(2)
    table = np.zeros((30, 1000))
    # Rows that agree wherever the order looks first.
    table[:, 501] = rng.integers(0, 12, size=30)
    shuffled = table[rng.permutation(30)]
    np.testing.assert_array_equal(table[canonical_order(table)], shuffled[canonical_order(shuffled)])
    found = distinct_rows(table)
    np.testing.assert_array_equal(table[found.first][found.group], table)
    assert len(found.first) == len(np.unique(table, axis=0))


def test_rows_are_told_apart_by_all_of_their_pieces(monkeypatch):
    monkeypatch.setattr(order, "_PIECE", 100)
    table = np.zeros((5, 1001), dtype=np.float32)
    table[1, 1], table[2, 555], table[3, 999], table[4] = 1.0, 1.0, 1.0, table[0]
    assert np.bincount(distinct_rows(table).group).tolist().count(1) == 3


def test_equal_rows_share_the_sum_of_their_values():
    table = np.array([[1.0], [2.0], [1.0], [1.0]])
    found = distinct_rows(table)
    total = found.total(np.array([0.1, 0.5, 0.2, 0.3]))
    np.testing.assert_allclose(total[found.group], [0.6, 0.5, 0.6, 0.6])
    values = np.array([1e16, 1.0, -1e16, 1.0])
    for turn in range(4):
        again = np.roll(np.arange(4), turn)
        group = found.group[again]
        np.testing.assert_array_equal(order.add_equal(values[again], group, 2), order.add_equal(values, found.group, 2))
