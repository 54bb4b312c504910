"""Results of the front door: a record, and what renders, tabulates and saves it."""

from __future__ import annotations

import itertools
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from toadstone.core.errors import InvalidArgument
from toadstone.front.inputs import Given
from toadstone.records.serial import as_fields

_TITLES = {"Certify": "Certificate", "Sanitize": "Sanitizing", "Verify": "Verified certificate"}


class Result(ABC):
    """A result of a front-door function.

    ``print(result)`` shows it as the terminal does, ``result.record`` is what
    JSON holds, `to_frame` gives its rows as a data frame, `plot` draws it, and
    `save` writes what ``--out`` writes.

    Parameters
    ----------
    given : Given
        The data as read.
    record : object
        What ``--json`` prints.
    unfinished : str
        What there was no time for before ``max_seconds``, in a sentence; empty
        if the run ended by itself.
    """

    unseen: Collection[str] = ()
    """Columns of `to_frame` that a notebook has no room for."""

    def __init__(self, given: Given, record: Any, *, unfinished: str = "") -> None:
        self.given = given
        self.record = record
        self.unfinished = unfinished

    @abstractmethod
    def lines(self, width: int | None = None) -> list[str]:
        """Say the result in lines of at most `width` columns, as the terminal shows it."""

    @abstractmethod
    def columns(self) -> tuple[Sequence[int] | None, Mapping[str, Sequence[Any]]]:
        """Give the rows of the result as columns, and the source rows that they are about, if they are."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write all files of the result into an existing folder."""

    def to_json(self) -> str:
        """Write the record as JSON text."""
        return json.dumps(as_fields(self.record), indent=2, allow_nan=False)

    def to_frame(self) -> Any:
        """Return the rows of the result as a data frame.

        Returns
        -------
        data frame
            Of the kind that was given; of pandas, or pyarrow where pandas is
            not installed, for files and arrays. Rows of a data frame stand
            under the caller's own index; those of files and arrays have a
            column "row", or one named like the column that identifies them.
        """
        rows, columns = self.columns()
        return self.given.table(rows, columns)

    def plot(self) -> Any:
        """Draw the result as a matplotlib figure.

        Raises
        ------
        InvalidArgument
            If there is nothing to draw.
        """
        raise InvalidArgument("plot", "a result that has a figure", type(self).__name__)

    def save(self, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write all files of the result into a new folder, whole or not at all.

        Parameters
        ----------
        folder : path-like
        force : bool
            Replace a folder of results of an older run.

        Returns
        -------
        Path
            Of the folder.

        Raises
        ------
        InvalidArgument
            If something of that name exists, another run writes to it, or nothing
            can be written there.
        """
        from toadstone.report.files.places import new_folder

        with new_folder(Path(folder), force=force) as aside:
            self.write(aside)
        return Path(folder)

    def __str__(self) -> str:
        return "\n".join([*self.lines(), *(["", f"Unfinished: {self.unfinished}."] if self.unfinished else [])])

    def __repr__(self) -> str:
        first = next((line for line in self.lines() if line.strip()), "")
        return f"<{type(self).__name__}: {first.strip()}>"

    def chapters(self) -> Mapping[str, Sequence[str]]:
        """Return what a notebook shows beside the rows: sentences by their title."""
        return {}

    def glance(self) -> Mapping[str, Sequence[Any]]:
        """Return the columns of which a notebook shows the first rows: those of `to_frame`, or fewer."""
        rows, columns = self.columns()
        columns = {name: cells for name, cells in columns.items() if name not in self.unseen}
        return columns if rows is None else self.given.named(rows, columns)

    def _repr_html_(self) -> str:
        from toadstone.report.pages.fragment import render_fragment

        sentences = list(itertools.takewhile(str.strip, self.lines()))
        if self.unfinished:
            sentences.insert(0, f"Unfinished: {self.unfinished}.")
        verb = type(self).__name__.removesuffix("Result")
        return render_fragment(
            f"{_TITLES.get(verb, verb)} of {self.given.source.name}", sentences, self.glance(), self.chapters()
        )
