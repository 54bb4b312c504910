"""Enron: defenders who train by one pass of gradient descent, or with another loss than the attacks assume."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.linear_model import SGDClassifier

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset, Poison
from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.protocols.attack_errors import DEFENCES, FIVE, TITLES, defence_rows
from toadstone.experiments.stronger_2022.protocols.chosen_attacks import ChosenAttackSettings, prepare_comparison
from toadstone.pipeline.harness.judge import Defence, judge, keep, merge
from toadstone.records.audit import NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Comparison, Interval, Panel, Series
from toadstone.sanitizers.trimming import trim

SETTINGS = ChosenAttackSettings(ridge=0.09, slow=())
PASSES = 10

_ORDERS = "smallest and largest over orders of the rows"
_ONE_PASS, _LOGISTIC = "one pass", "logistic loss"

Errors = Mapping[str, tuple[float, ...]]
"""Test errors by defence, over orders of the rows."""


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("enron"), SETTINGS, PASSES, conditions)


def measure(split: Split, settings: ChosenAttackSettings, passes: int, conditions: Conditions) -> Measured:
    """Make the three attacks, and evaluate both defenders behind each defence and behind none."""
    comparison = prepare_comparison(split, settings, conditions)
    poisons = {name: found.poison for name, found in comparison.paper_attacks().items()}
    conditions.on_stage(f"defenders on {split.name}")
    defence = Defence(ridge=settings.ridge, loss="logistic", seed=conditions.seed)
    one_pass, logistic = {}, {}
    for name, poison in poisons.items():
        one_pass[name] = pass_errors(split, poison, comparison.problem.defence, passes)
        logistic[name] = judge(split.train, split.test, poison, (NO_SANITIZER, *FIVE), defence, name=name)
        conditions.on_step()
    return Measured(
        setting=comparison.in_words()
        | {
            "Defenders": "one pass of stochastic gradient descent on the hinge loss, with the steps of scikit-learn's "
            "\N{LEFT DOUBLE QUOTATION MARK}optimal\N{RIGHT DOUBLE QUOTATION MARK} schedule; or the exact minimum of "
            "the logistic loss; the penalty is the one that the attacks assume, and the loss defence trains in the "
            "same way as the defender"
        },
        comparisons=(
            *(row for name, errors in one_pass.items() for row in _pass_rows(name, errors)),
            *(
                row
                for name, cells in logistic.items()
                for row in defence_rows(f"{_LOGISTIC}, {TITLES[name]}", cells, {}, "")
            ),
        ),
        panels=(
            _panel(_ONE_PASS, {name: _means(errors) for name, errors in one_pass.items()}),
            _panel(_LOGISTIC, {name: _errors_of(cells) for name, cells in logistic.items()}),
        ),
        data={split.name: sha256(split.train)},
        notes=(
            "The text states no figures here. It says that all attacks stay effective against all defences except the "
            "loss defence, which then reduces the damage considerably.",
            f"One pass: means over {passes} random orders of the rows.",
        ),
    )


def pass_errors(split: Split, poison: Poison, defence: Defence, passes: int) -> dict[str, tuple[float, ...]]:
    """Return the test errors of a defender who trains by one pass, behind each defence and behind none.

    Parameters
    ----------
    split : Split
    poison : Poison
    defence : Defence
        Filters and penalty of the defender.
    passes : int
        Number of orders of the rows.

    Returns
    -------
    dict from sanitizer to tuple of float
    """
    X, y, _ = merge(split.train, poison)
    fixed = {name: keep(name, X, y, defence) for name in (NO_SANITIZER, *FIVE) if name != "loss"}
    errors: dict[str, list[float]] = {name: [] for name in (NO_SANITIZER, *FIVE)}
    for order in range(passes):
        seed = defence.seed + order
        kept = fixed | {"loss": _kept_by_loss(X, y, defence, seed)}
        for name, rows in kept.items():
            errors[name].append(_error(one_pass(X[rows], y[rows], defence.ridge, seed), split.test))
    return {name: tuple(found) for name, found in errors.items()}


def one_pass(X: Matrix, y: Labels, ridge: float, seed: int) -> SGDClassifier:
    """Train a linear model by one pass over the rows, in random order."""
    model = SGDClassifier(alpha=ridge, max_iter=1, tol=None, learning_rate="optimal", random_state=seed)
    return model.fit(X, y)


def _kept_by_loss(X: Matrix, y: Labels, defence: Defence, seed: int) -> IntArray:
    """Return the rows that the loss defence keeps if it trains by one pass as well."""
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


def _means(errors: Errors) -> dict[str, float]:
    return {name: float(np.mean(found)) for name, found in errors.items()}


def _errors_of(cells: tuple[Evaluation, ...]) -> dict[str, float]:
    return {cell.sanitizer: cell.test_error for cell in cells}


def _panel(title: str, attacks: Mapping[str, Mapping[str, float]]) -> Panel:
    series = tuple(
        Series(TITLES[name], "ours", tuple(DEFENCES.values()), tuple(errors[sanitizer] for sanitizer in DEFENCES))
        for name, errors in attacks.items()
    )
    return Panel(f"Test error of a defender with {title}", "bars", "", "test error", "category", "share", series)
