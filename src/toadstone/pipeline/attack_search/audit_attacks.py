"""The short search of each attack: few candidates, without a look at test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from toadstone.attacks.decoys.decoys import Decoy, DecoyGrid, prune_decoys
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.catalogue import canonical
from toadstone.core.dataset import Poison
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.rows import count_entries
from toadstone.pipeline.attack_search.attacker import CLOSE, Knowledge, described, kkt_candidate
from toadstone.pipeline.attack_search.candidates import WITHOUT_DECOYS, influence, kkt_influence, min_max
from toadstone.pipeline.attack_search.methods import SEVERAL
from toadstone.pipeline.attack_search.multiclass import try_min_max, try_min_max_basic
from toadstone.pipeline.attack_search.names import check_searchable
from toadstone.pipeline.attack_search.search import (
    QUICK,
    Candidate,
    Search,
    SearchEffort,
    SearchProblem,
    SearchResult,
)
from toadstone.pipeline.harness.threat_model import ThreatModel

SUITE = ("label-flip", "kkt", "kkt-influence")
"""Attacks of an audit of two classes by default, besides the certificate's own."""

SUITE_OF_SEVERAL = ("label-flip", "min-max")
"""Attacks of an audit of three and more classes by default."""

GRID, COARSE_GRID = DecoyGrid((0.1, 0.2, 0.3), (3, 8)), DecoyGrid((0.1, 0.2, 0.3), (5,))
"""Decoys of a quick look, and of one at data with more than `MANY_ENTRIES`."""
MANY_ENTRIES = 1_000_000

_SHARES, _EVEN = (None, 0.5), (0.5,)
_STEPS, _FEW_STEPS = 75, 30
_ROUGH = 1e-3


def check_suite(names: Sequence[str]) -> tuple[str, ...]:
    """Return the catalogue's names of some attacks, and refuse those that a search cannot look for.

    Raises
    ------
    UnknownName
        If there is no such attack, or it does not add rows to raise the test
        error.
    InvalidArgument
        If an attack is named twice.
    """
    for name in names:
        check_searchable(name, "attacks")
    known = tuple(canonical("attack", name) for name in names)
    if len(set(known)) < len(known):
        raise InvalidArgument("attacks", "each name once", ",".join(names))
    return known


def make_attacks(
    names: Sequence[str], search: ShortSearch, *, on_made: Callable[[], None] | None = None
) -> dict[str, Poison]:
    """Return the strongest rows that a few candidates of each attack give.

    Parameters
    ----------
    names : sequence of str
        Of the catalogue, as `check_suite` gives them.
    search : ShortSearch
    on_made : callable, optional
        Called after each attack.

    Returns
    -------
    dict from name to Poison
        Without those that have no feasible candidate.
    """
    made = {}
    for name in names:
        found = search.strongest(name)
        if found is not None:
            made[name] = found.poison
        if on_made is not None:
            on_made()
    return made


def settle_suite(chosen: Sequence[str] | None, n_classes: int) -> tuple[str, ...]:
    """Return the attacks of an audit: those chosen, or else those by default.

    Raises
    ------
    InvalidArgument
        If one is for two classes only, and there are more.

    Examples
    --------
    >>> settle_suite(None, 2), settle_suite(None, 3)
    (('label-flip', 'kkt', 'kkt-influence'), ('label-flip', 'min-max'))
    """
    if chosen is None:
        return SUITE if n_classes == 2 else SUITE_OF_SEVERAL
    two_only = [name for name in chosen if n_classes > 2 and name not in SEVERAL]
    if two_only:
        raise InvalidArgument(
            "attacks", f"some of {', '.join(SEVERAL)}, as there are {n_classes} classes", ",".join(two_only)
        )
    return tuple(chosen)


class ShortSearch:
    """Searches over a few candidates of each attack, which share decoys and KKT attacks.

    Parameters
    ----------
    threat : ThreatModel
        The attacker aims at its training rows.
    effort : SearchEffort
    """

    def __init__(self, threat: ThreatModel, effort: SearchEffort) -> None:
        self.large = count_entries(threat.train.X) > MANY_ENTRIES
        self.known = Knowledge(threat, threat.train, threat.train, COARSE_GRID if self.large else GRID)
        self.problem = SearchProblem(threat.train, threat.train, threat.budget, threat.defence, QUICK, ())
        self.effort = effort
        self._found: dict[str, SearchResult | None] = {}

    def strongest(self, name: str) -> SearchResult | None:
        """Return the strongest candidate of an attack; None where none is feasible."""
        if name not in self._found:
            tried = self._searches[name]()
            self._found[name] = tried.decide() if tried.strongest(1) else None
        return self._found[name]

    @property
    def _searches(self) -> Mapping[str, Callable[[], Search]]:
        if len(self.known.train.classes) > 2:
            return {
                **{name: self._without_decoys(name) for name in WITHOUT_DECOYS},
                "min-max": lambda: try_min_max(self.known, self.problem, self.effort),
                "min-max-basic": lambda: try_min_max_basic(self.known, self.problem, self.effort),
            }
        return {
            "kkt-influence": self._kkt_influence,
            "kkt": lambda: self._kkt,
            "min-max": self._min_max,
            "influence": lambda: self._try(influence(self.known, _EVEN if self.large else _SHARES)),
            **{name: self._without_decoys(name) for name in WITHOUT_DECOYS},
        }

    def _try(self, candidates: Sequence[Candidate]) -> Search:
        tried = Search(self.problem, self.effort, finalists=1)
        tried.run(candidates)
        return tried

    def _without_decoys(self, name: str) -> Callable[[], Search]:
        return lambda: self._try(WITHOUT_DECOYS[name](self.known))

    @cached_property
    def _decoys(self) -> list[Decoy]:
        # At a small ridge, the digits from the fourth on would take minutes of 13,000 dense images.
        tolerance = _ROUGH if self.large else CLOSE
        return prune_decoys(self.known.train_decoys(self.known.grid.pairs, self.effort.workers, tolerance=tolerance))

    @cached_property
    def _kkt(self) -> Search:
        shares = _EVEN if self.large else _SHARES
        return self._try(
            [
                kkt_candidate(self.known, decoy, described(decoy, index), share)
                for index, decoy in enumerate(self._decoys)
                for share in shares
            ]
        )

    def _min_max(self) -> Search:
        return self._try([min_max(self.known, decoy, index) for index, decoy in enumerate(self._decoys)])

    def _kkt_influence(self) -> Search:
        steps = _FEW_STEPS if self.large else _STEPS
        starts = [self._kkt.candidates[index] for index in self._kkt.strongest(1 if self.large else 2)]
        return self._try(
            [
                kkt_influence(self.known, self.problem, start.name, start.attack, max_steps=steps)
                for start in starts
                if isinstance(start.attack, KKTAttack)
            ]
        )
