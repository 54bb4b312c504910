"""Attacker and defender of one data set, settled before any attack is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from toadstone.core.arrays import Labels, Matrix
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Domain
from toadstone.datasets.split import Split
from toadstone.kernels.rows import fitting_domain
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.poison_check import check_poison

DOMAINS = ("auto", "real", "box", "integer")


@dataclass(frozen=True, eq=False)
class ThreatModel:
    """The budget, domain and feasible set of an attacker, and the defender that it attacks.

    Parameters
    ----------
    train : Dataset
        Clean rows, which the attacker knows.
    budget : Budget
    domain : {"real", "box", "integer"}
        Values that a row can have.
    defence : Defence
        The defender's sanitizers and model, which the attacker knows.
    filters : tuple of str
        Sanitizers that the attacker expects, some of
        `toadstone.pipeline.harness.filters.CONVEX`.
    quantile : float
        Of each class's clean scores by these filters, in [0.5, 1): what the
        attacker expects to pass them.
    """

    train: Dataset
    budget: Budget
    domain: str
    defence: Defence
    filters: tuple[str, ...]
    quantile: float

    @cached_property
    def feasible_set(self) -> ConvexSet:
        """Rows that pass the expected filters, fitted on the clean rows, within the domain."""
        return fit_filters(
            self.train, self.filters, quantile=self.quantile, domain=self.domain, ridge=self.defence.ridge
        )

    @cached_property
    def row_domain(self) -> Domain:
        """Values that a poison row may have at all."""
        return expressible(self.train, self.domain)

    @property
    def integer(self) -> bool:
        """True where features are whole numbers."""
        return self.domain == "integer"

    def refit(self, X: Matrix, y: Labels) -> ConvexSet:
        """Return the feasible set of the same filters fitted on other rows, such as poisoned ones."""
        # Points that are still moving are no whole numbers: the domain comes from the clean rows.
        fitted = fit_filters(
            Dataset(X, y), self.filters, quantile=self.quantile, domain="real", ridge=self.defence.ridge
        )
        return fitted.within(fit_domain(self.train.X, self.domain))

    def check(self, poison: Poison) -> None:
        """Refuse poison beyond the budget or the domain.

        Raises
        ------
        BudgetExceeded
            If the attack broke its contract.
        """
        check_poison(poison, self.train, self.budget, self.row_domain)


def expected_quantile(contamination: float) -> float:
    """Return the quantile that the filters pass where the attacker plans for twice what the defender removes.

    Parameters
    ----------
    contamination : float
        Share of each class that the defender removes.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.1.
    """
    return max(1 - 2 * contamination, 0.5)


def settle_domain(split: Split, domain: str) -> str:
    """Return the name of a domain; for ``"auto"`` the one of the data set, or else the one that fits the values.

    Raises
    ------
    InvalidArgument
        If there is no such domain.
    """
    if domain not in DOMAINS:
        raise InvalidArgument("domain", f"one of {', '.join(DOMAINS)}", domain)
    if domain != "auto":
        return domain
    return split.domain or fitting_domain(split.train.X)
