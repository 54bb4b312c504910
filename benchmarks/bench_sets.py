"""Maximization and projection on Enron's feasible sets, against a modelling language.

The region of each class: counts, sphere and slab at the 0.9 quantile, and the
band of hinge losses in [0, 0.3] at a model trained on clean rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cvxpy as cp
import numpy as np
from generic_models import Model, by_epigraph, by_steps, reachable_steps
from timing import duration, publish, seconds, table, training_rows

from toadstone.core.dataset import Dataset
from toadstone.core.feasible import Region
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import mean, squared_distances
from toadstone.kernels.sets.regions import maximize, project
from toadstone.kernels.sets.sets import fit_domain

VECTORS = 5
ROUNDS = 2
LEAST = 0.5
ROUTES = {
    "LIN": [
        ("HiGHS, unit steps", by_steps, cp.HIGHS),
        ("HiGHS, epigraph", by_epigraph, cp.HIGHS),
        ("Clarabel, unit steps", by_steps, cp.CLARABEL),
        ("Clarabel, epigraph", by_epigraph, cp.CLARABEL),
    ],
    "PROJ": [
        ("Clarabel, unit steps", by_steps, cp.CLARABEL),
        ("Clarabel, epigraph", by_epigraph, cp.CLARABEL),
    ],
}
"""HiGHS needs seconds for a projection by unit steps and minutes by the epigraph."""


def class_region(data: Dataset, theta: np.ndarray, sign: float) -> Region:
    members, others = data.signs == sign, data.signs != sign
    centre = mean(data.X, members)
    normal = centre - mean(data.X, others)
    normal /= np.linalg.norm(normal)
    rows = data.X[members]
    radius = float(np.quantile(np.sqrt(squared_distances(rows, centre)), 0.9))
    offset = float(normal @ centre)
    half = float(np.quantile(np.abs(rows @ normal - offset), 0.9))
    scores = np.sort(sign * np.array([1.0, 0.7]) - theta[-1])
    domain = fit_domain(data.X, "integer")
    low, high = np.array([offset - half, scores[0]]), np.array([offset + half, scores[1]])
    bands = np.stack([normal, theta[:-1]])
    return Region(domain.lower, domain.upper, centre, radius, bands, low, high, integer=True)


def ours(task: str, region: Region, vector: np.ndarray) -> float:
    """The optimal value by this package, at a feasible point."""
    if task == "LIN":
        found = maximize(region, vector)
        return found.value
    return float(np.sum((project(region, vector)[0] - vector) ** 2))


def vectors(task: str, region: Region, models: np.ndarray, sign: float) -> list[np.ndarray]:
    """Directions of growing loss at several models, or points outside the region."""
    if task == "LIN":
        return [-sign * theta[:-1] for theta in models]
    rng = np.random.default_rng(0)
    d = region.n_features
    return [region.centre + 3 * rng.normal(size=d) * (rng.random(d) < 0.1) for _ in models]


def halves(data: Dataset) -> np.ndarray:
    """Models of random halves of the rows, as an attack meets one after another."""
    rng = np.random.default_rng(0)
    samples = [data.take(rng.permutation(len(data))[: len(data) // 2]) for _ in range(VECTORS)]
    return np.stack([fit_linear(half.X, half.signs, loss=HINGE, ridge=0.09).theta for half in samples])


def in_turn(work: Callable[[np.ndarray], object], given: list[np.ndarray]) -> list[float]:
    """Times for a vector, each solved after another one, as in an attack; over half a second at least."""
    once = sum(seconds(partial(work, vector), repeats=1) for vector in given)
    rounds = max(ROUNDS, round(LEAST / once))
    return [seconds(partial(work, vector), repeats=1) for _ in range(rounds) for vector in given]


def compare(task: str, region: Region, given: list[np.ndarray], label: str) -> tuple[list[list[str]], float]:
    """One table row for each generic route, and the ratio to the fastest."""
    values = [ours(task, region, vector) for vector in given]
    own, times = in_turn(partial(ours, task, region), given), []
    for name, build, solver in ROUTES[task]:
        model = build(region, linear=task == "LIN")
        answers = [model.solve(vector, solver) for vector in given]
        again = float(np.median(in_turn(partial(model.solve, solver=solver), given)))
        # The machine's pace changes: this package is timed before, between and after the others.
        own += in_turn(partial(ours, task, region), given)
        anew = seconds(partial(build_and_solve, build, task, region, given[0], solver), repeats=1)
        worst = max(abs(answer - value) / abs(value) for answer, value in zip(answers, values, strict=True))
        times.append((name, again, anew, worst))
    pace = float(np.median(own))
    rows = [
        [f"{task}, {label}, {name}", *map(duration, (pace, again, anew))]
        + [f"{time / pace:.0f}" for time in (again, anew)]
        + [f"{worst:.0e}"]
        for name, again, anew, worst in times
    ]
    return rows, min(again for _, again, _, _ in times) / pace


def build_and_solve(build: Callable[..., Model], task: str, region: Region, vector: np.ndarray, solver: str) -> float:
    return build(region, linear=task == "LIN").solve(vector, solver)


def main() -> None:
    data = training_rows("enron")
    theta = fit_linear(data.X, data.signs, loss=HINGE, ridge=0.09).theta
    models = halves(data)
    rows, summary = [], []
    for task in ROUTES:
        ratios = []
        for sign, label in ((1.0, "spam"), (-1.0, "ham")):
            region = class_region(data, theta, sign)
            more, ratio = compare(task, region, vectors(task, region, models, sign), label)
            rows += more
            ratios.append(f"{ratio:.0f} ({label}, {len(reachable_steps(region)[0])} breakpoints)")
        summary.append(f"{task} is faster than the fastest generic route by a factor of {' and '.join(ratios)}.")
    headings = ["subproblem", "toadstone", "again", "with building", "ratio again", "ratio with building", "difference"]
    legend = (
        "“again”: a parametrized problem solved once more, with another vector than before, started by the solver from "
        "its last solution where it can; “with building”: the model written anew. Medians over "
        f"{ROUNDS} rounds of {VECTORS} vectors, or half a second of them. "
        "“difference”: the largest relative one between optimal values."
    )
    title = "LIN and PROJ on Enron's sets"
    publish("sets", title, [*summary, table(headings, rows), legend], ["cvxpy", "highspy", "clarabel"])


if __name__ == "__main__":
    main()
