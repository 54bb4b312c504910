"""Pointwise certificates: for each query, how much of the training set an attacker may control in vain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidData


@dataclass(frozen=True, eq=False)
class Certified:
    """Predictions, and for each the units that an attacker may control without being able to change it.

    A unit is what an attacker gains or loses as a whole: a row, a label, a
    group, a part of the training set. The attacker may choose other units for
    every query.

    Parameters
    ----------
    winner : ndarray of int, shape (q,)
        Class position that is predicted, the lowest among ties.
    count : ndarray of int, shape (q,)
        Units, at least zero.
    rival : ndarray of int, shape (q,)
        Class position that overtakes the winner with the fewest units, the
        lowest among ties; -1 where no number of units suffices.
    """

    winner: IntArray
    count: IntArray
    rival: IntArray


@dataclass(frozen=True)
class Digests:
    """Digests of the training set and of the queries, which a certificate is about."""

    data_sha256: str
    queries_sha256: str


@dataclass(frozen=True, eq=False)
class PointwiseCertificate:
    """Predictions for queries with certified counts, and what proves them.

    Parameters
    ----------
    method : str
        ``"label-flips"``, ``"votes"``, ``"neighbours"`` or ``"temporal"``.
    unit : str
        In words, in the plural: "label flips", "rows added or removed".
    adversary : str
        What the attacker may do, in one sentence.
    n_units : int
        Units that there are: training rows, groups, periods.
    exact : bool
        Each count is the largest that holds; otherwise it may be too low,
        never too high.
    classes : tuple of str
        Names of the classes by position.
    winners : ndarray of int, shape (q,)
        Predicted class positions.
    counts : ndarray of int, shape (q,)
        Units that an attacker may control without being able to change the
        prediction.
    settings : mapping
        Numbers and names from which the learner can be rebuilt.
    evidence : mapping from str to ndarray
        Arrays that a verifier needs beside the data, such as votes.
    data_sha256, queries_sha256 : str
        Digests of the training set and of the queries.
    assumptions, not_promised : tuple of str
        In plain words.
    rivals : ndarray of int, shape (q,), optional
        Class position that overtakes the winner first, -1 where none can; for
        a reader, and in no file: None for a certificate that was read.

    Raises
    ------
    InvalidData
        If winners or counts cannot belong to these classes.
    """

    method: str
    unit: str
    adversary: str
    n_units: int
    exact: bool
    classes: tuple[str, ...]
    winners: IntArray
    counts: IntArray
    settings: Mapping[str, str | float | int]
    evidence: Mapping[str, Array]
    data_sha256: str
    queries_sha256: str
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
    rivals: IntArray | None = None

    def __post_init__(self) -> None:
        check_count(n_units=self.n_units)
        if self.winners.ndim != 1 or self.winners.shape != self.counts.shape:
            raise InvalidData(
                f"counts: expected one for each winner, got shapes {self.winners.shape} and {self.counts.shape}"
            )
        if self.counts.min(initial=0) < 0:
            raise InvalidData(f"counts: expected none below 0, got {self.counts.min()}")
        if self.winners.min(initial=0) < 0 or self.winners.max(initial=0) >= len(self.classes):
            raise InvalidData(f"winners: expected positions of {len(self.classes)} classes, got others")


def whole_units(fraction: float, n_units: int) -> int:
    """Return how many units a share of all is, rounded up to whole ones.

    Examples
    --------
    >>> whole_units(0.01, 5), whole_units(0.29, 100)
    (1, 29)
    """
    # Decimal fractions that are exact on paper stay exact: 0.29 * 100 is 28.999999999999996 in binary.
    return math.ceil(fraction * n_units - 1e-9)


@dataclass(frozen=True, eq=False)
class CertifiedCurve:
    """Certified accuracy by the number of units that an attacker controls.

    Parameters
    ----------
    accuracy : float
        Share of the queries that are predicted rightly, without an attack.
    median : int
        Largest number of units at which the certified accuracy is at least
        one half, over all queries; 0 if the accuracy is below that.
    n_units : int
        Units that there are.
    n_queries : int
    right_counts : ndarray of int
        Counts of the queries that are predicted rightly, ascending.
    """

    accuracy: float
    median: int
    n_units: int
    n_queries: int
    right_counts: IntArray

    def certified(self, units: int) -> float:
        """Return the share of queries that are right whatever an attacker does with so many units."""
        check_count(0, units=units)
        return float(len(self.right_counts) - np.searchsorted(self.right_counts, units)) / self.n_queries

    def units_at(self, fraction: float) -> int:
        """Return how many units a share of all is, rounded up to whole ones."""
        check_within("[0, 1]", fraction=fraction)
        return whole_units(fraction, self.n_units)

    def at(self, fraction: float) -> float:
        """Return the certified accuracy at a share of all units."""
        return self.certified(self.units_at(fraction))


def curve(certificate: PointwiseCertificate, labels: IntArray) -> CertifiedCurve:
    """Compare a certificate's predictions with the labels of its queries.

    Parameters
    ----------
    certificate : PointwiseCertificate
    labels : array_like of int, shape (q,)
        Class position of each query's label; -1, or any other position that
        the certificate lacks, for a label that it cannot predict.

    Returns
    -------
    CertifiedCurve

    Raises
    ------
    InvalidData
        If there is no query, or not one label for each.

    Examples
    --------
    >>> found = PointwiseCertificate(
    ...     method="votes", unit="rows added or removed", adversary="Adds and removes rows.", n_units=100,
    ...     exact=True, classes=("ham", "spam"), winners=np.array([0, 1, 1, 0]), counts=np.array([9, 2, 5, 30]),
    ...     settings={}, evidence={}, data_sha256="", queries_sha256="", assumptions=(), not_promised=(),
    ... )
    >>> line = curve(found, [0, 1, 1, 1])
    >>> line.accuracy, line.median, line.at(0.05), line.certified(6)
    (0.75, 5, 0.5, 0.25)
    """
    truth = np.asarray(labels)
    if truth.shape != certificate.winners.shape or not truth.size:
        raise InvalidData(f"labels: expected one for each of {len(certificate.winners)} queries, got {truth.shape}")
    counts = np.sort(certificate.counts[certificate.winners == truth])
    half = (len(truth) + 1) // 2
    return CertifiedCurve(
        accuracy=len(counts) / len(truth),
        median=int(counts[-half]) if len(counts) >= half else 0,
        n_units=certificate.n_units,
        n_queries=len(truth),
        right_counts=counts,
    )
