"""Evidence about a group of rows: four conditions, each of which excludes one kind of innocent group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu

from toadstone.core.arrays import Array

MOST_P = 1e-3
LEAST_LIKE = 0.75
LEAST_POWER = 0.65
MOST_PREDICTABLE = 0.87


@dataclass(frozen=True)
class Evidence:
    """Statement of a model that saw neither a group nor the columns it shares about the label of the group.

    Parameters
    ----------
    p_value : float
        Of the Mann-Whitney test that the group's rows are less like their
        label than its other rows. It excludes chance.
    like : float
        0 where the group looks like its label, 1 where it looks like the rows
        of other labels; for a mixture of both, their share. It excludes
        natural clusters.
    power : float
        Area under the curve of that model: can the other columns tell the
        label at all? It excludes tables in which nothing can be told.
    predictable : float
        Area under the curve with which a model tells the group from rows of
        other labels, without the columns it shares. It excludes natural groups
        that merely look foreign where the columns that decide are hidden; 0
        where nothing is shared.
    """

    p_value: float
    like: float
    power: float
    predictable: float

    @property
    def convicts(self) -> bool:
        """True if all four conditions hold."""
        return self.p_value < MOST_P and self.is_foreign

    @property
    def is_foreign(self) -> bool:
        """True if all conditions but that on chance hold."""
        return self.like >= LEAST_LIKE and self.power >= LEAST_POWER and self.predictable <= MOST_PREDICTABLE


def foreign_share(group: Array, own: Array, others: Array) -> float:
    """Return where the mean of a group lies between that of its label (0) and that of other labels (1).

    Parameters
    ----------
    group, own, others : ndarray
        Probability of the label for the rows of the group, the other rows of
        the label, and the rows of other labels.

    Returns
    -------
    float
        0 where the other labels are no less probable.

    Examples
    --------
    >>> foreign_share(np.array([0.4]), np.array([0.8]), np.array([0.2]))
    0.666...
    """
    gap = float(own.mean() - others.mean())
    return float(own.mean() - group.mean()) / gap if gap > 0 else 0.0


def area_under_curve(positive: Array, negative: Array) -> float:
    """Return the probability that a positive row scores higher than a negative one, ties counted half.

    Examples
    --------
    >>> area_under_curve(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    ordered = np.sort(negative)
    below, upto = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + upto).mean() / 2 / len(negative))


def less_than(group: Array, own: Array) -> float:
    """Return the p-value of the one-sided Mann-Whitney test that a group has lower values [1]_.

    Of a single value it is the rank, equal ones counted as lower.

    References
    ----------
    .. [1] Mann and Whitney, "On a test of whether one of two random variables
       is stochastically larger than the other", 1947.

    Examples
    --------
    >>> less_than(np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0]))
    0.1
    >>> less_than(np.array([3.0]), np.array([3.0, 4.0, 5.0]))
    0.5
    """
    if len(group) == 1:
        return float((1 + np.count_nonzero(own <= group)) / (1 + len(own)))
    return float(mannwhitneyu(group, own, alternative="less").pvalue)
