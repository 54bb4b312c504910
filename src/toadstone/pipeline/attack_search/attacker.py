"""What an attacker knows, what it may spend, and the attacks that follow at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from joblib import Parallel, delayed

from toadstone.attacks.decoys.decoys import Decoy, DecoyGrid, fit_clean, fit_decoy, prune_decoys
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.attacks.influence.projected_ascent import Targets
from toadstone.core.arrays import Array
from toadstone.core.dataset import Dataset
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack_search.search import Candidate
from toadstone.pipeline.harness.processes import processes

CLOSE = 1e-5
"""Relative gap of decoys: they are wishes, and their last digits are worth no time."""


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What the attacker has to plan with.

    Parameters
    ----------
    train : Dataset
        Clean rows that decoys are trained on.
    probe : Dataset
        Rows that should be misclassified.
    feasible_set : ConvexSet
        What the attacker expects to pass the filters.
    ridge : float
        The defender's penalty, for each row.
    integer : bool
        Whether features are whole numbers.
    grid : DecoyGrid
        Which decoys to train.
    burn_in : float
        Of the min-max attacks.
    targets : Targets, optional
        The probe's rows under the labels that they should get, where they
        are rows of the attacker's choice.
    """

    train: Dataset
    probe: Dataset
    feasible_set: ConvexSet
    ridge: float
    integer: bool
    grid: DecoyGrid
    burn_in: float
    targets: Targets | None = None

    def decoys(self, workers: int) -> list[Decoy]:
        """The grid's decoys that no other beats, by descending probe error."""
        return prune_decoys(self.train_decoys(self.grid.pairs, workers))

    def train_decoys(
        self, pairs: Sequence[tuple[float, int]], workers: int, *, tolerance: float = CLOSE
    ) -> list[Decoy]:
        """A decoy for each quantile and number of repeats, to a relative gap."""
        clean = fit_clean(self.train, ridge=self.ridge, tolerance=tolerance)
        train = partial(fit_decoy, self.train, self.probe, clean, ridge=self.ridge, tolerance=tolerance)
        found: list[Decoy] = Parallel(n_jobs=processes(workers, len(pairs), self.train))(
            delayed(train)(quantile=quantile, repeats=repeats) for quantile, repeats in pairs
        )
        return found

    def kkt(self, theta: Array, positive_share: float | None) -> KKTAttack:
        """The KKT attack that leads to a decoy."""
        return KKTAttack(
            theta=theta,
            feasible_set=self.feasible_set,
            ridge=self.ridge,
            positive_share=positive_share,
            integer=self.integer,
            draws=1,
        )


def described(decoy: Decoy, index: int | None = None) -> str:
    """A decoy in words, with its place if it is one of those that were kept of the grid."""
    place = "decoy" if index is None else f"decoy {index + 1}"
    return f"{place} (quantile {decoy.quantile:g}, repeats {decoy.repeats})"


def kkt_candidate(known: Knowledge, decoy: Decoy, name: str, share: float | None) -> Candidate:
    """The KKT attack at a decoy with a share of positive poison, or that of least residual."""
    balance = "balance of least residual" if share is None else f"{share:.3g} positive"
    return Candidate(f"{name}, {balance}", known.kkt(decoy.theta, share))
