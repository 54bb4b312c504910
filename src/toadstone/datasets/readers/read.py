"""Read a file into a training and a test set, and write selected rows of a file."""

from __future__ import annotations

import codecs
import importlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Unpack

import numpy as np

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.changes import Changes
from toadstone.datasets.readers.content import (
    CODECS,
    FOLDER,
    STANDARD_INPUT,
    Content,
    deflated,
    endings,
    is_url,
    open_content,
    told_by_magic,
)
from toadstone.datasets.readers.request import Reading, Request, checked
from toadstone.datasets.readers.tables import Table, TableReader, split_table
from toadstone.datasets.split import Split

# Modules of formats, imported on use since their libraries are slow to load. Those of tables have `table`, those of
# arrays `read`, and all have `write_rows`.
_FORMATS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".txt": "delimited",
    ".parquet": "columnar",
    ".arrow": "columnar",
    ".feather": "columnar",
    ".jsonl": "json_records",
    ".ndjson": "json_records",
    ".json": "json_records",
    ".arff": "arff",
    ".xlsx": "excel",
    ".npz": "arrays",
    ".svm": "svmlight",
    ".svmlight": "svmlight",
    ".libsvm": "svmlight",
    FOLDER: "images",
}
SUFFIXES = tuple(ending for ending in _FORMATS if ending != FOLDER)
_LIST_OF_IMAGES = ".csv"
_TEXT_MAGIC = ((rb"(?:%[^\r\n]*+|\s)*+@relation\b", ".arff"), (rb'\{\s*["}]', ".jsonl"), (rb"\[\s*[{\]]", ".json"))
_HEAD = 1 << 16


