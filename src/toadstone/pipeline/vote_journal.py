"""Votes of trained models on disk, one file a voter, so that an interrupted training goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument
from toadstone.core.files import written_aside
from toadstone.learners.voters.training import Map, VoterTask


class VoteJournal:
    """A `map` for `PartitionVoteClassifier.fit_votes` that keeps each voter's votes in a folder.

    The name of a file is the digest of the voter's rows, seeds, estimator and
    queries, so one folder serves any number of trainings, and none trains a
    voter that was trained before. Votes are plain arrays.

    Parameters
    ----------
    folder : Path
        Created if need be.
    map : callable, optional
        Trains the voters that are missing; that of a pool of processes does so
        in parallel.

    Raises
    ------
    InvalidArgument
        If the folder cannot be written, or a file in it holds no votes.
    """

    def __init__(self, folder: Path, *, map: Map = map) -> None:
        self._folder = folder
        self._map = map

    def __call__(self, function: Callable[[VoterTask], IntArray], tasks: Iterable[VoterTask]) -> list[IntArray]:
        """Return the votes of each task, training those that are not in the folder."""
        every = list(tasks)
        paths = [self._folder / f"{task.digest}.npy" for task in every]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or "input/output error").lower()
            got = f"{self._folder}: {reason}"
            raise InvalidArgument("journal", "a folder that can be written", got) from None
        missing = [position for position, path in enumerate(paths) if not path.exists()]
        found = self._map(function, [every[position] for position in missing])
        # One by one, as they come, so that an interruption loses only what was being trained.
        for position, votes in zip(missing, found, strict=True):
            with written_aside(paths[position]) as stream:
                np.save(stream, votes.astype(np.int16), allow_pickle=False)
        return [_read(path, task) for path, task in zip(paths, every, strict=True)]


def _read(path: Path, task: VoterTask) -> IntArray:
    try:
        votes = np.load(path, allow_pickle=False)
        fits = votes.dtype == np.int16 and task.queries is not None and votes.shape == task.queries.shape[:1]
    except (ValueError, EOFError):
        fits = False
    if not fits or (votes.size and not -1 <= votes.min() <= votes.max() < len(task.classes)):
        raise InvalidArgument("journal", "votes as they were written", f"{path}, which holds none; remove it")
    return np.asarray(votes, dtype=np.int64)
