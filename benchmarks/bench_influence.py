"""Products with the inverse Hessian at a poisoned model, against generic routes.

Enron with two poison points in 124 copies, smooth hinge at the published
temperature: conjugate gradients as in the papers' code, a dense solve of the
Hessian, and retraining by Newton's method with conjugate gradients.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg
from timing import duration, publish, table, training_rows

from toadstone.core.dataset import Dataset
from toadstone.kernels.influence.ridge_path import PoisonedTraining, SmoothFit
from toadstone.kernels.losses import smooth_hinge

RIDGE, TEMPERATURE = 0.09, 0.001
COPIES = np.array([36.0, 88.0])
SIGNS = np.array([-1.0, 1.0])


class Whole:
    """The same training problem over all rows, as a generic library sees it."""

    def __init__(self, data: Dataset, points: np.ndarray) -> None:
        self.X, self.points, self.loss = data.X, points, smooth_hinge(TEMPERATURE)
        self.signs = np.concatenate([data.signs, SIGNS])
        self.costs = np.concatenate([np.ones(len(data)), COPIES]) / (len(data) + COPIES.sum())

    def forth(self, theta: np.ndarray) -> np.ndarray:
        """Scores of all rows."""
        return np.concatenate([self.X @ theta[:-1], self.points @ theta[:-1]]) + theta[-1]

    def back(self, along: np.ndarray) -> np.ndarray:
        """A weighted sum of rows, constant feature last."""
        n = self.X.shape[0]
        return np.append(self.X.T @ along[:n] + self.points.T @ along[n:], along.sum())

    def value(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Objective and gradient."""
        margins = self.signs * self.forth(theta)
        gradient = RIDGE * theta + self.back(self.costs * self.signs * self.loss.derivative(margins))
        return float(self.costs @ self.loss.value(margins) + RIDGE / 2 * theta @ theta), gradient

    def weights(self, theta: np.ndarray) -> np.ndarray:
        """Second derivatives of the rows' losses."""
        slopes = -self.loss.derivative(self.signs * self.forth(theta))
        return self.costs * slopes * (1 - slopes) / TEMPERATURE

    def times(self, theta: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """A product with the Hessian."""
        return RIDGE * vector + self.back(self.weights(theta) * self.forth(vector))


def by_conjugate_gradients(whole: Whole, theta: np.ndarray, vector: np.ndarray, rtol: float) -> np.ndarray:
    weights, size = whole.weights(theta), len(vector)
    hessian = LinearOperator(
        (size, size), dtype=float, matvec=lambda v: RIDGE * v + whole.back(weights * whole.forth(v))
    )
    return cg(hessian, vector, rtol=rtol, maxiter=20_000)[0]


def by_dense_solve(whole: Whole, theta: np.ndarray, vector: np.ndarray) -> np.ndarray:
    felt = np.flatnonzero(whole.weights(theta) > 0)
    rows = np.vstack([whole.X.toarray(), whole.points])[felt]
    table_ = np.column_stack([rows, np.ones(len(felt))]) * np.sqrt(whole.weights(theta)[felt])[:, None]
    hessian = table_.T @ table_
    hessian[np.diag_indices_from(hessian)] += RIDGE
    return cho_solve(cho_factor(hessian), vector)


def cpu(work: Callable[[], object], repeats: int = 3) -> float:
    """The shortest CPU time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def flipped(data: Dataset) -> np.ndarray:
    """The median-sized row of each class, to be given the other label."""
    norms = np.asarray(data.X.multiply(data.X).sum(axis=1)).ravel()
    chosen = []
    for sign in SIGNS:
        members = np.flatnonzero(data.signs == -sign)
        chosen.append(members[np.argsort(norms[members])[len(members) // 4]])
    return data.X[np.array(chosen)].toarray()


def fresh_inverse(fit: SmoothFit, vector: np.ndarray) -> np.ndarray:
    inverse, _, _ = fit.problem.inverse(fit.duals)
    return inverse.solve(vector)


def main() -> None:
    data = training_rows("enron")
    points = flipped(data)
    training, whole = PoisonedTraining(data.X, data.signs, loss=smooth_hinge(TEMPERATURE), ridge=RIDGE), None
    near = training.fit(points * 0.97, SIGNS, COPIES, tolerance=1e-8)
    fit = training.fit(points, SIGNS, COPIES, start=near.duals, tolerance=0.0)
    whole, vector = Whole(data, points), np.random.default_rng(0).normal(size=len(fit.theta))
    own, answer = cpu(partial(fresh_inverse, fit, vector), 10), fresh_inverse(fit, vector)
    rows = []
    for name, other in (
        (
            "inverse Hessian, conjugate gradients to 1e-8",
            partial(by_conjugate_gradients, whole, fit.theta, vector, 1e-8),
        ),
        (
            "inverse Hessian, conjugate gradients to 1e-4",
            partial(by_conjugate_gradients, whole, fit.theta, vector, 1e-4),
        ),
        ("inverse Hessian, dense Cholesky", partial(by_dense_solve, whole, fit.theta, vector)),
    ):
        again, difference = cpu(other, 1), np.linalg.norm(other() - answer) / np.linalg.norm(answer)
        rows.append([name, duration(own), duration(again), f"{again / own:.0f}", f"{difference:.0e}"])
    retrain = partial(training.fit, points, SIGNS, COPIES, start=near.duals, tolerance=1e-6)
    newton = partial(
        minimize, whole.value, near.theta, jac=True, hessp=whole.times, method="Newton-CG", options={"xtol": 1e-8}
    )
    own, again = cpu(retrain), cpu(newton, 1)
    excess = (whole.value(newton().x)[0] - fit.objective) / fit.objective
    rows.append(
        ["retraining after a move, Newton-CG", duration(own), duration(again), f"{again / own:.0f}", f"{excess:.0e}"]
    )
    headings = ["task and generic route", "toadstone", "generic", "ratio", "difference"]
    legend = (
        f"Ridge {RIDGE}, temperature {TEMPERATURE}, CPU seconds. “difference”: relative, of the products, and by how "
        "much the generic route's objective exceeds the optimum. Factorisation included; the products of rows that "
        "an earlier model already needed are kept."
    )
    publish("influence", "Influence of poison on a retrained model", [table(headings, rows), legend], ["scipy"])


if __name__ == "__main__":
    main()
