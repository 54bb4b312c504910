"""What attacks reach against one defence, and after how long: the paper's comparison of speed."""

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
from toadstone.pipeline.certify import settle_domain
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, judge

_CLOSE = 1e-5


@dataclass(frozen=True)
class TraceProtocol:
    """What to time.

    Parameters
    ----------
    ridge : float
        Of the defender, known to the attacker.
    fraction : float
        Poison rows for each clean row.
    defence : str
        Against which the error is measured.
    influence_steps : tuple of int
        How far to let the influence attack go, from the start each time.
    grid : DecoyGrid
        Which decoys to make; the KKT and min-max attacks process all that no
        other beats.
    """

    ridge: float
    fraction: float = 0.03
    defence: str = "l2"
    influence_steps: tuple[int, ...] = (10, 20, 40, 80, 160, 320, 640)
    grid: DecoyGrid = GRIDS["enron"]


@dataclass(frozen=True)
class Trace:
    """One attack's progress.

    Parameters
    ----------
    seconds : tuple of float
        Of processor time since it began, at the end of each step: making
        decoys, crafting and judging included, in one process. What an idle
        machine takes; other work on it does not count.
    errors : tuple of float
        Test error that each step's attack leaves.
    """

    seconds: tuple[float, ...]
    errors: tuple[float, ...]

    def best(self) -> tuple[float, ...]:
        """The largest error so far, after each step."""
        return tuple(np.maximum.accumulate(np.array(self.errors)).tolist())

    def reaches(self, error: float) -> float | None:
        """Seconds until a step left at least an error; None if none did."""
        reached = (when for when, found in zip(self.seconds, self.errors, strict=True) if found >= error)
        return next(reached, None)


@dataclass(frozen=True, eq=False)
class _Course:
    """What every attack is tried on."""

    split: Split
    protocol: TraceProtocol
    feasible_set: ConvexSet
    integer: bool
    conditions: Conditions

    def judge(self, attack: Attack, index: int) -> float:
        """The error that an attack leaves; zero where its wishes contradict each other."""
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
        grid = self.protocol.grid
        found = make_decoys(
            self.split.train,
            self.split.test,
            ridge=self.protocol.ridge,
            quantiles=grid.quantiles,
            repeats=grid.repeats,
            tolerance=_CLOSE,
        )
        return prune_decoys(found)

    def kkt(self) -> Iterator[float]:
        """An error for each decoy, in the order of the paper's list."""
        for index, decoy in enumerate(self.decoys()):
            attack = KKTAttack(
                theta=decoy.theta,
                feasible_set=self.feasible_set,
                ridge=self.protocol.ridge,
                integer=self.integer,
                draws=1,
            )
            yield self.judge(attack, index)

    def minmax(self) -> Iterator[float]:
        """An error for each decoy, in the order of the paper's list."""
        name, fraction = self.split.name, self.protocol.fraction
        for index, decoy in enumerate(self.decoys()):
            attack = MinMaxAttack(
                decoy=decoy.theta,
                feasible_set=self.feasible_set,
                ridge=self.protocol.ridge,
                burn_in=paper_burn_in(name, fraction) if name in PAPER else 1.0,
                integer=self.integer,
            )
            yield self.judge(attack, index)


def trace_attacks(split: Split, protocol: TraceProtocol, conditions: Conditions) -> dict[str, Trace]:
    """Let the three attacks run, one after another, and look at the processor's clock."""
    domain = settle_domain(split, "auto")
    region = fit_filters(split.train, ("l2", "slab"), quantile=0.9, domain=domain)
    course = _Course(split, protocol, region, domain == "integer", conditions)
    traces = {}
    conditions.on_stage(f"influence on {split.name}")
    traces["influence"] = _trace_influence(course)
    for name, steps in (("kkt", course.kkt), ("minmax", course.minmax)):
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


def _trace_influence(course: _Course) -> Trace:
    """Attacks of more and more steps; each is timed by itself, from its own start."""
    seconds, errors = [], []
    for steps in course.protocol.influence_steps:
        begin = time.process_time()
        attack = InfluenceAttack(
            probe=course.split.test,
            feasible_set=course.feasible_set,
            ridge=course.protocol.ridge,
            max_steps=steps,
            integer=course.integer,
        )
        errors.append(course.judge(attack, 0))
        seconds.append(time.process_time() - begin)
    return Trace(tuple(seconds), tuple(errors))
