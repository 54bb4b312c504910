"""Parts of sparse rows are checked before they reach SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.formats.sparse_parts import matrix_parts, sparse_matrix, sparse_rows

N = 40
COUNTS = csr_array(np.random.default_rng(1).integers(0, 3, (N, 6)))
WIDTHS = {"data": np.uint8, "indices": np.int32, "indptr": np.int64}


def _parts(**changes: Any) -> dict[str, Any]:
    return {**matrix_parts("X", COUNTS, WIDTHS), **changes}


def test_parts_come_back_as_the_matrix_in_floats() -> None:
    matrix = sparse_matrix(_parts(), "X", "file: X")
    np.testing.assert_array_equal(matrix.toarray(), COUNTS.toarray())
    assert matrix.dtype == np.float64


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"X_indices": np.r_[6, COUNTS.indices[1:]]}, "X_indices: expected column numbers from 0 to 5, got 6"),
        ({"X_indices": np.r_[-1, COUNTS.indices[1:]]}, "X_indices: expected column numbers from 0 to 5, got -1"),
        ({"X_indices": COUNTS.indices[1:]}, "X_indices: expected one for each of"),
        ({"X_indices": COUNTS.indices * 1.0}, "X_indices: expected a vector of numbers, got float64"),
        ({"X_shape": np.array([N + 1, 6])}, "X_indptr: expected 42 entries for 41 rows, got 41"),
        ({"X_shape": np.array([N, 6, 1])}, "X_shape: expected two numbers of rows and columns"),
        ({"X_shape": np.array([N, -6])}, "X_shape: expected two numbers of rows and columns"),
        ({"X_shape": np.array([N, 10**7])}, "X_shape: expected at most 1,048,576 columns for"),
        (
            {"X_shape": np.array([N, 2**64 - 1], np.uint64)},
            "X_shape: expected at most 1,048,576 columns for",
        ),
        ({"X_shape": np.array([2**64 - 1, 6], np.uint64)}, "X_indptr: expected 18446744073709551616 entries for 1844"),
        ({"X_indptr": np.r_[0, COUNTS.indptr[-1], COUNTS.indptr[2:]]}, "X_indptr: expected ascending numbers from 0"),
        ({"X_indptr": COUNTS.indptr[::-1]}, "X_indptr: expected ascending numbers from 0"),
        ({"X_data": np.r_[np.nan, COUNTS.data[1:]]}, r"X_data: expected finite numbers up to 1e\+100, got nan"),
        ({"X_data": COUNTS.data.astype(str)}, "X_data: expected a vector of numbers, got <U"),
    ],
)
def test_inconsistent_parts(changes: dict, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^file: {sentence}"):
        sparse_matrix(_parts(**changes), "X", "file: X")


@pytest.mark.parametrize("part", ["data", "indices", "indptr", "shape"])
def test_missing_part(part: str) -> None:
    arrays = _parts()
    del arrays[f"X_{part}"]
    with pytest.raises(InvalidData, match=f"^file: X: expected the parts of a sparse matrix, got no X_{part}$"):
        sparse_matrix(arrays, "X", "file: X")


def test_sparse_rows_are_canonical_copies() -> None:
    messy = csr_array((np.array([1.0, 2.0, 0.0]), np.array([1, 1, 0]), np.array([0, 3])), shape=(1, 2))
    tidy = sparse_rows(messy)
    assert (tidy.indices.tolist(), tidy.data.tolist()) == ([1], [3.0])
    assert messy.nnz == 3
