"""Files of prepared rows, such as poison."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.dataset import Poison
from toadstone.core.errors import InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.readers.formats.archive import Archive
from toadstone.datasets.readers.formats.sparse_parts import sparse_matrix

_DENSE_SHARE = 0.3


def write_rows_as_arrays(X: Matrix, y: Labels, path: str | os.PathLike[str], *, weight: Array | None = None) -> None:
    """Write rows as an ``.npz`` archive with ``X``, or the parts of a CSR matrix if few entries are stored, and ``y``.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
    path : path-like
        An existing file is replaced once the new one is complete.
    weight : ndarray of shape (n,), optional
        Written as ``weight``.
    """
    sparse = csr_array(X)
    arrays: dict[str, NDArray[Any]] = {"y": y} | ({} if weight is None else {"weight": weight})
    if sparse.nnz < _DENSE_SHARE * X.shape[0] * X.shape[1]:
        arrays |= {"X_data": sparse.data, "X_indices": sparse.indices, "X_indptr": sparse.indptr}
        arrays["X_shape"] = np.array(sparse.shape)
    else:
        arrays["X"] = sparse.toarray()
    with written_aside(path) as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def read_poison(path: str | os.PathLike[str]) -> Poison:
    """Read poison rows from an ``.npz`` archive, as `write_rows_as_arrays` writes it.

    Raises
    ------
    InvalidData
        If the file is missing, damaged, holds pickled objects, or does not hold
        rows and labels.
    """
    archive = Archive(Path(path))
    if not archive.has_rows("X") or "y" not in archive:
        raise InvalidData(
            f"{path}: expected poison rows, an .npz with y and X or its CSR parts, got {archive.listed()}"
        )
    X = archive["X"] if "X" in archive else sparse_matrix(archive, "X", f"{path}: X")
    if X.dtype.kind not in "biuf":
        raise InvalidData(f"{path}: expected numbers in X, got values of type {X.dtype}")
    if 0 in X.shape:
        raise InvalidData(f"{path}: expected at least one row and one column, got shape {X.shape}")
    try:
        return Poison(X, archive["y"])
    except InvalidData as error:
        raise InvalidData(f"{path}: {error}") from None
