"""Where a row of a table stands in its file."""

from __future__ import annotations

import os
from pathlib import Path

_NAMED, _BARE = (".csv", ".tsv"), (".svmlight", ".libsvm", ".svm", ".jsonl")


def first_line(path: str | os.PathLike[str], n_rows: int) -> int | None:
    """The line of row 0, counted from 1, in a text file where every row is a line.

    Parameters
    ----------
    path : path-like
    n_rows : int
        Rows that were read from it.

    Returns
    -------
    int or None
        None where there is no such file, or its rows are not lines one by one.
    """
    file = Path(path)
    headers = {**dict.fromkeys(_NAMED, 1), **dict.fromkeys(_BARE, 0)}.get(file.suffix)
    if headers is None or not file.is_file():
        return None
    with file.open("rb") as stream:
        lines = sum(1 for line in stream if line.strip())
    return headers + 1 if lines == n_rows + headers else None
