"""Influence of all training rows on all test rows, and RONI, against retraining.

Features of a network's size, drawn at random about two class means, some
labels wrong. Retraining is timed on a few rows and multiplied.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.linear_model import Ridge
from timing import duration, publish, table

from toadstone.core.dataset import Dataset
from toadstone.detectors.labels.roni import RONI
from toadstone.kernels.influence.leave_one_out import (
    SquaredLoss,
    TrainedHead,
    fit_squares,
    influence_on_each,
    influence_on_mean,
)
from toadstone.kernels.influence.rank_one_update import Candidates, SmallRidge, inner, squared_norms
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import LOGISTIC

RIDGE, N, M, D = 0.01, 50_000, 10_000, 512
SMALL = 2_000, 500, 64
JUDGED, TRUSTED, TIMED = 5_000, 400, 50


def rows(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels -1 or +1, a twentieth of them wrong."""
    rng = np.random.default_rng(seed)
    signs = np.resize([1.0, -1.0], n)
    X = rng.normal(size=(n, d)) + 2 / np.sqrt(d) * signs[:, None]
    return X, np.where(rng.random(n) < 0.05, -signs, signs)


def once(work: Callable[[], object]) -> float:
    """Wall time of a single run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def head(X: np.ndarray, signs: np.ndarray, loss: str, ridge: float = RIDGE) -> TrainedHead:
    if loss == "squared":
        return TrainedHead(X, signs, fit_squares(X, signs, ridge=ridge), SquaredLoss(), ridge)
    theta = fit_linear(X, signs, loss=LOGISTIC, ridge=ridge, tolerance=1e-9).theta
    return TrainedHead(X, signs, theta, LOGISTIC, ridge)


def drain(trained: TrainedHead, X: np.ndarray, signs: np.ndarray) -> float:
    """All influences, of which only the largest is kept."""
    return max(float(values.max()) for _, values in influence_on_each(trained, X, signs))


def all_on_all() -> list[str]:
    """The large problem; the model's own training is not counted."""
    (X, signs), (P, probe) = rows(N, D, 0), rows(M, D, 1)
    trained = TrainedHead(X, signs, fit_squares(X, signs, ridge=RIDGE), SquaredLoss(), RIDGE)
    single, begin = once(partial(head, X, signs, "squared")), time.perf_counter()
    drain(trained, P, probe)
    spent = time.perf_counter() - begin
    name = f"influence of {N:,} rows on each of {M:,}, {D} features"
    return [name, duration(spent), duration(single * N), f"{single * N / spent:,.0f}", ""]


def against_retraining(loss: str) -> list[str]:
    """Correlation of influence with honest retraining without each of some rows."""
    n, m, d = SMALL
    (X, signs), (P, probe) = rows(n, d, 0), rows(m, d, 1)
    trained = head(X, signs, loss)
    begin = time.perf_counter()
    guess = influence_on_mean(trained, P, probe)
    spent = time.perf_counter() - begin
    tried, truth = np.random.default_rng(0).choice(n, 100, replace=False), []
    before = mean_loss(trained, P, probe)
    begin = time.perf_counter()
    for row in tried:
        rest = np.delete(np.arange(n), row)
        truth.append(mean_loss(head(X[rest], signs[rest], loss, RIDGE * n / (n - 1)), P, probe) - before)
    again = (time.perf_counter() - begin) * n / len(tried)
    correlation = np.corrcoef(guess[tried], truth)[0, 1]
    name = f"influence of {n:,} rows on the mean of {m}, {d} features, {loss} loss"
    return [name, duration(spent), duration(again), f"{again / spent:,.0f}", f"{correlation:.4f}"]


def mean_loss(trained: TrainedHead, X: np.ndarray, signs: np.ndarray) -> float:
    margins = signs * (X @ trained.theta[:-1] + trained.theta[-1])
    return float(trained.loss.value(margins).mean())


def roni(d: int) -> list[list[str]]:
    """All of RONI, against the training of a model for each row and draw by two routes."""
    (X, signs), known = rows(JUDGED, d, 2), Dataset(*rows(TRUSTED, d, 3))
    detector, everything = RONI(), (np.vstack([X, known.X]), np.append(signs, known.y))
    vouched = np.arange(JUDGED, JUDGED + TRUSTED)
    spent, results = min(once(partial(detector.fit, *everything, trusted=vouched)) for _ in range(3)), []
    half = TRUSTED // 2
    trusted, wanted = known.X[:half], known.y[:half, None]
    base, quiz = np.arange(detector.base_size), np.arange(detector.base_size, half)
    penalty = detector.ridge * len(base)
    model = SmallRidge(inner(trusted, trusted), wanted, base, quiz, penalty=penalty)
    some, labels = X[:TIMED], signs[:TIMED, None]
    fast = model.cost_of_each(Candidates(inner(trusted, some), squared_norms(some), labels))
    for name, refit in (("Cholesky among the base's rows", by_rows), ("scikit-learn's Ridge", by_library)):
        refit(trusted[base], wanted[base, 0], trusted[quiz], penalty)
        begin, found = time.perf_counter(), []
        for x, label in zip(some, labels, strict=True):
            predicted = refit(np.vstack([trusted[base], x]), np.append(wanted[base], label), trusted[quiz], penalty)
            found.append(((wanted[quiz, 0] - predicted) ** 2).mean() - model.error)
        again = (time.perf_counter() - begin) / TIMED * (JUDGED + TRUSTED) * detector.n_draws
        task = f"RONI on {JUDGED:,} rows, {detector.n_draws} draws, {d} features; {name}"
        agreement = f"{np.corrcoef(fast, found)[0, 1]:.4f}"
        results.append([task, duration(spent), duration(again), f"{again / spent:,.0f}", agreement])
    return results


def by_rows(X: np.ndarray, y: np.ndarray, quiz: np.ndarray, penalty: float) -> np.ndarray:
    system = inner(X, X)
    system[np.diag_indices_from(system)] += penalty
    return inner(quiz, X) @ cho_solve(cho_factor(system), y)


def by_library(X: np.ndarray, y: np.ndarray, quiz: np.ndarray, penalty: float) -> np.ndarray:
    X, quiz = (np.column_stack([table, np.ones(len(table))]) for table in (X, quiz))
    return Ridge(alpha=penalty, fit_intercept=False).fit(X, y).predict(quiz)


def main() -> None:
    headings = ["task", "toadstone", "retraining", "ratio", "correlation"]
    results = [all_on_all(), against_retraining("squared"), against_retraining("logistic"), *roni(512)]
    legend = (
        f"Wall time; ridge {RIDGE} for influence. Retraining is timed on a few rows and multiplied by the number of "
        "them; for the squared loss it is one factorisation. “correlation”: with the change of the loss that "
        "retraining shows."
    )
    publish(
        "influence_scores",
        "Influence of every row, and RONI",
        [table(headings, results), legend],
        ["numpy", "scikit-learn"],
    )


if __name__ == "__main__":
    main()
