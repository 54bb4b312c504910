"""Certify the predictions of nearest neighbours for the test rows of a data set."""

from __future__ import annotations

import time
from dataclasses import dataclass

from toadstone.certificates.pointwise.neighbours import NeighbourVote, make_neighbour_certificate, verify_neighbours
from toadstone.core.pointwise import PointwiseCertificate
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


@dataclass(frozen=True)
class NeighbourPlan:
    """Numbers of neighbours, and what the attacker does to a row.

    Parameters
    ----------
    k : tuple of int
        Numbers of neighbours; by default three odd ones between half a
        per cent and 15 % of the training rows.
    change : {"modify", "insert", "delete"}
    """

    k: tuple[int, ...] = ()
    change: Change = "modify"

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
            split.train, split.test.X, NeighbourVote(k=k), change=plan.change, digests=digests
        )
        made.append(with_curve(certificate, split, time.perf_counter() - begin))
        if on_certified is not None:
            on_certified()
    return tuple(made)


def verify_neighbours_of(certificate: PointwiseCertificate, split: Split) -> None:
    """Check a certificate of neighbours against the rows of a split.

    Raises
    ------
    CertificateRejected
        If it does not follow from them.
    """
    verify_neighbours(certificate, split.train, split.test.X, digests=digests_of(split))
