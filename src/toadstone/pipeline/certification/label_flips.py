"""Certify the predictions of ridge regression for the test rows of a data set, against changed labels."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from toadstone.certificates.pointwise.flip_votes import certify_flip_votes, verify_flip_votes
from toadstone.certificates.pointwise.label_flips import certify_ridges, verify_label_flips
from toadstone.certificates.pointwise.label_learners import LabelLinearLearner, Sources
from toadstone.core.arrays import Mask, Matrix
from toadstone.core.errors import CertificateRejected, InvalidArgument
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.datasets.split import Split
from toadstone.kernels.label_response.attack_on_all import flips_on_all
from toadstone.kernels.label_response.collective import most_flipped
from toadstone.kernels.label_response.ridge import RidgeGram, RidgeResponse
from toadstone.kernels.linear.fit import Bias
from toadstone.kernels.rows import squared_distances
from toadstone.kernels.votes.schemes import DisjointParts
from toadstone.pipeline.certification.alone import Alone, alone_in_labels
from toadstone.pipeline.certification.pointwise import (
    OnCertified,
    Pointwise,
    check_split,
    digests_of,
    label_positions,
    sources_of_train,
    with_curve,
)

_BIAS: Bias = "regularized"
_MOST_SHARES = 2 * 10**9
"""Shares of leads, by row, query and rival, up to which the collective bound is computed: that takes half a minute."""

_WEAKEST, _STRONGEST = 1e-4, 3e-2
"""Default penalties for each row, as a share of the mean squared length of a row."""


@dataclass(frozen=True)
class FlipPlan:
    """Penalties of ridge regression, and who may change labels.

    Parameters
    ----------
    ridges : tuple of float
        Penalties for each row: lambda of ``X'X + lambda I`` is as many times
        the number of rows. By default powers of ten and their triples that
        suit the length of the rows.
    group : str, optional
        Column of the source of each row; all labels of a source may change.
    partitions : tuple of int
        Numbers of models that vote, each of its own part of the rows, with
        penalties for each row of the part; one model of all rows by default.

    Raises
    ------
    InvalidArgument
        If there are both sources and parts.
    """

    ridges: tuple[float, ...] = ()
    group: str | None = None
    partitions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.group is not None and self.partitions:
            raise InvalidArgument("partitions", "nothing beside group for the method label-flips", self.partitions)


def default_ridges(X: Matrix) -> tuple[float, ...]:
    """Choose penalties without looking at a label: lambda is 1, 3, 10, 30 and so on, in proportion to the rows.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)

    Returns
    -------
    tuple of float
        Ascending, for each row.
    """
    n = X.shape[0]
    total = float(squared_distances(X, np.zeros(X.shape[1])).sum()) or float(n)
    lowest, highest = math.log10(_WEAKEST * total), math.log10(_STRONGEST * total)
    steps = [10.0**power * unit for power in range(math.floor(lowest), math.ceil(highest) + 1) for unit in (1.0, 3.0)]
    return tuple(step / n for step in steps if _WEAKEST * total <= step <= _STRONGEST * total)


def certify_label_flips_of(split: Split, plan: FlipPlan, *, on_certified: OnCertified = None) -> tuple[Pointwise, ...]:
    """Certify the test rows, once for each penalty.

    Parameters
    ----------
    split : Split
    plan : FlipPlan
    on_certified : callable, optional
        Called at the end of each penalty, for progress.

    Raises
    ------
    InvalidArgument
        If a penalty is not positive, or there is no such column.
    InvalidData
        If there is a single class, no test row, or a row without a source.
    """
    check_split(split)
    ridges = plan.ridges or default_ridges(split.train.X)
    if plan.partitions:
        return _certify_votes(split, plan.partitions, ridges, on_certified)
    sources, begin = _sources(split, plan.group), time.perf_counter()
    gram = RidgeGram(split.train.X, bias=_BIAS)
    made = certify_ridges(split.train, split.test.X, ridges, digests=digests_of(split), sources=sources, gram=gram)
    each = (time.perf_counter() - begin) / len(ridges)
    small = len(split.train) * len(split.test) * (len(split.train.classes) - 1) <= _MOST_SHARES
    found = tuple(
        with_curve(
            certificate,
            split,
            each,
            together=partial(_changed_together, split, gram, certificate, sources) if small else None,
            attack=partial(_attacked, split, gram, certificate, sources),
            alone=_alone(split, gram, certificate, plan.group),
        )
        for certificate in made
    )
    if on_certified is not None:
        for _ in found:
            on_certified()
    return found


def _certify_votes(
    split: Split, partitions: Sequence[int], ridges: Sequence[float], on_certified: OnCertified
) -> tuple[Pointwise, ...]:
    schemes = [DisjointParts(number) for number in sorted(set(partitions))]
    if schemes[-1].n_voters > len(split.train):
        expected = f"at most one for each of the {len(split.train)} training rows"
        raise InvalidArgument("partitions", expected, schemes[-1].n_voters)
    digests, found = digests_of(split), []
    for scheme in schemes:
        for ridge in ridges:
            begin, learner = time.perf_counter(), LabelLinearLearner("ridge", ridge=float(ridge), bias=_BIAS)
            made = certify_flip_votes(split.train, split.test.X, scheme, learner, digests=digests)
            found.append(with_curve(made, split, time.perf_counter() - begin))
            if on_certified is not None:
                on_certified()
    return tuple(found)


def verify_label_flips_of(certificate: PointwiseCertificate, split: Split) -> None:
    """Check a certificate against the rows of a split.

    Raises
    ------
    CertificateRejected
        If it does not follow from them.
    """
    if "scheme" in certificate.settings:
        verify_flip_votes(certificate, split.train, split.test.X, digests=digests_of(split))
        return
    group = certificate.settings.get("group")
    if group is not None and not isinstance(group, str):
        raise CertificateRejected("settings: expected the name of a column as group, got a number")
    verify_label_flips(
        certificate, split.train, split.test.X, digests=digests_of(split), sources=_sources(split, group)
    )


def _changed_together(
    split: Split,
    gram: RidgeGram,
    certificate: PointwiseCertificate,
    sources: Sources | None,
    queries: Mask,
    units: Sequence[int],
) -> list[int]:
    chosen = np.flatnonzero(queries)
    return most_flipped(
        RidgeResponse(gram, ridge=float(certificate.settings["ridge"])),
        np.searchsorted(split.train.classes, split.train.y),
        split.test.X[chosen],
        certificate.counts[chosen],
        n_classes=len(split.train.classes),
        units=units,
        groups=None if sources is None else sources.codes,
    )


def _attacked(
    split: Split, gram: RidgeGram, certificate: PointwiseCertificate, sources: Sources | None, units: int
) -> float:
    """Return the share of test rows that are right after the best flips against all of them that are found."""
    return flips_on_all(
        RidgeResponse(gram, ridge=float(certificate.settings["ridge"])),
        np.searchsorted(split.train.classes, split.train.y),
        split.test.X,
        label_positions(split),
        n_classes=len(split.train.classes),
        n_units=units,
        groups=None if sources is None else sources.codes,
    )[1]


def _alone(split: Split, gram: RidgeGram, certificate: PointwiseCertificate, column: str | None) -> Alone | None:
    if column is None:
        return None
    response = RidgeResponse(gram, ridge=float(certificate.settings["ridge"]))
    return alone_in_labels(response, split.train, split.test.X, sources_of_train(split, column))


def _sources(split: Split, column: str | None) -> Sources | None:
    if column is None:
        return None
    codes = np.unique(sources_of_train(split, column), return_inverse=True)[1]
    return Sources(column, codes.astype(np.int64))
