"""Candidates of each attack on linear models, from what the attacker knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from toadstone.attacks.decoys.decoys import Decoy
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.flips.alfa import ALFAAttack
from toadstone.attacks.flips.gradient_flips import GradientAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.attacks.influence.basic_influence import BasicInfluenceAttack
from toadstone.attacks.influence.influence import InfluenceAttack
from toadstone.attacks.influence.iterative_influence import IterativeInfluenceAttack
from toadstone.attacks.influence.multi_defence import KKTInfluenceAttack
from toadstone.pipeline.attack_search.attacker import Knowledge, described
from toadstone.pipeline.attack_search.search import Candidate, SearchProblem
from toadstone.pipeline.harness.judge import keep

Candidates: TypeAlias = Callable[[Knowledge], list[Candidate]]

LOSS_LIMIT = 0.25
"""Largest loss at the decoy of a point of the min-max attack, as in the paper's program."""

_STEPS = 100


def min_max(known: Knowledge, decoy: Decoy, index: int, limit: float = LOSS_LIMIT) -> Candidate:
    """Build the min-max attack at a decoy, with a limit of the loss there."""
    attack = MinMaxAttack(
        decoy=decoy.theta,
        max_decoy_loss=limit,
        feasible_set=known.feasible_set,
        ridge=known.ridge,
        burn_in=known.burn_in,
        integer=known.integer,
    )
    return Candidate(f"{described(decoy, index)}, loss there at most {limit:g}", attack)


def kkt_influence(
    known: Knowledge, problem: SearchProblem, name: str, start: KKTAttack, *, max_steps: int = _STEPS
) -> Candidate:
    """Build the KKT attack moved by its influence on what each of the quick defences keeps."""
    filters = tuple(partial(keep, sanitizer, defence=problem.defence) for sanitizer in problem.quick)
    attack = KKTInfluenceAttack(start=start, probe=known.probe, filters=filters, max_steps=max_steps)
    return Candidate(f"{name}, adapted to the defences", attack)


def influence(known: Knowledge, shares: Sequence[float | None]) -> list[Candidate]:
    """Build the influence attack at several class balances of the poison."""
    return [
        Candidate(
            "inverse class balance" if share is None else f"{share:.3g} positive", _influence_attack(known, share)
        )
        for share in shares
    ]


def _influence_attack(known: Knowledge, share: float | None) -> InfluenceAttack:
    return InfluenceAttack(
        probe=known.targets or known.probe,
        feasible_set=known.feasible_set,
        ridge=known.ridge,
        positive_share=share,
        integer=known.integer,
    )


def _iterative_influence(known: Knowledge) -> list[Candidate]:
    attack = IterativeInfluenceAttack(influence=_influence_attack(known, None), refit=known.threat.refit)
    return [Candidate("inverse class balance, filters fitted again", attack)]


def _basic_influence(known: Knowledge) -> list[Candidate]:
    attack = BasicInfluenceAttack(
        probe=known.probe, feasible_set=known.feasible_set, ridge=known.ridge, integer=known.integer
    )
    return [Candidate("inverse class balance", attack)]


def _min_max_basic(known: Knowledge) -> list[Candidate]:
    attack = MinMaxAttack(
        feasible_set=known.feasible_set, ridge=known.ridge, burn_in=known.burn_in, integer=known.integer
    )
    return [Candidate("without a decoy", attack)]


def _random_flip(known: Knowledge) -> list[Candidate]:
    return [Candidate("random rows", RandomLabelFlip(feasible_set=known.feasible_set))]


def _targeted_flip(known: Knowledge) -> list[Candidate]:
    largest = TargetedLabelFlip(ridge=known.ridge, feasible_set=known.feasible_set)
    return [Candidate("rows of largest margin", largest)]


def _pair_flip(known: Knowledge) -> list[Candidate]:
    labels = known.train.classes.tolist()
    return [
        Candidate(
            f"random rows of {source} as {target}",
            RandomLabelFlip(feasible_set=known.feasible_set, source=source, target=target),
        )
        for source in labels
        for target in labels
        if source != target
    ]


def _label_flip(known: Knowledge) -> list[Candidate]:
    smallest = TargetedLabelFlip(ridge=known.ridge, margins="smallest", feasible_set=known.feasible_set)
    return [*_random_flip(known), *_targeted_flip(known), Candidate("rows of smallest margin", smallest)]


def _alfa(known: Knowledge) -> list[Candidate]:
    attack = ALFAAttack(pool=known.probe, feasible_set=known.feasible_set, ridge=known.ridge)
    return [Candidate("flipped rows of the probe", attack)]


def _gradient(known: Knowledge) -> list[Candidate]:
    attack = GradientAttack(feasible_set=known.feasible_set, ridge=known.ridge, integer=known.integer)
    return [Candidate("random flips, moved", attack)]


WITHOUT_DECOYS: Mapping[str, Candidates] = MappingProxyType(
    {
        "min-max-basic": _min_max_basic,
        "iterative-influence": _iterative_influence,
        "basic-influence": _basic_influence,
        "label-flip": _label_flip,
        "random-flip": _random_flip,
        "targeted-flip": _targeted_flip,
        "pair-flip": _pair_flip,
        "alfa": _alfa,
        "gradient": _gradient,
    }
)
"""Candidates of the attacks that need no decoy, by name."""
