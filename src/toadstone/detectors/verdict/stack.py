"""The stack: every learner's probabilities for every row, by models that have not seen the row's own label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.verdict.learners import forest, given, logistic, neighbours
from toadstone.detectors.verdict.rows import LabelledRows, see_rows
from toadstone.kernels.verdict.noise_floor import logarithms


@dataclass(frozen=True, eq=False)
class Stack:
    """Out-of-sample predictions of all learners.

    Parameters
    ----------
    names : tuple of str
    tables : ndarray of shape (n_learners, n, n_classes)
        Logarithms of probabilities, as from `logarithms`.
    rows : LabelledRows
    """

    names: tuple[str, ...]
    tables: Array
    rows: LabelledRows


def build_stack(
    X: Matrix, codes: IntArray, n_classes: int, trusted: Mask, estimators: Sequence[Any], seed: int
) -> Stack:
    """Train the learners.

    Logistic regression and the user's estimators are trained on five folds,
    the forest's trees on bags, and neighbours vote on all rows but the row's
    own copies. Rows of equal values are always out together.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        In the form of `canonical_form` and the order of `value_order`.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.
    n_classes : int
    trusted : ndarray of bool of shape (n,)
        Always trained on, but for the predictions of these rows themselves.
    estimators : sequence of classifier
        The user's own, added to the others.
    seed : int

    Returns
    -------
    Stack
    """
    rows = see_rows(X, codes, n_classes, trusted, seed)
    learned = {"logistic regression": logistic(rows), "forest": forest(rows), "neighbours": neighbours(rows)}
    for number, estimator in enumerate(estimators, 1):
        name = type(estimator).__name__
        learned[name if name not in learned else f"{name} {number}"] = given(estimator, rows)
    return Stack(tuple(learned), logarithms([rows.alike(table) for table in learned.values()]), rows)
