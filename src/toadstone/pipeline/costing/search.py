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
_LEAST_KEPT, _BISECTED, _STILL_BISECTED, _CHECKED = 8, 12, 6, 10
_CLOSE, _WORTH = 0.02, 0.6
_LEAST_GROWTH, _MOST_GROWTH = 2.0, 4.0
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
        Copies of others take the place of rows outside it; None where the
        attacker only relabels.
    defence : Defence
        Retrains on clean rows and poison, without a sanitizer.
    harm : Harm
    before : Outcome
        Of training without poison.
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
    before: Outcome
    kind: CostKind
    seed: int = 0
    workers: int = 1
    on_step: Callable[[], None] | None = None

    def run(self, first: int, most: int) -> tuple[Found | None, int]:
        """Take more rows until an attack does the harm, then halve the gap to the number at which none did.

        The rows at least double, and grow by more where the best attack is
        far from the harm; the weaker half of the attacks is left behind.

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
            failed, rows = rows, min(round(rows * self._growth(attempts[ranked[0]].outcome)), most)
            chosen = ranked[: max(_LEAST_KEPT, len(ranked) // 2)]
        # Attacks that did much less at more rows are not worth their time at fewer.
        gains = {index: self._gain(found.outcome) for index, found in attempts.items()}
        worth = _WORTH * max(gains.values(), default=0.0)
        chosen = [index for index in ranked[:_BISECTED] if gains[index] >= worth]
        while any(found.done for found in made) and rows - failed > max(1, round(_CLOSE * rows)):
            middle = max(round(np.sqrt(max(failed, 1) * rows)), failed + 1)
            attempts, tried = coarse.attempt(chosen, middle), tried + len(chosen)
            made += attempts.values()
            if any(one.done for one in attempts.values()):
                rows, chosen = middle, sorted(attempts, key=lambda index: self._rank(attempts[index]))[:_STILL_BISECTED]
            else:
                # Which attack is ahead where none succeeds does not tell which is first to succeed.
                failed = middle
        return self._settled(made), tried

    def attempt(self, chosen: Sequence[int], rows: int) -> dict[int, Found]:
        """Make some of the attacks with a number of rows and train on each; those that can be made."""
        # What shows progress stays here: it may hold a lock or a terminal, which no other process can be sent.
        sent = replace(self, on_step=None)
        tasks = (delayed(_attempt)(sent, index, rows) for index in chosen)
        made: dict[int, Found] = {}
        some = processes(self.workers, len(chosen), self.clean)
        for index, found in zip(chosen, Parallel(n_jobs=some, return_as="generator")(tasks), strict=True):
            if found is not None:
                made[index] = found
            if self.on_step is not None:
                self.on_step()
        return made

    def _growth(self, best: Outcome) -> float:
        """Return how many times the rows it takes if the harm is proportional to them, within limits."""
        _, wanted = self.harm.wanted
        missing = (wanted - self.harm.measure(self.before)) / max(self._gain(best), 1e-9)
        return float(np.clip(missing, _LEAST_GROWTH, _MOST_GROWTH))

    def _gain(self, outcome: Outcome) -> float:
        """Return the harm beyond that of training without poison."""
        return self.harm.measure(outcome) - self.harm.measure(self.before)

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
    """Put copies of feasible rows in the place of those of their label that rounding has moved out of the set.

    Where a label has none left, its rows are left out: an attacker may use fewer rows than allowed.
    """
    if feasible_set is None:
        return poison
    inside, rows = feasible_set.contains(poison.X, poison.y), np.arange(len(poison))
    for label in np.unique(poison.y[inside]):
        out, good = np.flatnonzero(~inside & (poison.y == label)), np.flatnonzero(inside & (poison.y == label))
        rows[out] = np.resize(good, len(out))
    kept = np.flatnonzero(np.isin(poison.y, poison.y[inside]))
    replaced = poison.replaces
    displaced = replaced[kept] if replaced is not None and len(replaced) else None
    return Poison(poison.X[rows[kept]], poison.y[kept], displaced)
