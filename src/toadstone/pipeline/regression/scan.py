"""Scan numeric targets: list the rows whose target is probably wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.data_summary import digests_of_rows
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import set_aside, source_of
from toadstone.pipeline.regression.facts import finding_of, judge, summarize_targets, wrong_targets
from toadstone.records.header import Source
from toadstone.records.regression import RegressionScanRecord

_LONGEST = 10_000


@dataclass(frozen=True)
class TargetScan:
    """A scan of numeric targets: its record, and the probability of every row.

    Parameters
    ----------
    record : RegressionScanRecord
    data : Dataset
        All rows.
    scores : ndarray of shape (n,)
        Probability that each target is wrong.
    suggested : ndarray of shape (n,)
    """

    record: RegressionScanRecord
    data: Dataset
    scores: Array
    suggested: Array


def scan_targets(
    split: Split,
    *,
    seed: int = 0,
    command: str = "",
    source: Source | None = None,
    trusted: Dataset | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> TargetScan:
    """Judge the targets of all rows of a source.

    Rows held out at random are put back; a published test set is not used.

    Parameters
    ----------
    split : Split
        With a numeric target.
    seed : int
    command : str
        For the header of the record.
    source : Source, optional
        Origin of the rows; the name of the split by default.
    trusted : Dataset, optional
        Rows known to be right, none of them in `split`.
    deadline : Deadline
        Nothing is judged after it.
    on_stage : callable
        Called with the name of each stage as it begins.

    Returns
    -------
    TargetScan

    Raises
    ------
    InvalidArgument
        If a trusted row is among the others, or the deadline passes before
        there is a verdict.
    """
    deadline.demand("enough for the verdict")
    data, clock = split.whole(), Clock(on_stage)
    with clock.stage("verdict"):
        verdict = judge(data, trusted, seed)
    listed = np.concatenate([verdict.flagged_indices_, verdict.review_indices_])
    with clock.stage("rows"):
        rows = wrong_targets(split, data, verdict, listed[:_LONGEST])
    record = RegressionScanRecord(
        header=make_header("regression-scan", command=command, seed=seed, digests=digests_of_rows(data, trusted)),
        source=source_of(split, source),
        data=summarize_targets(split, data),
        evidence=finding_of(verdict),
        flagged_rows=len(listed),
        rows=rows,
        expected_innocents=float(np.sum(1 - verdict.wrong_probability_[listed])),
        learners=verdict.learner_weights_,
        trusted_rows=0 if trusted is None else len(trusted),
        set_aside=set_aside(split),
        timings=clock.seconds,
    )
    n = len(data)
    return TargetScan(record, data, verdict.wrong_probability_[:n], verdict.suggested_[:n])