class ArrayReader(Protocol):
    """Preparation of further arrays as those of a split were."""

    def encode(self, content: Content) -> tuple[Matrix, Labels]:
        """Return features and labels of another file."""


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A file that was read: its split, and the way back to its rows.

    Parameters
    ----------
    split : Split
    content : Content
        Without bytes that can be read again.
    asked, request : Request
        As the caller asked, and with what reading found out, such as the separator.
    reader : TableReader or ArrayReader
    """

    split: Split
    content: Content
    asked: Request
    request: Request
    reader: TableReader | ArrayReader

    def encode(self, path: str | os.PathLike[str], option: str = "trusted") -> Dataset:
        """Read another file, and prepare its rows as those of this file were.

        Scaling, levels and vocabularies are those of the training rows of this file.

        Parameters
        ----------
        path : path-like
        option : str
            The argument that names the file, for messages.

        Raises
        ------
        InvalidArgument
            If one is a table, and the other is not.
        InvalidData
            If it cannot be read or has other columns.
        """
        return self.encode_named(path, option)[0]

    def encode_named(self, path: str | os.PathLike[str], option: str = "trusted") -> tuple[Dataset, RowNames]:
        """Do what `encode` does, and return the names of the rows in their file too, numbered as those of this file."""
        other = open_content(path)
        if isinstance(self.reader, TableReader) != hasattr(format_of(other), "table"):
            raise InvalidArgument(option, f"a file of the same format as {self.content.name}", other.name)
        if isinstance(self.reader, TableReader):
            X, y, names = self.reader.encode_named(self._table_of(other))
        else:
            (X, y), names = self.reader.encode(other), RowNames("row")
        expected = self.split.train.n_features
        if X.shape[1] != expected:
            raise InvalidData(
                f"{other.name}: expected {expected} feature columns as in {self.content.name}, got {X.shape[1]}"
            )
        return Dataset(X, y, self.split.train.feature_names), names

    def table(self) -> Table | None:
        """Return the table as it stands in the file; None for a format of arrays."""
        if not isinstance(self.reader, TableReader):
            return None
        content = self.content.again()
        found: Table = format_of(content).table(content, self.request)[0]
        return found

    def raw_encoded(self, path: str | os.PathLike[str]) -> Any:
        """Return the rows of another file that `encode` prepares as an Arrow table, unprepared; None for arrays."""
        if not isinstance(self.reader, TableReader):
            return None
        return self.reader.raw_encoded(self._table_of(open_content(path)))

    def _table_of(self, other: Content) -> Table:
        found: Table = format_of(other).table(other, self._request_for(other))[0]
        return found

    def write_rows(self, rows: Sequence[int] | IntArray, folder: Path, *, stem: str) -> Path:
        """Write selected rows in the same format and order, unchanged, and return the new file.

        Of a folder of images, a table of paths and labels is written; the
        images are not copied.

        Raises
        ------
        InvalidArgument
            If a row does not exist or is repeated.
        InvalidData
            If the file is no longer the one that was read.
        """
        content = self.content.again()
        destination = _destination(content, folder, stem)
        _write(content, rows, destination, self.request)
        return destination

    def write_changed(self, rows: Sequence[int], folder: Path, *, stem: str, changes: Changes) -> Path | None:
        """Write selected rows of text with new labels or weights, all else as it stands, and return the new file.

        Returns
        -------
        Path or None
            None, and no file, for a format of which no part can be replaced
            by itself.

        Raises
        ------
        InvalidArgument
            If the file has a column for the weights already.
        InvalidData
            If the file is no longer the one that was read.
        """
        content = self.content.again()
        module = format_of(content)
        if not isinstance(self.reader, TableReader) or not hasattr(module, "write_changed"):
            return None
        chosen = np.sort(np.asarray(rows, dtype=np.int64))
        data: bytes = module.write_changed(content, chosen, self.request, self.reader.label, changes)
        destination = _destination(content, folder, stem)
        _store(data, content, destination)
        return destination

    def _request_for(self, other: Content) -> Request:
        """Return the options for another file, whose notation is its own unless the caller stated one."""
        if other.ending == self.content.ending:
            return self.asked
        return replace(self.asked, separator=None, quote="auto", encoding=None)


def read(path: str | os.PathLike[str], *, random_state: int = 0, **reading: Unpack[Reading]) -> Split:
    """Read a labelled data file, prepare its features, and hold out a test set.

    The format is told by the ending of the file name, and by the content
    where the ending says nothing: delimited text (``.csv``, ``.tsv``,
    ``.txt``), JSON lines and arrays of objects (``.jsonl``, ``.ndjson``,
    ``.json``), ``.parquet``, Arrow (``.arrow``, ``.feather``), ``.arff`` and
    the ``.dat`` of KEEL, ``.xlsx`` (an extra), ``.npz``, or SVMlight
    (``.svm``, ``.svmlight``, ``.libsvm``); each may be compressed as ``.gz``,
    ``.bz2``, ``.xz``, ``.zst`` or ``.zip``. A folder holds images, in a
    folder for each class or with `labels`. ``-`` is standard input. URLs are
    read by fsspec, an extra. Medians, scaling, levels and
    vocabularies are fitted on the training rows only.

    Parameters
    ----------
    path : path-like or URL
    random_state : int
        Seed of the hold-out.
    label : str, optional
        Label column of a table; by default the only column named label,
        labels, class, target or y.
    text : str or sequence of str, optional
        Columns of texts, to be turned into word weights.
    weighting : {"tfidf", "counts"}
        Weighting of words.
    scale : {"auto", "standard", "none"}
        Scaling of numbers. "auto" standardises the numbers of a table, except
        counts and values within [0, 1]; matrices are left unchanged.
    classes : sequence of str, optional
        Labels to keep, as the file shows them; rows of other labels are left out.
    test_share : float
        Share of each class to hold out if the file has no test split.
    missing : {"indicate", "refuse", "drop-rows"}
        Missing values: the median and a 0/1 column that marks them, and a
        level of their own in categories; a refusal; or rows left out, listed
        in `Split.aside`.
    drop, columns : str or sequence of str, optional
        Columns to leave out, or the only ones to use.
    types : mapping from str to str, optional
        Kind of columns: "number", "category", "date", "text" or "id". Values
        that do not fit a stated kind are missing.
    id : str, optional
        Column that names the rows in all outputs.
    dayfirst : bool, optional
        Whether the day comes first in dates such as 03/04/2024.
    decimal : {".", ","}, optional
        Decimal sign, where numbers can be read in two ways.
    separator, quote, encoding : str, optional
        Of delimited text: told from the file by default. `quote` is "auto",
        "double", or "none" for marks without meaning.
    labels : path, optional
        Table of image names and labels, for a folder of images.
    regression : bool
        True if the label is a number to predict, not a class.

    Returns
    -------
    Split
        Row ids are positions in the file, from 0; `Split.row_names` has the
        names of the rows in all messages and outputs.

    Raises
    ------
    InvalidArgument
        If an option does not fit the file.
    InvalidData
        If the file cannot be used; the message says where and why.
    """
    return read_source(path, Request(**checked(reading), random_state=random_state)).split


def read_source(path: str | os.PathLike[str], request: Request) -> SourceFile:
    """Read a file with checked options, and keep the way back to its rows; see `read`."""
    content = open_content(path)
    if request.labels is not None and content.ending != FOLDER:
        raise InvalidArgument("labels", "nothing for a file: it is for a folder of images", repr(request.labels))
    module = format_of(content)
    asked = request
    reader: Any
    if hasattr(module, "table"):
        table: Table
        table, request = module.table(content, asked)
        split, reader = split_table(table, content.short_name(), request)
    else:
        split, reader = module.read(content, asked)
    return SourceFile(split, content.without_data(), asked, request, reader)


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
    content = open_content(old)
    ending = (_LIST_OF_IMAGES, "") if content.ending == FOLDER else endings(old.name)
    if ending != endings(new.name):
        raise InvalidArgument("destination", f"a name ending in {''.join(ending)}, as the source does", new)
    if new.exists() and new.samefile(old):
        raise InvalidArgument("destination", "another file than the source", new)
    _write(content, rows, new, Request())


def is_data_file(name: str) -> bool:
    """Return True if a name is that of a file to read: standard input, a URL, or the ending of a supported format.

    Examples
    --------
    >>> is_data_file("rows.csv.gz"), is_data_file("adult")
    (True, False)
    """
    return name == STANDARD_INPUT or is_url(name) or endings(name)[0] in _FORMATS


def format_of(content: Content) -> Any:
    """Return the module that reads and writes a content, by its ending or its first bytes."""
    ending = content.ending if content.ending in _FORMATS else _sniffed_ending(content)
    return importlib.import_module(f"toadstone.datasets.readers.formats.{_FORMATS[ending]}")


def _sniffed_ending(content: Content) -> str:
    binary = told_by_magic(content.data)
    if binary in _FORMATS:
        return binary
    head = content.data[:_HEAD].removeprefix(codecs.BOM_UTF8).lstrip()
    text = (ending for pattern, ending in _TEXT_MAGIC if re.match(pattern, head, re.IGNORECASE))
    return next(text, ".csv")


def _write(content: Content, rows: Sequence[int] | IntArray, destination: Path, request: Request) -> None:
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise InvalidArgument("rows", "row numbers", f"values of type {chosen.dtype} and shape {chosen.shape}")
    if chosen.size and (chosen.min() < 0 or len(np.unique(chosen)) < len(chosen)):
        raise InvalidArgument("rows", "distinct row numbers from 0", "a negative or repeated one")
    data: bytes = format_of(content).write_rows(content, np.sort(chosen.astype(np.int64)), request)
    _store(data, content, destination)


def _destination(content: Content, folder: Path, stem: str) -> Path:
    ending = _LIST_OF_IMAGES if content.ending == FOLDER else content.ending or _sniffed_ending(content)
    return folder / f"{stem}{ending}{content.codec}"


def _store(data: bytes, content: Content, destination: Path) -> None:
    member = destination.name.removesuffix(content.codec) if content.codec in CODECS else destination.name
    with written_aside(destination) as stream:
        stream.write(deflated(data, content.codec, member))
