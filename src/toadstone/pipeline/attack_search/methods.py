"""The long search of each attack: all decoys and class balances, then refinements of the strongest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from toadstone.catalogue import canonical
from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.attack_search.attacker import Knowledge, described, kkt_candidate
from toadstone.pipeline.attack_search.candidates import (
    LOSS_LIMIT,
    WITHOUT_DECOYS,
    Candidates,
    influence,
    kkt_influence,
    min_max,
)
from toadstone.pipeline.attack_search.multiclass import several_min_max, several_min_max_basic
from toadstone.pipeline.attack_search.names import check_searchable
from toadstone.pipeline.attack_search.search import Candidate, Search, SearchEffort, SearchProblem, SearchResult, search

_REFINED, _FINALISTS = 8, 4
_DECOYS, _FIRST_SHARES, _SHARES_NEAR = 4, (None, 0.5), (0.45, 0.5, 0.55)
_OTHER_LIMITS = (0.1,)
_SHARES = (0.3, 0.5, 0.6, 0.8)
_MOVED, _MOVED_SHARES = 4, (0.4, 0.5)


Method: TypeAlias = Callable[[Knowledge, SearchProblem, SearchEffort], tuple[SearchResult, int]]


def method(name: str, n_classes: int = 2) -> Method:
    """Return the search of an attack.

    Parameters
    ----------
    name : str
        A name of the catalogue.
    n_classes : int

    Raises
    ------
    UnknownName
        If there is no such attack, or it cannot be searched for.
    InvalidArgument
        If it is for two classes only, and there are more.
    """
    check_searchable(name, "method")
    known = canonical("attack", name)
    if n_classes == 2:
        return METHODS[known]
    if known not in SEVERAL:
        raise InvalidArgument("method", f"one of {', '.join(SEVERAL)}, as there are {n_classes} classes", name)
    return SEVERAL[known]


def _best_of(candidates: Candidates) -> Method:
    """Build a search that tries some candidates once."""

    def find(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
        found = candidates(known)
        return search(found, problem, effort), len(found)

    return find


def _in_two_stages(
    first: list[Candidate],
    refine: Callable[[int], list[Candidate]],
    problem: SearchProblem,
    effort: SearchEffort,
    *,
    refined: int = _REFINED,
) -> tuple[SearchResult, int]:
    """Try some candidates, then refinements of the strongest."""
    tried = Search(problem, effort, finalists=_FINALISTS)
    tried.run(first)
    tried.run([candidate for index in tried.strongest(refined) for candidate in refine(index)])
    return tried.decide(), len(tried.candidates)


def _kkt(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    tried = Search(problem, effort, finalists=_FINALISTS)
    decoys = [(decoy, described(decoy, index)) for index, decoy in enumerate(known.decoys(effort.workers))]
    tried.run([kkt_candidate(known, *decoy, share) for decoy in decoys for share in _FIRST_SHARES])
    best = dict.fromkeys(index // len(_FIRST_SHARES) for index in tried.strongest(_DECOYS * len(_FIRST_SHARES)))
    found = [decoys[index] for index in list(best)[:_DECOYS]]
    pairs = dict.fromkeys(pair for decoy, _ in found for pair in known.grid.around(decoy.quantile, decoy.repeats))
    near = [(decoy, described(decoy)) for decoy in known.train_decoys(list(pairs), effort.workers)]
    tried.run([kkt_candidate(known, *decoy, share) for decoy in found + near for share in _SHARES_NEAR])
    return tried.decide(), len(tried.candidates)


def _kkt_influence(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    decoys = known.decoys(effort.workers)

    def refine(index: int) -> list[Candidate]:
        name, theta = described(decoys[index], index), decoys[index].theta
        return [
            kkt_influence(known, problem, f"{name}, {share:.3g} positive", known.kkt(theta, share))
            for share in _MOVED_SHARES
        ]

    first = [kkt_candidate(known, decoy, described(decoy, index), None) for index, decoy in enumerate(decoys)]
    return _in_two_stages(first, refine, problem, effort, refined=_MOVED)


def _min_max(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    decoys = known.decoys(effort.workers)

    def refine(index: int) -> list[Candidate]:
        return [min_max(known, decoys[index], index, limit) for limit in _OTHER_LIMITS]

    first = [min_max(known, decoy, index, LOSS_LIMIT) for index, decoy in enumerate(decoys)]
    return _in_two_stages(first, refine, problem, effort)


def _influence(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    return _best_of(lambda known: influence(known, (None, *_SHARES)))(known, problem, effort)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "kkt-influence": _kkt_influence,
        "kkt": _kkt,
        "min-max": _min_max,
        "influence": _influence,
        **{name: _best_of(candidates) for name, candidates in WITHOUT_DECOYS.items()},
    }
)
"""Searches by name, the strongest first."""

SEVERAL: Mapping[str, Method] = MappingProxyType(
    {
        "min-max": several_min_max,
        "min-max-basic": several_min_max_basic,
        **{name: METHODS[name] for name in ("label-flip", "random-flip", "targeted-flip")},
    }
)
"""Searches for more than two classes, by name."""

FOLLOWS_ERRORS = ("kkt-influence",)
"""Methods that follow the errors on the rows on which candidates are compared."""
