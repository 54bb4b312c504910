"""The training problem that a certificate is about."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.core.arrays import Array, Matrix
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.feasible import Region
from toadstone.kernels.losses import MarginLoss


@dataclass(frozen=True)
class Problem:
    """A defender's training problem, and the regions in which poison may lie.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
        Their labels, -1 or +1.
    regions : tuple of two Region
        For poison labelled -1 and +1.
    loss : MarginLoss
    hypothesis : NormBall or Ridge
        The models to choose from. A ridge weighs ``1 + fraction`` times as
        much in the minimax problem, because it is counted for each trained
        row, poison included.
    """

    X: Matrix
    signs: Array
    regions: tuple[Region, Region]
    loss: MarginLoss
    hypothesis: NormBall | Ridge
