"""What an attacker knows, what it may spend, and the attacks that follow at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from joblib import Parallel, delayed

from bezoar.attacks.decoys import Decoy, DecoyGrid, fit_clean, fit_decoy, prune_decoys
from bezoar.attacks.kkt import KKTAttack
from bezoar.core.arrays import Array
from bezoar.core.dataset import Dataset
from bezoar.kernels.sets import ConvexSet
from bezoar.pipeline.search import Candidate

_CLOSE = 1e-5


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
    """

    train: Dataset
    probe: Dataset
    feasible_set: ConvexSet
    ridge: float
    integer: bool
    grid: DecoyGrid
    burn_in: float

    def decoys(self, workers: int) -> list[Decoy]:
        """The grid's decoys that no other beats, by descending probe error."""
        # A decoy is a wish; its last digits are worth no time.
        clean = fit_clean(self.train, ridge=self.ridge, tolerance=_CLOSE)
        train = partial(fit_decoy, self.train, self.probe, clean, ridge=self.ridge, tolerance=_CLOSE)
        tasks = (delayed(train)(quantile=quantile, repeats=repeats) for quantile, repeats in self.grid.pairs)
        found: list[Decoy] = Parallel(n_jobs=workers)(tasks)
        return prune_decoys(found)

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


def described(decoy: Decoy, index: int) -> str:
    """A decoy in words, by its place among those that were kept."""
    return f"decoy {index + 1} (quantile {decoy.quantile:g}, repeats {decoy.repeats})"


def kkt_candidate(known: Knowledge, decoys: Sequence[Decoy], index: int, share: float | None) -> Candidate:
    """The KKT attack at a decoy with a share of positive poison, or that of least residual."""
    balance = "balance of least residual" if share is None else f"{share:.3g} positive"
    return Candidate(f"{described(decoys[index], index)}, {balance}", known.kkt(decoys[index].theta, share))
