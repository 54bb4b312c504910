"""A search beyond the decoys: mixes of those that succeed, and the balance of their classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import Parallel
from numpy.random import Generator

from bezoar.core.arrays import Array
from bezoar.pipeline.knowledge import Effort, Knowledge, kkt_candidate
from bezoar.pipeline.search import Candidate, Contest, Finding, decide, measure

_ROUNDS, _BATCH = 30, 16
_PARENTS, _FINALISTS = 12, 8


@dataclass
class _Trials:
    """Everything tried so far."""

    candidates: list[Candidate]
    thetas: list[Array]
    shares: list[float]
    strengths: Array

    def best(self, count: int) -> list[int]:
        return [int(index) for index in np.argsort(-self.strengths, kind="stable")[:count]]


def climb(known: Knowledge, contest: Contest, effort: Effort) -> tuple[Finding, int]:
    """Mix the models of the strongest KKT attacks, keep what is stronger, and again.

    A mix of two decoys, inside or a little beyond the segment between them,
    with another share of positive poison, is a decoy again. Trials of a round
    do not depend on each other, and rounds are as many whatever the machine.

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
    decoys = known.decoys(effort.workers)
    rng = np.random.default_rng([effort.seed, 1])
    with Parallel(n_jobs=effort.workers, return_as="generator") as pool:
        candidates = [kkt_candidate(known, decoys, index, None) for index in range(len(decoys))]
        strengths = measure(candidates, contest, pool, seed=effort.seed, on_step=effort.on_step)
        trials = _Trials(candidates, [decoy.theta for decoy in decoys], [0.5] * len(decoys), strengths)
        for number in range(_ROUNDS):
            _round(trials, number, known, contest, effort, pool, rng)
    found = decide(
        trials.candidates,
        trials.strengths,
        contest,
        seed=effort.seed,
        finalists=_FINALISTS,
        workers=effort.workers,
    )
    return found, len(trials.candidates)


def _round(
    trials: _Trials, number: int, known: Knowledge, contest: Contest, effort: Effort, pool: Parallel, rng: Generator
) -> None:
    parents = trials.best(_PARENTS)
    reach = 0.5 ** (number / 10)
    thetas, shares, batch = [], [], []
    for _ in range(_BATCH):
        one, other = (parents[int(rank)] for rank in np.minimum(rng.geometric(0.25, 2), len(parents)) - 1)
        step = rng.normal(0.0, 0.5 * reach)
        thetas.append(trials.thetas[one] + step * (trials.thetas[other] - trials.thetas[one]))
        shares.append(float(np.clip(trials.shares[one] + rng.normal(0.0, 0.1 * reach), 0.0, 1.0)))
        batch.append(
            Candidate(f"mix of trials {one} and {other}, {shares[-1]:.3g} positive", known.kkt(thetas[-1], shares[-1]))
        )
    first = len(trials.candidates)
    strengths = measure(batch, contest, pool, seed=effort.seed, first=first, on_step=effort.on_step)
    trials.candidates += batch
    trials.thetas += thetas
    trials.shares += shares
    trials.strengths = np.append(trials.strengths, strengths)
