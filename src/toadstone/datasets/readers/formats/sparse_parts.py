"""Sparse rows as four plain arrays, checked before they are passed to SciPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.exact_numbers import check_numbers
from toadstone.datasets.preparation.features import check_width

PARTS = ("data", "indices", "indptr", "shape")


class ArraySource(Protocol):
    """Mapping from names to arrays."""

    def __contains__(self, name: object) -> bool:
        """Return True if there is an array of this name."""

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array."""


def sparse_matrix(arrays: ArraySource, name: str, what: str) -> csr_array:
    """Build a CSR matrix from ``name_data``, ``name_indices``, ``name_indptr`` and ``name_shape``.

    Raises
    ------
    InvalidData
        If a part is missing, or the parts are inconsistent.
    """
    missing = [f"{name}_{part}" for part in PARTS if f"{name}_{part}" not in arrays]
    if missing:
        raise InvalidData(f"{what}: expected the parts of a sparse matrix, got no {missing[0]}")
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in PARTS)
    for part, values, kinds in (("data", data, "biuf"), ("indices", indices, "iu"), ("indptr", indptr, "iu")):
        if values.ndim != 1 or values.dtype.kind not in kinds:
            raise InvalidData(
                f"{what}_{part}: expected a vector of numbers, got {values.dtype} values of shape {values.shape}"
            )
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 0:
        raise InvalidData(f"{what}_shape: expected two numbers of rows and columns, got {shape.tolist()}")
    check_width(int(shape[1]), len(data), f"{what}_shape")
    _check_structure(data, indices, indptr, (int(shape[0]), int(shape[1])), what)
    check_numbers(data, f"{what}_data")
    values, indices = data.astype(np.float64), indices.astype(np.int64)
    return csr_array((values, indices, indptr.astype(np.int64)), shape=(int(shape[0]), int(shape[1])))


def _check_structure(
    data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: tuple[int, int], what: str
) -> None:
    n, d = shape
    if len(indptr) != n + 1:
        raise InvalidData(f"{what}_indptr: expected {n + 1} entries for {n} rows, got {len(indptr)}")
    if len(indices) != len(data):
        raise InvalidData(f"{what}_indices: expected one for each of {len(data)} values, got {len(indices)}")
    # Compared before they are cast: a number past 63 bits would come back negative, and a difference wrap.
    if indptr[0] != 0 or indptr[-1] != len(data) or np.any(indptr[1:] < indptr[:-1]):
        raise InvalidData(f"{what}_indptr: expected ascending numbers from 0 to {len(data)}, got others")
    if len(indices) and (indices.min() < 0 or indices.max() >= d):
        worst = int(indices.min()) if indices.min() < 0 else int(indices.max())
        raise InvalidData(f"{what}_indices: expected column numbers from 0 to {d - 1}, got {worst}")


def sparse_rows(X: Any) -> csr_array:
    """Convert a matrix to CSR with sorted indices and without stored zeros."""
    matrix = csr_array(X, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def matrix_parts(name: str, X: csr_array, widths: Mapping[str, DTypeLike]) -> dict[str, NDArray[Any]]:
    """Return the four arrays of a CSR matrix, in the given number types.

    Examples
    --------
    >>> parts = matrix_parts("X", csr_array([[0, 3]]), {"data": "u1", "indices": "i4", "indptr": "i8"})
    >>> parts["X_data"], parts["X_shape"].tolist()
    (array([3], dtype=uint8), [1, 2])
    """
    return {
        f"{name}_data": X.data.astype(widths["data"]),
        f"{name}_indices": X.indices.astype(widths["indices"]),
        f"{name}_indptr": X.indptr.astype(widths["indptr"]),
        f"{name}_shape": np.array(X.shape, dtype=np.int64),
    }
