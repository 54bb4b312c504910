"""The folder of a run of many trials, from which the same call goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from toadstone.front.inputs import Given
from toadstone.front.results import Result
from toadstone.pipeline.trials.journal import Journal
from toadstone.report.files.places import filled, naming_out

_T = TypeVar("_T")


@contextmanager
def journal_of(
    folder: Path | None, plan: str, *, trial: type[_T], run: str, force: bool
) -> Iterator[Journal[_T] | None]:
    """Open the journal of a folder, emptied before where it is to begin anew; None without a folder."""
    if folder is None:
        yield None
        return
    if force:
        # An empty folder takes the place of the old one in one step.
        with filled(folder, force=True):
            pass
    with naming_out(folder), Journal(folder, plan, trial=trial, run=run) as journal:
        yield journal


class TrialsResult(Result):
    """A result whose files stand beside the finished trials, in the folder that the call named.

    Parameters
    ----------
    given : Given
    record : object
    out : Path, optional
        The folder of the trials.
    unfinished : str
    """

    def __init__(self, given: Given, record: Any, out: Path | None, *, unfinished: str = "") -> None:
        super().__init__(given, record, unfinished=unfinished)
        self._out = out

    def save(self, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write all files into a new folder, or into the one that holds the finished trials."""
        if Path(folder) != self._out:
            return super().save(folder, force=force)
        with naming_out(Path(folder)):
            self.write(Path(folder))
        return Path(folder)
