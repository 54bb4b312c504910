"""Data sets: what they hold, and one clear sentence for what they cannot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix, issparse

from toadstone.core.dataset import Dataset, Poison, as_matrix
from toadstone.core.errors import InvalidData

ROWS = [[0.0, 1.0], [2.0, 0.0], [3.0, 4.0]]


def test_a_table_of_numbers_and_labels():
    data = Dataset(ROWS, ["ham", "spam", "ham"], ("a", "b"))
    assert (len(data), data.n_features) == (3, 2)
    assert data.X.dtype == np.float64
    assert data.classes.tolist() == ["ham", "spam"]
    assert data.signs.tolist() == [-1.0, 1.0, -1.0]
    assert data.row_ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize("form", [csr_array, csc_array, coo_array, csr_matrix])
def test_sparse_rows_stay_sparse_whatever_their_form(form):
    data = Dataset(form(np.array(ROWS)), [0, 1, 0])
    assert issparse(data.X)
    assert isinstance(data.X, csr_array)
    assert data.X.dtype == np.float64
    assert data.X.indices.dtype == np.int32
    np.testing.assert_array_equal(data.X.toarray(), ROWS)


def test_duplicate_entries_of_a_sparse_row_are_summed_without_touching_the_original():
    doubled = csr_array((np.ones(2), np.zeros(2, dtype=np.int64), np.array([0, 2])), shape=(1, 2))
    np.testing.assert_array_equal(as_matrix(doubled).toarray(), [[2.0, 0.0]])
    assert doubled.nnz == 2


def test_long_indices_become_short_ones():
    long = csr_array(ROWS)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    short = as_matrix(long)
    assert short.indices.dtype == short.indptr.dtype == np.int32
    np.testing.assert_array_equal(short.toarray(), ROWS)


def test_taken_rows_keep_their_original_numbers():
    data = Dataset(csr_array(ROWS), ["a", "b", "a"], row_ids=[10, 11, 12]).take(np.array([2, 0]))
    assert data.row_ids.tolist() == [12, 10]
    assert data.y.tolist() == ["a", "a"]
    np.testing.assert_array_equal(data.X.toarray(), [ROWS[2], ROWS[0]])


@pytest.mark.parametrize(
    "labels", [[0, 1, 1], [True, False, True], [0.5, 1.5, 0.5], ["x", "y", "x"], [b"x", b"y", b"x"]]
)
def test_labels_of_any_one_scalar_type(labels):
    assert len(Dataset(ROWS, labels).classes) == 2


@pytest.mark.parametrize(
    ("X", "y", "sentence"),
    [
        ([[0.0], [np.nan]], [0, 1], "features: expected finite numbers, got NaN or infinity in row 1"),
        ([[0.0], [1.0], [np.inf]], [0, 1, 0], "features: expected finite numbers, got NaN or infinity in row 2"),
        (
            csr_array([[0.0, 1.0], [0.0, 0.0], [np.nan, 0.0]]),
            [0, 1, 0],
            "features: expected finite numbers, got NaN or infinity in row 2",
        ),
        ([["a"], ["b"]], [0, 1], "features: expected numbers, got values that are not"),
        ([[1.0], [2.0, 3.0]], [0, 1], "features: expected numbers, got values that are not"),
        ([1.0, 2.0], [0, 1], "features: expected a table of two dimensions, got 1"),
        (np.empty((0, 3)), [], "features: expected at least one row and one column, got shape (0, 3)"),
        (np.empty((2, 0)), [0, 1], "features: expected at least one row and one column, got shape (2, 0)"),
        (ROWS, [0, 1], "labels: expected one for each of 3 rows, got shape (2,)"),
        (ROWS, [[0], [1], [0]], "labels: expected one for each of 3 rows, got shape (3, 1)"),
        (ROWS, [0.0, np.nan, 1.0], "labels: expected no missing value, got NaN or infinity in row 1"),
        (ROWS, ["a", None, "b"], "labels: expected numbers or strings, got values of type object"),
        (ROWS, [0j, 1j, 0j], "labels: expected numbers or strings, got values of type complex128"),
    ],
)
def test_bad_data_is_refused_in_one_sentence(X, y, sentence):
    with pytest.raises(InvalidData) as caught:
        Dataset(X, y)
    assert str(caught.value) == sentence


def test_names_and_numbers_must_fit():
    with pytest.raises(InvalidData, match="feature names: expected 2, got 3"):
        Dataset(ROWS, [0, 1, 0], ("a", "b", "c"))
    with pytest.raises(InvalidData, match=r"row ids: expected 3, got shape \(2,\)"):
        Dataset(ROWS, [0, 1, 0], row_ids=[1, 2])
    with pytest.raises(InvalidData, match=r"row ids: expected 3, got shape \(\)"):
        Dataset(ROWS, [0, 1, 0], row_ids=3)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_signs_need_two_classes(labels):
    with pytest.raises(InvalidData, match=f"labels: expected two classes, got {len(set(labels))}"):
        _ = Dataset(ROWS, labels).signs


def test_poison_knows_what_it_replaces():
    assert Poison(ROWS, [1, 1, 1]).replaces.tolist() == []
    assert Poison(ROWS, [1, 1, 1], [7]).replaces.tolist() == [7]
    assert len(Poison(csr_array(ROWS), [1, 1, 1])) == 3
    with pytest.raises(InvalidData, match=r"poison labels: expected one for each of 3 rows, got shape \(1,\)"):
        Poison(ROWS, [1])


def test_poison_may_be_nothing():
    assert len(Poison(np.empty((0, 2)), [])) == 0
    assert len(Poison(csr_array(ROWS)[:0], [])) == 0
