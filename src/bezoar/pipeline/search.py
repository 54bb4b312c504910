"""The strongest of many attacks, told apart on rows that the caller chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from bezoar.core.arrays import Array
from bezoar.core.budget import Budget
from bezoar.core.dataset import Dataset, Poison
from bezoar.core.errors import EmptyFeasibleSet, InvalidArgument
from bezoar.core.protocols import Attack
from bezoar.core.record import Evaluation
from bezoar.pipeline.evaluate import Defence, judge

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
class Finding:
    """A candidate, its rows, and how it fared on the rows it was selected on.

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


@dataclass(frozen=True)
class Contest:
    """Who plays against whom.

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
    """A candidate's rows; None if its wishes contradict each other."""
    rng = np.random.default_rng([seed, index])
    try:
        return candidate.attack.poison(clean, budget, rng)
    except EmptyFeasibleSet:
        return None


def search(
    candidates: Sequence[Candidate],
    contest: Contest,
    *,
    seed: int = 0,
    finalists: int = 3,
    workers: int = 1,
    on_step: Callable[[], None] | None = None,
) -> Finding:
    """Try all candidates against the quick defences, and the best of them against all.

    Parameters
    ----------
    candidates : sequence of Candidate
    contest : Contest
    seed : int
        Each candidate draws from its own generator, so that neither the
        number of workers nor other candidates change its rows.
    finalists : int
        How many are judged by the slow sanitizers.
    workers : int
        Processes.
    on_step : callable, optional
        Called after each candidate.

    Returns
    -------
    Finding
        The candidate whose smallest error over all defences is largest.

    Raises
    ------
    InvalidArgument
        If there is no candidate, or none can be made.
    """
    if not candidates:
        raise InvalidArgument("candidates", "at least one attack", "none")
    with Parallel(n_jobs=workers, return_as="generator") as pool:
        strengths = measure(candidates, contest, pool, seed=seed, on_step=on_step)
    return decide(candidates, strengths, contest, seed=seed, finalists=finalists, workers=workers)


def measure(
    candidates: Sequence[Candidate],
    contest: Contest,
    pool: Parallel,
    *,
    seed: int,
    first: int = 0,
    floor: float = 0.0,
    on_step: Callable[[], None] | None = None,
) -> Array:
    """The smallest error that a quick defence leaves, for each candidate; -1 where one cannot be made.

    A candidate that one defence holds below `floor` is not tried against the
    others; what is returned for it is then an upper bound.

    Parameters
    ----------
    candidates : sequence of Candidate
    contest : Contest
    pool : Parallel
        Processes, with results as a generator.
    seed : int
    first : int
        Number of the first candidate among all tried.
    floor : float
        What a candidate has to exceed to be of interest.
    on_step : callable, optional

    Returns
    -------
    ndarray of shape (len(candidates),)
    """
    coarse = replace(contest, defence=replace(contest.defence, accuracy=_COARSE))
    tasks = (
        delayed(_strength)(candidate, index, coarse, seed, floor) for index, candidate in enumerate(candidates, first)
    )
    return np.array(_watched(pool(tasks), on_step))


def decide(
    candidates: Sequence[Candidate],
    strengths: Array,
    contest: Contest,
    *,
    seed: int,
    finalists: int,
    workers: int,
) -> Finding:
    """The strongest of the finalists against all defences, fitted to the last digit.

    Raises
    ------
    InvalidArgument
        If no candidate could be made.
    """
    if not np.any(strengths >= 0):
        found = f"{len(candidates)} that none does"
        raise InvalidArgument("attack", "settings that some feasible row satisfies", found)
    best = np.argsort(-strengths, kind="stable")[:finalists]
    chosen = [int(index) for index in best if strengths[index] >= 0]
    finals = (delayed(_finding)(candidates[index], index, contest, seed) for index in chosen)
    findings: list[Finding] = Parallel(n_jobs=min(workers, len(chosen)))(finals)
    return max(findings, key=lambda finding: finding.strength)


def _watched(results: Iterable[float], on_step: Callable[[], None] | None) -> list[float]:
    found = []
    for result in results:
        found.append(result)
        if on_step is not None:
            on_step()
    return found


def _strength(candidate: Candidate, index: int, contest: Contest, seed: int, floor: float) -> float:
    with threadpool_limits(1):
        poison = craft(candidate, index, contest.clean, contest.budget, seed)
        if poison is None:
            return -1.0
        least = 1.0
        for name in contest.quick:
            (cell,) = judge(contest.clean, contest.rows, poison, (name,), contest.defence, name=candidate.name)
            least = min(least, cell.test_error)
            if least < floor:
                break
    return least


def _finding(candidate: Candidate, index: int, contest: Contest, seed: int) -> Finding:
    with threadpool_limits(1):
        poison = craft(candidate, index, contest.clean, contest.budget, seed)
        if poison is None:
            raise InvalidArgument("attack", "the same rows for the same seed", "none")
        names = contest.quick + contest.slow
        cells = judge(contest.clean, contest.rows, poison, names, contest.defence, name=candidate.name)
    return Finding(candidate, index, poison, cells)
