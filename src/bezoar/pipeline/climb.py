"""A search beyond the decoys: mixes of them, and the balance of their classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import Parallel
from numpy.random import Generator

from bezoar.core.arrays import Array, IntArray
from bezoar.pipeline.knowledge import Effort, Knowledge, described, kkt_candidate
from bezoar.pipeline.search import Candidate, Contest, Finding, decide, measure

_ROUNDS, _BATCH = 60, 24
_PARENTS, _FINALISTS = 10, 8
_EVENLY = 0.5


@dataclass(frozen=True, eq=False)
class _Trial:
    """A model to imitate, the share of positive poison, and the decoy that it goes back to."""

    theta: Array
    share: float
    origin: str


class _Climb:
    """Trials and their strengths; what is stronger has offspring."""

    def __init__(self, known: Knowledge, contest: Contest, effort: Effort, pool: Parallel) -> None:
        self.known, self.contest, self.effort, self.pool = known, contest, effort, pool
        self.decoys = known.decoys(effort.workers)
        self.trials: list[_Trial] = []
        self.candidates: list[Candidate] = []
        self.strengths = np.empty(0)

    def begin(self) -> None:
        """Try every decoy at the balance of least residual."""
        candidates = [kkt_candidate(self.known, self.decoys, index, None) for index in range(len(self.decoys))]
        # Offspring start from even classes, whatever balance has the least residual.
        trials = [_Trial(decoy.theta, _EVENLY, described(decoy, index)) for index, decoy in enumerate(self.decoys)]
        self.judge(trials, candidates, 0.0)

    def go_on(self, step: float, rng: Generator) -> None:
        """One round: offspring of the strongest, each judged as far as it may still be one of them."""
        parents = self.strongest()
        trials = [self.offspring(self.trials[int(rng.choice(parents))], step, rng) for _ in range(_BATCH)]
        candidates = [
            Candidate(
                f"mix of {trial.origin} with others, {trial.share:.3g} positive",
                self.known.kkt(trial.theta, trial.share),
            )
            for trial in trials
        ]
        self.judge(trials, candidates, float(self.strengths[parents[-1]]))

    def offspring(self, parent: _Trial, step: float, rng: Generator) -> _Trial:
        """A parent moved along the difference of two decoys, with another share."""
        pair = rng.choice(len(self.decoys), 2, replace=len(self.decoys) < 2)
        one, other = (self.decoys[int(index)].theta for index in pair)
        theta = parent.theta + step * rng.normal() * (one - other)
        share = float(np.clip(parent.share + 0.2 * step * rng.normal(), 0.0, 1.0))
        return _Trial(theta, share, parent.origin)

    def judge(self, trials: list[_Trial], candidates: list[Candidate], floor: float) -> None:
        """Add trials and their strengths."""
        strengths = measure(
            candidates,
            self.contest,
            self.pool,
            seed=self.effort.seed,
            first=len(self.candidates),
            floor=floor,
            on_step=self.effort.on_step,
        )
        self.trials += trials
        self.candidates += candidates
        self.strengths = np.append(self.strengths, strengths)

    def strongest(self) -> IntArray:
        """The best trials, the latest first among equals: so the climb also moves on a plateau."""
        latest_first = np.argsort(-self.strengths[::-1], kind="stable")[:_PARENTS]
        return len(self.strengths) - 1 - latest_first


def climb(known: Knowledge, contest: Contest, effort: Effort) -> tuple[Finding, int]:
    """Move the strongest KKT attacks' models along differences of decoys, keep what is stronger, and again.

    Trials of a round do not depend on each other, and rounds are as many
    whatever the machine.

    Parameters
    ----------
    known : Knowledge
    contest : Contest
    effort : Effort

    Returns
    -------
    finding : Finding
    tried : int
    """
    rng = np.random.default_rng([effort.seed, 1])
    with Parallel(n_jobs=effort.workers, return_as="generator") as pool:
        search = _Climb(known, contest, effort, pool)
        search.begin()
        for number in range(_ROUNDS):
            search.go_on(0.5 * 0.1 ** (number / _ROUNDS), rng)
    found = decide(
        search.candidates,
        search.strengths,
        contest,
        seed=effort.seed,
        finalists=_FINALISTS,
        workers=effort.workers,
    )
    return found, len(search.candidates)
