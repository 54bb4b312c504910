"""Accuracy of a model on trusted rows, and their check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from toadstone.core.arrays import IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.core.row_names import RowNames
from toadstone.kernels.statistics.row_digests import first_equal

_FROM_ZERO = RowNames("row", first=0)

Verdicts: TypeAlias = NDArray[np.bool_]


class Judge(Protocol):
    """Rows on which models are tested."""

    measure: str
    rows: int

    def right(self, model: Any, kept: IntArray) -> Verdicts:
        """Train the model on the kept rows, and return True for each row that it classifies rightly."""

    def comparable(self, kept: IntArray) -> Mask:
        """Return the rows on which models before and after a step are compared."""


@dataclass(eq=False)
class TrustedJudge:
    """Accuracy on trusted rows.

    Parameters
    ----------
    X, y : ndarray or CSR of shape (n, d), ndarray of shape (n,)
        The untrusted rows.
    trusted_X, trusted_y : ndarray or CSR of shape (m, d), ndarray of shape (m,)

    Raises
    ------
    InvalidArgument
        If a trusted row is among the untrusted ones, or its label is new.
    """

    X: Matrix
    y: Labels
    trusted_X: Matrix
    trusted_y: Labels

    def __post_init__(self) -> None:
        self.rows = len(self.trusted_y)
        self.measure = f"accuracy on the {self.rows} trusted rows"
        check_trusted(self.X, self.y, self.trusted_X, self.trusted_y)

    def right(self, model: Any, kept: IntArray) -> Verdicts:
        """Train the model on the kept rows, and return True for each trusted row that it classifies rightly."""
        trained = clone(model).fit(self.X[kept], self.y[kept])
        return np.asarray(trained.predict(self.trusted_X) == self.trusted_y)

    def comparable(self, kept: IntArray) -> Mask:
        """Return all trusted rows, whatever was kept."""
        return np.ones(self.rows, dtype=bool)


class Unjudged:
    """No judgement: the rows that a defence has kept cannot tell what it is worth."""

    rows = 0
    measure = "no accuracy, for want of trusted rows"

    def right(self, model: Any, kept: IntArray) -> Verdicts:
        """Return nothing."""
        return np.zeros(0, dtype=bool)

    def comparable(self, kept: IntArray) -> Mask:
        """Return nothing."""
        return np.zeros(0, dtype=bool)


def share_right(right: Verdicts, mask: Mask) -> float | None:
    """Return the accuracy on the rows of a mask; None where it is empty."""
    return float(right[mask].mean()) if mask.any() else None


def check_trusted(
    X: Matrix,
    y: Labels,
    trusted_X: Matrix,
    trusted_y: Labels,
    *,
    names: RowNames | None = None,
    ids: IntArray | None = None,
    own_names: RowNames | None = None,
) -> None:
    """Refuse trusted rows that overlap others or have new labels.

    Parameters
    ----------
    X, y : ndarray or CSR of shape (n, d), ndarray of shape (n,)
        The untrusted rows.
    trusted_X, trusted_y : ndarray or CSR of shape (m, d), ndarray of shape (m,)
    names : RowNames, optional
        Of the untrusted rows in their source; without them all rows count
        from 0.
    ids : ndarray of int, optional
        Positions of the untrusted rows in their source; from 0 by default.
    own_names : RowNames, optional
        Of the trusted rows in their source; without them they count from 1
        where the untrusted ones have names.

    Raises
    ------
    InvalidArgument
        If a trusted row is among the untrusted ones, or its label is new.
    """
    # Trusted rows are a source of their own, of which perhaps only the order is known here.
    own, named = (_FROM_ZERO, _FROM_ZERO) if names is None else (own_names or RowNames("row"), names)
    unknown = np.flatnonzero(~np.isin(trusted_y, y))
    if unknown.size:
        known = ", ".join(map(str, np.unique(y)))
        raise InvalidArgument(
            "trusted", f"rows labelled {known}", f"{trusted_y[unknown[0]]} in its {own.full(int(unknown[0]))}"
        )
    # Texts and counts repeat themselves, so that even rows drawn apart may overlap.
    places = first_equal(trusted_X, X)
    shared = np.flatnonzero(places >= 0)
    if shared.size:
        expected = "rows that are not among the untrusted ones"
        place = int(places[shared[0]])
        same = named.full(place if ids is None else int(ids[place]))
        got = f"{shared.size} of {len(places)} that are (the first: its {own.full(int(shared[0]))} is {same})"
        raise InvalidArgument("trusted", expected, f"{got}; leave them out of either")
