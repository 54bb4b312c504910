"""Defend numeric targets: remove the rows that the verdict lists, and measure the cost on rows it did not choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV

from toadstone.core.arrays import Array, Labels
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.learners.given_models import failing_in_words, predicted
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.data_summary import digests_of_rows
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import account_for, ids_of, set_aside, source_of
from toadstone.pipeline.regression.facts import finding_of, judge, summarize_targets, wrong_targets
from toadstone.records.header import Source
from toadstone.records.regression import ErrorChange, RegressionDefenceRecord, Where

_ERRORS = "errors"
_NORMAL = 1.959964
_RIDGES = np.logspace(-3, 4, 15)


@dataclass(frozen=True)
class TargetDefencePlan:
    """Options of a defence of numeric targets.

    Parameters
    ----------
    max_removed : float, optional
        Share of the rows that may be removed, in [0, 0.5); no limit by default.
    model : regressor, optional
        What is trained; ridge regression and a random forest by default.
    model_name : str
        Its name.
    seed : int
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str

    Raises
    ------
    InvalidArgument
        If the share is out of range.
    """

    max_removed: float | None = None
    model: Any = None
    model_name: str = ""
    seed: int = 0
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if self.max_removed is not None:
            check_within("[0, 0.5)", max_removed=self.max_removed)

    @property
    def models(self) -> dict[str, Any]:
        """Unfitted models by name."""
        if self.model is not None:
            return {self.model_name: self.model}
        return {"ridge": RidgeCV(_RIDGES), "random forest": RandomForestRegressor(random_state=self.seed)}


def defend_targets(
    split: Split,
    plan: TargetDefencePlan,
    *,
    trusted: Dataset | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> tuple[RegressionDefenceRecord, Dataset]:
    """Remove the listed rows of a source.

    Rows held out at random are put back. Errors are measured on trusted rows
    and on a published test set alone: rows that the defence chose cannot
    judge it.

    Parameters
    ----------
    split : Split
        With a numeric target.
    plan : TargetDefencePlan
    trusted : Dataset, optional
        Rows known to be right, none of them in `split`.
    deadline : Deadline
        Errors are not measured after it.
    on_stage : callable
        Called with the name of each stage as it begins.

    Returns
    -------
    record : RegressionDefenceRecord
    kept : Dataset
        The kept rows, under their original ids.

    Raises
    ------
    InvalidArgument
        If a trusted row is among the others, or the deadline passes before
        there is a verdict.
    """
    deadline.demand("enough for the verdict")
    data, clock = split.whole(), Clock(on_stage)
    with clock.stage("verdict"):
        verdict = judge(data, trusted, plan.seed)
    listed = verdict.flagged_indices_
    most = len(data) if plan.max_removed is None else int(plan.max_removed * len(data) + 1e-9)
    removed = listed[:most]
    kept = np.setdiff1d(np.arange(len(data)), removed)
    errors: tuple[ErrorChange, ...] = ()
    if not deadline.passed:
        with clock.stage(_ERRORS):
            errors = _errors(data, kept, plan, trusted, split.test if data is split.train else None)
    record = RegressionDefenceRecord(
        header=make_header(
            "regression-defence", command=plan.command, seed=plan.seed, digests=digests_of_rows(data, trusted)
        ),
        source=source_of(split, plan.source),
        data=summarize_targets(split, data),
        evidence=finding_of(verdict),
        max_removed=plan.max_removed,
        rows=len(data),
        kept=len(kept),
        removals=wrong_targets(split, data, verdict, removed),
        spared=len(listed) - len(removed),
        expected_innocents=float(np.sum(1 - verdict.wrong_probability_[removed])),
        account=account_for(split, data, kept, ids_of(data)[removed].tolist()),
        set_aside=set_aside(split),
        trusted_rows=0 if trusted is None else len(trusted),
        errors=errors,
        timings=clock.seconds,
    )
    return record, data.take(kept)


def late_errors(record: RegressionDefenceRecord, deadline: Deadline) -> str:
    """Say that there was no time to measure errors; empty where there was."""
    if _ERRORS in record.timings:
        return ""
    return deadline.unfinished("the errors were not measured", "give more seconds, or a model that trains faster")


def _errors(
    data: Dataset, kept: Any, plan: TargetDefencePlan, trusted: Dataset | None, published: Dataset | None
) -> tuple[ErrorChange, ...]:
    judges: dict[Where, Dataset | None] = {"trusted": trusted, "published": published}
    if all(rows is None for rows in judges.values()):
        return ()
    found = []
    for name, model in plan.models.items():
        option = "model" if model is plan.model else ""
        with failing_in_words(option, name, "fit"):
            before, after = (clone(model).fit(data.X[rows], data.y[rows]) for rows in (np.arange(len(data)), kept))
        for where, rows in judges.items():
            if rows is not None:
                first, second = (predicted(one, rows.X, len(rows), option=option, name=name) for one in (before, after))
                found.append(_change(name, where, (first, second), rows.y))
    return tuple(found)


def _change(name: str, where: Where, guesses: tuple[Labels, Labels], y: Array) -> ErrorChange:
    first, second = (np.abs(guess - y) for guess in guesses)
    apart = second - first
    room = _NORMAL * float(apart.std()) / float(np.sqrt(max(len(apart) - 1, 1)))
    change = float(apart.mean())
    return ErrorChange(
        name, where, len(y), float(first.mean()), float(second.mean()), change, change - room, change + room
    )
