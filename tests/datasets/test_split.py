"""Splits keep order and identity; digests depend on content alone."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.split import Split, describe_hold_out, hold_out, sha256, stratified_rows


def _data(counts: list[int]) -> Dataset:
    y = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    return Dataset(np.arange(len(y), dtype=float)[:, None], y, row_ids=np.arange(len(y)) * 10)


@given(
    counts=st.lists(st.integers(2, 40), min_size=1, max_size=4), share=st.floats(0.01, 0.99), seed=st.integers(0, 99)
)
def test_every_class_gives_its_share_and_rows_stay_in_order(counts: list[int], share: float, seed: int) -> None:
    data = _data(counts)
    train, test = hold_out(data, share=share, random_state=seed)
    for label, size in enumerate(counts):
        held = int(np.count_nonzero(test.y == label))
        assert 1 <= held <= size - 1
        assert abs(held - share * size) <= 1
    assert np.all(np.diff(train.row_ids) > 0)
    assert np.all(np.diff(test.row_ids) > 0)
    assert sorted([*train.row_ids, *test.row_ids]) == list(data.row_ids)
    np.testing.assert_array_equal(train.X[:, 0] * 10, train.row_ids)


@pytest.mark.parametrize(
    ("size", "share", "held"), [(10, 0.25, 3), (14, 0.25, 4), (9, 0.25, 2), (3, 0.1, 1), (3, 0.9, 2)]
)
def test_shares_are_rounded_half_up(size: int, share: float, held: int) -> None:
    assert len(stratified_rows(np.zeros(size, dtype=int), share=share, random_state=0)[1]) == held


def test_the_whole_is_in_file_order_unless_the_test_rows_are_published() -> None:
    data = _data([12, 8])
    train, test = hold_out(data, share=0.3)
    whole = Split("file", train, test, "", describe_hold_out(0.3, 0)).whole()
    assert whole.row_ids.tolist() == data.row_ids.tolist()
    np.testing.assert_array_equal(whole.X, data.X)
    np.testing.assert_array_equal(whole.y, data.y)
    assert Split("file", train, test, "", "published test split").whole() is train


def test_the_same_seed_chooses_the_same_rows_for_ever() -> None:
    y = np.array([0] * 10 + [1] * 10)
    assert stratified_rows(y, share=0.2, random_state=0)[1].tolist() == [2, 3, 11, 13]
    assert stratified_rows(y, share=0.2, random_state=1)[1].tolist() != [2, 3, 11, 13]


def test_rows_of_one_class_do_not_move_those_of_an_earlier_one() -> None:
    short, long = np.array([0] * 10 + [1] * 5), np.array([0] * 10 + [1] * 50)
    first, second = (stratified_rows(y, share=0.3, random_state=7)[1] for y in (short, long))
    np.testing.assert_array_equal(first[first < 10], second[second < 10])


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_share_out_of_range(share: float) -> None:
    with pytest.raises(InvalidArgument, match=r"`share`: expected a number in \(0, 1\)"):
        hold_out(_data([5, 5]), share=share)


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(InvalidArgument, match="`random_state`: expected a whole number from 0"):
        hold_out(_data([5, 5]), random_state=seed)


def test_single_row_cannot_be_held_out() -> None:
    with pytest.raises(InvalidData, match="class 1: expected at least 2 rows"):
        hold_out(_data([5, 1]))


def test_digest_of_a_known_dataset() -> None:
    """A digest is part of certificates already written: it may never change."""
    dense = Dataset([[0.0, 1.0], [2.0, 0.0]], [0, 1])
    parts = [
        b"toadstone dataset 1 dense 2 2\n",
        struct.pack("<4d", 0, 1, 2, 0),
        b"labels whole\n",
        struct.pack("<2q", 0, 1),
    ]
    assert sha256(dense) == hashlib.sha256(b"".join(parts)).hexdigest()
    sparse = [struct.pack("<3q", 0, 1, 2), struct.pack("<2q", 1, 0), struct.pack("<2d", 1, 2)]
    parts = [b"toadstone dataset 1 csr 2 2\n", *sparse, b"labels text\n", "1:a2:é".encode()]
    assert sha256(Dataset(csr_array(dense.X), ["a", "é"])) == hashlib.sha256(b"".join(parts)).hexdigest()


def test_digest_ignores_layout_width_and_stored_zeros() -> None:
    X = np.random.default_rng(0).integers(0, 3, (7, 5)).astype(float)
    y = np.arange(7, dtype=np.int8)
    digest = sha256(Dataset(X, y))
    assert digest == sha256(Dataset(np.asfortranarray(X), y.astype(np.uint64)))
    assert digest == sha256(Dataset(X.astype(np.float16), y.astype(">i4"), row_ids=y + 5))
    assert digest == sha256(Dataset(np.where(X == 0, -0.0, X), y))
    sparse = sha256(Dataset(csr_array(X), y))
    wide = csr_array(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    stored = csr_array((np.r_[0.0, wide.data], np.r_[_zero_column(X), wide.indices], np.r_[0, wide.indptr[1:] + 1]))
    stored.resize(X.shape)
    for same in (wide, csc_array(X), stored):
        assert sparse == sha256(Dataset(same, y))


def _zero_column(X: np.ndarray) -> int:
    return int(np.flatnonzero(X[0] == 0)[0])


def test_digest_sees_every_change() -> None:
    X, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])
    digests = {
        sha256(Dataset(*parts))
        for parts in (
            (X, y),
            (X, y[::-1]),
            (X[::-1], y),
            (np.nextafter(X, 9), y),
            (X, y.astype(float)),
            (X, y.astype(bool)),
            (X, y.astype(str)),
            (X, ["0", "11", ""]),
            (X, ["01", "1", ""]),
            (np.c_[X, X[:, 0] * 0], y),
            (csr_array(X), y),
        )
    }
    assert len(digests) == 11


def test_digest_of_long_data_is_that_of_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Dataset(np.random.default_rng(0).normal(size=(50, 3)), np.arange(50))
    whole = sha256(data)
    monkeypatch.setattr("toadstone.datasets.split._CHUNK", 7)
    assert sha256(data) == whole
