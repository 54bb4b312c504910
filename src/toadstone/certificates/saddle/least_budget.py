"""The largest budget whose certified bound stays below a limit: what no attack with fewer rows can reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from toadstone.certificates.saddle.certify import Claim, certify_saddle, pose
from toadstone.certificates.saddle.changed_rows import ChangedProof, prove_changes
from toadstone.certificates.saddle.changes import certify_changes
from toadstone.core.arrays import Array
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
        With so many rows the certified bound is below the limit.
    certificate : Certificate or None
        At that budget; None where already one row may reach the limit.
    bound_beyond : float
        What is proved about one row more: its clean bound.
    """

    rows: int
    certificate: Certificate | None
    bound_beyond: float


@dataclass(frozen=True)
class HarmLimit:
    """Least objective, and number of wrong rows, of a model that does a harm, on the clean rows as they were.

    Parameters
    ----------
    objective : float
        Its mean hinge loss on them, penalty included.
    wrong : int, optional
        How many of them it classifies wrongly, where that is the harm.
    """

    objective: float
    wrong: int | None = None

    def ruled_out(self, bound: float, clean_bound: float, *, changed: int, n: int) -> bool:
        """Return True if bounds of training objective and clean objective exclude the harm.

        Parameters
        ----------
        bound, clean_bound : float
            For the hinge loss, rounded up.
        changed : int
            Rows flipped or replaced.
        n : int
            Clean rows.
        """
        if clean_bound < self.objective:
            return True
        # Wrong rows that were not changed cost at least one each; at most `changed` others are wrong.
        return self.wrong is not None and n * bound * (1 + _SLACK) < self.wrong - changed


@dataclass(frozen=True)
class SearchEffort:
    """Accuracy of each solution, and the seed of the search.

    Parameters
    ----------
    tolerance : float
        Relative gap at which a solution for one number of rows stops.
    seed : int
    on_certified : callable, optional
        Called after each number solved for, for progress.
    """

    tolerance: float = 1e-4
    seed: int = 0
    on_certified: Callable[[], None] | None = None


_EFFORT = SearchEffort()


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


def certify_changed_budget(
    data: Dataset,
    feasible_set: ConvexSet,
    setting: Setting,
    claim: Claim,
    *,
    kind: Literal["flip", "replace"],
    harm: HarmLimit,
    effort: SearchEffort = _EFFORT,
) -> CertifiedBudget:
    """Find the largest number of flipped or replaced rows that are certified not to do a harm.

    The trained model does not see these rows as they were, so that the bound
    of its training says nothing about their loss. It is ruled out by the
    `Certificate.clean_bound`, of the clean objective with these rows as they
    were, below the limit; or, where the harm is a number of wrong rows, by
    `error_bound`, for which all changed rows count as wrong.

    Parameters
    ----------
    data, feasible_set, setting, claim
        As for `certify_changes`.
    kind : {"flip", "replace"}
    harm : HarmLimit
    effort : SearchEffort

    Returns
    -------
    CertifiedBudget
        Below half as many rows as there are clean ones.
    """
    n, problem = len(data), pose(data, feasible_set, setting)
    proofs: list[ChangedProof] = []

    def solve(rows: int) -> Certificate:
        budget = Budget(rows / n, kind)
        (found,) = certify_changes(
            data, feasible_set, [budget], setting, claim, tolerance=effort.tolerance, seed=effort.seed
        )
        made = found.certificate
        for theta, multipliers in _models(made):
            proofs.append(prove_changes(problem, theta, multipliers, flipped=kind == "flip"))
        if effort.on_certified is not None:
            effort.on_certified()
        return made

    def proven(rows: int) -> bool:
        bounds = min(one.bound(rows) for one in proofs), min(one.clean_bound(rows) for one in proofs)
        return harm.ruled_out(*bounds, changed=rows, n=n)

    held, proof, beyond = 0, None, solve(0).clean_bound
    high, ahead = (n - 1) // 2 + 1, _last_proven(proven, (n - 1) // 2)
    for _ in range(_MOST_SOLVED):
        if high - held <= 1:
            break
        # Beyond what the known models prove a model of its own may prove more.
        rows = ahead if ahead > held else held + max(1, min(held // 4, (high - held) // 2))
        rows = min(rows, high - 1)
        made = solve(rows)
        if harm.ruled_out(made.bound, made.clean_bound, changed=rows, n=n):
            held, proof, ahead = rows, made, max(rows, _last_proven(proven, high - 1))
        else:
            high, beyond = rows, made.clean_bound
    return CertifiedBudget(held, proof, beyond)


def _models(certificate: Certificate) -> list[tuple[Array, Array]]:
    changed = certificate.changed
    found = [(certificate.theta, certificate.multipliers)]
    return found if changed is None else [*found, (changed.theta, changed.multipliers)]


def _last_proven(proven: Callable[[int], bool], most: int) -> int:
    """Return the largest number of rows for which something is proven; 0 if for none."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if proven(middle) else (low, middle)
    return low


def rows_below(certificates: Sequence[Certificate], limit: float, n: int) -> int:
    """Return the largest number of added rows for which the model of some certificate proves a bound below a limit.

    Parameters
    ----------
    certificates : sequence of Certificate
        Against added rows.
    limit : float
    n : int
        Clean rows, half of which at most are certified.
    """
    lines = (_last_below(certificate, limit, (n - 1) // 2, n) for certificate in certificates)
    return max(lines, default=0)


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
    return _last_proven(lambda rows: _line(certificate, rows / n) < limit, most)
