"""Runs of many trials: finished ones on disk, one a line, and the others in several processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from joblib import Parallel

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.harness.processes import processes
from toadstone.records.serial import as_fields, from_fields

JOURNAL = "trials.jsonl"
"""The file's name in the folder of a run."""

_T = TypeVar("_T")
_U = TypeVar("_U", bound=Hashable)
_K = TypeVar("_K", bound=Hashable)


class Skippable(Protocol):
    """A trial that may not have been run."""

    @property
    def skipped(self) -> str:
        """Why it was not run; empty where it was."""


class Journal(Generic[_T]):
    """Open file of finished trials.

    The first line names the plan that the trials belong to. A line that was
    not written to its end is dropped, and the trial run again.

    Parameters
    ----------
    folder : Path
        Created if need be.
    plan : str
        A digest of everything that the trials depend on.
    trial : type
        Class of the trials, of plain fields.
    run : str
        Kind of the run, such as "evaluation".
    option : str
        What the caller calls the folder, for messages.

    Attributes
    ----------
    trials : list
        Those that were finished before.

    Raises
    ------
    InvalidArgument
        If the folder holds something else, or trials of another plan, or
        cannot be written.
    """

    def __init__(self, folder: Path, plan: str, *, trial: type[_T], run: str, option: str = "out") -> None:
        self.trials: list[_T] = []
        self._trial, self._option = trial, option
        self._run, self._head = run, json.dumps({f"toadstone_{run}": plan}).encode() + b"\n"
        path = folder / JOURNAL
        try:
            if not path.exists():
                _refuse_taken(folder, option)
                folder.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._head)
            self._stream: BufferedRandom = path.open("r+b")
        except OSError as error:
            reason = (error.strerror or "input/output error").lower()
            raise InvalidArgument(option, "a folder that can be written", f"{folder}: {reason}") from None
        try:
            self._read(folder)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stream.close()

    def add(self, trials: Sequence[_T]) -> None:
        """Write finished trials at once."""
        for trial in trials:
            self._stream.write(json.dumps(as_fields(trial), allow_nan=False).encode() + b"\n")
        self._stream.flush()

    def _read(self, folder: Path) -> None:
        lines = self._stream.read().splitlines(keepends=True)
        whole = lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]
        if not whole:
            whole = [self._head]
            self._stream.seek(0)
            self._stream.write(whole[0])
        if whole[0] != self._head:
            article = "an" if self._run[0] in "aeiou" else "a"
            expected = (
                f"a new name, or the folder of {article} {self._run} of the same data by the same plan and version"
            )
            raise InvalidArgument(self._option, expected, f"{folder}, which holds another")
        try:
            self.trials = [from_fields(self._trial, json.loads(line)) for line in whole[1:]]
        except (ValueError, TypeError, LookupError, AttributeError):
            expected = f"trials in {JOURNAL}, one a line"
            raise InvalidArgument(self._option, expected, f"{folder}, which has others") from None
        self._stream.seek(sum(map(len, whole)))
        self._stream.truncate()


def _refuse_taken(folder: Path, option: str) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise InvalidArgument(option, "a name that is not taken", f"{folder}, which exists")


def run_missing(
    planned: Mapping[_U, Sequence[_T]],
    tasks: Callable[[set[_U]], Iterable[Any]],
    *,
    key: Callable[[_T], _K],
    journal: Journal[_T] | None,
    workers: int,
    data: Dataset,
    on_unit: Callable[[], None],
) -> dict[_K, _T]:
    """Run the trials of a plan that its journal lacks, and write each down once it is finished.

    Parameters
    ----------
    planned : mapping from unit to sequence of trial
        Blank trials of each unit, which are run together.
    tasks : callable
        Makes the calls, delayed as joblib has them, that run the missing
        units; each returns the trials of one.
    key : callable
        From a trial to its place in the plan.
    journal : Journal, optional
    workers : int
        Processes, fewer where little is to be done; results do not depend on it.
    data : Dataset
        Rows that each task works on.
    on_unit : callable
        Called after each unit.

    Returns
    -------
    dict
        Finished trials by their place, those of the journal among them.
    """
    done = {key(trial): trial for trial in ([] if journal is None else journal.trials)}
    missing = {unit for unit, blank in planned.items() if any(key(trial) not in done for trial in blank)}
    for _ in range(len(planned) - len(missing)):
        on_unit()
    some = processes(workers, len(missing), data)
    for trials in Parallel(n_jobs=some, return_as="generator_unordered")(tasks(missing)):
        done.update((key(trial), trial) for trial in trials)
        if journal is not None:
            journal.add(trials)
        on_unit()
    return done


def late_trials(trials: Sequence[Skippable], deadline: Deadline) -> str:
    """Say how many trials had no time to run; empty where all had."""
    late = sum(deadline.explains(trial.skipped) for trial in trials)
    what = f"{late} of {len(trials)} trials did not run"
    return deadline.unfinished(what, "with --out the same command goes on from those that did") if late else ""
