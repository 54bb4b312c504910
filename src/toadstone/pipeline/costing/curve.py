"""The rows that an error takes, from certificates and attacks that an audit has made already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from toadstone.certificates.saddle.least_budget import rows_below
from toadstone.core.certificate import Certificate
from toadstone.core.dataset import Dataset, Poison
from toadstone.kernels.minimax.harmful_models import floor_of_error, wrong_rows
from toadstone.kernels.rows import count_entries
from toadstone.pipeline.attack_search.audit_attacks import MANY_ENTRIES
from toadstone.pipeline.costing.harm import train_on
from toadstone.pipeline.harness.judge import Defence
from toadstone.records.audit import CostPoint

_MORE_ERROR, _SHARES = (0.05, 0.1, 0.2), (0.25, 0.5, 1.0)


def cost_curve(
    train: Dataset,
    certificates: Sequence[Certificate],
    poisons: Mapping[str, Poison],
    defence: Defence,
    *,
    seed: int = 0,
) -> tuple[CostPoint, ...]:
    """Say for some errors which numbers of added rows cannot cause them, and which do.

    Nothing is searched for: each certificate bounds the objective for any
    number of rows, and some of each attack's rows, or all, are trained on.

    Parameters
    ----------
    train : Dataset
        Clean rows of two classes.
    certificates : sequence of Certificate
        Of the hinge loss with the defence's ridge, against added rows.
    poisons : mapping from name to Poison
    defence : Defence
        Trains a linear model, with the hinge loss and no filter.
    seed : int

    Returns
    -------
    tuple of CostPoint
        The clean error and 5, 10 and 20 points; only the first for data of
        many entries.
    """
    large = count_entries(train.X) > MANY_ENTRIES
    _, clean = train_on(train, None, defence)
    reached = [
        (len(some), train_on(train, some, defence)[1].error, name)
        for name, poison in poisons.items()
        for some in (_some(poison, share) for share in (_SHARES[-1:] if large else _SHARES))
    ]
    points = []
    for more in _MORE_ERROR[:1] if large else _MORE_ERROR:
        error = min(clean.error + more, 1.0)
        wrong = wrong_rows(error, len(train))
        floor = floor_of_error(train.X, train.signs, ridge=defence.ridge, wrong=wrong, seed=seed)
        suffice = min(((rows, name) for rows, done, name in reached if done >= error), default=(None, ""))
        points.append(CostPoint(error, rows_below(certificates, floor.value, len(train)) + 1, *suffice))
    return tuple(points)


def _some(poison: Poison, share: float) -> Poison:
    """Return a share of an attack's rows, evenly spread so that labels keep theirs."""
    count = max(round(share * len(poison)), 1)
    kept = np.unique(np.linspace(0, len(poison) - 1, count).round().astype(int))
    return Poison(poison.X[kept], poison.y[kept])
