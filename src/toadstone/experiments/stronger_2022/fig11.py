"""Enron: defenders who train otherwise than attackers think, by one pass of gradient steps or with another loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.linear_model import SGDClassifier

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset, Poison
from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.protocols.attack_errors import DEFENCES, TITLES, error_row
from toadstone.experiments.stronger_2022.protocols.chosen_attacks import FIVE, ChosenAttackSettings, enter
from toadstone.pipeline.harness.judge import Defence, judge, keep, merge
from toadstone.records.audit import NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Comparison, Interval, Panel, Series
from toadstone.sanitizers.trimming import trim

SETTINGS = ChosenAttackSettings(ridge=0.09, slow=())
PASSES = 10

_ORDERS = "least and largest over orders of the rows"
_ONE_PASS, _LOGISTIC = "one pass", "logistic loss"

Errors = Mapping[str, tuple[float, ...]]
"""By defence, over orders of the rows."""


def run(conditions: Conditions) -> Measured:
    """On the real data, with the paper's settings."""
    return measure(load("enron"), SETTINGS, PASSES, conditions)


def measure(split: Split, settings: ChosenAttackSettings, passes: int, conditions: Conditions) -> Measured:
    """Make the three attacks, and judge them by both defenders behind each defence and behind none."""
    arena = enter(split, settings, conditions)
    poisons = {name: finding.poison for name, finding in arena.three().items()}
    conditions.on_stage(f"defenders on {split.name}")
    defence = Defence(ridge=settings.ridge, loss="logistic", seed=conditions.seed)
    one_pass, logistic = {}, {}
    for name, poison in poisons.items():
        one_pass[name] = pass_errors(split, poison, arena.problem.defence, passes)
        logistic[name] = judge(split.train, split.test, poison, (NO_SANITIZER, *FIVE), defence, name=name)
        conditions.on_step()
    return Measured(
        setting=arena.in_words()
        | {
            "Defenders": "stochastic gradient descent on the hinge loss that sees each row once, steps as "
            "scikit-learn's \N{LEFT DOUBLE QUOTATION MARK}optimal\N{RIGHT DOUBLE QUOTATION MARK} schedule has them; or "
            "the exact minimum of the logistic loss; the penalty is the one that attackers expect, and the loss "
            "defence trains as the defender does"
        },
        comparisons=(
            *(row for name, errors in one_pass.items() for row in _pass_rows(name, errors)),
            *(row for name, cells in logistic.items() for row in _logistic_rows(name, cells)),
        ),
        panels=(
            _panel(_ONE_PASS, {name: _means(errors) for name, errors in one_pass.items()}),
            _panel(_LOGISTIC, {name: _found(cells) for name, cells in logistic.items()}),
        ),
        data={split.name: sha256(split.train)},
        notes=(
            "The text has no figures here. It says that all attacks stay effective against all defences but the loss "
            "defence, which then reduces the damage much.",
            f"One pass: means over {passes} orders of the rows.",
        ),
    )


def pass_errors(split: Split, poison: Poison, defence: Defence, passes: int) -> dict[str, tuple[float, ...]]:
    """Test errors of a defender who takes one pass, behind each defence and behind none.

    Parameters
    ----------
    split : Split
    poison : Poison
    defence : Defence
        Of whom the filters and the penalty are taken.
    passes : int
        How many orders of the rows to try.

    Returns
    -------
    dict from sanitizer to tuple of float
    """
    X, y, _ = merge(split.train, poison)
    fixed = {name: keep(name, X, y, defence) for name in (NO_SANITIZER, *FIVE) if name != "loss"}
    errors: dict[str, list[float]] = {name: [] for name in (NO_SANITIZER, *FIVE)}
    for order in range(passes):
        seed = defence.seed + order
        kept = fixed | {"loss": _well_fitted(X, y, defence, seed)}
        for name, rows in kept.items():
            errors[name].append(_error(one_pass(X[rows], y[rows], defence.ridge, seed), split.test))
    return {name: tuple(found) for name, found in errors.items()}


def one_pass(X: Matrix, y: Labels, ridge: float, seed: int) -> SGDClassifier:
    """A linear model that has seen each row once, in random order."""
    model = SGDClassifier(alpha=ridge, max_iter=1, tol=None, learning_rate="optimal", random_state=seed)
    return model.fit(X, y)


def _well_fitted(X: Matrix, y: Labels, defence: Defence, seed: int) -> IntArray:
    """What the loss defence keeps if it trains by one pass as well."""
    model = one_pass(X, y, defence.ridge, seed)
    margins = np.where(y == model.classes_[1], 1.0, -1.0) * model.decision_function(X)
    return trim(1.0 - margins, np.searchsorted(model.classes_, y), defence.contamination)


def _error(model: SGDClassifier, test: Dataset) -> float:
    return float(np.mean(model.predict(test.X) != test.y))


def _pass_rows(name: str, errors: Errors) -> list[Comparison]:
    return [
        Comparison(
            f"{_ONE_PASS}, {TITLES[name]}: test error behind {DEFENCES[sanitizer]}",
            "share",
            "higher",
            None,
            float(np.mean(errors[sanitizer])),
            Interval(min(errors[sanitizer]), max(errors[sanitizer]), _ORDERS),
        )
        for sanitizer in DEFENCES
    ]


def _logistic_rows(name: str, cells: tuple[Evaluation, ...]) -> list[Comparison]:
    by_name = {cell.sanitizer: cell for cell in cells}
    return [
        error_row(f"{_LOGISTIC}, {TITLES[name]}: test error behind {title}", by_name[sanitizer], None, "")
        for sanitizer, title in DEFENCES.items()
    ]


def _means(errors: Errors) -> dict[str, float]:
    return {name: float(np.mean(found)) for name, found in errors.items()}


def _found(cells: tuple[Evaluation, ...]) -> dict[str, float]:
    return {cell.sanitizer: cell.test_error for cell in cells}


def _panel(title: str, attacks: Mapping[str, Mapping[str, float]]) -> Panel:
    series = tuple(
        Series(TITLES[name], "ours", tuple(DEFENCES.values()), tuple(errors[sanitizer] for sanitizer in DEFENCES))
        for name, errors in attacks.items()
    )
    return Panel(f"Test error of a defender with {title}", "bars", "", "test error", "category", "share", series)
