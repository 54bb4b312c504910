"""Facts of numeric targets for records: data, evidence and rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy.stats import rankdata

from toadstone.core.arrays import Array, IntArray
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.detectors.targets.target_verdict import TargetVerdict
from toadstone.kernels.rows import stack
from toadstone.kernels.statistics.row_digests import contents, first_equal
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.harness.suspects import preview
from toadstone.records.regression import TargetData, TargetFinding, WrongTarget


def summarize_targets(split: Split, data: Dataset) -> TargetData:
    """Summarize data with a numeric target; no row."""
    return TargetData(
        target=split.target,
        rows=len(data),
        n_features=data.n_features,
        lowest=float(data.y.min()),
        median=float(np.median(data.y)),
        highest=float(data.y.max()),
        preparation=split.preparation,
        columns=split.columns,
        notes=split.notes,
    )


def judge(data: Dataset, trusted: Dataset | None, seed: int) -> TargetVerdict:
    """Fit the verdict to rows, beside trusted ones after them.

    Raises
    ------
    InvalidArgument
        If a trusted row is among the others.
    """
    verdict = TargetVerdict(random_state=seed)
    if trusted is None:
        return verdict.fit(data.X, data.y)
    if (first_equal(trusted.X, data.X) >= 0).any():
        row = int(np.argmax(first_equal(trusted.X, data.X) >= 0))
        raise InvalidArgument("trusted", "rows that are not among the data", f"row {row + 1}, which is")
    known = len(data) + np.arange(len(trusted))
    return verdict.fit(stack([data.X, trusted.X]), np.concatenate([data.y, trusted.y]), trusted=known)


def finding_of(verdict: TargetVerdict) -> TargetFinding:
    """Return the evidence of a fitted verdict for a record."""
    found = verdict.evidence_
    # An interval by halving may end beside the rate by rounding.
    low, high = min(found.interval[0], found.rate), max(found.interval[1], found.rate)
    return TargetFinding(found.rate, low, high, found.log_ratio, found.supported, found.explained)


def wrong_targets(split: Split, data: Dataset, verdict: Any, rows: IntArray) -> tuple[WrongTarget, ...]:
    """Describe rows by what stands in the source and what the other rows suggest, in the order given."""
    ids, told = ids_of(data), _told_by_columns(data)
    return tuple(
        WrongTarget(
            row=split.row_names[int(ids[row])],
            position=int(ids[row]),
            target=float(data.y[row]),
            suggested=float(verdict.suggested_[row]),
            low=float(verdict.lower_[row]),
            high=float(verdict.upper_[row]),
            probability=float(verdict.wrong_probability_[row]),
            fingerprint=hashlib.sha256(repr(float(data.y[row])).encode() + contents(data.X[[row]])[0]).hexdigest(),
            preview=preview(data, int(row), split.raw, told),
        )
        for row in rows.tolist()
    )


def _told_by_columns(data: Dataset) -> Array:
    """Return how much each feature tells of the target by itself: its correlation with the rank of the target."""
    # Ranks, because wrong targets may be far out.
    ranks, n = rankdata(data.y), len(data)
    y = ranks - ranks.mean()
    means = np.asarray(data.X.mean(axis=0)).ravel()
    squares = np.asarray((data.X * data.X).mean(axis=0)).ravel()
    spread = np.sqrt(np.maximum(squares - means**2, 0.0))
    shared = np.abs(np.asarray(data.X.T @ y).ravel()) / n
    return np.asarray(np.divide(shared, spread * y.std(), out=np.zeros_like(shared), where=spread * y.std() > 1e-9))
