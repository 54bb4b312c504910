"""Certify predictions against all that arrived within some periods, by votes of models of other periods."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from toadstone.certificates.pointwise.votes import verify_votes
from toadstone.core.arrays import IntArray
from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.datasets.split import Split
from toadstone.kernels.votes.grouped import THREATS, Periods
from toadstone.pipeline.certification.alone import Alone
from toadstone.pipeline.certification.pointwise import OnCertified, Pointwise, check_split, digests_of
from toadstone.pipeline.certification.votes import DEFAULT_VOTERS, Voters, certify_schemes
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.scanning.source_values import holds_dates, times_of

_SECONDS_A_DAY = 86_400.0
_WORDS = re.compile(r"periods of (?P<length>[0-9.e+-]{1,24})(?: days)? by (?P<column>.+)")


@dataclass(frozen=True)
class PeriodPlan:
    """Periods of equal length, and the model that is trained on each.

    Parameters
    ----------
    time : str
        Column of dates or numbers. It must be the time of arrival, which the
        attacker does not choose.
    length : float
        Days of a period, or units of a column of numbers. Periods begin at
        zero, or 1970, whatever the rows are.
    span : int
        Successive periods that a model is trained on.
    voters : Voters

    Raises
    ------
    InvalidArgument
        If the length is not positive, or the span less than one.
    """

    time: str
    length: float
    span: int = 1
    voters: Voters = DEFAULT_VOTERS

    def __post_init__(self) -> None:
        check_positive(period=self.length)
        check_count(span=self.span)


def certify_periods_of(split: Split, plan: PeriodPlan, *, on_certified: OnCertified = None) -> tuple[Pointwise, ...]:
    """Certify the test rows against poison in successive periods, whenever they were, and in the most recent ones.

    Parameters
    ----------
    split : Split
    plan : PeriodPlan
    on_certified : callable, optional
        Called at the end of each, for progress.

    Raises
    ------
    InvalidArgument
        If there is no such column, or fewer periods than a model needs.
    InvalidData
        If there is a single class, no test row, or a row without a time.
    """
    check_split(split)
    days = " days" if holds_dates(split, plan.time) else ""
    words = f"periods of {plan.length:g}{days} by {plan.time}"
    schemes = [Periods(span=plan.span, threat=threat, period=words) for threat in THREATS]
    groups = _periods(split, plan.time, plan.length).tolist()
    found = certify_schemes(split, schemes, groups, plan.voters, on_certified=on_certified)
    return tuple(replace(one, alone=_named(one.alone, plan.length, dates=bool(days))) for one in found)


def _named(alone: Alone | None, length: float, *, dates: bool) -> Alone | None:
    """Name periods by when they begin instead of by their number."""
    if alone is None:
        return None
    starts = [int(name) * length for name in alone.names]
    if not dates:
        return replace(alone, names=tuple(f"{start:.10g}" for start in starts))
    whole = float(length).is_integer()
    moments = [np.datetime64(round(start * _SECONDS_A_DAY), "s") for start in starts]
    return replace(alone, names=tuple(str(moment)[: 10 if whole else None] for moment in moments))


def verify_periods_of(certificate: PointwiseCertificate, split: Split) -> None:
    """Check a certificate of periods against the rows of a split.

    Raises
    ------
    CertificateRejected
        If it does not follow from them.
    """
    time, length = period_settings(certificate)
    verify_votes(certificate, split.train, digests=digests_of(split), groups=_periods(split, time, length).tolist())


def period_settings(certificate: PointwiseCertificate) -> tuple[str, float]:
    """Return the column and the length of the periods of a certificate.

    Raises
    ------
    CertificateRejected
        If it names none.
    """
    found = _WORDS.fullmatch(str(certificate.settings.get("period")))
    try:
        length = float(found["length"]) if found else 0.0
    except ValueError:
        length = 0.0
    if found is None or not 0 < length < np.inf:
        raise CertificateRejected("settings: expected periods of some length by a column, got others")
    return found["column"], length


def _periods(split: Split, column: str, length: float) -> IntArray:
    """Number the periods of the training rows."""
    times = times_of(split, split.train, column)
    missing = np.flatnonzero(np.isnan(times))
    if len(missing):
        where = split.row_names.full(int(ids_of(split.train)[missing[0]]))
        raise InvalidData(f"{column}: expected a time in every row, got none in {where}")
    unit = _SECONDS_A_DAY if holds_dates(split, column) else 1.0
    return np.floor(times / (length * unit)).astype(np.int64)
