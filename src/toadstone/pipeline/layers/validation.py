"""Accuracy of a model on rows that it was not trained on: trusted ones, or folds."""

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


@dataclass(eq=False)
class FoldJudge:
    """Accuracy on the rows themselves, each judged by a model that was trained without its fold.

    Folds are stratified and the same before and after each step, which is
    judged by the rows that it kept: that it removed the hardest ones counts
    for nothing. A class of a single row is trained on and not judged.

    Parameters
    ----------
    X, y : ndarray or CSR of shape (n, d), ndarray of shape (n,)
    folds : int
    rng : numpy.random.Generator
    """

    X: Matrix
    y: Labels
    folds: int
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.rows = len(self.y)
        self.measure = f"out-of-fold accuracy on the kept rows themselves ({self.folds} stratified folds, not trusted)"
        self._fold = np.full(self.rows, -1)
        for label in np.unique(self.y):
            rows = np.flatnonzero(self.y == label)
            if len(rows) > 1:
                self._fold[self.rng.permutation(rows)] = np.arange(len(rows)) % self.folds

    def right(self, model: Any, kept: IntArray) -> Verdicts:
        """Train on the other folds' kept rows, and return True for each row that is classified rightly."""
        right = np.zeros(self.rows, dtype=bool)
        classes = np.unique(self.y)
        for fold in range(self.folds):
            rows, train = np.flatnonzero(self._fold == fold), kept[self._fold[kept] != fold]
            # A class whose few kept rows all lie in this fold would be unknown to the model.
            if len(rows) and len(np.unique(self.y[train])) == len(classes):
                trained = clone(model).fit(self.X[train], self.y[train])
                right[rows] = trained.predict(self.X[rows]) == self.y[rows]
        return right

    def comparable(self, kept: IntArray) -> Mask:
        """Return the kept rows that belong to a fold."""
        mask = np.zeros(self.rows, dtype=bool)
        mask[kept] = True
        return mask & (self._fold >= 0)


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

    Raises
    ------
    InvalidArgument
        If a trusted row is among the untrusted ones, or its label is new.
    """
    # Trusted rows are a source of their own, of which only the order is known here.
    own, named = (_FROM_ZERO, _FROM_ZERO) if names is None else (RowNames("row"), names)
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
