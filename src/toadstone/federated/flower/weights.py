"""Numbers of examples that clients declare: ignored, capped, or believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import check_positive
from toadstone.core.errors import InvalidArgument

Weighting = Literal["equal", "capped", "declared"]
DOMINATED = "weights are as declared: any client can dominate the round"


@dataclass(frozen=True)
class CappedWeights:
    """Declared numbers of examples, none above so many times their median.

    Parameters
    ----------
    times : float
    """

    times: float = 2.0

    def __post_init__(self) -> None:
        check_positive(times=self.times)


def check_weights(weights: Weighting | CappedWeights) -> CappedWeights | Literal["equal", "declared"]:
    """Return how to weigh, "capped" with its default."""
    if isinstance(weights, CappedWeights):
        return weights
    if weights not in get_args(Weighting):
        raise InvalidArgument(
            "weights", f"CappedWeights(...) or one of {', '.join(get_args(Weighting))}", repr(weights)
        )
    return CappedWeights() if weights == "capped" else weights


def weights_name(weights: CappedWeights | Literal["equal", "declared"]) -> str:
    """Return what the log calls a weighting."""
    return f"capped at {weights.times:g} times the median" if isinstance(weights, CappedWeights) else weights


def reweighted(
    coefficients: Array, declared: Sequence[float] | Array, weights: CappedWeights | Literal["equal", "declared"]
) -> Array:
    """Multiply a rule's coefficients by what clients declare, keeping their sum.

    Parameters
    ----------
    coefficients : ndarray of shape (n,)
    declared : sequence of float
        Numbers of examples, 0 where none is declared.
    weights : CappedWeights or {"equal", "declared"}

    Returns
    -------
    ndarray of shape (n,)
        As given if the weights of all clients that the rule kept are 0.

    Examples
    --------
    >>> reweighted(np.array([0.5, 0.5, 0.0]), [100.0, 1e12, 300.0], CappedWeights(2.0)).round(3)
    array([0.143, 0.857, 0.   ])
    """
    if weights == "equal":
        return coefficients
    numbers = np.asarray(declared, dtype=np.float64)
    if isinstance(weights, CappedWeights):
        numbers = np.minimum(numbers, weights.times * np.median(numbers))
    weighted = coefficients * (numbers / max(numbers.max(initial=0.0), np.finfo(float).tiny))
    total = weighted.sum()
    return weighted * (coefficients.sum() / total) if total > 0 else coefficients
