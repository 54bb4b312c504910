"""Evaluate attacks against defences: check, filter, train, test."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import binomtest

from toadstone.catalogue import resolve
from toadstone.core.arrays import IntArray, Mask, Matrix
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.kernels.losses import crammer_singer, margin_loss
from toadstone.kernels.rows import stack
from toadstone.learners.given_models import failing_in_words, predicted
from toadstone.pipeline.harness.clock import UNLIMITED, Deadline
from toadstone.pipeline.harness.own_model import untrained
from toadstone.pipeline.harness.processes import processes
from toadstone.pipeline.harness.threads import one_thread
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, Evaluation

ONE_AGAINST_THE_REST = "linear"
"""The learner that trains a model for each class, with any margin loss."""

VERDICT = "verdict"
"""The defence that removes what the verdict lists, beside the sanitizers of the catalogue."""


@dataclass(frozen=True)
class Defence:
    """The defender's filters and training.

    Parameters
    ----------
    contamination : float
        Share of each class that a sanitizer removes.
    ridge : float
        Penalty of the model, for each row trained on.
    loss : str
        Its loss.
    learner : {"linear", "crammer-singer", "online"}
        How it is trained: several classes one against the rest, all together,
        or all together by a few epochs without a penalty. The latter two are
        for the hinge.
    variant : {"paper", "reference"}
        Which definition of the SVD and nearest-neighbour sanitizers.
    seed : int
    accuracy : float
        Relative duality gap at which training stops. A search that compares
        many attacks may be content with less.
    own : estimator, optional
        A model of the user's, which is trained instead of the learner.

    Raises
    ------
    UnknownName
        If there is no such learner.
    InvalidArgument
        If the learner is not for the loss.
    """

    contamination: float = 0.05
    ridge: float = 0.01
    loss: str = "hinge"
    learner: str = "linear"
    variant: str = "paper"
    seed: int = 0
    accuracy: float = 1e-6
    own: Any = None

    def __post_init__(self) -> None:
        resolve("learner", self.learner)
        if self.learner != ONE_AGAINST_THE_REST and self.loss != "hinge":
            raise InvalidArgument("loss", f"hinge, which {self.learner} is for", self.loss)

    def sanitizer(self, name: str) -> Any:
        """Build an unfitted sanitizer of the catalogue, with this defender's settings."""
        return self._with_settings("sanitizer", name)

    def filter(self, name: str) -> Any:
        """Build an unfitted sanitizer, or the verdict, with this defender's settings."""
        return Verdict(random_state=self.seed) if name == VERDICT else self.sanitizer(name)

    def model(self) -> Any:
        """Build the unfitted model."""
        return self._with_settings("learner", self.learner) if self.own is None else untrained(self.own)

    def _with_settings(self, kind: str, name: str) -> Any:
        found = resolve(kind, name)
        known = found().get_params()
        wanted = {
            "contamination": self.contamination,
            "ridge": self.ridge,
            "loss": self.loss,
            "variant": self.variant,
            "random_state": self.seed,
            "tolerance": self.accuracy,
        }
        return found(**{option: value for option, value in wanted.items() if option in known})


def judge_attacks(
    split: Split,
    poisons: Mapping[str, Poison],
    sanitizers: Sequence[str],
    defence: Defence,
    *,
    check: Callable[[Poison], None],
    fitted: Mapping[str, Any] | None = None,
    workers: int = 1,
    on_cell: Callable[[], None] | None = None,
) -> tuple[Evaluation, ...]:
    """Evaluate every attack, and none, against every sanitizer, and none.

    The defender fits the sanitizer on clean rows and poison together, removes
    the most anomalous rows of each class, and retrains; test labels are used
    to report its error and for nothing else.

    Parameters
    ----------
    split : Split
    poisons : mapping from attack name to Poison
    sanitizers : sequence of str
        Names of the catalogue.
    defence : Defence
    check : callable
        Refuses poison beyond the budget or the domain, as `ThreatModel.check`.
    fitted : mapping from name to sanitizer, optional
        This defender's sanitizers where they have resampled the clean rows
        already, to spare doing it again for the row without attack.
    workers : int
        Processes; results do not depend on it.
    on_cell : callable, optional
        Called after each cell, for progress.

    Returns
    -------
    tuple of Evaluation
        By attack, then sanitizer.

    Raises
    ------
    BudgetExceeded
        If an attack broke its contract.
    InvalidArgument
        If an attack is called like the row for no attack.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.1.
    """
    if NO_ATTACK in poisons:
        raise InvalidArgument("poisons", f"names other than {NO_ATTACK}", NO_ATTACK)
    for poison in poisons.values():
        check(poison)
    clean, test = split.train, split.test
    cells = []
    for name in (NO_SANITIZER, *sanitizers):
        cells.append(_judge((NO_ATTACK, name), merge(clean, None), test, defence, (fitted or {}).get(name)))
        if on_cell is not None:
            on_cell()
    return (*cells, *judge_poisons(split, poisons, sanitizers, defence, workers=workers, on_cell=on_cell))


