"""Read a file into a training and a test set; write some of its rows back."""

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

# Each module has `read`, `rows_beside` and `write_rows` and imports what its format needs.
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

    The file's ending tells its format: ``.csv``, ``.tsv`` (each also with
    ``.gz``), ``.parquet``, ``.npz``, or SVMlight as ``.svm``, ``.svmlight``
    or ``.libsvm``. Everything that is fitted, is fitted on the training rows.

    Parameters
    ----------
    path : path-like
    label : str, optional
        The label column of a table; by default the only column called label,
        labels, class, target or y.
    text : str, optional
        Column of a table to use as text; the others are then left out.
    weighting : {"tfidf", "counts"}
        How words are weighted.
    scale : {"auto", "standard", "none"}
        Whether numbers are standardised; "auto" does so for tables of mixed
        units and leaves counts, values within [0, 1] and matrices as given.
    classes : sequence of str, optional
        Keep only rows with these labels, compared as text.
    test_share : float
        Share of each class to hold out if the file publishes no test split.
    random_state : int
        Seed of that choice.

    Returns
    -------
    Split
        Its row ids count the rows of the file from 0, in file order.

    Raises
    ------
    InvalidArgument
        If an option does not fit the file.
    InvalidData
        If the file cannot be used; one sentence says where and why.
    """
    request = Request(label, text, weighting, scale, classes, test_share, random_state)
    return read_file(Path(path), request)


def read_file(path: Path, request: Request) -> Split:
    """Read a file with options that are checked already."""
    module = format_of(path)
    split: Split = module.read(readable_file(path), request)
    return split


def write_rows(
    source: str | os.PathLike[str], rows: Sequence[int] | IntArray, destination: str | os.PathLike[str]
) -> None:
    """Write some rows of a file, in its own format and order, unaltered.

    Text formats are copied character for character. An ``.npz`` archive with
    a published test split keeps it; `rows` then count training rows.

    Parameters
    ----------
    source : path-like
    rows : sequence of int
        Row numbers as in `Dataset.row_ids`, without repetition.
    destination : path-like
        Must end like `source`; replaced only once complete.

    Raises
    ------
    InvalidArgument
        If a row does not exist or repeats, or the endings differ.
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
    """Whether a name has the ending of a format that can be read."""
    return _suffix(Path(name)) is not None


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def format_of(path: Path) -> Any:
    """The module that reads and writes files of this ending.

    Raises
    ------
    InvalidData
        If there is none.
    """
    suffix = _suffix(path)
    if suffix is None:
        if path.is_dir():
            raise InvalidData(f"{path}: expected a file, got a folder")
        raise InvalidData(f"{path}: expected a file ending in {', '.join(SUFFIXES)}, got {path.suffix or 'no ending'}")
    return importlib.import_module(f"toadstone.datasets.readers.{_FORMATS[suffix]}")
