"""Data as callers have them: files, names of the catalogue, data frames, arrays; and the way back to their rows."""

from __future__ import annotations

import importlib.util
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np

from toadstone.core.arrays import Matrix
from toadstone.core.dataset import Dataset, Poison, Trusted
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.catalogue.load import open_requested
from toadstone.datasets.preparation.domain import check_domain
from toadstone.datasets.readers.memory import (
    ARRAYS,
    FRAME,
    ArrayPreparation,
    as_frame,
    frame_table,
    labelled,
    read_arrays,
    read_frame,
)
from toadstone.datasets.readers.read import SourceFile, is_data_file
from toadstone.datasets.readers.representation import representation_of
from toadstone.datasets.readers.request import Reading, Request, checked
from toadstone.datasets.readers.rows import read_poison, write_rows_as_arrays
from toadstone.datasets.readers.tables import TableReader
from toadstone.datasets.split import Split
from toadstone.front.rows.known_rows import check_known, without_shared
from toadstone.kernels.rows import count_entries
from toadstone.pipeline.harness.threads import allow_threads, available_cores
from toadstone.records.header import Source

Data: TypeAlias = Any
"""A path, a name of the catalogue, a data frame, a pair (X, y), a `Dataset` or a split from `load` or `read`."""

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_WITH_TARGETS = "one of scan, sanitize, defend and attack for a numeric target, or certify by label-flips"
_LARGEST_SEED = 2**32 - 1
_KINDS = "a path, a name of `toadstone datasets`, a data frame, a pair (X, y), a Dataset or what load and read return"


