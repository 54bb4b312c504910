"""Summarize federated trials over all seeds in the cells of a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from toadstone.pipeline.layers.wilson import Rate
from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import MEAN, FederatedCell, FederatedTrial, Proportion
from toadstone.records.trials import Estimate


def federated_cells(trials: Sequence[FederatedTrial]) -> tuple[FederatedCell, ...]:
    """Return one cell for each number of malicious clients, attack and rule, in the order of first occurrence.

    Losses are differences seed by seed, for a seed has the same rows, clients
    and batches in all cells.

    Parameters
    ----------
    trials : sequence of FederatedTrial

    Returns
    -------
    tuple of FederatedCell
    """
    groups: dict[tuple[int, str, str], list[FederatedTrial]] = {}
    for trial in trials:
        groups.setdefault((trial.malicious, trial.attack, trial.rule), []).append(trial)
    return tuple(
        _cell(
            group,
            unattacked=_finals(groups.get((malicious, NO_ATTACK, MEAN), [])),
            same_rule=_finals(groups.get((malicious, NO_ATTACK, rule), [])),
        )
        for (malicious, _, rule), group in groups.items()
    )


def _finals(trials: Iterable[FederatedTrial]) -> dict[int, float]:
    """Return the accuracy after the last round, by seed."""
    return {trial.seed: trial.final for trial in trials if trial.final is not None}


def _cell(
    group: Sequence[FederatedTrial], *, unattacked: Mapping[int, float], same_rule: Mapping[int, float]
) -> FederatedCell:
    first = group[0]
    ran = [trial for trial in group if not trial.skipped]
    if not ran:
        return FederatedCell(first.malicious, first.attack, first.rule, skipped=first.skipped)
    found = _finals(ran)
    return FederatedCell(
        first.malicious,
        first.attack,
        first.rule,
        accuracy=_estimate(found.values()),
        worst=_estimate(trial.worst for trial in ran),
        area=_estimate(trial.area for trial in ran),
        lost=_lost(unattacked, found),
        lost_to_attack=_lost(same_rule, found),
        success=_pooled(ran),
        refused=_mean(trial.refused for trial in ran),
        malicious_filtered=_mean(trial.malicious_filtered for trial in ran),
        honest_filtered=_mean(trial.honest_filtered for trial in ran),
        unchanged_rounds=_mean(trial.unchanged_rounds for trial in ran) or 0.0,
        heterogeneity=_mean(trial.heterogeneity for trial in ran),
        kappa=max((trial.kappa for trial in ran if trial.kappa is not None), default=None),
        curve=tuple(np.mean([trial.accuracy for trial in ran], axis=0).tolist()),
        seconds=_mean(trial.seconds for trial in ran) or 0.0,
        skipped="; ".join(dict.fromkeys(f"seed {trial.seed}: {trial.skipped}" for trial in group if trial.skipped)),
    )


def _estimate(values: Iterable[float | None]) -> Estimate | None:
    found = [value for value in values if value is not None]
    return Estimate.of(found) if found else None


def _lost(before: Mapping[int, float], after: Mapping[int, float]) -> Estimate | None:
    lost = [before[seed] - share for seed, share in after.items() if seed in before]
    return Estimate.of(lost, lowest=-1.0) if lost else None


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else None


def _pooled(trials: Sequence[FederatedTrial]) -> Proportion | None:
    """Pool the successes of a trigger; None where there is none, or no row could show it."""
    hits = sum(trial.success_hits or 0 for trial in trials)
    total = sum(trial.success_rows or 0 for trial in trials)
    if not total:
        return None
    rate = Rate.of(hits, total)
    return Proportion(rate.count, rate.total, rate.low, rate.high)
