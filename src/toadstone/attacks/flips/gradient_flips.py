"""The gradient attack: flipped rows moved along the gradient of the clean training loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.attacks.flips.label_changes import possible_flips
from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import FeasibleSet
from toadstone.kernels.linear.fit import LinearFit, fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.rounding import round_systematically

_DRAWS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientAttack:
    """Random label flips, half of each label, moved along the gradient of the clean training loss.

    The hinge has no curvature, so the Hessian of the training objective is
    the ridge alone: each row moves along its label times the slope of its
    loss times the gradient divided by the ridge, and is projected onto the
    feasible set; then the model is trained again. A baseline in [1]_.

    Parameters
    ----------
    feasible_set : FeasibleSet
        The set that rows must stay in.
    ridge : float
        Penalty of the defender's linear model, for each row.
    step : float
        Step length, as a factor of that product.
    max_steps : int
    check_every : int
        Number of steps between two evaluations of the clean loss.
    patience : int
        Number of evaluations without improvement after which to stop; the
        best rows are used.
    integer : bool
        True if features are whole numbers. Rows are then rounded at random
        in the end, or left as they began if no draw is feasible.
    tolerance : float
        Relative duality gap of the models that the steps follow.

    Raises
    ------
    InvalidArgument
        If a number is not positive.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017, section 5.
    .. [2] Biggio, Nelson and Laskov, "Poisoning attacks against support
       vector machines", ICML 2012.
    """

    feasible_set: FeasibleSet
    ridge: float = 0.01
    step: float = 0.001
    max_steps: int = 2000
    check_every: int = 40
    patience: int = 3
    integer: bool = False
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        check_positive(
            ridge=self.ridge,
            step=self.step,
            max_steps=self.max_steps,
            check_every=self.check_every,
            patience=self.patience,
            tolerance=self.tolerance,
        )

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Draw label flips and move them.

        Parameters
        ----------
        data : Dataset
            Of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for the initial flips and for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows, or for none.
        InvalidData
            If there are not exactly two classes.
        EmptyFeasibleSet
            If no flipped row is feasible.
        """
        count = budget.count(len(data))
        if budget.kind != "add" or count == 0:
            raise InvalidArgument("budget", f"one for adding at least one row to {len(data)}", budget)
        # The solver converts rows to CSR; doing so here does it once, not at every step.
        clean = csr_array(data.X), data.signs
        rows, codes = self._flips(data, count, rng)
        start = data.X[rows].toarray() if issparse(data.X) else data.X[rows]
        ascent = _Ascent(self, clean, data.classes[codes], np.where(codes == 1, 1.0, -1.0))
        points, theta = ascent.run(start)
        if self.integer:
            points = np.stack([ascent.rounded(k, points[k], start[k], theta, rng) for k in range(count)])
        return Poison(points, data.classes[codes])

    def _flips(self, data: Dataset, count: int, rng: Generator) -> tuple[IntArray, IntArray]:
        """Return rows and the codes of their new labels, half of each label if both have candidates."""
        possible = possible_flips(data, data.classes, self.feasible_set)
        halves = np.array([count // 2, count - count // 2])
        if not possible.any(axis=0).all():
            halves = np.where(possible.any(axis=0), count, 0)
        rows = [np.flatnonzero(possible[:, code]) for code in (0, 1)]
        drawn = [np.resize(rng.permutation(rows[code]), halves[code]) for code in (0, 1)]
        return np.concatenate(drawn), np.repeat([0, 1], halves)


class _Ascent:
    """Gradient ascent of poison rows on the clean loss of the models trained with them."""

    def __init__(self, attack: GradientAttack, clean: tuple[Matrix, Array], labels: Labels, signs: Array) -> None:
        self.attack, self.labels, self.signs = attack, labels, signs
        self.X, self.clean = clean

    def run(self, points: Array) -> tuple[Array, Array]:
        """Return the evaluated rows with the largest clean loss, and their model."""
        attack, largest, stale, fit = self.attack, -np.inf, 0, None
        best = (points, np.empty(0))
        for step in range(attack.max_steps + 1):
            fit = self.train(points, fit)
            if step % attack.check_every == 0:
                margins = self.clean * (self.X @ fit.theta[:-1] + fit.theta[-1])
                loss = float(HINGE.value(margins).mean())
                stale = 0 if loss > largest else stale + 1
                if loss > largest:
                    largest, best = loss, (points, fit.theta)
                if stale == attack.patience:
                    break
            points = self.moved(points, fit.duals)
        return best

    def train(self, points: Array, last: LinearFit | None) -> LinearFit:
        X, signs = stack([self.X, points]), np.append(self.clean, self.signs)
        start = None if last is None else last.duals
        return fit_linear(X, signs, loss=HINGE, ridge=self.attack.ridge, duals=start, tolerance=self.attack.tolerance)

    def moved(self, points: Array, duals: Array) -> Array:
        """Return the rows after one step and projection."""
        # Dual variables are the slopes of the loss, and unlike the subgradient at the kink rounding cannot flip them.
        n, stride = len(self.clean), self.attack.step / self.attack.ridge
        gradient = -(self.X.T @ (duals[:n] * self.clean)) / n
        ahead = points + np.outer(stride * duals[n:] * self.signs, gradient)
        # Rows that the set contains are projected too: membership allows a tolerance that the domain does not.
        return self.attack.feasible_set.project(ahead, self.labels)

    def rounded(self, k: int, point: Array, start: Array, theta: Array, rng: Generator) -> Array:
        """Return the feasible rounding of a row with the largest loss, or the initial row if there is none."""
        draws = round_systematically(point, theta[:-1], _DRAWS, rng)
        inside = self.attack.feasible_set.contains(draws, np.repeat(self.labels[k], _DRAWS))
        if not inside.any():
            return start
        margins = np.where(inside, self.signs[k] * (draws @ theta[:-1]), np.inf)
        return np.asarray(draws[margins.argmin()])