@dataclass(frozen=True, eq=False)
class Given:
    """Data of a caller, read and prepared.

    Parameters
    ----------
    split : Split
    source : Source
    request : Request
    frame : narwhals.DataFrame, optional
        The caller's data frame.
    file : SourceFile, optional
        The caller's file, standard input or URL.
    reader : TableReader or ArrayPreparation, optional
        Preparation of further rows of a data frame or arrays.
    """

    split: Split
    source: Source
    request: Request
    frame: nw.DataFrame[Any] | None = None
    file: SourceFile | None = None
    reader: TableReader | ArrayPreparation | None = None

    def trusted(self, rows: Data | None) -> Dataset | None:
        """Prepare trusted rows as these data are; None stays None.

        Few columns repeat themselves, so that some trusted rows may equal
        untrusted ones by chance. They are left out with a warning, as long as
        they are less than half.

        Raises
        ------
        InvalidArgument
            If they are of another kind than the data, half of them or more are
            among these, or a label is new.
        InvalidData
            If they cannot be read, or their columns are others.
        """
        if rows is None:
            return None
        trusted, names = without_shared(self.split, *self._prepared(rows, "trusted"))
        check_known(self.split, trusted, names)
        return trusted

    def trusted_beside_held_out(self, rows: Data | None) -> Dataset | None:
        """Prepare trusted rows, which may be among those that the split holds out; None stays None.

        Raises
        ------
        InvalidArgument, InvalidData
            As `trusted`, but for rows that are among the data.
        """
        return None if rows is None else without_shared(self.split, *self._prepared(rows, "trusted"))[0]

    def tested(self, rows: Data | None) -> Dataset | None:
        """Prepare test rows as these data are; None stays None.

        Raises
        ------
        InvalidArgument
            If they are of another kind than the data.
        InvalidData
            If they cannot be read, or their columns are others.
        """
        return None if rows is None else self._prepared(rows, "test")[0]

    def represented(self, rows: Any) -> Matrix | None:
        """Read a representation of all rows of the source, a file or a matrix; None stays None.

        Raises
        ------
        InvalidData
            If it cannot be read, or has another number of rows.
        """
        if rows is None:
            return None
        return representation_of(rows, len(self.split.whole()) + len(self.split.aside))

    def _prepared(self, rows: Data, option: str) -> tuple[Dataset, RowNames]:
        """Prepare other rows as these are, and name them as these are named."""
        if isinstance(rows, Dataset | Trusted):
            return rows if isinstance(rows, Dataset) else rows.data, RowNames("row")
        if isinstance(rows, str | os.PathLike):
            return self._other_file(rows, option)
        names = self.split.train.feature_names
        other, request = as_frame_with_label(rows, self.request)
        if other is not None and isinstance(self.reader, TableReader):
            renamed = replace(self.reader, label=request.label or self.reader.label)
            X, y, named = renamed.encode_named(frame_table(other, f"{option} {FRAME}"))
            return Dataset(X, y, names), named
        if isinstance(rows, tuple) and len(rows) == 2 and isinstance(self.reader, ArrayPreparation):
            return Dataset(*self.reader.encode(*rows, f"{option} arrays"), names), RowNames("row")
        raise InvalidArgument(option, f"rows of the same kind as the data, {self.source.name}", type(rows).__name__)

    def _other_file(self, path: str | os.PathLike[str], option: str) -> tuple[Dataset, RowNames]:
        if self.file is not None:
            return self.file.encode_named(path, option)
        rows = read_poison(path)
        expected = self.split.train.n_features
        if rows.X.shape[1] != expected:
            raise InvalidData(
                f"{path}: expected {expected} feature columns as in {self.source.name}, got {rows.X.shape[1]}"
            )
        return Dataset(rows.X, rows.y, self.split.train.feature_names), RowNames("row")

    def table(self, rows: Sequence[int] | None, columns: Mapping[str, Sequence[Any]]) -> Any:
        """Make a data frame of the caller's kind, on the caller's index.

        Parameters
        ----------
        rows : sequence of int or None
            Positions in the source, one for each entry of the columns; None
            for a table that is not about rows.
        columns : mapping from str to sequence

        Returns
        -------
        data frame
            Of the caller's library, with the caller's index where the library
            has one. Elsewhere with a column "row" of the names of rows, or
            one called like the column that identifies them. For files and
            arrays a pandas one where pandas is installed, and a pyarrow table
            if not.
        """
        listed = {name: list(values) for name, values in columns.items()}
        if rows is None:
            return nw.from_dict(listed, backend=self._library()).to_native()
        positions = [int(row) for row in rows]
        if self.frame is None or not self.frame.implementation.is_pandas_like():
            return nw.from_dict(self.named(positions, listed), backend=self._library()).to_native()
        made = nw.from_dict(listed, backend=self._library()).to_native()
        made.index = self.frame.to_native().index[positions]
        return made

    def named(self, rows: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """Put the names of rows before other columns: text, or whole numbers where rows are counted.

        Parameters
        ----------
        rows : sequence of int
            Positions in the source.
        columns : mapping from str to sequence
        """
        names = self.split.row_names
        found = [names[int(row)] for row in rows]
        counted = names.kind != "id" and all(_WHOLE.fullmatch(name) for name in found)
        title = names.column if names.kind == "id" and names.column not in columns else "row"
        return {title: [int(name) for name in found] if counted else found, **columns}

    def _library(self) -> Any:
        if self.frame is not None:
            return self.frame.implementation
        return "pandas" if importlib.util.find_spec("pandas") is not None else "pyarrow"

    def keep(self, kept: Dataset) -> Any:
        """Return the caller's own data with only the kept rows: a data frame, or X and y as prepared.

        A data frame has the rows that were not judged too, unless they were
        dropped on request; they have no prepared form.
        """
        if self.frame is None:
            self.warn_of_others("what is kept")
            return kept.X, kept.y
        return self.frame[self.kept_positions(kept), :].to_native()

    def write_kept(self, kept: Dataset, folder: Path, *, stem: str) -> None:
        """Write the kept rows: of a file in its own format, of a data frame as Parquet, of others as arrays."""
        if self.frame is not None:
            nw.from_native(self.keep(kept), eager_only=True).write_parquet(folder / f"{stem}.parquet")
        elif self.file is not None:
            self.file.write_rows(self.kept_positions(kept), folder, stem=stem)
        else:
            self.warn_of_others(f"{stem}.npz")
            write_rows_as_arrays(kept.X, kept.y, folder / f"{stem}.npz")

    def kept_positions(self, kept: Dataset) -> list[int]:
        """Positions in the source of the kept rows, and of those that are kept without being judged; ascending."""
        return sorted([*_ids(kept).tolist(), *(row.position for row in self.split.aside if not row.dropped)])

    def warn_of_others(self, where: str) -> None:
        """Warn of kept rows that have no prepared form, where the rest has no other."""
        others = sum(not row.dropped for row in self.split.aside)
        if others:
            rows = "1 row" if others == 1 else f"{others} rows"
            warnings.warn(f"{where} lacks {rows} that were not judged and have no prepared form", stacklevel=3)


def open_data(data: Data, request: Request, *, domain: str = "auto") -> Given:
    """Read and prepare data with classes as labels, in any of the forms that the front door takes.

    Where counts are expected, columns are taken as they are and all rows checked.

    Raises
    ------
    InvalidArgument
        If the data are of no such form, or an option does not apply.
    InvalidData
        If they cannot be used; one sentence says where and why.
    """
    if request.regression or (isinstance(data, Split) and data.target):
        raise InvalidArgument("regression", _WITH_TARGETS, "another function")
    counts = domain == "integer"
    frame, request = as_frame_with_label(data, request)
    tabular = frame is not None or (isinstance(data, str | os.PathLike) and is_data_file(os.fspath(data)))
    if counts and request.scale == "auto" and tabular:
        request = replace(request, scale="none")
    given = _open(data, frame, request)
    if counts:
        check_domain(given.split.whole().X, domain)
    allow_threads(count_entries(given.split.train.X))
    return given


def open_targets(data: Data, request: Request) -> Given:
    """Read and prepare data with a numeric target, in any of the forms that the front door takes.

    Raises
    ------
    InvalidArgument
        If the data are of no such form, or an option does not apply.
    InvalidData
        If they cannot be used; one sentence says where and why.
    """
    frame, request = as_frame_with_label(data, request)
    given = _open(data, frame, request)
    if not given.split.target:
        raise InvalidArgument("regression", "data that were read with a numeric target", "a split with classes")
    allow_threads(count_entries(given.split.train.X))
    return given


def request_of(reading: Reading, seed: int) -> Request:
    """Check the options that say how data are read.

    Raises
    ------
    InvalidArgument
        If one is out of range.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= _LARGEST_SEED:
        raise InvalidArgument("seed", f"a whole number from 0 to {_LARGEST_SEED}", seed)
    return Request(**checked(reading), random_state=int(seed))


def names_of(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Split names by commas, or take them one by one; None stays None.

    Examples
    --------
    >>> names_of("spectral, sever"), names_of(["spectral"]), names_of(None)
    (('spectral', 'sever'), ('spectral',), None)
    """
    if names is None:
        return None
    return tuple(name.strip() for name in (names.split(",") if isinstance(names, str) else names))


def workers_of(workers: int | None) -> int:
    """Number of processes: one for each core that the container lends where none is given.

    Raises
    ------
    InvalidArgument
        If it is less than one.
    """
    if workers is None:
        return available_cores()
    if workers < 1:
        raise InvalidArgument("workers", "a whole number from 1", workers)
    return workers


def poisons_of(poison: Any) -> dict[str, Poison]:
    """Read attacks to evaluate besides our own: a mapping from names to `Poison`, or paths of archives.

    Raises
    ------
    InvalidArgument
        If two files have the same name.
    """
    if isinstance(poison, Mapping):
        return dict(poison)
    files = [Path(poison)] if isinstance(poison, str | os.PathLike) else [Path(file) for file in poison]
    found: dict[str, Poison] = {}
    for file in files:
        if file.stem in found:
            raise InvalidArgument("poison", "files of different names", file)
        found[file.stem] = read_poison(file)
    return found


def _open(data: Data, frame: nw.DataFrame[Any] | None, request: Request) -> Given:
    if frame is not None:
        split, reader = read_frame(frame, request)
        return Given(split, Source(FRAME), request, frame=frame, reader=reader)
    if isinstance(data, str | os.PathLike):
        name = os.fspath(data)
        found = open_requested(name, request)
        if isinstance(found, Split):
            return Given(found, Source(found.name, name), request)
        return Given(found.split, Source(found.split.name, name), request, file=found)
    if isinstance(data, Split):
        return Given(data, Source(data.name), request)
    if isinstance(data, Dataset):
        split, arrays = read_arrays(data.X, data.y, request, feature_names=data.feature_names, row_ids=data.row_ids)
    elif isinstance(data, tuple) and len(data) == 2:
        split, arrays = read_arrays(*data, request)
    else:
        raise InvalidArgument("data", _KINDS, type(data).__name__)
    return Given(split, Source(ARRAYS), request, reader=arrays)


def as_frame_with_label(data: Data, request: Request) -> tuple[nw.DataFrame[Any] | None, Request]:
    """Recognise a data frame, or one of features beside its labels, and the column of the labels."""
    if isinstance(data, tuple) and len(data) == 2:
        joined = labelled(*data)
        if joined is None:
            return None, request
        if request.label is not None:
            raise InvalidArgument("label", "nothing beside a pair (X, y)", repr(request.label))
        return joined[0], replace(request, label=joined[1])
    if isinstance(data, str | os.PathLike | Split | Dataset):
        return None, request
    return as_frame(data), request


def _ids(rows: Dataset) -> Any:
    if rows.row_ids is None:
        raise InvalidData("rows: expected their numbers in the source, got none")
    return rows.row_ids
