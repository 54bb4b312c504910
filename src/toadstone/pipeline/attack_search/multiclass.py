"""The min-max attacks where there are more than two classes."""

from __future__ import annotations

from functools import partial

import numpy as np
from joblib import Parallel, delayed

from toadstone.attacks.decoys.decoys import Decoy, DecoyGrid, prune_decoys
from toadstone.attacks.decoys.multiclass_decoys import OnlineTraining, RidgeTraining, Training, fit_multiclass_decoy
from toadstone.attacks.decoys.multiclass_minmax import MulticlassMinMaxAttack
from toadstone.core.arrays import IntArray
from toadstone.pipeline.attack_search.attacker import Knowledge, described
from toadstone.pipeline.attack_search.search import Candidate, Search, SearchEffort, SearchProblem, SearchResult
from toadstone.pipeline.harness.threads import alone

# Strong decoys: how large a share of the probe is relabelled, and by how much those rows
# outweigh it if it were as large as the training set.
_QUANTILES, _WEIGHT = (0.1, 0.2, 0.25, 0.3), 10
_LIMIT, _OTHER_LIMITS = -1.5, (-2.25, -0.75, 0.25)
# Of so many rows an exact decoy takes half a minute, three epochs a second; and attacks with
# the latter were the stronger ones on MNIST, whatever the defender.
_MANY_ROWS = 20_000


def several_min_max(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    """Search for the min-max attack with decoys of several classes.

    Parameters
    ----------
    known : Knowledge
        The grid and the burn-in are for two classes, and not used.
    problem : SearchProblem
    effort : SearchEffort

    Returns
    -------
    found : SearchResult
    tried : int
    """
    tried = try_min_max(known, problem, effort)
    return tried.decide(), len(tried.candidates)


def try_min_max(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> Search:
    """Try min-max attacks with decoys of several classes; parameters as those of `several_min_max`."""
    decoys = _decoys(known, effort.workers)

    def candidate(index: int, limit: float) -> Candidate:
        attack = MulticlassMinMaxAttack(
            feasible_set=known.feasible_set,
            decoy=decoys[index].theta,
            max_decoy_loss=limit,
            integer=known.integer,
        )
        return Candidate(f"{described(decoys[index], index)}, loss there at most {limit:g}", attack)

    tried = Search(problem, effort, finalists=1)
    tried.run([candidate(index, _LIMIT) for index in range(len(decoys))])
    best = tried.strongest(1) or [0]
    tried.run([candidate(index, limit) for index in best for limit in _OTHER_LIMITS])
    return tried


def several_min_max_basic(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    """Search for the min-max attack without a decoy; parameters as those of `several_min_max`."""
    return try_min_max_basic(known, problem, effort).decide(), 1


def try_min_max_basic(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> Search:
    """Try the min-max attack without a decoy; parameters as those of `several_min_max`."""
    tried = Search(problem, effort, finalists=1)
    attack = MulticlassMinMaxAttack(feasible_set=known.feasible_set, integer=known.integer)
    tried.run([Candidate("without a decoy", attack)])
    return tried


def _decoys(known: Knowledge, workers: int) -> list[Decoy]:
    """Return the decoys that no other beats, by descending probe error."""
    train, training = known.train, _training(known)
    codes: IntArray = np.searchsorted(train.classes, train.y)
    clean = training(train.X, codes, len(train.classes), np.ones(len(train), dtype=np.int64))
    grid = DecoyGrid(_QUANTILES, (max(1, round(_WEIGHT * len(train) / len(known.probe))),))
    fit = partial(fit_multiclass_decoy, train, known.probe, clean, training)
    tasks = (delayed(alone)(fit, quantile=quantile, repeats=repeats) for quantile, repeats in grid.pairs)
    found: list[Decoy] = Parallel(n_jobs=min(workers, len(grid.pairs)))(tasks)
    return prune_decoys(found)


def _training(known: Knowledge) -> Training:
    return OnlineTraining() if len(known.train) > _MANY_ROWS else RidgeTraining(known.ridge)
