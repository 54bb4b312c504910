"""The attacker's knowledge, and the decoys and KKT attacks that follow from it."""

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
from toadstone.pipeline.harness.threads import alone
from toadstone.pipeline.harness.threat_model import ThreatModel

CLOSE = 1e-5
"""Relative gap of decoys: the attack only needs to come near them, so that more digits are worth no time."""


@dataclass(frozen=True, eq=False)
class Knowledge:
    """The attacker's knowledge and settings.

    Parameters
    ----------
    threat : ThreatModel
    train : Dataset
        Clean rows that decoys are trained on.
    probe : Dataset
        Rows that should be misclassified.
    grid : DecoyGrid
        Which decoys to train.
    burn_in : float
        Of the min-max attacks.
    targets : Targets, optional
        The probe's rows under the labels that they should get, where they
        are rows of the attacker's choice.
    """

    threat: ThreatModel
    train: Dataset
    probe: Dataset
    grid: DecoyGrid
    burn_in: float = 1.0
    targets: Targets | None = None

    @property
    def feasible_set(self) -> ConvexSet:
        """Rows that the attacker expects to pass the filters."""
        return self.threat.feasible_set

    @property
    def ridge(self) -> float:
        """The defender's penalty, for each row."""
        return self.threat.defence.ridge

    @property
    def integer(self) -> bool:
        """True where features are whole numbers."""
        return self.threat.integer

    def decoys(self, workers: int) -> list[Decoy]:
        """Return the grid's decoys that no other beats, by descending probe error."""
        return prune_decoys(self.train_decoys(self.grid.pairs, workers))

    def train_decoys(
        self, pairs: Sequence[tuple[float, int]], workers: int, *, tolerance: float = CLOSE
    ) -> list[Decoy]:
        """Train a decoy for each quantile and number of repeats, to a relative gap."""
        clean = fit_clean(self.train, ridge=self.ridge, tolerance=tolerance)
        train = partial(fit_decoy, self.train, self.probe, clean, ridge=self.ridge, tolerance=tolerance)
        found: list[Decoy] = Parallel(n_jobs=processes(workers, len(pairs), self.train))(
            delayed(alone)(train, quantile=quantile, repeats=repeats) for quantile, repeats in pairs
        )
        return found

    def kkt(self, theta: Array, positive_share: float | None) -> KKTAttack:
        """Build the KKT attack that leads to a decoy."""
        return KKTAttack(
            theta=theta,
            feasible_set=self.feasible_set,
            ridge=self.ridge,
            positive_share=positive_share,
            integer=self.integer,
            draws=1,
        )


def described(decoy: Decoy, index: int | None = None) -> str:
    """Describe a decoy in words, with its place if it is one of those that were kept of the grid."""
    place = "decoy" if index is None else f"decoy {index + 1}"
    return f"{place} (quantile {decoy.quantile:g}, repeats {decoy.repeats})"


def kkt_candidate(known: Knowledge, decoy: Decoy, name: str, share: float | None) -> Candidate:
    """Build the KKT attack at a decoy with a share of positive poison, or with that of least residual."""
    balance = "balance of least residual" if share is None else f"{share:.3g} positive"
    return Candidate(f"{name}, {balance}", known.kkt(decoy.theta, share))
