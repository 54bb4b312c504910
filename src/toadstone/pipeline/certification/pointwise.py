"""Queries of single certified predictions: their labels and digests, and the accuracy that holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.core.pointwise import CertifiedCurve, Digests, PointwiseCertificate, curve
from toadstone.datasets.split import Split, sha256
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.scanning.source_values import sources_of

FRACTIONS = (0.01, 0.03, 0.05)
"""Shares of the units at which the certified accuracy is reported by default."""

OnCertified = Callable[[], None] | None


@dataclass(frozen=True, eq=False)
class Pointwise:
    """A certificate, the accuracy that it leaves an attacker, and the seconds that it took."""

    certificate: PointwiseCertificate
    curve: CertifiedCurve
    seconds: float

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


def with_curve(certificate: PointwiseCertificate, split: Split, seconds: float = 0.0) -> Pointwise:
    """Compare the predictions of a certificate with the labels of the test rows."""
    return Pointwise(certificate, curve(certificate, label_positions(split)), seconds)


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
