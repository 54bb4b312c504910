"""The largest budget whose certified bound stays below a limit: what no attack with fewer rows can reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from toadstone.certificates.saddle.certify import Claim, certify_saddle
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.kernels.sets.sets import ConvexSet

_FIRST_SHARE, _SHRINK, _MOST_SOLVED = 0.01, 8, 16
_SLACK = 1e-12


@dataclass(frozen=True)
class CertifiedBudget:
    """Rows that provably do not suffice, and the certificate that says so.

    Parameters
    ----------
    rows : int
        With so many added rows the certified bound is below the limit.
    certificate : Certificate or None
        At that budget; None where already one row may reach the limit.
    bound_beyond : float
        What is proved about one row more.
    """

    rows: int
    certificate: Certificate | None
    bound_beyond: float


def certify_budget(
    data: Dataset,
    feasible_set: ConvexSet,
    setting: Setting,
    claim: Claim,
    *,
    limit: float,
    tolerance: float = 1e-4,
    seed: int = 0,
    on_certified: Callable[[], None] | None = None,
) -> CertifiedBudget:
    """Find the largest number of added rows whose certified bound is below a limit.

    Every model gives a bound that is linear in the fraction, and the least of
    these lines is concave; following the line of the best model at a fraction
    to the limit is thus Newton's method, and never goes too far.

    Parameters
    ----------
    data, feasible_set, setting, claim
        As for `certify_saddle`.
    limit : float
        Of the objective that the certificate bounds.
    tolerance : float
        Relative gap at which a solution for one fraction stops.
    seed : int
    on_certified : callable, optional
        Called after each fraction solved for, for progress.

    Returns
    -------
    CertifiedBudget
        Below half as many rows as there are clean ones.
    """
    n = len(data)
    most = (n - 1) // 2

    def solve(rows: int) -> Certificate:
        (found,) = certify_saddle(
            data, feasible_set, [Budget(rows / n)], setting, claim, tolerance=tolerance, seed=seed
        )
        if on_certified is not None:
            on_certified()
        return found.certificate

    rows = min(max(1, round(_FIRST_SHARE * n)), most)
    found = solve(rows)
    # A model for many rows may say nothing about few.
    while _line(found, 0.0) >= limit and rows > 1:
        rows = max(1, rows // _SHRINK)
        found = solve(rows)
    held, proof, ahead = 0, None, _last_below(found, limit, most, n)
    for _ in range(_MOST_SOLVED):
        # A line that ends between two numbers of rows says nothing about the larger one; its own model may.
        ahead = max(ahead, held + 1)
        if ahead > most:
            break
        made = found if found.budget.fraction == ahead / n else solve(ahead)
        if made.bound < limit:
            held, proof, found = ahead, made, made
            ahead = _last_below(made, limit, most, n)
        elif ahead == held + 1:
            break
        else:
            # The search for the best model stopped a little short of the line that led here.
            ahead = (held + ahead) // 2
    return CertifiedBudget(held, proof, _line(found, (held + 1) / n))


def _line(certificate: Certificate, fraction: float) -> float:
    """Bound the objective at another fraction by the model of a certificate, rounded up."""
    hypothesis = certificate.setting.hypothesis
    penalty = 0.0
    if isinstance(hypothesis, Ridge):
        penalty = 0.5 * hypothesis.strength * float(certificate.theta @ certificate.theta)
    change = (fraction - certificate.budget.fraction) * (certificate.poison_loss + penalty)
    return certificate.bound + change + _SLACK * (certificate.bound + abs(change))


def _last_below(certificate: Certificate, limit: float, most: int, n: int) -> int:
    """Return the largest number of rows at which the line of a certificate is below a limit; 0 if it never is."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _line(certificate, middle / n) < limit else (low, middle)
    return low
