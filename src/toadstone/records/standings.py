"""Worst attack and most helpful defence of an evaluation, with those that the seeds cannot tell from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, EvaluationRecord, Goal
from toadstone.records.trials import Estimate, Thresholds, Trial

_BASELINES = ("none", "baseline")
_OWN_GOALS = ("trigger", "group")

Defence = tuple[str, Thresholds]
BySeed = Mapping[int, float]

_NOTHING: Defence = (NO_DEFENCE, "")


@dataclass(frozen=True)
class Standing:
    """Attacks of one goal: the worst of them, and the defence that leaves least of all of them.

    Parameters
    ----------
    goal : {"errors", "trigger", "group"}
    attacks : tuple of str
        Those that know no defence and were run undefended in every seed.
    worst : str
        The one whose effect rises most above that of the clean rows, undefended.
    undefended, clean : Estimate
        Its effect, and the same without an attack.
    as_bad : tuple of str
        Other attacks that the seeds cannot tell from it: the 95 % interval of
        the difference of the rises, seed by seed, includes zero. Empty for a
        single seed, which says nothing of chance.
    best : tuple of str, optional
        Name and thresholds of the defence with the smallest effect, averaged
        over `attacks`; None where no defence was run against all of them.
    left, unprotected : Estimate
        That average behind it, and behind no defence.
    as_good : tuple of tuple of str
        Other defences that the seeds cannot tell from it.
    none_as_good : bool
        Whether the seeds cannot tell no defence from it either, or none leaves
        less.
    """

    goal: Goal
    attacks: tuple[str, ...]
    worst: str
    undefended: Estimate
    clean: Estimate
    as_bad: tuple[str, ...]
    best: Defence | None
    left: Estimate
    unprotected: Estimate
    as_good: tuple[Defence, ...]
    none_as_good: bool


def standings(record: EvaluationRecord) -> tuple[Standing, ...]:
    """Rank the attacks and the defences of each goal, in the order of the attacks.

    Attacks that know the detector are left out, as they are another attack
    against each defence, and so are those that were not run in every seed.

    Parameters
    ----------
    record : EvaluationRecord

    Returns
    -------
    tuple of Standing
    """
    trials = _Trials.of(record)
    goals = dict.fromkeys(info.goal for info in record.attacks if info.name != NO_ATTACK)
    return tuple(one for one in (_standing(record, trials, goal) for goal in goals) if one is not None)


def as_good(record: EvaluationRecord, attack: str) -> tuple[Defence, ...]:
    """List the other defences that the seeds cannot tell from the best one against an attack.

    Parameters
    ----------
    record : EvaluationRecord
    attack : str

    Returns
    -------
    tuple of tuple of str
        Name and thresholds of each; empty where no defence was run, and for a
        single seed.
    """
    best, trials = record.best_defence(attack), _Trials.of(record)
    if best is None:
        return ()
    own = (best.defence, best.thresholds)
    least = trials.reached(attack, own)
    ran = ((one, trials.reached(attack, one)) for one in _real_defences(record) if one != own)
    return tuple(one for one, run in ran if run and run.keys() == least.keys() and _within(run, least))


@dataclass(frozen=True)
class _Trials:
    """Effects of attacks by seed."""

    goals: Mapping[str, Goal]
    found: dict[tuple[str, str, Thresholds], list[Trial]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: EvaluationRecord) -> _Trials:
        made = cls({info.name: info.goal for info in record.attacks})
        for trial in record.trials:
            made.found.setdefault((trial.attack, trial.defence, trial.thresholds), []).append(trial)
        return made

    def reached(self, attack: str, defence: Defence) -> BySeed:
        """Success of an attack, or test error where that is its goal."""
        return self._by_seed(attack, defence, "success" if self.goals[attack] in _OWN_GOALS else "test_error")

    def clean(self, attack: str) -> BySeed:
        """The same of the undefended model of the clean rows."""
        if self.goals[attack] in _OWN_GOALS:
            return self._by_seed(attack, _NOTHING, "goal_clean")
        return self._by_seed(NO_ATTACK, _NOTHING, "test_error")

    def average(self, attacks: Sequence[str], defence: Defence, seeds: Sequence[int]) -> BySeed | None:
        """Mean effect of some attacks; None where one of them was not run in one of the seeds."""
        runs = [self.reached(name, defence) for name in attacks]
        if any(seed not in run for seed in seeds for run in runs):
            return None
        return {seed: float(np.mean([run[seed] for run in runs])) for seed in seeds}

    def _by_seed(self, attack: str, defence: Defence, name: str) -> BySeed:
        ran = [trial for trial in self.found.get((attack, *defence), ()) if not trial.skipped]
        values = {trial.seed: getattr(trial, name) for trial in ran}
        return {seed: float(value) for seed, value in values.items() if value is not None}


def _standing(record: EvaluationRecord, trials: _Trials, goal: Goal) -> Standing | None:
    rises: dict[str, BySeed] = {}
    for info in record.attacks:
        before, after = trials.clean(info.name), trials.reached(info.name, _NOTHING)
        if info.goal == goal and not info.knows_detector and set(record.seeds) <= before.keys() & after.keys():
            rises[info.name] = _minus(after, before)
    attacks = tuple(rises)
    bare = trials.average(attacks, _NOTHING, record.seeds) if attacks else None
    if bare is None:
        return None
    worst = max(attacks, key=lambda name: _mean(rises[name]))
    averages = {
        defence: average
        for defence in _real_defences(record)
        if (average := trials.average(attacks, defence, record.seeds)) is not None
    }
    best = min(averages, key=lambda defence: _mean(averages[defence]), default=None)
    least = bare if best is None else averages[best]
    return Standing(
        goal=goal,
        attacks=attacks,
        worst=worst,
        undefended=_estimate(trials.reached(worst, _NOTHING)),
        clean=_estimate(trials.clean(worst)),
        as_bad=tuple(name for name in attacks if name != worst and _within(rises[worst], rises[name])),
        best=best,
        left=_estimate(least),
        unprotected=_estimate(bare),
        as_good=tuple(one for one, average in averages.items() if one != best and _within(average, least)),
        none_as_good=_mean(bare) <= _mean(least) or _within(bare, least),
    )


def _real_defences(record: EvaluationRecord) -> tuple[Defence, ...]:
    """List the defences that somebody could use, with their thresholds."""
    return tuple((info.name, thresholds) for info, thresholds in record.columns() if info.kind not in _BASELINES)


def _minus(larger: BySeed, smaller: BySeed) -> BySeed:
    return {seed: value - smaller[seed] for seed, value in larger.items() if seed in smaller}


def _mean(values: BySeed) -> float:
    return float(np.mean(list(values.values())))


def _estimate(values: BySeed) -> Estimate:
    return Estimate.of(list(values.values()))


def _within(larger: BySeed, smaller: BySeed) -> bool:
    """Return True if the interval of the difference reaches down to zero; False for one seed, which has none."""
    low = Estimate.of(list(_minus(larger, smaller).values()), lowest=-1.0).low
    return low is not None and low <= 0
