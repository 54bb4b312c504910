"""The multi-class hinge of Crammer and Singer with a ridge, solved exactly."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_positive
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.compressed import compressed
from toadstone.kernels.linear.crammer_singer_descent import onto_simplices, sweep_simplices
from toadstone.kernels.linear.fit import row_costs
from toadstone.kernels.rows import csr_parts

_VISITS_PER_CHECK = 2
_MOST_SWEEPS_PER_CHECK = 40


@dataclass(frozen=True, eq=False)
class MulticlassFit:
    """A trained model of several classes, with its duality gap.

    Parameters
    ----------
    theta : ndarray of shape (k, d + 1)
        One row a class: weights, then the bias.
    duals : ndarray of shape (n, k)
        A point of the unit simplex for each row, to start a similar fit
        from: how much each class stands for the row's worst one.
    objective, gap : float
        Value of the penalized mean loss, and its distance at most from the
        optimum.
    sweeps : int
        Passes over the rows.
    """

    theta: Array
    duals: Array
    objective: float
    gap: float
    sweeps: int

    def scores(self, X: Matrix) -> Array:
        """Compute one score a class, shape (n, k)."""
        return np.asarray(X @ self.theta[:, :-1].T + self.theta[:, -1])

    def rivalries(self, code: int) -> Array:
        """Return the lead of one class's score over each other class's, as linear functions, shape (k - 1, d + 1)."""
        return np.delete(self.theta[code] - self.theta, code, axis=0)


@dataclass(frozen=True)
class CrammerSingerSolver:
    """A multi-class training problem and when to stop solving it.

    Parameters
    ----------
    ridge : float
        Positive. The penalty is per row: liblinear's ``C`` is
        ``1 / (n * ridge)``.
    tolerance : float
        Stop when the duality gap is below this share of the objective.
    seed : int
        Of the order in which rows are visited.
    max_sweeps : int
        Give up after as many passes; the gap then tells what was reached.

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive.
    """

    ridge: float
    tolerance: float = 1e-6
    seed: int = 0
    max_sweeps: int = 20_000

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge)

    def fit(
        self,
        X: Matrix,
        classes: IntArray,
        n_classes: int,
        *,
        weights: Array | None = None,
        duals: Array | None = None,
    ) -> MulticlassFit:
        """Minimize the weighted mean multi-class hinge plus the penalty; see `fit_crammer_singer`."""
        costs = row_costs(weights, X.shape[0])
        if n_classes < 2 or classes.min() < 0 or classes.max() >= n_classes:
            raise InvalidArgument("classes", f"indices below {n_classes}, of at least two classes", classes.max())
        descent = SimplexDescent(compressed(X), classes, n_classes, costs, self.ridge)
        fit = descent.run(descent.start(duals), self.tolerance, np.random.default_rng(self.seed), self.max_sweeps)
        if fit.gap > self.tolerance * max(fit.objective, 1e-12):
            warnings.warn(
                f"training stopped at a duality gap of {fit.gap:.3g} for an objective of {fit.objective:.3g}; "
                "scale the features, or allow a larger ridge or tolerance",
                ConvergenceWarning,
                stacklevel=2,
            )
        return fit


def fit_crammer_singer(
    X: Matrix,
    classes: IntArray,
    n_classes: int,
    *,
    ridge: float,
    weights: Array | None = None,
    duals: Array | None = None,
    tolerance: float = 1e-6,
) -> MulticlassFit:
    """Minimize the weighted mean multi-class hinge plus ``ridge / 2`` times the squared norm.

    Dual coordinate ascent [1]_: the dual variables of one row after another
    are set to their exact best values, a projection onto the simplex. The
    bias is penalized like a weight.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    classes : ndarray of shape (n,)
        Right class of each row, counted from zero.
    n_classes : int
        At least two; more than occur is allowed.
    ridge, tolerance
        As in `CrammerSingerSolver`, which sets the seed and the number of
        sweeps too.
    weights : ndarray of shape (n,), optional
        Relative weights of the rows, not negative; all one by default.
    duals : ndarray of shape (n, k), optional
        Dual variables of a similar problem to start from.

    Returns
    -------
    MulticlassFit

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive, a class is out of range, or a weight is
        negative, or all are zero.

    Warns
    -----
    ConvergenceWarning
        If the duality gap stays above the tolerance.

    References
    ----------
    .. [1] Keerthi, Sundararajan, Chang, Hsieh and Lin, "A sequential dual
       method for large scale multi-class linear SVMs", KDD 2008.

    Examples
    --------
    >>> X = np.array([[0.0, 2.0], [2.0, 0.0], [-2.0, -2.0]])
    >>> fit = fit_crammer_singer(X, np.arange(3), 3, ridge=0.1)
    >>> fit.scores(X).argmax(axis=1)
    array([0, 1, 2])
    """
    return CrammerSingerSolver(ridge, tolerance).fit(X, classes, n_classes, weights=weights, duals=duals)


class SimplexDescent:
    """Sweeps over the rows that are not settled, and checks of the duality gap.

    Parameters
    ----------
    rows : csr_array of shape (n, d)
    classes : ndarray of int of shape (n,)
    n_classes : int
    costs : ndarray of shape (n,)
        Weight of each row's loss.
    ridge : float
    """

    def __init__(self, rows: csr_array, classes: IntArray, n_classes: int, costs: Array, ridge: float) -> None:
        self.rows, self.transposed = rows, rows.T
        self.classes, self.costs, self.ridge = np.ascontiguousarray(classes, dtype=np.int64), costs, ridge
        self.targets = np.eye(n_classes)[self.classes]
        self.squared_norms = 1 + np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        self.parts = csr_parts(rows)

    def start(self, duals: Array | None) -> Array:
        """Return the first dual variables, projected onto their simplices."""
        if duals is None:
            return self.targets.copy()
        if duals.shape != self.targets.shape:
            raise InvalidArgument("duals", f"an array of shape {self.targets.shape}", f"shape {duals.shape}")
        begun = np.array(duals, dtype=float, order="C")
        onto_simplices(begun)
        return begun

    def run(self, duals: Array, tolerance: float, rng: np.random.Generator, max_sweeps: int) -> MulticlassFit:
        """Descend until the duality gap is a small enough share of the objective."""
        (theta, scores), best = self.check(duals, 0)
        slack, sweeps = np.inf, 0
        while best.gap > tolerance * max(best.objective, 1e-12) and sweeps < max_sweeps:
            active = self.unsettled(duals, scores, slack)
            # A check costs about as much as a visit to every row.
            visits = _VISITS_PER_CHECK * len(duals) // max(len(active), 1)
            rounds = min(visits, _MOST_SWEEPS_PER_CHECK, max_sweeps - sweeps)
            for _ in range(rounds):
                slack = self.sweep(rng.permutation(active), theta, duals)
            sweeps += rounds
            (theta, scores), fit = self.check(duals, sweeps)
            best = fit if fit.gap < best.gap else best
        return best

    def sweep(self, order: IntArray, theta: Array, duals: Array) -> float:
        """Visit rows, changing the model, shape (d + 1, k), and the dual variables; return the largest change."""
        parts = (self.parts, self.classes, self.costs, self.squared_norms)
        return float(sweep_simplices(*parts, order, self.ridge, theta, duals))

    def primal(self, duals: Array) -> Array:
        """Compute the model of some dual variables, shape (d + 1, k)."""
        pull = self.costs[:, None] * (self.targets - duals) / self.ridge
        return np.vstack([self.transposed @ pull, pull.sum(axis=0)])

    def check(self, duals: Array, sweeps: int) -> tuple[tuple[Array, Array], MulticlassFit]:
        """Compute the model, all scores with wrong classes raised by one, and the duality gap."""
        theta = self.primal(duals)
        scores = np.asarray(self.rows @ theta[:-1] + theta[-1]) + (1 - self.targets)
        right = np.einsum("ij,ij->i", scores, self.targets)
        penalty = 0.5 * self.ridge * float(np.sum(theta**2))
        objective = float(self.costs @ (scores.max(axis=1) - right)) + penalty
        gained = float(self.costs @ (1 - np.einsum("ij,ij->i", duals, self.targets)))
        gap = max(objective + penalty - gained, 0.0)
        fit = MulticlassFit(np.ascontiguousarray(theta.T), duals.copy(), objective, gap, sweeps)
        return (theta, scores), fit

    def unsettled(self, duals: Array, scores: Array, slack: float) -> IntArray:
        """Return the rows whose dual variables may still move."""
        holder = duals.argmax(axis=1)
        rows = np.arange(len(duals))
        rivals = scores.copy()
        rivals[rows, holder] = -np.inf
        # Shrinking: a vertex of the simplex whose lead exceeds any recent change will not move.
        settled = (duals[rows, holder] >= 1) & (scores[rows, holder] > rivals.max(axis=1) + slack)
        return np.flatnonzero(~settled)
