"""Search for the strongest of many candidates, compared on rows that the caller chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed

from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.protocols import Attack
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.pipeline.harness.processes import processes
from toadstone.pipeline.harness.threads import one_thread
from toadstone.records.audit import Evaluation

# The loss defence decides most often, so it comes first.
QUICK, SLOW = ("loss", "slab", "l2"), ("svd", "knn")
"""Sanitizers that judge every candidate, and those that are left to finalists."""

_COARSE = 1e-3


@dataclass(frozen=True, eq=False)
class Candidate:
    """An attack to try.

    Parameters
    ----------
    name : str
        Its settings, in words.
    attack : Attack
    """

    name: str
    attack: Attack


@dataclass(frozen=True, eq=False)
class SearchResult:
    """A candidate, its rows, and its errors on the rows it was selected on.

    Parameters
    ----------
    candidate : Candidate
    index : int
        Its place in the list tried, from which its randomness derives.
    poison : Poison
    cells : tuple of Evaluation
    """

    candidate: Candidate
    index: int
    poison: Poison
    cells: tuple[Evaluation, ...]

    @property
    def strength(self) -> float:
        """The smallest error that one of the defences leaves."""
        return min(cell.test_error for cell in self.cells)


@dataclass(frozen=True, eq=False)
class SearchEffort:
    """Seed and processes of a search.

    Parameters
    ----------
    seed : int
        Each candidate draws from its own generator, so that neither the
        number of workers nor other candidates change its rows.
    workers : int
        Processes; results do not depend on it.
    on_step : callable, optional
        Called after each attack tried.
    """

    seed: int = 0
    workers: int = 1
    on_step: Callable[[], None] | None = None


@dataclass(frozen=True)
class SearchProblem:
    """Data, budget and defences of a search.

    Parameters
    ----------
    clean : Dataset
        What the attacker poisons and the defender trains on.
    rows : Dataset
        Where errors are counted: test rows only if the paper's protocol is asked for.
    budget : Budget
    defence : Defence
    quick, slow : tuple of str
        Sanitizers that judge every candidate, and those that judge the finalists too.
    """

    clean: Dataset
    rows: Dataset
    budget: Budget
    defence: Defence
    quick: tuple[str, ...]
    slow: tuple[str, ...]


def craft(candidate: Candidate, index: int, clean: Dataset, budget: Budget, seed: int) -> Poison | None:
    """Make a candidate's rows; None if its constraints contradict each other."""
    rng = np.random.default_rng([seed, index])
    try:
        return candidate.attack.poison(clean, budget, rng)
    except EmptyFeasibleSet:
        return None


def search(
    candidates: Sequence[Candidate], problem: SearchProblem, effort: SearchEffort, *, finalists: int = 3
) -> SearchResult:
    """Try all candidates against the quick defences, and the best of them against all.

    Parameters
    ----------
    candidates : sequence of Candidate
    problem : SearchProblem
    effort : SearchEffort
    finalists : int
        How many are judged by the slow sanitizers.

    Returns
    -------
    SearchResult
        The candidate whose smallest error over all defences is largest.

    Raises
    ------
    InvalidArgument
        If there is no candidate, or none can be made.
    """
    tried = Search(problem, effort, finalists=finalists)
    tried.run(candidates)
    return tried.decide()


class Search:
    """Candidates tried so far; those that may still win keep their rows.

    Parameters
    ----------
    problem : SearchProblem
    effort : SearchEffort
    finalists : int
        How many may still win.

    Attributes
    ----------
    candidates : list of Candidate
        In the order in which they ran.
    strengths : list of float
        The smallest error that a quick defence leaves, for each candidate; -1
        where one cannot be made. One that a defence holds below all finalists
        is not tried against the others: then an upper bound.
    """

    def __init__(self, problem: SearchProblem, effort: SearchEffort, *, finalists: int) -> None:
        self.problem, self.effort, self.finalists = problem, effort, finalists
        self.candidates: list[Candidate] = []
        self.strengths: list[float] = []
        self._kept: dict[int, Poison] = {}

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Try some more candidates, in parallel."""
        coarse = replace(self.problem, defence=replace(self.problem.defence, accuracy=_COARSE))
        floor, first = self._floor(), len(self.candidates)
        tasks = (
            delayed(_try)(candidate, index, coarse, self.effort.seed, floor)
            for index, candidate in enumerate(candidates, first)
        )
        workers = processes(self.effort.workers, len(candidates), self.problem.clean)
        for strength, poison in Parallel(n_jobs=workers, return_as="generator")(tasks):
            self._take(strength, poison)
            if self.effort.on_step is not None:
                self.effort.on_step()
        self.candidates += candidates

    def strongest(self, count: int) -> list[int]:
        """Return the strongest candidates so far that could be made, the first among equals."""
        best = np.argsort(-np.array(self.strengths), kind="stable")[:count]
        return [int(index) for index in best if self.strengths[index] >= 0]

    def decide(self) -> SearchResult:
        """Return the strongest of the finalists against all defences, trained to full accuracy.

        Raises
        ------
        InvalidArgument
            If there is no candidate, or none could be made.
        """
        if not self.candidates:
            raise InvalidArgument("candidates", "at least one attack", "none")
        if not self._kept:
            found = f"{len(self.candidates)} that none does"
            raise InvalidArgument("attack", "settings that some feasible row satisfies", found)
        finals = (
            delayed(_judged)(self.candidates[index], index, self._kept[index], self.problem)
            for index in sorted(self._kept, key=lambda index: -self.strengths[index])
        )
        workers = processes(self.effort.workers, len(self._kept), self.problem.clean)
        results: list[SearchResult] = Parallel(n_jobs=workers)(finals)
        return max(results, key=lambda result: result.strength)

    def _floor(self) -> float:
        return self.strengths[self.strongest(self.finalists)[-1]] if len(self._kept) == self.finalists else 0.0

    def _take(self, strength: float, poison: Poison | None) -> None:
        self.strengths.append(strength)
        if poison is not None:
            self._kept[len(self.strengths) - 1] = poison
        finalists = set(self.strongest(self.finalists))
        self._kept = {index: rows for index, rows in self._kept.items() if index in finalists}


def _try(
    candidate: Candidate, index: int, problem: SearchProblem, seed: int, floor: float
) -> tuple[float, Poison | None]:
    with one_thread():
        poison = craft(candidate, index, problem.clean, problem.budget, seed)
        if poison is None:
            return -1.0, None
        least = 1.0
        for name in problem.quick:
            (cell,) = judge(problem.clean, problem.rows, poison, (name,), problem.defence, name=candidate.name)
            least = min(least, cell.test_error)
            if least < floor:
                return least, None
    return least, poison


def _judged(candidate: Candidate, index: int, poison: Poison, problem: SearchProblem) -> SearchResult:
    with one_thread():
        names = problem.quick + problem.slow
        cells = judge(problem.clean, problem.rows, poison, names, problem.defence, name=candidate.name)
    return SearchResult(candidate, index, poison, cells)
