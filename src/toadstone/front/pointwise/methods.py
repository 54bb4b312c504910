"""Making and verifying certificates of single predictions, by the method that they are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split
from toadstone.front.inputs import Data, open_data
from toadstone.front.pointwise.intervals import IntervalResult, certify_intervals
from toadstone.front.pointwise.options import (
    Plan,
    PointwiseOptions,
    numbers_of,
    plan_of,
    request_for,
    with_trusted_scale,
)
from toadstone.front.pointwise.results import PointwiseResult, PointwiseVerifyResult
from toadstone.front.run import current_run
from toadstone.pipeline.certification.label_flips import FlipPlan, certify_label_flips_of, verify_label_flips_of
from toadstone.pipeline.certification.neighbours import NeighbourPlan, certify_neighbours_of, verify_neighbours_of
from toadstone.pipeline.certification.periods import certify_periods_of, period_settings, verify_periods_of
from toadstone.pipeline.certification.pointwise import FRACTIONS, OnCertified, Pointwise
from toadstone.pipeline.certification.targets import TargetThreat
from toadstone.pipeline.certification.votes import VALUES, VotePlan, certify_votes_of, verify_votes_of

_VERIFIERS: Mapping[str, Callable[[PointwiseCertificate, Split], None]] = {
    "label-flips": verify_label_flips_of,
    "votes": verify_votes_of,
    "neighbours": verify_neighbours_of,
    "temporal": verify_periods_of,
}


def certify_by(
    method: str,
    data: Data,
    request: Request,
    options: PointwiseOptions,
    *,
    fraction: float | Sequence[float] | None,
    norm_squared: float | None,
) -> PointwiseResult | IntervalResult:
    """Read data as a method needs them, and certify their test rows: intervals where the label is a number.

    Raises
    ------
    InvalidArgument
        If the method is unknown, an option is not for it, or a share is not in (0, 1].
    InvalidInput
        If the data cannot be certified so.
    """
    fractions = numbers_of(fraction) or FRACTIONS
    for one in fractions:
        check_within("(0, 1]", fraction=one)
    plan = plan_of(method, options, norm_squared=norm_squared)
    read_as = request_for(method, request, group=options.group, time=options.time)
    if request.regression:
        return certify_intervals(data, read_as, _flips_of(plan), TargetThreat(options.target_range, fractions))
    if options.target_range is not None:
        raise InvalidArgument("target_range", "nothing without a numeric target", options.target_range)
    given = open_data(data, read_as)
    plan = with_trusted_scale(plan, given, options.trusted)
    watch = current_run("certify").watch
    watch.announce("certificates")
    return PointwiseResult(given, _certified(given.split, plan, watch.step), fractions)


def verify_by(certificate: PointwiseCertificate, data: Data, request: Request) -> PointwiseVerifyResult:
    """Read data as they were for a certificate of single predictions, and check it, training nothing.

    Raises
    ------
    CertificateRejected
        If the data are others, or it does not follow from them.
    """
    group, time = _circumstances_of(certificate)
    given = open_data(data, request_for(certificate.method, request, group=group, time=time))
    verifier = _VERIFIERS.get(certificate.method)
    if verifier is None:
        raise InvalidArgument("certificate", f"one by {', '.join(_VERIFIERS)}", certificate.method)
    verifier(certificate, given.split)
    return PointwiseVerifyResult(given, certificate)


def _flips_of(plan: Plan) -> FlipPlan:
    if not isinstance(plan, FlipPlan) or plan.partitions:
        expected = "the method label-flips, without partitions, for a numeric target"
        raise InvalidArgument("regression", expected, "another")
    return plan


def _certified(split: Split, plan: Plan, on_certified: OnCertified) -> tuple[Pointwise, ...]:
    if isinstance(plan, FlipPlan):
        return certify_label_flips_of(split, plan, on_certified=on_certified)
    if isinstance(plan, NeighbourPlan):
        return certify_neighbours_of(split, plan, on_certified=on_certified)
    if isinstance(plan, VotePlan):
        return certify_votes_of(split, plan, on_certified=on_certified)
    return certify_periods_of(split, plan, on_certified=on_certified)


def _circumstances_of(certificate: PointwiseCertificate) -> tuple[str | None, str | None]:
    """Return the columns of sources and of times that a certificate was made with, None where it was made without.

    Raises
    ------
    CertificateRejected
        If it is about periods, and names no column.
    """
    group = certificate.settings.get("group")
    time = period_settings(certificate)[0] if certificate.method == "temporal" else None
    return (group.removeprefix(VALUES) if isinstance(group, str) else None), time
