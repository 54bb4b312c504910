"""Examination of a group of rows by forests that see neither the group nor what it shares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toadstone.core.arrays import IntArray, Matrix
from toadstone.detectors.verdict.forests import out_of_bag, probabilities_of
from toadstone.kernels.verdict.evidence import Evidence, area_under_curve, foreign_share, less_than
from toadstone.kernels.verdict.windows import Window

_TREES = 100
_FEWEST_OTHERS = 5


@dataclass(frozen=True, eq=False)
class Candidate:
    """A group that may not belong to its label.

    Parameters
    ----------
    label : int
    rows : ndarray of int
        Ascending.
    window : Window
        Columns that they share; without columns for near-copies.
    rivals : int
        Number of groups of its kind that it was chosen among.
    """

    label: int
    rows: IntArray
    window: Window
    rivals: int = 1


@dataclass(frozen=True, eq=False)
class Examined:
    """A candidate with the evidence about it.

    Parameters
    ----------
    candidate : Candidate
    evidence : Evidence
    looks_like : int
        The label that the other columns suggest.
    """

    candidate: Candidate
    evidence: Evidence
    looks_like: int

    def among(self, n_examined: int) -> Examined:
        """Return the same with the p-value adjusted for the number of groups examined."""
        adjusted = min(1.0, self.evidence.p_value * n_examined)
        return replace(self, evidence=replace(self.evidence, p_value=adjusted))


def examine(X: Matrix, codes: IntArray, candidate: Candidate, source: IntArray, seed: int) -> Examined | None:
    """Examine a group with forests that see neither its rows nor any column of a source that it shares.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    candidate : Candidate
    source : ndarray of int of shape (d,)
    seed : int

    Returns
    -------
    Examined or None
        None if no column, or too few rows, are left. The evidence is not yet
        adjusted for the number of groups.
    """
    visible = np.flatnonzero(~np.isin(source, source[candidate.window.columns]))
    inside = np.zeros(len(codes), dtype=bool)
    inside[candidate.rows] = True
    outside = np.flatnonzero(~inside)
    of_label = codes[outside] == candidate.label
    if not len(visible) or min(of_label.sum(), (~of_label).sum()) < _FEWEST_OTHERS:
        return None
    table = X[:, visible]
    forest, known = out_of_bag(table[outside], codes[outside], trees=_TREES, seed=seed)
    unseen = probabilities_of(forest, table[candidate.rows], int(codes.max()) + 1)
    group, own, others = unseen[:, candidate.label], known[of_label, candidate.label], known[~of_label, candidate.label]
    evidence = Evidence(
        less_than(group, own), foreign_share(group, own, others), area_under_curve(own, others), predictable=0.0
    )
    suggestion = unseen.mean(axis=0)
    suggestion[candidate.label] = -1.0
    looks_like = int(np.argmax(suggestion))
    if evidence.convicts and len(candidate.window.columns):
        # The last condition costs another forest, and is asked of the few groups that fulfil the others.
        rivals = np.append(candidate.rows, outside[~of_label])
        member = inside[rivals].astype(np.int64)
        _, chance = out_of_bag(table[rivals], member, trees=_TREES, seed=seed)
        evidence = replace(evidence, predictable=area_under_curve(chance[member == 1, 1], chance[member == 0, 1]))
    return Examined(candidate, evidence, looks_like)
