"""The caller's own rows: unprepared, for a model of theirs, and with the labels and weights that a defence gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet

from toadstone.core.arrays import IntArray
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.files import written_aside
from toadstone.datasets.readers.changes import WEIGHT, Changes
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.datasets.readers.tables import Table, TableReader
from toadstone.front.inputs import Data, Given, as_frame_with_label


def rows_for_models(given: Given) -> Callable[[IntArray], Any] | None:
    """Return what gives a model the rows of a table as they stand in the source, by position; None for arrays."""
    if given.frame is not None and isinstance(given.reader, TableReader):
        frame = _without(given.frame, given.reader.label)
        return lambda rows: frame[rows.tolist(), :].to_native()
    table = None if given.file is None else given.file.table()
    if table is None or given.file is None or not isinstance(given.file.reader, TableReader):
        return None
    return _taker(given.file.reader.raw(table))


def trusted_for_models(given: Given, rows: Data) -> Callable[[IntArray], Any] | None:
    """Return the same for trusted rows, by their places among those that `Given.trusted` prepares."""
    if isinstance(rows, Dataset):
        return None
    if given.frame is not None and isinstance(given.reader, TableReader):
        other, request = as_frame_with_label(rows, given.request)
        if other is None:
            return None
        frame = _without(other, request.label or given.reader.label)
        return lambda places: frame[places.tolist(), :].to_native()
    raw = None if given.file is None else given.file.raw_encoded(rows)
    return None if raw is None else _taker(raw)


def keep_changed(given: Given, kept: Dataset, changes: Changes) -> Any:
    """Return the caller's rows with new labels or weights: a data frame, else X, y and the weights if there are any."""
    if given.frame is None or not isinstance(given.reader, TableReader):
        given.warn_of_others("what is kept")
        weight = _weights_of_arrays(kept, changes)
        return (kept.X, kept.y) if weight is None else (kept.X, kept.y, weight)
    frame, label = given.frame, _own_name(given.frame, given.reader.label)
    positions = given.kept_positions(kept)
    chosen = nw.maybe_reset_index(frame[positions, :])
    new = {}
    if changes.label_of:
        new[label] = nw.maybe_reset_index(frame[changes.labels_from(positions), :])[label]
    weight = changes.weights(positions)
    if weight is not None:
        changes.check_names(frame.columns)
        new[WEIGHT] = nw.new_series(WEIGHT, weight, backend=frame.implementation)
    made = chosen.with_columns(**new).to_native()
    if frame.implementation.is_pandas_like():
        made.index = frame.to_native().index[positions]
    return made


def write_changed(given: Given, kept: Dataset, changes: Changes, folder: Path, *, stem: str) -> None:
    """Write the kept rows with new labels or weights.

    Of text in its own format, where nothing but labels and weights differs; of
    other tables as Parquet, and of arrays and images as an ``.npz`` archive.
    """
    if given.frame is not None:
        frame = nw.from_native(keep_changed(given, kept, changes), eager_only=True)
        frame.write_parquet(folder / f"{stem}.parquet")
        return
    rows = given.kept_positions(kept)
    if given.file is not None and given.file.write_changed(rows, folder, stem=stem, changes=changes) is not None:
        return
    table = None if given.file is None else given.file.table()
    if table is None or given.file is None or not isinstance(given.file.reader, TableReader):
        given.warn_of_others(f"{stem}.npz")
        write_rows_as_arrays(kept.X, kept.y, folder / f"{stem}.npz", weight=_weights_of_arrays(kept, changes))
        return
    with written_aside(folder / f"{stem}.parquet") as stream:
        pyarrow.parquet.write_table(_changed_table(table, given.file.reader.label, rows, changes), stream)


def _changed_table(table: Table, label: str, rows: list[int], changes: Changes) -> Any:
    columns = table.columns
    place = [name.strip() for name in columns.column_names].index(label)
    made = columns.take(pa.array(rows, pa.int64()))
    if changes.label_of:
        turned = columns.column(place).take(pa.array(changes.labels_from(rows), pa.int64()))
        made = made.set_column(place, columns.column_names[place], turned)
    weight = changes.weights(rows)
    if weight is not None:
        changes.check_names(columns.column_names)
        made = made.append_column(WEIGHT, pa.array(weight))
    return made


def _weights_of_arrays(kept: Dataset, changes: Changes) -> Any:
    weight = changes.weights([] if kept.row_ids is None else kept.row_ids)
    return None if weight is None else np.array(weight)


def _own_name(frame: nw.DataFrame[Any], label: str) -> str:
    return next(name for name in frame.columns if str(name).strip() == label)


def _without(frame: nw.DataFrame[Any], label: str) -> nw.DataFrame[Any]:
    return frame.drop(_own_name(frame, label))


def _taker(table: Any) -> Callable[[IntArray], Any]:
    try:
        frame = nw.from_arrow(table, backend="pandas")
    except ModuleNotFoundError:
        raise InvalidArgument("model", "pandas installed, in which a model gets the rows of a file", "none") from None
    return lambda rows: frame[rows.tolist(), :].to_native()
