"""What each attack method tries: candidates from what the attacker knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.flips.alfa import ALFAAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.attacks.influence.influence import InfluenceAttack
from toadstone.attacks.influence.multi_defence import KKTInfluenceAttack
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.pipeline.attack_search.attacker import Knowledge, described, kkt_candidate
from toadstone.pipeline.attack_search.multiclass import several_minmax, several_minmax_basic
from toadstone.pipeline.attack_search.search import Candidate, Search, SearchEffort, SearchProblem, SearchResult, search
from toadstone.pipeline.harness.judge import keep

_REFINED, _FINALISTS = 8, 4
_WISHES, _FIRST_SHARES, _SHARES_NEAR = 4, (None, 0.5), (0.45, 0.5, 0.55)
_LIMIT, _OTHER_LIMITS = 0.25, (0.1,)
_SHARES = (0.3, 0.5, 0.6, 0.8)
_ADAPTED, _ADAPTED_SHARES = 4, (0.4, 0.5)


Method = Callable[[Knowledge, SearchProblem, SearchEffort], tuple[SearchResult, int]]


def method(name: str, n_classes: int = 2) -> Method:
    """Find the search of a method by its name.

    Raises
    ------
    UnknownName
        If there is none.
    InvalidArgument
        If it is for two classes only, and there are more.
    """
    if name not in METHODS:
        raise UnknownName(f"`method`: expected one of {', '.join(METHODS)}, got {name}")
    if n_classes == 2:
        return METHODS[name]
    if name not in SEVERAL:
        raise InvalidArgument("method", f"one of {', '.join(SEVERAL)}, as there are {n_classes} classes", name)
    return SEVERAL[name]


def _best_of(candidates: list[Candidate], problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    return search(candidates, problem, effort), len(candidates)


def _in_two_stages(
    first: list[Candidate],
    refine: Callable[[int], list[Candidate]],
    problem: SearchProblem,
    effort: SearchEffort,
    *,
    refined: int = _REFINED,
) -> tuple[SearchResult, int]:
    """Try some candidates, then refinements of those that fared best."""
    race = Search(problem, effort, finalists=_FINALISTS)
    race.run(first)
    race.run([candidate for index in race.strongest(refined) for candidate in refine(index)])
    return race.decide(), len(race.candidates)


def _kkt(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    decoys = known.decoys(effort.workers)
    race = Search(problem, effort, finalists=_FINALISTS)
    wishes = [(decoy, described(decoy, index)) for index, decoy in enumerate(decoys)]
    race.run([kkt_candidate(known, *wish, share) for wish in wishes for share in _FIRST_SHARES])
    best = dict.fromkeys(index // len(_FIRST_SHARES) for index in race.strongest(_WISHES * len(_FIRST_SHARES)))
    found = [wishes[index] for index in list(best)[:_WISHES]]
    pairs = dict.fromkeys(pair for decoy, _ in found for pair in known.grid.around(decoy.quantile, decoy.repeats))
    near = [(decoy, described(decoy)) for decoy in known.train_decoys(list(pairs), effort.workers)]
    race.run([kkt_candidate(known, *wish, share) for wish in found + near for share in _SHARES_NEAR])
    return race.decide(), len(race.candidates)


def _best(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    decoys = known.decoys(effort.workers)
    filters = tuple(partial(keep, name, defence=problem.defence) for name in problem.quick)

    def refine(index: int) -> list[Candidate]:
        return [
            Candidate(
                f"{described(decoys[index], index)}, {share:.3g} positive, adapted to the defences",
                KKTInfluenceAttack(start=known.kkt(decoys[index].theta, share), probe=known.probe, filters=filters),
            )
            for share in _ADAPTED_SHARES
        ]

    first = [kkt_candidate(known, decoy, described(decoy, index), None) for index, decoy in enumerate(decoys)]
    return _in_two_stages(first, refine, problem, effort, refined=_ADAPTED)


def _minmax(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    decoys = known.decoys(effort.workers)

    def candidate(index: int, limit: float) -> Candidate:
        attack = MinMaxAttack(
            decoy=decoys[index].theta,
            max_decoy_loss=limit,
            feasible_set=known.feasible_set,
            ridge=known.ridge,
            burn_in=known.burn_in,
            integer=known.integer,
        )
        return Candidate(f"{described(decoys[index], index)}, loss there at most {limit:g}", attack)

    def refine(index: int) -> list[Candidate]:
        return [candidate(index, limit) for limit in _OTHER_LIMITS]

    return _in_two_stages([candidate(index, _LIMIT) for index in range(len(decoys))], refine, problem, effort)


def _minmax_basic(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    attack = MinMaxAttack(
        feasible_set=known.feasible_set, ridge=known.ridge, burn_in=known.burn_in, integer=known.integer
    )
    return _best_of([Candidate("without a decoy", attack)], problem, effort)


def _influence(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    candidates = [
        Candidate(
            "inverse class balance" if share is None else f"{share:.3g} positive",
            InfluenceAttack(
                probe=known.targets or known.probe,
                feasible_set=known.feasible_set,
                ridge=known.ridge,
                positive_share=share,
                integer=known.integer,
            ),
        )
        for share in (None, *_SHARES)
    ]
    return _best_of(candidates, problem, effort)


def _label_flip(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    random = Candidate("random rows", RandomLabelFlip(feasible_set=known.feasible_set))
    largest = TargetedLabelFlip(ridge=known.ridge, feasible_set=known.feasible_set)
    smallest = TargetedLabelFlip(ridge=known.ridge, margins="smallest", feasible_set=known.feasible_set)
    others = [Candidate("rows of largest margin", largest), Candidate("rows of smallest margin", smallest)]
    return _best_of([random, *others], problem, effort)


def _alfa(known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> tuple[SearchResult, int]:
    attack = ALFAAttack(pool=known.probe, feasible_set=known.feasible_set, ridge=known.ridge)
    return _best_of([Candidate("flipped rows of the probe", attack)], problem, effort)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "best": _best,
        "kkt": _kkt,
        "minmax": _minmax,
        "minmax-basic": _minmax_basic,
        "influence": _influence,
        "label-flip": _label_flip,
        "alfa": _alfa,
    }
)
"""Searches by name, the strongest first."""

SEVERAL: Mapping[str, Method] = MappingProxyType(
    {"minmax": several_minmax, "minmax-basic": several_minmax_basic, "label-flip": _label_flip}
)
"""Those for more than two classes."""

ADAPTIVE = ("best",)
"""Those that follow the errors on the rows on which attacks are told apart."""
