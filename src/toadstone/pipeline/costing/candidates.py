"""Attacks that may do a harm with few rows, for rows added, relabelled or replaced."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.random import Generator

from toadstone.attacks.collapse import CollapsedAttack
from toadstone.attacks.decoys.decoys import Decoy, DecoyGrid
from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.flips.decoy_flips import DecoyFlips
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.certificates.saddle.certify import Claim, certify_saddle
from toadstone.core.budget import Budget
from toadstone.core.certificate import Setting
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.protocols import Attack
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import count_entries
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack_search.attacker import Knowledge, described, kkt_candidate
from toadstone.pipeline.attack_search.audit_attacks import MANY_ENTRIES
from toadstone.pipeline.attack_search.candidates import WITHOUT_DECOYS, min_max
from toadstone.pipeline.attack_search.search import Candidate
from toadstone.pipeline.costing.harm import Harm, train_on
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.threat_model import ThreatModel

CostKind: TypeAlias = Literal["add", "flip", "replace"]

GRID = DecoyGrid((0.1, 0.2, 0.3, 0.45), (1, 2, 3, 5, 8))
COARSE_GRID = DecoyGrid((0.1, 0.2, 0.35), (1, 3, 8))
"""Decoys of a cost, and of one of data with many entries."""

_DECOYS, _FEW_DECOYS, _MIMICKED, _SHARES = 25, 4, 8, (None, 0.5)
_ROOM = 0.01
_MOST_MOVES = 3000
_LITTLE_MORE = 1.25
_COARSE, _CLOSE = 1e-2, 1e-3


@dataclass(frozen=True, eq=False)
class WorstCase:
    """The attack of the certificate at the budget: the feasible rows against which the training loss is largest.

    Parameters
    ----------
    feasible_set : ConvexSet
    setting : Setting
    """

    feasible_set: ConvexSet
    setting: Setting

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Solve for the budget, and return copies of the points found."""
        claim = Claim("", (), ())
        (found,) = certify_saddle(data, self.feasible_set, [budget], self.setting, claim, tolerance=_COARSE)
        return CollapsedAttack.of(found.certificate, data.classes, self.feasible_set).poison(data, budget, rng)


@dataclass(frozen=True, eq=False)
class FewMoves:
    """A min-max attack that makes a limited number of moves, with more copies in each where there are many rows.

    Parameters
    ----------
    attack : MinMaxAttack
    """

    attack: MinMaxAttack

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Add as many rows as the budget allows."""
        rows = (1 + self.attack.burn_in) * budget.count(len(data))
        copies = max(self.attack.repeats, math.ceil(rows / _MOST_MOVES))
        return replace(self.attack, repeats=copies).poison(data, budget, rng)


@dataclass(frozen=True, eq=False)
class InPlace:
    """Another attack's rows, in the place of the clean rows that the model trained with them fits worst.

    Parameters
    ----------
    attack : Attack
        One that adds rows.
    defence : Defence
    """

    attack: Attack
    defence: Defence

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Add the rows, train, and displace as many clean rows of largest loss."""
        added = self.attack.poison(data, budget, rng)
        model, _ = train_on(data, added, self.defence)
        losses = HINGE.value(data.signs * model.decision_function(data.X))  # type: ignore[attr-defined]
        return Poison(added.X, added.y, np.argsort(-losses, kind="stable")[: len(added)])


def make_candidates(
    kind: CostKind, harm: Harm, threat: ThreatModel, setting: Setting, *, workers: int
) -> list[Candidate]:
    """Return the attacks to try, for any number of rows.

    Parameters
    ----------
    kind : {"add", "flip", "replace"}
    harm : Harm
    threat : ThreatModel
        Its budget does not matter.
    setting : Setting
        Of the certificate, whose attack is one of them.
    workers : int
        Processes; results do not depend on it.
    """
    large = count_entries(threat.train.X) > MANY_ENTRIES
    # Rounding to whole numbers moves rows out of the set that they were made for: a narrower one leaves room.
    room = replace(threat, quantile=max(threat.quantile - _ROOM, 0.5)) if threat.integer else threat
    known = Knowledge(room, threat.train, threat.train, _grid(harm, large=large))
    trained = known.train_decoys(known.grid.pairs, workers, tolerance=_COARSE if large else _CLOSE)
    decoys = _harmful(trained, harm, _FEW_DECOYS if large else _DECOYS)
    if kind == "flip":
        return _flips(threat, decoys)
    few = _harmful(trained, harm, min(_MIMICKED, len(decoys)))
    added = [
        *(_renamed(one, f"label flips, {one.name}") for one in WITHOUT_DECOYS["label-flip"](known)),
        Candidate("the certificate's own attack", WorstCase(known.feasible_set, setting)),
        *(_few_moves(one) for one in WITHOUT_DECOYS["min-max-basic"](known)),
        *(kkt_candidate(known, decoy, f"KKT, {described(decoy)}", s) for decoy in few for s in _SHARES[large:]),
        *(_few_moves(_renamed(min_max(known, decoy, 0), described(decoy))) for decoy in decoys),
    ]
    if kind == "add":
        return added
    return [replace(one, attack=InPlace(one.attack, threat.defence)) for one in added]


def _grid(harm: Harm, *, large: bool) -> DecoyGrid:
    """Return decoys of all sizes, and some that relabel little more than the share of rows that is to be wrong."""
    grid = COARSE_GRID if large else GRID
    if harm.error is None:
        return grid
    return replace(grid, quantiles=(*grid.quantiles, min(_LITTLE_MORE * harm.error, 1.0)))


def _harmful(decoys: list[Decoy], harm: Harm, most: int) -> list[Decoy]:
    """Return decoys that do the harm, from those that fit the clean rows best to those that fit them worst.

    Where none does it, those that come nearest to it.
    """
    by_harm = sorted(decoys, key=lambda decoy: -(decoy.probe_error if harm.loss is None else decoy.clean_loss))
    wanted = harm.error or harm.loss or 0.0
    enough = [one for one in by_harm if (one.probe_error if harm.loss is None else one.clean_loss) >= wanted]
    if not enough:
        return by_harm[:most]
    enough.sort(key=lambda decoy: decoy.clean_loss)
    places = np.unique(np.linspace(0, len(enough) - 1, min(most, len(enough))).round().astype(int))
    return [enough[place] for place in places]


def _flips(threat: ThreatModel, decoys: list[Decoy]) -> list[Candidate]:
    ridge = threat.defence.ridge
    return [
        Candidate("random flips", RandomLabelFlip()),
        Candidate("flips of largest margin", TargetedLabelFlip(ridge=ridge)),
        Candidate("flips of smallest margin", TargetedLabelFlip(ridge=ridge, margins="smallest")),
        *(Candidate(f"flips towards {described(decoy)}", DecoyFlips(theta=decoy.theta)) for decoy in decoys),
    ]


def _few_moves(candidate: Candidate) -> Candidate:
    attack = candidate.attack
    return Candidate(f"min-max, {candidate.name}", FewMoves(attack) if isinstance(attack, MinMaxAttack) else attack)


def _renamed(candidate: Candidate, name: str) -> Candidate:
    return replace(candidate, name=name)
