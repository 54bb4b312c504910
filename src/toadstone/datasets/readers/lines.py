"""Line numbers of rows in text files."""

from __future__ import annotations

import os
from pathlib import Path

_WITH_HEADER, _WITHOUT_HEADER = (".csv", ".tsv"), (".svmlight", ".libsvm", ".svm", ".jsonl")


def first_line(path: str | os.PathLike[str], n_rows: int) -> int | None:
    """Return the line number of row 0, counted from 1, in a text file with one row a line.

    Parameters
    ----------
    path : path-like
    n_rows : int
        Number of rows that were read from it.

    Returns
    -------
    int or None
        None if there is no such file, or if it does not have one row a line.
    """
    file = Path(path)
    headers = {**dict.fromkeys(_WITH_HEADER, 1), **dict.fromkeys(_WITHOUT_HEADER, 0)}.get(file.suffix)
    if headers is None or not file.is_file():
        return None
    with file.open("rb") as stream:
        lines = sum(1 for line in stream if line.strip())
    return headers + 1 if lines == n_rows + headers else None
