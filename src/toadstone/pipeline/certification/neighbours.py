"""Certify the predictions of nearest neighbours for the test rows of a data set."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from toadstone.certificates.pointwise.neighbours import NeighbourVote, make_neighbour_certificate, verify_neighbours
from toadstone.core.arrays import Array
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.datasets.preparation.encoders import STANDARDISED, treatment_of
from toadstone.datasets.preparation.features import fit_scaling
from toadstone.datasets.split import Split
from toadstone.kernels.neighbours.counts import Change
from toadstone.pipeline.certification.pointwise import (
    OnCertified,
    Pointwise,
    check_split,
    digests_of,
    with_curve,
)

_SHARES = (0.005, 0.03, 0.15)
"""Neighbours as a share of the training rows: more of them are surer and less accurate."""


@dataclass(frozen=True, eq=False)
class NeighbourPlan:
    """Numbers of neighbours, and what the attacker does to a row.

    Parameters
    ----------
    k : tuple of int
        Numbers of neighbours; by default three odd ones between half a
        per cent and 15 % of the training rows.
    change : {"modify", "insert", "delete"}
    scale : ndarray of shape (d,), optional
        By which columns are divided; see `trusted_scale`.
    """

    k: tuple[int, ...] = ()
    change: Change = "modify"
    scale: Array | None = None

    def chosen(self, n_train: int) -> tuple[int, ...]:
        """Return the numbers of neighbours for a training set, ascending."""
        return tuple(sorted(set(self.k or (2 * int(share * n_train / 2) + 1 for share in _SHARES))))


def certify_neighbours_of(
    split: Split, plan: NeighbourPlan, *, on_certified: OnCertified = None
) -> tuple[Pointwise, ...]:
    """Certify the test rows, once for each number of neighbours.

    Parameters
    ----------
    split : Split
    plan : NeighbourPlan
    on_certified : callable, optional
        Called after each number, for progress.

    Raises
    ------
    InvalidArgument
        If there are fewer training rows than neighbours.
    InvalidData
        If there is a single class, or no test row.
    """
    check_split(split)
    digests, made = digests_of(split), []
    for k in plan.chosen(len(split.train)):
        begin = time.perf_counter()
        certificate = make_neighbour_certificate(
            split.train, split.test.X, NeighbourVote(k=k), change=plan.change, digests=digests, scale=plan.scale
        )
        made.append(with_curve(certificate, split, time.perf_counter() - begin))
        if on_certified is not None:
            on_certified()
    return tuple(made)


def trusted_scale(split: Split, trusted: Dataset) -> Array:
    """Fit the scale of columns of mixed units to trusted rows.

    Parameters
    ----------
    split : Split
        Whose rows were encoded one by one.
    trusted : Dataset
        Rows that the attacker cannot change, encoded alike.

    Returns
    -------
    ndarray of shape (d,)
        One for columns that are compared as they stand.

    Raises
    ------
    InvalidArgument
        If there is no column to scale.
    """
    left = split.unscaled
    if left is None or not left.numbers or left.scale == "none":
        got = f"{split.name}, which has none"
        raise InvalidArgument("trusted", "nothing for data without columns to scale", got)
    values = trusted.X[:, : left.numbers]
    values = np.asarray(values.toarray() if issparse(values) else values)
    scale = np.ones(split.train.n_features)
    if treatment_of(values, scale=left.scale, counts=left.counts) == STANDARDISED:
        scale[: left.numbers] = fit_scaling(values, "trusted rows")[1]
    return scale


def verify_neighbours_of(certificate: PointwiseCertificate, split: Split) -> None:
    """Check a certificate of neighbours against the rows of a split.

    Raises
    ------
    CertificateRejected
        If it does not follow from them.
    """
    verify_neighbours(certificate, split.train, split.test.X, digests=digests_of(split))
