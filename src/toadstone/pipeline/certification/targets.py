"""Intervals of the predictions of ridge regression for test rows with a numeric target, against changed targets."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.split import Split
from toadstone.kernels.label_response.intervals import target_intervals
from toadstone.kernels.label_response.ridge import RidgeGram, RidgeResponse
from toadstone.pipeline.certification.label_flips import FlipPlan, default_ridges
from toadstone.pipeline.certification.pointwise import OnCertified, sources_of_train
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.records.guarantees.intervals import IntervalSummary, RowInterval

_FEW = (1, 2, 3)
"""Numbers of sources at which intervals are stated."""


@dataclass(frozen=True)
class TargetThreat:
    """Power over targets: their range, and shares of the rows.

    Parameters
    ----------
    allowed : (float, float), optional
        Smallest and largest target that an attacker may set; the range of the
        training targets by default.
    fractions : sequence of float
        Shares of the rows whose targets may be set, where there are no sources.

    Raises
    ------
    InvalidArgument
        If the range is empty or not finite.
    """

    allowed: tuple[float, float] | None
    fractions: Sequence[float]

    def __post_init__(self) -> None:
        if self.allowed is not None and not -math.inf < self.allowed[0] < self.allowed[1] < math.inf:
            expected = "the finite ends of a range, the smaller first"
            raise InvalidArgument("target_range", expected, "{:g} and {:g}".format(*self.allowed))


def certify_targets(
    split: Split, plan: FlipPlan, threat: TargetThreat, *, on_certified: OnCertified = None
) -> tuple[IntervalSummary, ...]:
    """Compute the interval of each test row's prediction, once for each penalty.

    The prediction is ``sum_i alpha_i y_i`` with weights that no target enters,
    so the interval is exact, but for rounding, which widens it.

    Parameters
    ----------
    split : Split
        With a numeric target.
    plan : FlipPlan
        Penalties, and the column of sources.
    threat : TargetThreat
    on_certified : callable, optional
        Called after each penalty, for progress.

    Raises
    ------
    InvalidArgument
        If the range is empty or not finite, a penalty is not positive, or there is no such column.
    InvalidData
        If there is no test row, or a row without a source.
    """
    if not len(split.test):
        raise InvalidData(f"{split.name}: expected test rows, which are what is certified, got none")
    train, found = split.train, []
    names = None if plan.group is None else sources_of_train(split, plan.group)
    groups = None if names is None else np.unique(names, return_inverse=True)[1].astype(np.int64)
    n_units = len(train) if groups is None else int(groups.max()) + 1
    low, high = threat.allowed or (float(train.y.min()), float(train.y.max()))
    units = {f"{fraction:g}": math.ceil(fraction * n_units - 1e-9) for fraction in threat.fractions}
    units = units if groups is None else {str(few): few for few in _FEW}
    gram = RidgeGram(train.X, bias="free")
    for ridge in plan.ridges or default_ridges(train.X):
        begin = time.perf_counter()
        response = RidgeResponse(gram, ridge=float(ridge))
        intervals = {
            key: target_intervals(response, train.y, split.test.X, allowed=(low, high), n_units=each, groups=groups)
            for key, each in units.items()
        }
        moved = {key: np.maximum(each[:, 1] - each[:, 0], each[:, 2] - each[:, 1]) for key, each in intervals.items()}
        found.append(
            IntervalSummary(
                unit="targets of rows" if plan.group is None else f"values of {plan.group}",
                ridge=float(ridge),
                lambda_=float(ridge) * len(train),
                allowed_low=low,
                allowed_high=high,
                n_train=len(train),
                n_units=n_units,
                queries=len(split.test),
                error=_error(split, intervals),
                median_change={key: _upper_median(each) for key, each in moved.items()},
                largest_change={key: float(each.max()) for key, each in moved.items()},
                rows=_rows(split, intervals),
                seconds=time.perf_counter() - begin,
            )
        )
        if on_certified is not None:
            on_certified()
    return tuple(found)


def _error(split: Split, intervals: Mapping[str, Array]) -> float:
    predicted = next(iter(intervals.values()))[:, 1]
    return float(np.sqrt(np.mean((predicted - split.test.y) ** 2)))


def _upper_median(changes: Array) -> float:
    """Return a change that at least half of the predictions do not exceed."""
    return float(np.sort(changes)[(len(changes) - 1) // 2])


def _rows(split: Split, intervals: Mapping[str, Array]) -> tuple[RowInterval, ...]:
    ids = ids_of(split.test).tolist()
    predicted = next(iter(intervals.values()))[:, 1]
    return tuple(
        RowInterval(
            split.row_names[int(ids[row])],
            float(split.test.y[row]),
            float(predicted[row]),
            {key: float(each[row, 0]) for key, each in intervals.items()},
            {key: float(each[row, 2]) for key, each in intervals.items()},
        )
        for row in range(len(ids))
    )
