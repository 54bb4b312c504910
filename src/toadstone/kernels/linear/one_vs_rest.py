"""Linear models of several classes, one against the rest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.linear.compressed import compressed
from toadstone.kernels.linear.fit import LinearSolver


@dataclass(frozen=True, eq=False)
class OneVsRestFit:
    """One linear model a class; a single one when there are two classes.

    Parameters
    ----------
    thetas : ndarray of shape (k, d + 1)
        Weights, then the bias, of each class against the rest; of the second
        class alone, shape (1, d + 1), when there are two.
    duals : ndarray of shape (k, n)
        Dual variables, to start a similar fit from.
    gap, objective : float
        The largest duality gap of any of the models, and its objective.
    """

    thetas: Array
    duals: Array
    gap: float
    objective: float

    def scores(self, X: Matrix) -> Array:
        """Compute one score a class, shape (n, n_classes).

        With two classes they are minus and plus half the signed score, so
        that a difference of scores is a margin.
        """
        values = np.asarray(X @ self.thetas[:, :-1].T + self.thetas[:, -1])
        return values if values.shape[1] > 1 else np.column_stack([-0.5 * values, 0.5 * values])

    def rivalries(self, code: int) -> Array:
        """Return the lead of one class's score over each other class's, as linear functions.

        Returns
        -------
        ndarray of shape (n_classes - 1, d + 1)
            Weights, then the bias.
        """
        if len(self.thetas) == 1:
            return self.thetas if code == 1 else -self.thetas
        return np.delete(self.thetas[code] - self.thetas, code, axis=0)


def fit_one_vs_rest(
    X: Matrix,
    codes: IntArray,
    solver: LinearSolver,
    *,
    weights: Array | None = None,
    start: OneVsRestFit | None = None,
) -> OneVsRestFit:
    """Train each class against the rest.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of shape (n,)
        Classes counted from zero; all of them occur, and there are at least two.
    solver : LinearSolver
        Loss, ridge, bias and tolerance of each model.
    weights : ndarray of shape (n,), optional
        As in `fit_linear`.
    start : OneVsRestFit, optional
        A fit to the same rows whose dual variables to start from.

    Returns
    -------
    OneVsRestFit

    Warns
    -----
    ConvergenceWarning
        If a duality gap stays above the tolerance.
    """
    n_classes = int(codes.max()) + 1
    rows = compressed(X)
    fits = [
        solver.fit(
            rows,
            np.where(codes == code, 1.0, -1.0),
            weights=weights,
            duals=None if start is None else start.duals[position],
        )
        for position, code in enumerate([1] if n_classes == 2 else range(n_classes))
    ]
    worst = max(fits, key=lambda fit: fit.gap)
    if worst.gap > solver.tolerance * max(worst.objective, 1e-12):
        warnings.warn(
            f"training stopped at a duality gap of {worst.gap:.3g} for an objective of {worst.objective:.3g}; "
            "scale the features, or allow a larger ridge or tolerance",
            ConvergenceWarning,
            stacklevel=3,
        )
    return OneVsRestFit(
        np.stack([fit.theta for fit in fits]), np.stack([fit.duals for fit in fits]), worst.gap, worst.objective
    )
