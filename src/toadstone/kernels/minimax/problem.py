"""The training problems that certificates are about."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.core.arrays import Array, IntArray, Matrix
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


@dataclass(frozen=True)
class MulticlassProblem:
    """A defender's training problem of several classes, and the regions in which poison may lie.

    The loss is the hinge of Crammer and Singer; there is one linear function
    for each class.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    classes : ndarray of int of shape (n,)
        Positions of their labels among the classes.
    regions : tuple of Region
        For poison of each class.
    hypothesis : Ridge
        As for `Problem`; of all functions together.
    """

    X: Matrix
    classes: IntArray
    regions: tuple[Region, ...]
    hypothesis: Ridge

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.regions)
