"""Queries of single certified predictions: their labels and digests, and the accuracy that holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import IntArray, Mask
from toadstone.core.errors import InvalidData
from toadstone.core.pointwise import CertifiedCurve, Digests, PointwiseCertificate, curve
from toadstone.datasets.split import Split, sha256
from toadstone.pipeline.certification.alone import Alone
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.scanning.source_values import sources_of
from toadstone.records.guarantees.pointwise import CertifiedSteps

FRACTIONS = (0.01, 0.03, 0.05)
"""Shares of the units at which the certified accuracy is reported by default."""

_MOST_STEPS = 200

OnCertified = Callable[[], None] | None


Together = Callable[[Mask, Sequence[int]], Sequence[int]]
"""Takes a mask of queries and numbers of units, and bounds how many of the queries each number changes together."""


@dataclass(frozen=True, eq=False)
class Pointwise:
    """A certificate, the accuracy that it leaves an attacker, and the seconds that it took.

    Parameters
    ----------
    certificate : PointwiseCertificate
    curve : CertifiedCurve
    seconds : float
    right : ndarray of bool, shape (q,)
        Queries that are predicted rightly.
    together : callable, optional
        The collective bound, where the method has one.
    attack : callable, optional
        Takes a number of units, and returns the share of queries that are
        right after the best attack on all of them that was found.
    alone : Alone, optional
        What each unit can change alone, where units have names.
    """

    certificate: PointwiseCertificate
    curve: CertifiedCurve
    seconds: float
    right: Mask
    together: Together | None = None
    attack: Callable[[int], float] | None = None
    alone: Alone | None = None

    def attacked(self, units: Sequence[int]) -> list[float]:
        """Return the share of queries that are right after the best attack found; empty where none is known."""
        return [] if self.attack is None else [self.attack(each) for each in units]

    def steps(self) -> CertifiedSteps:
        """Return the certified accuracy over the number of units, at no more steps than a drawing shows."""
        ends = np.unique(self.curve.right_counts) + 1
        kept = ends[np.unique(np.linspace(0, len(ends) - 1, min(len(ends), _MOST_STEPS)).astype(np.int64))]
        units = [0, *kept.tolist()] if len(ends) else [0]
        return CertifiedSteps(tuple(units), tuple(self.curve.certified(each) for each in units))

    def least_right(self, units: Sequence[int]) -> list[float]:
        """Return the share of queries that stay right at least, whatever one attack with so many units does.

        Empty where the method has no collective bound.
        """
        if self.together is None:
            return []
        right = int(self.right.sum())
        return [(right - changed) / len(self.right) for changed in self.together(self.right, units)]

    def least_unchanged(self, units: Sequence[int]) -> list[float]:
        """Return the share of predictions that stay at least, whatever one attack with so many units does."""
        if self.together is None:
            return []
        every = np.ones(len(self.right), dtype=bool)
        return [1 - changed / len(every) for changed in self.together(every, units)]

    def unchanged(self, units: int) -> float:
        """Return the share of predictions, right or wrong, that so many units cannot change."""
        return float(np.mean(self.certificate.counts >= units))


def check_split(split: Split) -> None:
    """Check that there are classes to predict and rows to predict them for.

    Raises
    ------
    InvalidData
        If there is a single class, or no test row.
    """
    if len(split.train.classes) < 2:
        raise InvalidData(f"labels: expected two or more classes, got {len(split.train.classes)}")
    if not len(split.test):
        raise InvalidData(f"{split.name}: expected test rows, which are what is certified, got none")


def label_positions(split: Split) -> IntArray:
    """Return the class position of each test row's label, -1 for a label that no training row has."""
    classes = split.train.classes
    places = np.minimum(np.searchsorted(classes, split.test.y), len(classes) - 1)
    return np.where(classes[places] == split.test.y, places, -1)


def with_curve(
    certificate: PointwiseCertificate,
    split: Split,
    seconds: float = 0.0,
    *,
    together: Together | None = None,
    attack: Callable[[int], float] | None = None,
    alone: Alone | None = None,
) -> Pointwise:
    """Compare the predictions of a certificate with the labels of the test rows."""
    labels = label_positions(split)
    right = certificate.winners == labels
    return Pointwise(certificate, curve(certificate, labels), seconds, right, together, attack, alone)


def digests_of(split: Split) -> Digests:
    """Return the digests of training rows and queries, labels included."""
    return Digests(sha256(split.train), sha256(split.test))


def sources_of_train(split: Split, column: str) -> list[str]:
    """Read who each training row is from.

    Raises
    ------
    InvalidArgument
        If there is no such column.
    InvalidData
        If a row has no value there, or all have the same.
    """
    found: list[str | None] = sources_of(split, split.train, column).tolist()
    missing = [place for place, source in enumerate(found) if source is None]
    if missing:
        where = split.row_names.full(int(ids_of(split.train)[missing[0]]))
        raise InvalidData(
            f"{column}: expected a value in every row, for who it is from must not be the attacker's choice, got none "
            f"in {where}" + (f" and {len(missing) - 1} others" if len(missing) > 1 else "")
        )
    if len(set(found)) < 2:
        raise InvalidData(f"{column}: expected two or more different values, got {len(set(found))}")
    return [str(source) for source in found]
