"""Reader of Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.preparation.columns import Origin
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import encode_like, split_table
from toadstone.datasets.split import Split


def read(path: Path, request: Request) -> Split:
    """Read a Parquet file.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    table = _table(path)
    try:
        return split_table(table.cast(without_views(table.schema)), Origin(path, first_row=1), request)
    except pa.ArrowException:
        raise _unusual(path) from None


def read_prepared_like(path: Path, other: Path, row_ids: IntArray, request: Request) -> tuple[Matrix, Labels]:
    """Read another file of the same columns, with the preparation fitted on some rows of this one.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    table, added = (found.cast(without_views(found.schema)) for found in (_table(path), _table(other)))
    origins = (Origin(path, first_row=1), Origin(other, first_row=1))
    try:
        return encode_like(table, added, origins=origins, row_ids=row_ids, request=request)
    except pa.ArrowException:
        raise _unusual(other) from None


def write_rows(path: Path, rows: IntArray, destination: Path) -> None:
    """Write the given rows, in file order, with the same schema and metadata.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    table = _table(path)
    if rows.max(initial=-1) >= table.num_rows:
        raise InvalidArgument("rows", f"row numbers below {table.num_rows}", int(rows.max()))
    try:
        kept = table.cast(without_views(table.schema)).take(pa.array(np.sort(rows))).cast(table.schema)
    except pa.ArrowException:
        raise _unusual(path) from None
    with written_aside(destination) as stream:
        pq.write_table(kept, stream)


def without_views(schema: Any) -> Any:
    """Return the schema with plain text in place of text views, which Arrow cannot take rows from."""
    for position, field in enumerate(schema):
        if pa.types.is_string_view(field.type):
            schema = schema.set(position, field.with_type(pa.large_string()))
    return schema


def _unusual(path: Path) -> InvalidData:
    return InvalidData(
        f"{path}: expected columns of numbers, text, booleans or categories, got one that Arrow cannot use"
    )


def _table(path: Path) -> Any:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read()
    except (pa.ArrowException, OSError, ValueError):
        raise InvalidData(
            f"{path}: expected a complete Parquet file, got one that is damaged or of another kind"
        ) from None