def judge_poisons(
    split: Split,
    poisons: Mapping[str, Poison],
    sanitizers: Sequence[str],
    defence: Defence,
    *,
    deadline: Deadline = UNLIMITED,
    workers: int = 1,
    on_cell: Callable[[], None] | None = None,
) -> tuple[Evaluation, ...]:
    """Evaluate attacks that have been checked against every sanitizer, and none.

    Parameters
    ----------
    split, poisons, sanitizers, defence, workers, on_cell
        As for `judge_attacks`.
    deadline : Deadline
        Attacks that have not been tried against every defence by then are
        left out.

    Returns
    -------
    tuple of Evaluation
        By attack, then sanitizer.
    """
    names, cells = (NO_SANITIZER, *sanitizers), []
    tasks = (
        delayed(_alone)(split.train, split.test, poison, name, defence, attack)
        for attack, poison in poisons.items()
        for name in names
        if not deadline.passed
    )
    some = processes(workers, len(names) * len(poisons), split.train)
    for cell in Parallel(n_jobs=some, return_as="generator")(tasks):
        cells.append(cell)
        if on_cell is not None:
            on_cell()
    # An attack that met some defences only would make the others look better.
    return tuple(cells[: len(cells) // len(names) * len(names)])


def _alone(clean: Dataset, test: Dataset, poison: Poison, sanitizer: str, defence: Defence, attack: str) -> Evaluation:
    with one_thread():
        (cell,) = judge(clean, test, poison, (sanitizer,), defence, name=attack)
    return cell


def judge(
    clean: Dataset,
    test: Dataset,
    poison: Poison,
    sanitizers: Sequence[str],
    defence: Defence,
    *,
    name: str,
    workers: int = 1,
) -> tuple[Evaluation, ...]:
    """Evaluate one attack against some sanitizers, without checking budget or domain.

    Parameters
    ----------
    clean, test : Dataset
    poison : Poison
    sanitizers : sequence of str
        Names of the catalogue, or the one that stands for none.
    defence : Defence
    name : str
        Of the attack, for the evaluations.
    workers : int
        Processes; results do not depend on it.

    Returns
    -------
    tuple of Evaluation
        In the order of `sanitizers`.
    """
    some = processes(workers, len(sanitizers), clean)
    if some > 1:
        tasks = (delayed(_alone)(clean, test, poison, sanitizer, defence, name) for sanitizer in sanitizers)
        return tuple(Parallel(n_jobs=some)(tasks))
    received = merge(clean, poison)
    return tuple(_judge((name, sanitizer), received, test, defence, None) for sanitizer in sanitizers)


def merge(clean: Dataset, poison: Poison | None) -> tuple[Matrix, Any, Mask]:
    """Return the rows that a defender receives, and which of them are poison.

    Poison that displaces clean rows takes their places; other poison follows
    after them.
    """
    if poison is None:
        return clean.X, clean.y, np.zeros(len(clean), dtype=bool)
    X = stack([clean.X, poison.X])
    y = np.concatenate([clean.y, poison.y.astype(clean.y.dtype)])
    order: IntArray = np.arange(len(y))
    if poison.replaces is not None and len(poison.replaces):
        order[poison.replaces] = order[len(clean) :]
        order = order[: len(clean)]
        X, y = X[order], y[order]
    return X, y, order >= len(clean)


def keep(name: str, X: Matrix, y: Any, defence: Defence) -> IntArray:
    """Return the rows that a sanitizer of the catalogue, the verdict, or none keeps, ascending."""
    if name == NO_SANITIZER:
        return np.arange(len(y))
    sanitizer = defence.filter(name)
    sanitizer.fit_resample(X, y)
    kept: IntArray = sanitizer.sample_indices_
    return kept


def _judge(
    names: tuple[str, str], received: tuple[Matrix, Any, Mask], test: Dataset, defence: Defence, fitted: Any
) -> Evaluation:
    begin = time.perf_counter()
    X, y, poisoned = received
    kept: IntArray = keep(names[1], X, y, defence) if fitted is None else fitted.sample_indices_
    option, name = ("", "") if defence.own is None else ("model", type(defence.own).__name__)
    with failing_in_words(option, name, "fit"):
        model = defence.model().fit(X[kept], y[kept])
    wrong = int(np.count_nonzero(predicted(model, test.X, len(test), option=option, name=name) != test.y))
    interval = binomtest(wrong, len(test)).proportion_ci(method="wilson")
    poison_rows, poison_kept = int(poisoned.sum()), int(poisoned[kept].sum())
    return Evaluation(
        attack=names[0],
        sanitizer=names[1],
        test_error=wrong / len(test),
        low=float(interval.low),
        high=float(interval.high),
        train_loss=_train_loss(model, X[kept], y[kept], defence),
        poison_rows=poison_rows,
        poison_removed=poison_rows - poison_kept,
        clean_rows=len(y) - poison_rows,
        clean_removed=len(y) - poison_rows - (len(kept) - poison_kept),
        seconds=time.perf_counter() - begin,
    )


def _train_loss(model: Any, X: Matrix, y: Any, defence: Defence) -> float:
    """Return the mean loss on the kept rows, as the model was trained with it; the error there of a user's model."""
    if defence.own is not None:
        return float(np.mean(np.ravel(model.predict(X)) != y))
    scores = model.decision_function(X)
    if scores.ndim == 2 and defence.learner != ONE_AGAINST_THE_REST:
        losses, _ = crammer_singer(scores, np.searchsorted(model.classes_, y))
        return float(losses.mean())
    if scores.ndim == 1:
        margins = np.where(y == model.classes_[1], 1.0, -1.0) * scores
    else:
        margins = np.where(y[:, None] == model.classes_[None, :], 1.0, -1.0) * scores
    return float(margin_loss(defence.loss).value(margins).mean())
