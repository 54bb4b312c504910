"""The label-flip form of the saddle certificate against ALFA, exact flips and whole flips of its own attack.

On a dozen rows of real tables every choice of flips is trained; on whole tables the bound stands beside what ALFA
and the certificate's own attack reach with whole flips. The ridge is the same everywhere and chosen on nothing.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from timing import publish, table

from toadstone.attacks.flips.alfa import ALFAAttack
from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.datasets.catalogue.load import load
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.flip_budget import FlipBudget
from toadstone.kernels.minimax.label_flips import FlipSaddle, solve_flips

RIDGE, FEW, DRAWS = 0.1, 12, 5
TABLES = ("breast-cancer", "enron", "mnist-1-7", "adult")
WHOLE = ("breast-cancer", "digits-1-7", "enron")


def drawn(name: str, seed: int) -> Dataset:
    """Six rows of each label."""
    rows, rng = load(name).train, np.random.default_rng(seed)
    chosen = np.concatenate([rng.choice(np.flatnonzero(rows.signs == s), FEW // 2, replace=False) for s in (-1, 1)])
    return Dataset(rows.X[chosen], rows.y[chosen])


def dense(X: Matrix) -> Array:
    return X.toarray() if hasattr(X, "toarray") else np.asarray(X)


def trained(data: Dataset, flipped: Array) -> float:
    """The objective of training once some labels are flipped."""
    signs = data.signs.copy()
    signs[flipped] *= -1
    return fit_linear(data.X, signs, loss=HINGE, ridge=RIDGE, tolerance=1e-8).objective


def alfa(data: Dataset, flips: int) -> float:
    """The objective after the flips that ALFA chooses, in place; its own rows would be added."""
    made = ALFAAttack(ridge=RIDGE).poison(data, Budget((flips + 0.5) / len(data)), np.random.default_rng(0))
    rows, chosen = dense(data.X), []
    turned = np.where(made.y == data.classes[1], 1.0, -1.0)
    for row, sign in zip(dense(made.X), turned, strict=True):
        same = np.flatnonzero((rows == row).all(axis=1) & (data.signs == -sign))
        chosen.append(next(int(one) for one in same if one not in chosen))
    return trained(data, np.array(chosen))


def solved(data: Dataset, flips: int) -> tuple[FlipSaddle, float]:
    """The saddle, and the objective after the whole flips of its largest shares."""
    budget = FlipBudget.of_all(len(data), flips)
    found = solve_flips(data.X, data.signs, budget, loss=HINGE, ridge=RIDGE)
    return found, trained(data, budget.rounded(found.shares))


def few(name: str, flips: int) -> list[str]:
    """Means over draws of a dozen rows, each as a share of the bound."""
    shares = []
    for seed in range(DRAWS):
        data = drawn(name, seed)
        found, whole = solved(data, flips)
        exact = max(trained(data, np.array(chosen)) for chosen in combinations(range(FEW), flips))
        if exact > found.bound * (1 + 1e-9):
            raise SystemExit(f"{name}, {flips} flips: training reaches {exact}, above the bound {found.bound}")
        shares.append([found.value, exact, whole, alfa(data, flips)] / np.array(found.bound))
    means, least = np.mean(shares, axis=0), np.min(shares, axis=0)
    return [name, str(flips), *(f"{mean:.4f} ({low:.4f})" for mean, low in zip(means, least, strict=True))]


def whole(name: str, fraction: float) -> list[str]:
    """Bound and attacks on all training rows."""
    data = load(name).train
    flips = Budget(fraction).count(len(data))
    found, reached = solved(data, flips)
    by_alfa = alfa(data, flips)
    shown = [f"{number:.5f}" for number in (found.bound, found.value, reached, by_alfa)]
    return [name, f"{flips:,} of {len(data):,}", *shown, f"{reached / found.bound:.4f}", f"{by_alfa / found.bound:.4f}"]


def main() -> None:
    small = [few(name, flips) for name in TABLES for flips in (1, 2, 3)]
    large = [whole(name, fraction) for name in WHOLE for fraction in (0.01, 0.03, 0.1)]
    about = (
        f"Hinge loss, ridge {RIDGE} for each row, bias included. The bound is of the objective of training on the "
        "labels as flipped, for every choice of so many flips (`toadstone certify --kind flip`). The run ends with an "
        "error if any choice trains above it; none did."
    )
    on_few = (
        f"{FEW} rows, six of each label, {DRAWS} draws from each table: what is reached as a share of the bound, mean "
        "and (least). *Fractions* is the certificate's own attack value; *exact* the worst of all choices of flips; "
        "*whole* the certificate's attack rounded to whole flips; *ALFA* the flips of Xiao, Xiao and Eckert (2012), "
        "made in place."
    )
    first = table(["table", "flips", "fractions", "exact", "whole", "ALFA"], small)
    headings = ["table", "flips", "bound", "fractions", "whole", "ALFA", "whole / bound", "ALFA / bound"]
    paragraphs = [about, on_few, first, "All training rows of a table:", table(headings, large)]
    title = "Labels flipped in place: the bound, ALFA and exact flips"
    publish("flip_saddle", title, paragraphs, ["numpy", "numba"])


if __name__ == "__main__":
    main()
