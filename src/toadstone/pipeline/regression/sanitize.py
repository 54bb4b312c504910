"""Sanitize numeric targets: remove a stated share of the rows, the most suspicious by one method."""

from __future__ import annotations

from typing import Any

import numpy as np

from toadstone.catalogue import resolve
from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_positive, check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.kernels.regression.ridge import fit_ridge
from toadstone.kernels.rows import canonical_form
from toadstone.learners.severed_ridge import SeveredRidge
from toadstone.learners.trimmed_ridge import TrimmedRidge
from toadstone.pipeline.harness.row_account import account_for, ids_of, set_aside, source_of
from toadstone.pipeline.sanitize import Cleaning
from toadstone.records.audit import Removal
from toadstone.records.header import Source

METHODS = ("trim", "sever", "loss", "l2", "svd", "knn")
_MEASURES = {
    "trim": "squared error at the ridge model of the rows kept by TRIM",
    "sever": "squared projection of the gradient, in multiples of the mean,",
    "loss": "squared error at the ridge model of all rows",
}


def clean_targets(
    split: Split, *, method: str, remove: float, ridge: float, variant: str, seed: int, source: Source | None = None
) -> Cleaning:
    """Score all rows of a source, and remove the share of them with the largest scores.

    Parameters
    ----------
    split : Split
        With a numeric target; rows held out at random are put back first.
    method : {"trim", "sever", "loss", "l2", "svd", "knn"}
        The last three look at the features alone.
    remove : float
        Share of the rows, in (0, 0.5).
    ridge : float
        Penalty of the model that the first three train.
    variant : {"paper", "reference"}
        Definition of svd and knn.
    seed : int
    source : Source, optional
        Origin of the rows; the name of the split by default.

    Returns
    -------
    Cleaning

    Raises
    ------
    InvalidArgument
        If an option is out of range, or the method is for classes.
    """
    check_within("(0, 0.5)", remove=remove)
    check_positive(ridge=ridge)
    if method not in METHODS:
        raise InvalidArgument("method", f"one of {', '.join(METHODS)} for a numeric target", method)
    data = split.whole()
    count = round(remove * len(data))
    scores = _scores(data, method, remove, ridge, variant, seed)
    removed = np.sort(np.argsort(-scores, kind="stable")[:count])
    return _cleaning(split, data, method, scores, removed, source)


def _scores(data: Dataset, method: str, remove: float, ridge: float, variant: str, seed: int) -> Array:
    X = canonical_form(data.X)
    y = np.asarray(data.y, dtype=np.float64)
    if method == "trim":
        return np.asarray(TrimmedRidge(keep=1 - remove, ridge=ridge, random_state=seed).fit(X, y).suspicion_)
    if method == "sever":
        return np.asarray(SeveredRidge(fraction=remove, ridge=ridge).fit(X, y).suspicion_)
    if method == "loss":
        return fit_ridge(X, y, ridge).squared_residuals(X, y)
    found = resolve("sanitizer", method)
    options: dict[str, Any] = {"variant": variant} if "variant" in found().get_params() else {}
    scores: Array = found(**options).fit(X, np.zeros(len(data), dtype=np.int64)).suspicion_
    return scores


def _cleaning(
    split: Split, data: Dataset, method: str, scores: Array, removed: IntArray, source: Source | None
) -> Cleaning:
    ids, names = ids_of(data), split.row_names
    measure = _MEASURES.get(method, f"{method}: distance of the features")
    removals = tuple(
        Removal(
            names[int(ids[row])],
            int(ids[row]),
            f"{data.y[row]:.10g}",
            float(scores[row]),
            f"{measure} is {scores[row]:.6g}, among the {len(removed)} largest",
        )
        for row in removed[np.argsort(-scores[removed], kind="stable")].tolist()
    )
    kept = np.setdiff1d(np.arange(len(data)), removed)
    account = account_for(split, data, kept, [removal.position for removal in removals])
    return Cleaning(method, data, kept, removals, source_of(split, source), account, set_aside(split))
