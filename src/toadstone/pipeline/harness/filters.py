"""The convex filters that an attacker expects, and the set that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.preparation.domain import check_domain
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.sanitizers.loss import LossSanitizer
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer

CONVEX = ("l2", "slab", "loss")
"""Sanitizers of the catalogue whose rows form a convex set for each label."""


def check_filters(filters: Sequence[str]) -> None:
    """Refuse names of filters that have no convex set, or none.

    Raises
    ------
    InvalidArgument
        If there are any.
    """
    if not filters or any(name not in CONVEX for name in filters) or len(set(filters)) < len(filters):
        raise InvalidArgument("filters", f"some of {', '.join(CONVEX)}, each once", ", ".join(filters) or "none")


def fit_filters(
    train: Dataset, filters: Sequence[str], *, quantile: float, domain: str, ridge: float = 0.01
) -> ConvexSet:
    """Return the rows that pass all of some filters fitted on clean rows, within the domain.

    Parameters
    ----------
    train : Dataset
    filters : sequence of str
        Some of `CONVEX`.
    quantile : float
        Of each class's clean scores, in [0.5, 1): the filters' thresholds. An
        adaptive attacker plans for a smaller one than the defender keeps.
    domain : {"real", "box", "integer"}
    ridge : float
        Of the model behind the loss filter.

    Returns
    -------
    ConvexSet

    Raises
    ------
    InvalidArgument
        If the quantile is not in [0.5, 1), or a filter has no convex set.
    InvalidData
        If the rows do not fit the domain.

    Examples
    --------
    >>> rows = Dataset([[0.0], [1.0], [3.0], [4.0]] * 5, ["ham", "ham", "spam", "spam"] * 5)
    >>> within = fit_filters(rows, ["l2", "loss"], quantile=0.9, domain="box")
    >>> within.contains(rows.X[:4], ["ham", "ham", "spam", "ham"]).tolist()
    [True, True, True, False]
    """
    check_within("[0.5, 1)", quantile=quantile)
    check_filters(filters)
    check_domain(train.X, domain)
    removed = 1 - quantile
    unfitted = {
        "l2": SphereSanitizer(contamination=removed),
        "slab": SlabSanitizer(contamination=removed),
        "loss": LossSanitizer(contamination=removed, ridge=ridge),
    }
    sets: list[ConvexSet] = [unfitted[name].fit(train.X, train.y).feasible_set_ for name in filters]
    return reduce(ConvexSet.intersect, sets).within(fit_domain(train.X, domain))
