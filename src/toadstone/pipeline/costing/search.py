"""The search for the fewest rows with which one of some attacks does a harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed

from toadstone.core.budget import Budget, Kind
from toadstone.core.dataset import Dataset, Poison
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack_search.search import Candidate, craft
from toadstone.pipeline.costing.candidates import CostKind
from toadstone.pipeline.costing.harm import Harm, Outcome, train_on
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.processes import processes
from toadstone.pipeline.harness.threads import one_thread

_FIRST_SHARE = 0.005
_LEAST_KEPT, _BISECTED, _CHECKED = 8, 6, 10
_CLOSE, _WORTH = 0.02, 0.6
_COARSE = 1e-3


@dataclass(frozen=True, eq=False)
class Found:
    """Poison that does a harm, or comes nearest to it.

    Parameters
    ----------
    name : str
        Of the attack, in words.
    poison : Poison
    outcome : Outcome
    done : bool
        Whether it does the harm.
    """

    name: str
    poison: Poison
    outcome: Outcome
    done: bool

    @property
    def rows(self) -> int:
        """Rows that the attacker needs."""
        return len(self.poison)


@dataclass(frozen=True, eq=False)
class CostSearch:
    """Attacks, the rows and the defender that they are for, and the harm wanted.

    Parameters
    ----------
    candidates : sequence of Candidate
    clean : Dataset
    feasible_set : ConvexSet or None
        Rows outside it are left out; None where the attacker only relabels.
    defence : Defence
        Retrains on clean rows and poison, without a sanitizer.
    harm : Harm
    kind : {"add", "flip", "replace"}
    seed : int
        Each candidate draws from its own generator.
    workers : int
        Processes; results do not depend on it.
    on_step : callable, optional
        Called after each attack tried.
    """

    candidates: Sequence[Candidate]
    clean: Dataset
    feasible_set: ConvexSet | None
    defence: Defence
    harm: Harm
    kind: CostKind
    seed: int = 0
    workers: int = 1
    on_step: Callable[[], None] | None = None

    def run(self, first: int, most: int) -> tuple[Found | None, int]:
        """Double the rows until an attack does the harm, then halve the gap to the number at which none did.

        Parameters
        ----------
        first : int
            Fewer rows cannot do it.
        most : int
            Largest number of rows to try.

        Returns
        -------
        found : Found or None
            What does the harm with the fewest rows; else what comes nearest
            with `most`, None if no attack can be made.
        tried : int
            How many attacks were made and trained on.
        """
        coarse = replace(self, defence=replace(self.defence, accuracy=_COARSE))
        chosen, made = list(range(len(self.candidates))), list[Found]()
        failed, rows, tried = first - 1, min(max(first, round(_FIRST_SHARE * len(self.clean))), most), 0
        while True:
            attempts, tried = coarse.attempt(chosen, rows), tried + len(chosen)
            made += attempts.values()
            ranked = sorted(attempts, key=lambda index: self._rank(attempts[index]))
            if not ranked or attempts[ranked[0]].done or rows == most:
                break
            failed, rows = rows, min(2 * rows, most)
            chosen = ranked[: max(_LEAST_KEPT, len(ranked) // 2)]
        # Attacks that did much less at more rows are not worth their time at fewer.
        worth = _WORTH * max((self.harm.measure(found.outcome) for found in attempts.values()), default=0.0)
        chosen = [index for index in ranked[:_BISECTED] if self.harm.measure(attempts[index].outcome) >= worth]
        while any(found.done for found in made) and rows - failed > max(1, round(_CLOSE * rows)):
            middle = (failed + rows) // 2
            attempts, tried = coarse.attempt(chosen, middle), tried + len(chosen)
            made += attempts.values()
            failed, rows = (failed, middle) if any(one.done for one in attempts.values()) else (middle, rows)
        return self._settled(made), tried

    def attempt(self, chosen: Sequence[int], rows: int) -> dict[int, Found]:
        """Make some of the attacks with a number of rows and train on each; those that can be made."""
        tasks = (delayed(_attempt)(self, index, rows) for index in chosen)
        made: dict[int, Found] = {}
        some = processes(self.workers, len(chosen), self.clean)
        for index, found in zip(chosen, Parallel(n_jobs=some, return_as="generator")(tasks), strict=True):
            if found is not None:
                made[index] = found
            if self.on_step is not None:
                self.on_step()
        return made

    def _rank(self, found: Found) -> tuple[bool, int, float]:
        """Order attempts: what does the harm first, by the fewest rows, then by how much harm is done."""
        return not found.done, found.rows if found.done else 0, -self.harm.measure(found.outcome)

    def _settled(self, made: Sequence[Found]) -> Found | None:
        """Train the best attempts to full accuracy, until one does the harm; else return what comes nearest."""
        checked = []
        for found in sorted(made, key=self._rank)[:_CHECKED]:
            checked.append(_trained(self, found))
            if checked[-1].done:
                break
        return min(checked, key=self._rank, default=None)


def _attempt(search: CostSearch, index: int, rows: int) -> Found | None:
    candidate, clean = search.candidates[index], search.clean
    kind: Kind = "flip" if search.kind == "flip" else "add"
    with one_thread():
        poison = craft(candidate, index, clean, Budget(rows / len(clean), kind), search.seed)
        if poison is None:
            return None
        poison = _feasible(poison, search.feasible_set)
        if not len(poison):
            return None
        return _trained(search, Found(candidate.name, poison, Outcome(0, len(clean), 0.0), done=False))


def _trained(search: CostSearch, found: Found) -> Found:
    _, outcome = train_on(search.clean, found.poison, search.defence)
    return replace(found, outcome=outcome, done=search.harm.done(outcome))


def _feasible(poison: Poison, feasible_set: ConvexSet | None) -> Poison:
    """Leave out rows that rounding has moved out of the feasible set: an attacker may use fewer rows than allowed."""
    if feasible_set is None:
        return poison
    inside = np.flatnonzero(feasible_set.contains(poison.X, poison.y))
    replaced = poison.replaces
    kept = replaced[inside] if replaced is not None and len(replaced) else None
    return Poison(poison.X[inside], poison.y[inside], kept)
