"""Every attack against every defence, over several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import delayed

from toadstone.core.dataset import Dataset
from toadstone.kernels.rows import stack
from toadstone.pipeline.evaluation.cells import cells_of
from toadstone.pipeline.evaluation.plan import EvaluationSetup
from toadstone.pipeline.evaluation.poisoned_rows import make_poison, no_attack
from toadstone.pipeline.evaluation.seed_split import SeedSplit, shared_rows
from toadstone.pipeline.evaluation.trials import run_unit
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.harness.data_summary import digests, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.trials.journal import Journal, run_missing
from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, AttackInfo, EvaluationRecord
from toadstone.records.trials import Trial

_LEARNER = "logistic regression"


def run_evaluation(
    setup: EvaluationSetup,
    *,
    journal: Journal[Trial] | None = None,
    workers: int = 1,
    deadline: Deadline = UNLIMITED,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_unit: Callable[[], None] = lambda: None,
) -> EvaluationRecord:
    """Run all trials of an evaluation, but for those that its journal has.

    Detectors see rows, labels, and which rows are trusted; test labels are
    used to report errors and for nothing else. Each trial depends on its
    seed, attack and defence alone.

    Parameters
    ----------
    setup : EvaluationSetup
    journal : Journal, optional
        Where finished trials are read from and written to.
    workers : int
        Processes; results do not depend on it.
    deadline : Deadline
        Trials that have not begun by then are skipped, and left out of the
        journal, so that a later run makes them.
    on_stage : callable
        Called with the name of each stage as it begins.
    on_unit : callable
        Called after each attack against each defence.

    Returns
    -------
    EvaluationRecord

    Raises
    ------
    BudgetExceeded
        If an attack breaks its contract.
    InvalidArgument
        If the deadline passes before any model of the clean rows is trained.
    """
    clock = Clock(on_stage)
    with clock.stage("trials"):
        done = run_missing(
            setup.planned,
            lambda missing: _tasks(setup, missing, deadline),
            key=_key,
            journal=journal,
            workers=workers,
            data=setup.part(setup.plan.seed).clean,
            on_unit=on_unit,
        )
    if not any(key[1:3] == (NO_ATTACK, NO_DEFENCE) for key in done):
        deadline.demand("enough for a model of the clean rows, which all others are compared with")
    ordered = tuple(
        done.get(_key(trial)) or replace(trial, skipped=deadline.reason)
        for blank in setup.planned.values()
        for trial in blank
    )
    return _record(setup, ordered, clock.seconds)


def _key(trial: Trial) -> tuple[int, str, str, str]:
    return trial.seed, trial.attack, trial.defence, trial.thresholds


def _tasks(setup: EvaluationSetup, missing: set[tuple[int, str, str]], deadline: Deadline) -> Iterator[Any]:
    """Yield the missing units; rows and poison that several share are made once, before the first of them.

    Processes take them a few at a time, so that those still to come can be left out at the deadline.
    """
    for seed in setup.plan.every_seed:
        if deadline.passed or not any(unit[0] == seed for unit in missing):
            continue
        part, defence = setup.part(seed), replace(setup.defence, seed=seed)
        clean_model, view = _clean_model(part, defence.model()), setup.attacker(part, defence)
        for spec in (None, *setup.specs):
            name = NO_ATTACK if spec is None else spec.name
            infos = [info for info in setup.against(spec) if (seed, name, info.name) in missing]
            if infos and not deadline.passed:
                poisoned = no_attack(view) if spec is None else make_poison(part, spec, view, clean_model)
                for info in infos:
                    if not deadline.passed:
                        yield delayed(run_unit)(part, poisoned, info, defence)


def _clean_model(part: SeedSplit, model: Any) -> Any:
    if part.trusted is None:
        return model.fit(part.clean.X, part.clean.y)
    rows = Dataset(stack([part.clean.X, part.trusted.X]), np.concatenate([part.clean.y, part.trusted.y]))
    return model.fit(rows.X, rows.y)


def _record(setup: EvaluationSetup, trials: tuple[Trial, ...], seconds: dict[str, float]) -> EvaluationRecord:
    plan, part = setup.plan, setup.part(setup.plan.seed)
    return EvaluationRecord(
        header=make_header("evaluation", command=plan.command, seed=plan.seed, digests=digests(setup.split)),
        source=source_of(setup.split, plan.source),
        seeds=plan.every_seed,
        data=summarize(setup.split, setup.view.domain.name),
        fraction=plan.fraction,
        rows=len(part.clean),
        trusted_rows=0 if part.trusted is None else len(part.trusted),
        trusted_origin=trusted_origin(setup),
        test_rows=len(setup.test),
        learner=_LEARNER if len(part.clean.classes) == 2 else f"{_LEARNER}, one class against the rest",
        ridge=setup.defence.ridge,
        ridge_origin=setup.ridge_origin,
        attacks=(
            AttackInfo(NO_ATTACK, "the clean rows", "none", "none", knows_detector=False, rows=0),
            *_attacks(setup, trials),
        ),
        defences=setup.infos,
        cells=cells_of(trials),
        trials=trials,
        warnings=tuple(_cautions(setup, part)),
        timings=seconds,
    )


def trusted_origin(setup: EvaluationSetup) -> str:
    """Say why the trusted rows are trusted."""
    if setup.trusted is not None:
        return f"Trusted rows are {setup.trusted.because}."
    if not setup.has_trusted:
        return "There are no trusted rows."
    return (
        f"All rows given are taken as clean; {100 * setup.plan.trusted_share:g} % of the training rows are held out "
        "before any attack, where the attacker cannot reach them, and play the trusted ones."
    )


def _attacks(setup: EvaluationSetup, trials: tuple[Trial, ...]) -> Iterator[AttackInfo]:
    for spec in setup.specs:
        rows = (trial.poison_rows for trial in trials if trial.attack == spec.name and not trial.skipped)
        yield AttackInfo(spec.name, spec.description, spec.budget, spec.goal, spec.knows_detector, next(rows, 0))


def _cautions(setup: EvaluationSetup, part: SeedSplit) -> Iterator[str]:
    twins = len(shared_rows(setup.test.X, setup.split.train.X))
    if twins:
        yield f"{twins} of {len(setup.test)} test rows occur among the training rows, too, which flatters every error."
    if setup.plan.seeds == 1:
        yield "There is a single seed: nothing tells how much of a figure is chance."
    if not setup.has_trusted:
        yield "Without trusted rows the detectors that need some were left out, and thresholds are the detectors' own."
    if part.trusted is None:
        return
    rates = [info.false_alarm_rate for info in setup.infos if info.kind == "detector" and info.false_alarm_rate]
    needed = int(np.ceil(1 / min(rates) - 1e-9)) - 1 if rates else 0
    counts = {label: int(np.count_nonzero(part.trusted.y == label)) for label in part.clean.classes}
    few = [f"{label} ({count})" for label, count in counts.items() if count < needed]
    if few:
        yield (
            f"A false-alarm rate of {100 * min(rates):g} % takes {needed} trusted rows of a class; where there are "
            f"fewer, some thresholds are the class's own all the same: {', '.join(few)}."
        )
