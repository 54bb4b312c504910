"""Summarize trials over all seeds in the cells of a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE
from toadstone.records.trials import CAUGHT, MISSED, Estimate, MatrixCell, Outcome, Trial


def cells_of(trials: Sequence[Trial]) -> tuple[MatrixCell, ...]:
    """Return one cell for each attack, defence and source of thresholds, in the order of first occurrence.

    Parameters
    ----------
    trials : sequence of Trial

    Returns
    -------
    tuple of Cell
    """
    groups: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.attack, trial.defence, trial.thresholds), []).append(trial)
    clean = {
        trial.seed: trial.test_error
        for trial in groups.get((NO_ATTACK, NO_DEFENCE, ""), [])
        if trial.test_error is not None
    }
    return tuple(_cell(group, clean) for group in groups.values())


def verdict_of(caught: Estimate | None) -> Outcome:
    """Return the verdict on an attack, by the share of the poison that is flagged on average.

    Examples
    --------
    >>> verdict_of(Estimate.of([0.4, 0.6])), verdict_of(Estimate.of([0.3])), verdict_of(None)
    ('caught', 'partly', '')
    """
    if caught is None:
        return ""
    if caught.mean >= CAUGHT:
        return "caught"
    return "missed" if caught.mean < MISSED else "partly"


def _cell(group: Sequence[Trial], clean: Mapping[int, float]) -> MatrixCell:
    first = group[0]
    ran = [trial for trial in group if not trial.skipped]
    if not ran:
        return MatrixCell(first.attack, first.defence, first.thresholds, skipped=first.skipped)
    rises = [
        trial.test_error - clean[trial.seed] for trial in ran if trial.test_error is not None and trial.seed in clean
    ]
    caught = _estimate(trial.caught_share for trial in ran)
    alarms = [trial.false_alarm_share for trial in ran]
    return MatrixCell(
        first.attack,
        first.defence,
        first.thresholds,
        caught=caught,
        false_alarms=_estimate(alarms),
        retained=_estimate(None if share is None else 1 - share for share in alarms),
        auroc=_estimate(trial.auroc for trial in ran),
        average_precision=_estimate(trial.average_precision for trial in ran),
        test_error=_estimate(trial.test_error for trial in ran),
        error_rise=_estimate(rises, lowest=-1.0),
        success=_estimate(trial.success for trial in ran),
        clean_success=_estimate(trial.goal_clean for trial in ran),
        accuracy_cost=_estimate(rises, lowest=-1.0) if first.attack == NO_ATTACK else None,
        verdict=verdict_of(caught),
        seconds=float(np.mean([trial.seconds for trial in ran])),
        skipped="; ".join(dict.fromkeys(f"seed {trial.seed}: {trial.skipped}" for trial in group if trial.skipped)),
    )


def _estimate(values: Iterable[float | None], *, lowest: float = 0.0) -> Estimate | None:
    found = [value for value in values if value is not None]
    return Estimate.of(found, lowest=lowest) if found else None
