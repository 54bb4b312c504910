"""Columnar files: Parquet, and Arrow (Feather)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.arrow_sizes import MAGIC, inflated_size
from toadstone.datasets.readers.content import Content, inflation_limit, too_large
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table

_PARQUET = b"PAR1"


def table(content: Content, request: Request) -> tuple[Table, Request]:
    """Read all columns with their types; rows are numbered from 1.

    Raises
    ------
    InvalidArgument
        If an option is for text files.
    InvalidData
        If the file is damaged.
    """
    request.refuse_notation(f"{content.ending or 'a columnar'} file")
    columns = _columns(content)
    try:
        plain = columns.cast(without_views(columns.schema))
    except pa.ArrowException:
        raise _unusual(content) from None
    return Table(content.name, plain, RowNames("row")), request


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return a file of the given rows, in file order, with the same schema and metadata.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    columns = _columns(content)
    check_rows(rows, columns.num_rows)
    try:
        kept = columns.cast(without_views(columns.schema)).take(pa.array(rows)).cast(columns.schema)
    except pa.ArrowException:
        raise _unusual(content) from None
    sink = pa.BufferOutputStream()
    if content.data.startswith(_PARQUET):
        pq.write_table(kept, sink)
    else:
        feather.write_feather(kept, sink)
    return bytes(sink.getvalue())


def without_views(schema: Any) -> Any:
    """Return the schema with plain text in place of text views, which Arrow cannot take rows from."""
    for position, field in enumerate(schema):
        if pa.types.is_string_view(field.type):
            schema = schema.set(position, field.with_type(pa.large_string()))
    return schema


def _unusual(content: Content) -> InvalidData:
    return InvalidData(
        f"{content.name}: expected columns of numbers, text, booleans or categories, got one that Arrow cannot use"
    )


def _columns(content: Content) -> Any:
    source = pa.BufferReader(content.data)
    try:
        if content.data.startswith(_PARQUET):
            with pq.ParquetFile(source, page_checksum_verification=True) as file:
                _refuse_bomb(file.metadata, content)
                columns = file.read()
        else:
            limit = inflation_limit(len(content.data))
            if content.data.startswith(MAGIC) and inflated_size(content.data) > limit:
                raise InvalidData(too_large(content.name, limit))
            columns = ipc.open_file(source).read_all()
        # Arrow takes offsets, indices and text as they stand in a file: others than valid ones crash the process.
        columns.validate(full=True)
    except InvalidData:
        raise
    except (pa.ArrowException, OSError, ValueError):
        kind = "Parquet" if content.ending == ".parquet" else "Parquet or Arrow"
        raise InvalidData(
            f"{content.name}: expected a complete {kind} file, got one that is damaged or of another kind"
        ) from None
    return columns


def _refuse_bomb(metadata: Any, content: Content) -> None:
    sizes = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    limit = inflation_limit(len(content.data))
    # Repeated values take no room in the file, but eight bytes each in memory.
    if max(sizes, 8 * metadata.num_rows * metadata.num_columns) > limit:
        raise InvalidData(too_large(content.name, limit))
