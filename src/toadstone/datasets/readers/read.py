"""Read a file into a training and a test set, and write selected rows of a file."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.files import readable_file
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split

# Modules with `read`, `read_prepared_like` and `write_rows`, imported on use since their libraries are slow to load.
_FORMATS = {
    ".csv": "delimited",
    ".csv.gz": "delimited",
    ".tsv": "delimited",
    ".tsv.gz": "delimited",
    ".parquet": "parquet",
    ".npz": "arrays",
    ".svm": "svmlight",
    ".svmlight": "svmlight",
    ".libsvm": "svmlight",
}
SUFFIXES = tuple(_FORMATS)


def read(
    path: str | os.PathLike[str],
    *,
    label: str | None = None,
    text: str | None = None,
    weighting: str = "tfidf",
    scale: str = "auto",
    classes: Sequence[str] | None = None,
    test_share: float = 0.2,
    random_state: int = 0,
) -> Split:
    """Read a labelled data file, prepare its features, and hold out a test set.

    The format is told by the ending of the file name: ``.csv``, ``.tsv`` (each
    also with ``.gz``), ``.parquet``, ``.npz``, or SVMlight as ``.svm``,
    ``.svmlight`` or ``.libsvm``. Scaling and vocabularies are fitted on the
    training rows only.

    Parameters
    ----------
    path : path-like
    label : str, optional
        Label column of a table; by default the only column named label,
        labels, class, target or y.
    text : str, optional
        Text column of a table; the other columns are then left out.
    weighting : {"tfidf", "counts"}
        Weighting of words.
    scale : {"auto", "standard", "none"}
        Scaling of numbers. "auto" standardises the numbers of a table, except
        counts and values within [0, 1]; matrices are left unchanged.
    classes : sequence of str, optional
        Labels to keep, compared as text; rows of other labels are left out.
    test_share : float
        Share of each class to hold out if the file has no test split.
    random_state : int
        Seed of the hold-out.

    Returns
    -------
    Split
        Row ids count the rows of the file from 0, in file order.

    Raises
    ------
    InvalidArgument
        If an option does not fit the file.
    InvalidData
        If the file cannot be used; the message says where and why.
    """
    request = Request(label, text, weighting, scale, classes, test_share, random_state)
    return read_file(Path(path), request)


def read_file(path: Path, request: Request) -> Split:
    """Read a file with checked options."""
    module = format_of(path)
    split: Split = module.read(readable_file(path), request)
    return split


def write_rows(
    source: str | os.PathLike[str], rows: Sequence[int] | IntArray, destination: str | os.PathLike[str]
) -> None:
    """Write selected rows of a file in the same format and order, unchanged.

    Text formats are copied character for character. A published test split in
    an ``.npz`` archive is copied too; `rows` then count training rows.

    Parameters
    ----------
    source : path-like
    rows : sequence of int
        Row numbers as in `Dataset.row_ids`, without repetition.
    destination : path-like
        Must have the ending of `source`. An existing file is replaced once
        the new one is complete.

    Raises
    ------
    InvalidArgument
        If a row does not exist or is repeated, or the endings differ.
    InvalidData
        If the source cannot be read.
    """
    old, new = Path(source), Path(destination)
    module = format_of(old)
    if _suffix(old) != _suffix(new):
        raise InvalidArgument("destination", f"a name ending in {_suffix(old)}, as the source does", new)
    if new.exists() and old.exists() and new.samefile(old):
        raise InvalidArgument("destination", "another file than the source", new)
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise InvalidArgument("rows", "row numbers", f"values of type {chosen.dtype} and shape {chosen.shape}")
    if chosen.size and (chosen.min() < 0 or len(np.unique(chosen)) < len(chosen)):
        raise InvalidArgument("rows", "distinct row numbers from 0", "a negative or repeated one")
    module.write_rows(readable_file(old), chosen.astype(np.int64), new)


def is_data_file(name: str) -> bool:
    """Return True if a file name has the ending of a supported format."""
    return _suffix(Path(name)) is not None


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def format_of(path: Path) -> Any:
    """Return the module that reads and writes files of this ending.

    Raises
    ------
    InvalidData
        If the format is not supported.
    """
    suffix = _suffix(path)
    if suffix is None:
        if path.is_dir():
            raise InvalidData(f"{path}: expected a file, got a folder")
        raise InvalidData(f"{path}: expected a file ending in {', '.join(SUFFIXES)}, got {path.suffix or 'no ending'}")
    return importlib.import_module(f"toadstone.datasets.readers.{_FORMATS[suffix]}")
