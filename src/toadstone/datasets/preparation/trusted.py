"""Trusted rows, prepared in the same way as the data that they belong to."""

from __future__ import annotations

import os
from pathlib import Path

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.files import readable_file
from toadstone.datasets.readers.read import format_of, is_data_file
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.rows import read_poison
from toadstone.datasets.split import Split


def read_trusted(source: str, path: str | os.PathLike[str], split: Split, request: Request) -> Dataset:
    """Read trusted rows with the same columns as the data, and prepare them in the same way.

    Scaling and vocabularies are fitted on the training rows of the data,
    never on the trusted rows.

    Parameters
    ----------
    source : str
        File or catalogue name that `split` was read from.
    path : path-like
        File of the same format. For a catalogue name, an ``.npz`` archive with
        labels ``y`` and prepared rows, as ``X`` or the parts of a CSR matrix.
    split : Split
    request : Request
        Options that `split` was read with.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidArgument
        If the file has another format.
    InvalidData
        If it cannot be read or has other columns.
    """
    file = Path(path)
    if Path(source).is_file() and is_data_file(source):
        found = format_of(Path(source))
        if not is_data_file(file.name) or format_of(file) is not found:
            raise InvalidArgument("trusted", f"a file of the same format as {source}", file)
        X, y = found.read_prepared_like(Path(source), readable_file(file), split.train.row_ids, request)
    else:
        rows = read_poison(readable_file(file))
        X, y = rows.X, rows.y
    if X.shape[1] != split.train.n_features:
        raise InvalidData(f"{file}: expected {split.train.n_features} feature columns as in {source}, got {X.shape[1]}")
    return Dataset(X, y, split.train.feature_names)
