"""Labels of images from a table of names and labels."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.labels import listing
from toadstone.datasets.readers.content import open_content
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import LABEL_NAMES, Table, label_column, read_labels, trimmed


def labels_in_table(names: Sequence[str], request: Request) -> list[str]:
    """Return the label of each image, as the table writes it.

    The label column is `label`, or the only likely one, or the only other one
    beside the names. The column of names is `id`, or that which names the most
    images, by their path or without its ending.

    Parameters
    ----------
    names : sequence of str
        Paths of the images in the folder.
    request : Request
        With the table as `labels`.

    Raises
    ------
    InvalidArgument
        If a column does not exist.
    InvalidData
        If an image has no label or two, or a name no image.
    """
    table = _table(request)
    texts = {name: [str(value) for value in table.columns[name].to_pylist()] for name in table.columns.column_names}
    places = _places(names)
    hits = {name: sum(text.strip() in places for text in values) for name, values in texts.items()}
    if request.id is not None and request.id not in texts:
        raise InvalidArgument("id", f"a column of {table.source}: {listing(list(texts))}", repr(request.id))
    key: str = request.id if request.id is not None else max(hits, key=lambda name: hits[name], default="")
    if not hits.get(key):
        raise InvalidData(f"{table.source}: expected a column of the names of images, such as {names[0]!r}, got none")
    label = _label(table, key, request)
    y, labelled = read_labels(table, label, request)
    found: dict[int, str] = {}
    for row, text in enumerate(texts[key]):
        if text.strip() not in places:
            raise InvalidData(
                f"{table.origin.cell(key, row)}: expected the name of an image in the folder, got {text!r}"
            )
        if not labelled[row]:
            raise InvalidData(f"{table.origin.cell(label, row)}: expected a label, got nothing")
        if places[text.strip()] in found:
            raise InvalidData(f"{table.origin.cell(key, row)}: expected each image once, got {text!r} twice")
        found[places[text.strip()]] = str(y[row])
    missing = next((row for row in range(len(names)) if row not in found), None)
    if missing is not None:
        raise InvalidData(f"{table.source}: expected a label for every image, got none for {names[missing]!r}")
    return [found[row] for row in range(len(names))]


def _table(request: Request) -> Table:
    # The registry of formats imports this room, hence the late import.
    formats: Any = importlib.import_module("toadstone.datasets.readers.read")
    content = open_content(request.labels or "")
    module = formats.format_of(content)
    if not hasattr(module, "table"):
        raise InvalidArgument("labels", "a table of images and labels, such as a .csv", content.name)
    options = Request(label=request.label, separator=request.separator, encoding=request.encoding)
    table: Table = module.table(content, options)[0]
    table = trimmed(table)
    if table.columns.num_rows == 0:
        raise InvalidData(f"{table.source}: expected rows of names and labels, got none")
    return table


def _places(names: Sequence[str]) -> dict[str, int]:
    """Return the position of each image by its path, and without ending where that names one image only."""
    places: dict[str, int] = {}
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    _, first, times = np.unique(stems, return_index=True, return_counts=True)
    for position in first[times == 1].tolist():
        places[stems[position]] = position
    return places | {name: position for position, name in enumerate(names)}


def _label(table: Table, key: str, request: Request) -> str:
    others: list[str] = [name for name in table.columns.column_names if name != key]
    likely = [name for name in others if name.lower() in LABEL_NAMES]
    if request.label is None and len(others) == 1 and not likely:
        return others[0]
    columns = table.columns.select(others)
    return label_column(replace(table, columns=columns), Request(label=request.label))
