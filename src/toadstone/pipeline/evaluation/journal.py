"""Finished trials on disk, one a line, so that an evaluation can be resumed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import Self

from toadstone.core.errors import InvalidArgument
from toadstone.records.trials import Trial

JOURNAL = "trials.jsonl"
"""The file's name in the folder of an evaluation."""


class Journal:
    """Open file of finished trials.

    The first line names the plan that the trials belong to. A line that was
    not written to its end is dropped, and the trial run again.

    Parameters
    ----------
    folder : Path
        Created if need be.
    plan : str
        A digest of everything that the trials depend on.
    option : str
        What the caller calls the folder, for messages.

    Attributes
    ----------
    trials : list of Trial
        Those that were finished before.

    Raises
    ------
    InvalidArgument
        If the folder holds something else, or trials of another plan, or
        cannot be written.
    """

    def __init__(self, folder: Path, plan: str, *, option: str = "out") -> None:
        self.trials: list[Trial] = []
        self._option = option
        path = folder / JOURNAL
        try:
            if not path.exists():
                _refuse_taken(folder, option)
                folder.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_head(plan))
            self._stream: BufferedRandom = path.open("r+b")
        except OSError as error:
            reason = (error.strerror or "input/output error").lower()
            raise InvalidArgument(option, "a folder that can be written", f"{folder}: {reason}") from None
        try:
            self._read(folder, plan)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stream.close()

    def add(self, trials: Sequence[Trial]) -> None:
        """Write finished trials at once."""
        for trial in trials:
            self._stream.write(json.dumps(asdict(trial), allow_nan=False).encode() + b"\n")
        self._stream.flush()

    def _read(self, folder: Path, plan: str) -> None:
        lines = self._stream.read().splitlines(keepends=True)
        whole = lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]
        if not whole:
            whole = [_head(plan)]
            self._stream.seek(0)
            self._stream.write(whole[0])
        if whole[0] != _head(plan):
            expected = "a new name, or the folder of an evaluation of the same data by the same plan and version"
            raise InvalidArgument(self._option, expected, f"{folder}, which holds another")
        try:
            self.trials = [Trial(**json.loads(line)) for line in whole[1:]]
        except (ValueError, TypeError):
            expected = f"trials in {JOURNAL}, one a line"
            raise InvalidArgument(self._option, expected, f"{folder}, which has others") from None
        self._stream.seek(sum(map(len, whole)))
        self._stream.truncate()


def _head(plan: str) -> bytes:
    return json.dumps({"toadstone_evaluation": plan}).encode() + b"\n"


def _refuse_taken(folder: Path, option: str) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise InvalidArgument(option, "a name that is not taken", f"{folder}, which exists")
