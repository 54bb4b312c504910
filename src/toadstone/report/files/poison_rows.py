"""Poison rows as a file: the archive that results of attacks save."""

from __future__ import annotations

import os
from pathlib import Path

from toadstone.core.dataset import Poison
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.report.files.places import naming_out, refuse_existing_file


def save_rows(poison: Poison, path: str | os.PathLike[str], *, force: bool) -> Path:
    """Write poison rows to an ``.npz`` archive, and return its path.

    Parameters
    ----------
    poison : Poison
    path : path-like
    force : bool
        Replace an older archive.

    Raises
    ------
    InvalidArgument
        If the file exists, or cannot be written.
    """
    refuse_existing_file(path, force=force)
    with naming_out(Path(path)):
        write_rows_as_arrays(poison.X, poison.y, path)
    return Path(path)
