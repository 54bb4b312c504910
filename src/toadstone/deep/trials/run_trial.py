"""Defences of networks as choices of rows to train on, and the trial of a case with a defence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.deep.defences.deep_knn import VoteResult
from toadstone.deep.defences.epic import EPIC
from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.tensors.checkpoints import digest_of
from toadstone.deep.tensors.features import head_gradients, logits
from toadstone.deep.training.loop import Watcher
from toadstone.deep.trials.cases import Case, seeded
from toadstone.records.trials import Trial


class FlaggingDetector(Protocol):
    """A detector or sanitizer that flags rows."""

    flagged_indices_: IntArray

    def fit(self, X: Array, y: Labels) -> FlaggingDetector:
        """Fit to all rows."""


class RowSelector(Watcher, Protocol):
    """A watcher that exposes the rows that it keeps."""

    @property
    def rows(self) -> Tensor:
        """Indices of the rows kept, int64, ascending."""


@dataclass(frozen=True, eq=False)
class FixedRows:
    """Rows chosen before the training, as a watcher.

    Parameters
    ----------
    rows : int64 Tensor
    """

    rows: Tensor

    @property
    def settings(self) -> str:
        """Digest of the rows, which identifies the watcher in a checkpoint."""
        return f"rows={digest_of(self.rows)}"

    def before_epoch(self, epoch: int, model: nn.Module) -> Tensor:
        """Return the rows."""
        return self.rows


@dataclass(frozen=True, eq=False)
class NetworkDefence:
    """A named defence.

    Parameters
    ----------
    name : str
    watch : callable, optional
        Takes a case and returns the watcher of its training; None for no
        defence.
    """

    name: str
    watch: Callable[[Case], RowSelector] | None = None


def epic(name: str, schedule: Schedule) -> NetworkDefence:
    """Return EPIC with gradients by the logits."""

    def watch(case: Case) -> RowSelector:
        images, labels = case.training
        return EPIC(labels, schedule, partial(head_gradients, images=images, labels=labels))

    return NetworkDefence(name, watch)


def voting(name: str, vote: Callable[[Tensor, Tensor], VoteResult]) -> NetworkDefence:
    """Return a defence that drops rows by a vote on features before the training."""

    def watch(case: Case) -> RowSelector:
        return FixedRows(vote(case.features, case.training[1]).kept)

    return NetworkDefence(name, watch)


def detecting(name: str, make: Callable[[], FlaggingDetector]) -> NetworkDefence:
    """Return a defence that drops the rows that a detector flags on features before the training."""

    def watch(case: Case) -> RowSelector:
        labels = case.training[1].cpu()
        flagged = make().fit(case.features.double().cpu().numpy(), labels.numpy()).flagged_indices_
        stays = torch.ones(len(labels), dtype=torch.bool)
        stays[torch.from_numpy(flagged)] = False
        return FixedRows(stays.nonzero()[:, 0])

    return NetworkDefence(name, watch)


def random_drop(name: str, count: Callable[[Case], int]) -> NetworkDefence:
    """Return the control that drops as many rows as another defence, drawn at random, before the training.

    Parameters
    ----------
    name : str
    count : callable
        Returns how many rows the other defence dropped of a case.
    """

    def watch(case: Case) -> RowSelector:
        rows = torch.randperm(len(case.training[1]), generator=seeded(case.seed))
        return FixedRows(rows[count(case) :].sort().values)

    return NetworkDefence(name, watch)


def run_trial(case: Case, defence: NetworkDefence) -> Trial:
    """Train with a defence and count dropped rows, errors and successes of the attack.

    Parameters
    ----------
    case : Case
    defence : NetworkDefence

    Returns
    -------
    Trial
        Dropped rows are those at the end of the training; None for no defence.
    """
    begin = time.perf_counter()
    labels = case.training[1]
    dropped: tuple[int | None, int | None] = (None, None)
    if defence.watch is None:
        model = case.undefended
    else:
        watcher = defence.watch(case)
        model = case.undefended if _keeps_all(watcher, len(labels)) else case.train(defence.name, watcher)
        left = torch.zeros(len(labels), dtype=torch.bool)
        left[watcher.rows.cpu()] = True
        poison = int((~left[case.poison.cpu()]).sum())
        dropped = poison, int((~left).sum()) - poison
    images, truth = case.test
    wrong = int((logits(model, images).argmax(1).cpu() != truth.cpu()).sum())
    goal = case.goal.reached(model) if case.goal is not None else (None, None)
    return Trial(
        attack=case.attack,
        defence=defence.name,
        thresholds="",
        seed=case.seed,
        poison_rows=len(case.poison),
        clean_rows=len(labels) - len(case.poison),
        flagged_poison=dropped[0],
        flagged_clean=dropped[1],
        test_rows=len(truth),
        wrong_rows=wrong,
        goal_rows=goal[0],
        goal_reached=goal[1],
        seconds=time.perf_counter() - begin,
    )


def _keeps_all(watcher: RowSelector, count: int) -> bool:
    """Return True if the training would repeat that of the undefended model."""
    return isinstance(watcher, FixedRows) and len(watcher.rows) == count
