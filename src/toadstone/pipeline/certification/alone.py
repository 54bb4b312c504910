"""Which hospital, annotator or week can change which prediction alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import IntArray, Mask, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.kernels.label_response.flips import changed_by_one_group
from toadstone.kernels.label_response.responses import Response, weight_blocks
from toadstone.kernels.votes.alone import changed_by_one
from toadstone.kernels.votes.dealing import group_value
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.schemes import Scheme
from toadstone.kernels.votes.tallies import NO_VOTE

_MOST_CELLS = 10**8
"""Units times test rows up to which they are told apart: 100 MB."""


@dataclass(frozen=True, eq=False)
class Alone:
    """Units by name, and the predictions that each of them can change alone.

    Parameters
    ----------
    names : tuple of str
    rows : ndarray of int, shape (units,)
        Training rows of each.
    changes : ndarray of bool, shape (q, units)
        True where the unit suffices; where a count is sound and may be too
        low, where it cannot be excluded.
    """

    names: tuple[str, ...]
    rows: IntArray
    changes: Mask

    def of_query(self, query: int) -> tuple[str, ...]:
        """Return the names of the units that can each change the prediction for a query."""
        return tuple(self.names[unit] for unit in np.flatnonzero(self.changes[query]))

    def worst_first(self) -> list[int]:
        """Return the units, those that can change the most predictions first."""
        return [int(unit) for unit in np.argsort(-self.changes.sum(axis=0), kind="stable")]


def alone_in_votes(certificate: PointwiseCertificate, scheme: Scheme, groups: Sequence[object] | None) -> Alone | None:
    """Tell for a vote what each source can change alone, or what each period can.

    Parameters
    ----------
    certificate : PointwiseCertificate
    scheme : Scheme
    groups : sequence of shape (n,), optional
        Source or period of each training row.

    Returns
    -------
    Alone or None
        None where units have no names: for parts of rows; for the last periods, of which one alone is always the
        last; for a run-off, which is not told apart; and where there are too many.
    """
    votes = certificate.evidence.get("votes")
    if votes is None or groups is None or certificate.n_units * len(certificate.counts) > _MOST_CELLS:
        return None
    by_name = Counter(str(group) for group in groups)
    if isinstance(scheme, GroupParts) and not scheme.n_parts:
        names = tuple(sorted(by_name, key=group_value))
        reach = np.eye(len(names), dtype=bool)
    elif isinstance(scheme, Periods) and scheme.threat == "duration":
        first = min(int(str(group)) for group in groups)
        names = tuple(str(first + place) for place in range(certificate.n_units))
        # A model is trained on its last period, and on those shortly before.
        last = np.arange(votes.shape[1]) + scheme.span - 1
        period = np.arange(certificate.n_units)[:, None]
        reach = (last - scheme.span < period) & (period <= last)
    else:
        return None
    none = np.iinfo(np.uint8 if votes.dtype == np.uint8 else np.uint16).max
    cast = np.where(votes == none, NO_VOTE, votes.astype(np.int64))
    changes = changed_by_one(cast, reach, n_classes=len(certificate.classes))
    return Alone(names, np.array([by_name[name] for name in names]), changes)


def alone_in_labels(response: Response, train: Dataset, queries: Matrix, sources: Sequence[str]) -> Alone | None:
    """Tell for a learner that is linear in the labels what the labels of each source can change alone.

    Parameters
    ----------
    response : Response
    train : Dataset
    queries : ndarray or CSR of shape (q, d)
    sources : sequence of str of shape (n,)
        Of each training row.

    Returns
    -------
    Alone or None
        None where there are too many.
    """
    names, groups, rows = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    if len(names) * queries.shape[0] > _MOST_CELLS:
        return None
    codes, k = np.searchsorted(train.classes, train.y), len(train.classes)
    changes = [
        changed_by_one_group(alpha, codes, n_classes=k, groups=groups, error=error)
        for alpha, error in weight_blocks(response, queries)
    ]
    return Alone(tuple(map(str, names)), rows, np.concatenate(changes))
