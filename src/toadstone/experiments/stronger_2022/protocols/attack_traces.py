"""Test error of attacks against one defence over processor time: the paper's comparison of speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from toadstone.attacks.decoys.burn_in import PAPER, paper_burn_in
from toadstone.attacks.decoys.decoys import GRIDS, Decoy, DecoyGrid, make_decoys, prune_decoys
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.influence.influence import InfluenceAttack
from toadstone.core.budget import Budget
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.protocols import Attack
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.pipeline.harness.threat_model import settle_domain

_DECOY_TOLERANCE = 1e-5


@dataclass(frozen=True)
class TraceProtocol:
    """Settings of the attacks to time.

    Parameters
    ----------
    ridge : float
        Penalty of the defender, known to the attacker.
    fraction : float
        Poison rows for each clean row.
    defence : str
        Defence that the error is measured against.
    influence_steps : tuple of int
        Numbers of steps of the influence attack, each run from the start.
    grid : DecoyGrid
        Decoys to make; the KKT and min-max attacks use those that remain after
        pruning.
    """

    ridge: float
    fraction: float = 0.03
    defence: str = "l2"
    influence_steps: tuple[int, ...] = (10, 20, 40, 80, 160, 320, 640)
    grid: DecoyGrid = GRIDS["enron"]


@dataclass(frozen=True)
class Trace:
    """Progress of an attack.

    Parameters
    ----------
    seconds : tuple of float
        Processor time of one process at the end of each step, which includes
        making decoys, attacking and evaluating. Other processes on the machine
        do not count.
    errors : tuple of float
        Test error under the attack of each step.
    """

    seconds: tuple[float, ...]
    errors: tuple[float, ...]

    def best(self) -> tuple[float, ...]:
        """Return the largest error so far, after each step."""
        return tuple(np.maximum.accumulate(np.array(self.errors)).tolist())

    def reaches(self, error: float) -> float | None:
        """Return the seconds until the first step with at least an error, or None if there is none."""
        reached = (when for when, found in zip(self.seconds, self.errors, strict=True) if found >= error)
        return next(reached, None)


@dataclass(frozen=True, eq=False)
class _AttackSetting:
    """Data, filters and defender of the timed attacks."""

    split: Split
    protocol: TraceProtocol
    feasible_set: ConvexSet
    integer: bool
    conditions: Conditions

    def evaluate(self, attack: Attack, index: int) -> float:
        """Return the test error under an attack; zero if the attack finds no feasible point."""
        train, protocol = self.split.train, self.protocol
        try:
            poison = attack.poison(
                train, Budget(protocol.fraction), np.random.default_rng([self.conditions.seed, index])
            )
        except EmptyFeasibleSet:
            return 0.0
        defence = Defence(ridge=protocol.ridge, seed=self.conditions.seed)
        (cell,) = judge(train, self.split.test, poison, (protocol.defence,), defence, name="attack")
        self.conditions.on_step()
        return cell.test_error

    def decoys(self) -> list[Decoy]:
        """Make the decoys of the grid and prune them."""
        grid = self.protocol.grid
        found = make_decoys(
            self.split.train,
            self.split.test,
            ridge=self.protocol.ridge,
            quantiles=grid.quantiles,
            repeats=grid.repeats,
            tolerance=_DECOY_TOLERANCE,
        )
        return prune_decoys(found)

    def kkt(self) -> Iterator[float]:
        """Yield the error of the KKT attack for each decoy, in the order of the paper's list."""
        for index, decoy in enumerate(self.decoys()):
            attack = KKTAttack(
                theta=decoy.theta,
                feasible_set=self.feasible_set,
                ridge=self.protocol.ridge,
                integer=self.integer,
                draws=1,
            )
            yield self.evaluate(attack, index)

    def minmax(self) -> Iterator[float]:
        """Yield the error of the min-max attack for each decoy, in the order of the paper's list."""
        name, fraction = self.split.name, self.protocol.fraction
        for index, decoy in enumerate(self.decoys()):
            attack = MinMaxAttack(
                decoy=decoy.theta,
                feasible_set=self.feasible_set,
                ridge=self.protocol.ridge,
                burn_in=paper_burn_in(name, fraction) if name in PAPER else 1.0,
                integer=self.integer,
            )
            yield self.evaluate(attack, index)


def trace_attacks(split: Split, protocol: TraceProtocol, conditions: Conditions) -> dict[str, Trace]:
    """Run the three attacks one after another, and measure their processor time."""
    domain = settle_domain(split, "auto")
    region = fit_filters(split.train, ("l2", "slab"), quantile=0.9, domain=domain)
    setting = _AttackSetting(split, protocol, region, domain == "integer", conditions)
    traces = {}
    conditions.on_stage(f"influence on {split.name}")
    traces["influence"] = _trace_influence(setting)
    for name, steps in (("kkt", setting.kkt), ("min-max", setting.minmax)):
        conditions.on_stage(f"{name} on {split.name}")
        traces[name] = _trace(steps)
    return traces


def _trace(steps: Callable[[], Iterator[float]]) -> Trace:
    begin = time.process_time()
    seconds, errors = [], []
    for error in steps():
        seconds.append(time.process_time() - begin)
        errors.append(error)
    return Trace(tuple(seconds), tuple(errors))


def _trace_influence(setting: _AttackSetting) -> Trace:
    """Time influence attacks with more and more steps, each run from the start."""
    seconds, errors = [], []
    for steps in setting.protocol.influence_steps:
        begin = time.process_time()
        attack = InfluenceAttack(
            probe=setting.split.test,
            feasible_set=setting.feasible_set,
            ridge=setting.protocol.ridge,
            max_steps=steps,
            integer=setting.integer,
        )
        errors.append(setting.evaluate(attack, 0))
        seconds.append(time.process_time() - begin)
    return Trace(tuple(seconds), tuple(errors))
