"""Certificates and attacks that classifiers which are linear in the labels share."""

from __future__ import annotations

from typing import Any

import numpy as np

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import Certified
from toadstone.kernels.label_response.flips import Flips, strongest_flips
from toadstone.kernels.label_response.responses import Response, certify_queries, weight_blocks
from toadstone.learners.linear_scores import SparseClassifier, rows_to_fit, rows_to_predict


class LabelLinearClassifier(SparseClassifier):
    """A classifier whose score of a class is the sum of weights of its training rows, which depend on no label."""

    classes_: Labels
    codes_: IntArray
    response_: Response

    def certify(self, X: Matrix, *, groups: Labels | None = None) -> Certified:
        """Count the training labels that an attacker may change without being able to change each prediction.

        The counts are exact but for rounding, which lowers them. They hold if
        nothing that shaped the rows or the parameters depended on the labels.

        Parameters
        ----------
        X : ndarray or CSR of shape (q, d)
            Queries.
        groups : array_like of shape (n,), optional
            Source of each training row. The counts are then of sources, all
            labels of which an attacker may change.

        Returns
        -------
        Certified
            Class positions in ``classes_``, and counts.

        Raises
        ------
        InvalidArgument
            If there is not one group for each training row.
        """
        queries = rows_to_predict(self, X)
        units = None if groups is None else group_codes(groups, len(self.codes_))
        return certify_queries(self.response_, self.codes_, queries, n_classes=len(self.classes_), groups=units)

    def strongest_flips(
        self, x: Matrix, *, n_units: int | None = None, groups: Labels | None = None
    ) -> tuple[IntArray, Labels]:
        """Return the label flips that do most against the prediction for one query.

        Parameters
        ----------
        x : ndarray or CSR of shape (1, d)
        n_units : int, optional
            Rows, or groups, to control; the fewest that change the prediction by default.
        groups : array_like of shape (n,), optional
            As `certify` takes them.

        Returns
        -------
        rows : ndarray of int of shape (m,)
            Training rows whose labels change; none if no flips change the prediction.
        labels : ndarray of shape (m,)
            Their new labels.
        """
        units = None if groups is None else group_codes(groups, len(self.codes_))
        found = self.certify(x, groups=groups)
        if len(found.count) != 1:
            raise InvalidArgument("x", "one query", f"{len(found.count)}")
        if found.rival[0] < 0:
            return np.empty(0, dtype=np.int64), self.classes_[:0]
        wanted = int(found.count[0]) + 1 if n_units is None else n_units
        check_count(0, n_units=wanted)
        flips = self._flips(rows_to_predict(self, x), found, wanted, units)
        return flips.rows, np.asarray(self.classes_[flips.codes])

    def predict(self, X: Matrix) -> Labels:
        """Return the label with the highest score for each row, the first on a tie."""
        scores = self.class_scores(X)
        return np.asarray(self.classes_[scores.argmax(axis=1)])

    def decision_function(self, X: Matrix) -> Array:
        """Return the scores of rows: the lead of the second of two classes, or one for each class.

        Parameters
        ----------
        X : ndarray or CSR of shape (q, d)

        Returns
        -------
        ndarray of shape (q,) or (q, n_classes)
        """
        scores = self.class_scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def class_scores(self, X: Matrix) -> Array:
        """Sum the weights of the training rows of each class, shape (q, n_classes)."""
        queries, targets = rows_to_predict(self, X), one_hot(self.codes_, len(self.classes_))
        parts = [alpha @ targets for alpha, _ in weight_blocks(self.response_, queries)]
        return np.concatenate([np.empty((0, targets.shape[1])), *parts])

    def _flips(self, query: Matrix, found: Certified, n_units: int, groups: IntArray | None) -> Flips:
        weights = self.response_.weights(query).alpha[0]
        winner, rival = int(found.winner[0]), int(found.rival[0])
        return strongest_flips(weights, self.codes_, winner=winner, rival=rival, n_units=n_units, groups=groups)


def fit_rows(learner: Any, X: Matrix, y: Labels) -> Matrix:
    """Check parameters and training rows of a learner, and set its ``classes_`` and ``codes_``."""
    matrix, learner.codes_, _ = rows_to_fit(learner, X, y)
    return matrix


def one_hot(codes: IntArray, n_classes: int) -> Array:
    """Return a column for each class, one where a row is of the class and zero elsewhere."""
    return np.eye(n_classes)[codes]


def group_codes(groups: Labels, n: int) -> IntArray:
    """Number the groups of the training rows.

    Raises
    ------
    InvalidArgument
        If there is not one for each row.
    """
    named = np.asarray(groups)
    if named.shape != (n,):
        raise InvalidArgument("groups", f"one for each of {n} training rows", f"shape {named.shape}")
    return np.asarray(np.unique(named, return_inverse=True)[1], dtype=np.int64)
