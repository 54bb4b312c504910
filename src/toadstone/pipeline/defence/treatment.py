"""Fate of the rows that a verdict lists: they are removed, get the label that they look like, or weigh less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from toadstone.core.arrays import Array, IntArray, Labels

Action: TypeAlias = Literal["remove", "relabel", "weight"]

SURE = 0.8
"""Probability from which a suggested label is written."""

_KEPT_OF_EACH = 2


@dataclass(frozen=True, eq=False)
class Treatment:
    """The fate of every row.

    Parameters
    ----------
    kept : ndarray of int
        Ascending.
    removed, relabelled : ndarray of int
        The most suspicious first.
    labels : ndarray of shape (n,)
        Of all rows, the new ones among them.
    weight : ndarray of shape (n,), optional
        Of all rows, in [0, 1]; None where all count alike.
    stays : tuple of str
        Why listed rows stay as they are, if any do.
    spared : int
        Listed rows that stay because no more may be removed.
    """

    kept: IntArray
    removed: IntArray
    relabelled: IntArray
    labels: Labels
    weight: Array | None
    stays: tuple[str, ...]
    spared: int = 0


def treat(verdict: Any, y: Labels, *, action: Action, most: int | None = None) -> Treatment:
    """Decide what becomes of every row.

    Groups leave the data under each action but `weight`: what they share is
    in their features, and another label does not take it out.

    Parameters
    ----------
    verdict : Verdict
        Fitted; rows after the first n are trusted ones.
    y : ndarray of shape (n,)
    action : {"remove", "relabel", "weight"}
        Remove the listed rows; give those the suggested label whose
        probability is at least `SURE`, and remove the others; or keep all
        rows and let each weigh one less its probability of being wrong.
    most : int, optional
        Rows to remove at most; no limit by default.

    Returns
    -------
    Treatment
        Two rows of each class stay, or as many as there were.
    """
    n = len(y)
    listed = np.asarray(verdict.flagged_indices_, dtype=np.int64)
    listed = listed[listed < n]
    labels, none = y.copy(), np.empty(0, dtype=np.int64)
    if action == "weight":
        return Treatment(np.arange(n), none, none, labels, weights(verdict, n), ())
    relabelled = none
    if action == "relabel":
        sure = (verdict.group_[listed] < 0) & (verdict.suggestion_probability_[listed] >= SURE)
        relabelled = listed[sure]
        labels[relabelled] = np.asarray(verdict.suggested_)[relabelled].astype(y.dtype)
        listed = listed[~sure]
    removed, stays, spared = _removable(listed, labels, n if most is None else most)
    return Treatment(np.setdiff1d(np.arange(n), removed), removed, relabelled, labels, None, stays, spared)


def weights(verdict: Any, n: int) -> Array:
    """Return one less the probability that a row is wrong, where the data support it; 1 elsewhere."""
    grouped = np.asarray(verdict.group_[:n]) >= 0
    supported = grouped | bool(verdict.evidence_.supported)
    score = np.clip(np.asarray(verdict.score_[:n], dtype=np.float64), 0.0, 1.0)
    return np.where(supported, 1.0 - score, 1.0)


def _removable(listed: IntArray, y: Labels, most: int) -> tuple[IntArray, tuple[str, ...], int]:
    """Go through the list from its most suspicious row, as far as the limit and the classes allow.

    Returns the removed rows, why others stay, and how many of them because of
    the limit.
    """
    left = dict(zip(*np.unique(y, return_counts=True), strict=True))
    removed: list[int] = []
    beyond = last = 0
    for row in listed.tolist():
        if left[y[row]] <= _KEPT_OF_EACH:
            last += 1
        elif len(removed) >= most:
            beyond += 1
        else:
            left[y[row]] -= 1
            removed.append(row)
    stays = []
    if beyond:
        stays.append(f"{_stay(beyond)}, because at most {most} may be removed")
    if last:
        stays.append(f"{_stay(last)}, because a class keeps its last two rows")
    return np.array(removed, dtype=np.int64), tuple(stays), beyond


def _stay(rows: int) -> str:
    return "1 listed row stays" if rows == 1 else f"{rows:,} listed rows stay"
