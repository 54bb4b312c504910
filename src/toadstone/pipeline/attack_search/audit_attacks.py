"""The attacks that an audit makes of its own: few candidates each, without a look at test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial

from toadstone.attacks.decoys.decoys import DecoyGrid, prune_decoys
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.attacks.influence.multi_defence import KKTInfluenceAttack
from toadstone.core.dataset import Poison
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.rows import count_entries
from toadstone.pipeline.attack_search.attacker import CLOSE, Knowledge, described, kkt_candidate
from toadstone.pipeline.attack_search.search import Candidate, Search, SearchEffort, SearchProblem
from toadstone.pipeline.harness.judge import keep

SUITE = ("label-flip", "kkt", "adaptive")
"""What an audit tries by default, besides the certificate's own attack."""

GRID, COARSE_GRID = DecoyGrid((0.1, 0.2, 0.3), (3, 8)), DecoyGrid((0.1, 0.2, 0.3), (5,))
"""Decoys of a quick look, and of one at data with more than `MANY_ENTRIES`."""
MANY_ENTRIES = 1_000_000

_SHARES, _EVEN = (None, 0.5), (0.5,)
_STEPS, _FEW_STEPS = 75, 30
_ROUGH = 1e-3


def check_suite(names: Sequence[str]) -> None:
    """Refuse names that are not in the suite.

    Raises
    ------
    InvalidArgument
        If there are any.
    """
    unknown = [name for name in names if name not in SUITE]
    if unknown:
        raise InvalidArgument("attacks", f"some of {', '.join(SUITE)}, or none", unknown[0])


def make_attacks(
    names: Sequence[str],
    known: Knowledge,
    problem: SearchProblem,
    effort: SearchEffort,
    *,
    on_made: Callable[[], None] | None = None,
) -> dict[str, Poison]:
    """The strongest rows that a few candidates of each attack give.

    Parameters
    ----------
    names : sequence of str
        Of `SUITE`.
    known : Knowledge
        Its grid is not used: a quick look has one of its own.
    problem : SearchProblem
        Without slow sanitizers.
    effort : SearchEffort
    on_made : callable, optional
        Called after each attack.

    Returns
    -------
    dict from name to Poison
        Without those that have no feasible candidate.
    """
    tries, made = _Tries(known, problem, effort), {}
    ways = {"label-flip": tries.flips, "kkt": lambda: tries.kkt, "adaptive": tries.adaptive}
    for name in names:
        race = ways[name]()
        if race.strongest(1):
            made[name] = race.decide().poison
        if on_made is not None:
            on_made()
    return made


class _Tries:
    """Races of a few candidates; the KKT attacks are run once for themselves and for what starts from them."""

    def __init__(self, known: Knowledge, problem: SearchProblem, effort: SearchEffort) -> None:
        self.known, self.problem, self.effort = known, problem, effort
        self.large = count_entries(known.train.X) > MANY_ENTRIES

    def race(self, candidates: Sequence[Candidate]) -> Search:
        race = Search(self.problem, self.effort, finalists=1)
        race.run(candidates)
        return race

    def flips(self) -> Search:
        inside, ridge = self.known.feasible_set, self.known.ridge
        flips = (
            RandomLabelFlip(feasible_set=inside),
            TargetedLabelFlip(ridge=ridge, feasible_set=inside),
            TargetedLabelFlip(ridge=ridge, margins="smallest", feasible_set=inside),
        )
        return self.race([Candidate("flipped rows", flip) for flip in flips])

    @cached_property
    def kkt(self) -> Search:
        grid = COARSE_GRID if self.large else GRID
        # At a small ridge, the digits from the fourth on would take minutes of 13,000 dense images.
        tolerance = _ROUGH if self.large else CLOSE
        decoys = prune_decoys(self.known.train_decoys(grid.pairs, self.effort.workers, tolerance=tolerance))
        shares = _EVEN if self.large else _SHARES
        return self.race(
            [
                kkt_candidate(self.known, decoy, described(decoy, index), share)
                for index, decoy in enumerate(decoys)
                for share in shares
            ]
        )

    def adaptive(self) -> Search:
        filters = tuple(partial(keep, name, defence=self.problem.defence) for name in self.problem.quick)
        steps = _FEW_STEPS if self.large else _STEPS
        starts = [self.kkt.candidates[index] for index in self.kkt.strongest(1 if self.large else 2)]
        return self.race(
            [
                Candidate(
                    f"{start.name}, adapted to the defences",
                    KKTInfluenceAttack(start=start.attack, probe=self.known.probe, filters=filters, max_steps=steps),
                )
                for start in starts
                if isinstance(start.attack, KKTAttack)
            ]
        )
