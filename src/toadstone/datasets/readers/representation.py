"""Representations of rows, such as activations or embeddings, from NumPy files."""

from __future__ import annotations

import io
import math
import os
import tokenize
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from toadstone.core.arrays import Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.content import open_content
from toadstone.datasets.readers.formats.archive import Archive

_DAMAGED = (ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError)


def representation_of(given: Any, n_rows: int) -> Matrix:
    """Read a representation of rows: what a model sees of them, or an embedding of a text or picture.

    Parameters
    ----------
    given : path-like or matrix
        A ``.npy`` file, an ``.npz`` file with a single array, or the matrix
        itself; its rows stand in the order of those of the data.
    n_rows : int
        Rows of the data.

    Returns
    -------
    ndarray or CSR of shape (n_rows, k)

    Raises
    ------
    InvalidData
        If it is something else, has other rows, or holds anything but finite
        numbers. Nothing is unpickled.
    """
    path = isinstance(given, str | os.PathLike)
    what = os.fspath(given) if path else "represent"
    values = _read(given) if path else given
    values = values if issparse(values) else np.asarray(values)
    if values.ndim != 2 or values.dtype.kind not in "biuf" or 0 in values.shape:
        raise InvalidData(
            f"{what}: expected a matrix of numbers with a row for each of {n_rows} rows, "
            f"got {values.dtype} of shape {values.shape}"
        )
    if values.shape[0] != n_rows:
        raise InvalidData(f"{what}: expected a row for each of {n_rows} rows of the data, got {values.shape[0]}")
    try:
        return as_matrix(values)
    except InvalidData as error:
        raise InvalidData(f"{what}: {error}") from None


def _read(path: Any) -> NDArray[Any]:
    content = open_content(path)
    if content.ending == ".npy":
        return _array(content.data, content.name)
    if content.ending != ".npz":
        raise InvalidData(f"{content.name}: expected a .npy file, or an .npz file with one array, got {content.ending}")
    archive = Archive(content)
    if len(archive.names) != 1:
        raise InvalidData(f"{content.name}: expected one array, got {archive.listed()}")
    return archive[next(iter(archive.names))]


def _array(data: bytes, name: str) -> NDArray[Any]:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(stream)
        if dtype.hasobject:
            raise InvalidData(f"{name}: expected numbers, got pickled objects, which are never loaded")
        # NumPy reserves memory for what the header states before it reads the first value.
        if math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
            raise InvalidData(f"{name}: expected a complete .npy file, got one that is damaged or cut")
        values: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except InvalidData:
        raise
    except _DAMAGED:
        raise InvalidData(
            f"{name}: expected a complete .npy file, got one that is damaged or of another kind"
        ) from None
    return values
