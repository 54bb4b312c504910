"""One attack against one defence: poison, filter, train, test."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from toadstone.core.arrays import Array, IntArray, Labels, Mask
from toadstone.core.dataset import Poison
from toadstone.core.errors import BudgetExceeded, ToadstoneError
from toadstone.pipeline.evaluation.defences import (
    DefenderData,
    Filtering,
    filterings,
    model_behind,
    planned_thresholds,
    run_baseline,
)
from toadstone.pipeline.evaluation.detector_aware import adaptive_poison, beside_trusted
from toadstone.pipeline.evaluation.poisoned_rows import PoisonedRows, goal_reached
from toadstone.pipeline.evaluation.seed_split import SeedSplit
from toadstone.pipeline.harness.judge import Defence, merge
from toadstone.pipeline.harness.threads import one_thread
from toadstone.records.evaluation import DefenceInfo
from toadstone.records.trials import Trial


def run_unit(part: SeedSplit, attacked: PoisonedRows, info: DefenceInfo, defence: Defence) -> tuple[Trial, ...]:
    """Run the trials of one attack against one defence: one for each source of thresholds.

    Parameters
    ----------
    part : SeedSplit
    attacked : PoisonedRows
    info : DefenceInfo
    defence : Defence
        The plain model and the settings of sanitizers; its seed is that of
        the trial.

    Returns
    -------
    tuple of Trial
        Skipped ones where attack or defence are not for these rows.

    Raises
    ------
    BudgetExceeded
        If the attack broke its contract.
    """
    begin = time.perf_counter()
    blank = [
        Trial(attacked.attack, info.name, thresholds, part.seed)
        for thresholds in planned_thresholds(info, trusted=part.trusted is not None)
    ]
    if attacked.skipped:
        return tuple(replace(trial, skipped=attacked.skipped) for trial in blank)
    try:
        with one_thread():
            trials = _run(part, attacked, info, defence)
    except BudgetExceeded:
        raise
    except ToadstoneError as error:
        # What one defence cannot use is no reason to go without the others.
        return tuple(replace(trial, skipped=str(error).splitlines()[0]) for trial in blank)
    seconds = (time.perf_counter() - begin) / len(trials)
    return tuple(replace(trial, seconds=seconds) for trial in trials)


def receive(part: SeedSplit, poison: Poison | None) -> tuple[DefenderData, Mask, Mask]:
    """Return the rows that reach the defender, which of them are poison, and which the attacker can reach."""
    X, y, poisoned = merge(part.clean, poison)
    reachable = np.ones(len(y), dtype=bool)
    both = beside_trusted(X, y, part.trusted)
    trusted = np.zeros(len(both.y) - len(y), dtype=bool)
    return both, np.concatenate([poisoned, trusted]), np.concatenate([reachable, trusted])


def class_ranks(suspicion: Array, y: Labels) -> Array:
    """Return the share of its class that is no more suspicious than each row, ties shared.

    Suspicions of different classes have different scales.
    """
    ranks = np.empty(len(y))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        ranks[rows] = rankdata(suspicion[rows]) / len(rows)
    return ranks


def _run(part: SeedSplit, attacked: PoisonedRows, info: DefenceInfo, defence: Defence) -> tuple[Trial, ...]:
    poison = attacked.poison
    if attacked.knows_detector:
        poison = adaptive_poison(part, attacked, info, defence)
    received, poisoned, reachable = receive(part, poison)
    if info.kind == "baseline":
        count = attacked.budget.count(len(part.clean))
        found: tuple[Filtering, ...] = (run_baseline(info.name, poisoned, reachable, count=count, seed=part.seed),)
    else:
        found = filterings(info, received, defence, trusted=part.trusted is not None)
    base = Trial(
        attacked.attack,
        info.name,
        "",
        part.seed,
        poison_rows=int(poisoned.sum()),
        clean_rows=int(np.count_nonzero(reachable & ~poisoned)),
        goal_clean=attacked.goal_clean,
    )
    trials: list[Trial] = []
    for filtering in found:
        counted = _count(base, filtering, received, poisoned, reachable)
        kept = np.setdiff1d(np.arange(len(poisoned)), _flagged(filtering))
        trials.append(_test(counted, part, attacked, received, kept, model_behind(info, defence)))
    return tuple(trials)


def _count(base: Trial, filtering: Filtering, received: DefenderData, poisoned: Mask, reachable: Mask) -> Trial:
    counted = replace(base, thresholds=filtering.thresholds)
    if filtering.flagged is not None:
        flagged = np.zeros(len(poisoned), dtype=bool)
        flagged[filtering.flagged] = True
        counted = replace(
            counted,
            flagged_poison=int(np.count_nonzero(flagged & poisoned)),
            flagged_clean=int(np.count_nonzero(flagged & reachable & ~poisoned)),
        )
    if filtering.suspicion is None or not poisoned.any():
        return counted
    ranks, truth = class_ranks(filtering.suspicion, received.y)[reachable], poisoned[reachable]
    return replace(
        counted,
        auroc=float(roc_auc_score(truth, ranks)),
        average_precision=float(average_precision_score(truth, ranks)),
    )


def _test(
    trial: Trial, part: SeedSplit, attacked: PoisonedRows, received: DefenderData, kept: IntArray, model: Any
) -> Trial:
    model.fit(received.X[kept], received.y[kept])
    wrong = int(np.count_nonzero(model.predict(part.test.X) != part.test.y))
    tested = replace(trial, test_rows=len(part.test), wrong_rows=wrong)
    goal = None if attacked.configured is None else goal_reached(model, attacked.configured, part.test)
    return tested if goal is None else replace(tested, goal_reached=goal[0], goal_rows=goal[1])


def _flagged(filtering: Filtering) -> IntArray:
    return np.empty(0, dtype=np.int64) if filtering.flagged is None else filtering.flagged
