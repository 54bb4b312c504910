"""Options of an audit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from toadstone.catalogue import names, unknown
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.attack_search.audit_attacks import SUITE, SUITE_OF_SEVERAL, check_suite, settle_suite
from toadstone.pipeline.certify import CertifyPlan
from toadstone.pipeline.harness.judge import VERDICT
from toadstone.records.header import Source

CANDIDATE = "collapse"
"""The certificate's own attack."""

DEFENCES = (*names("sanitizer"), VERDICT)
"""Defences of an audit by default: every sanitizer, and the verdict."""

_CURVE = (0.0, 1 / 3, 2 / 3, 1.0, 4 / 3, 5 / 3)


@dataclass(frozen=True)
class AuditPlan:
    """Options of an audit.

    Parameters
    ----------
    fraction : float
        Added rows for each clean row, in [0, 0.5).
    quantile : float
        Of the certificate's filters, in [0.5, 1).
    hypothesis : NormBall or Ridge, optional
        Models of the certificate; a ridge chosen by cross-validation by default.
    domain : {"auto", "real", "box", "integer"}
    loss : str
    contamination : float
        Share of each class that the evaluated defences remove.
    tolerance : float, optional
        Relative gap at which certificates stop; see `certify_split`.
    attacks : tuple of str, optional
        What to try besides the certificate's own attack: attacks of the
        catalogue that add rows to raise the test error. By default those that
        suit the number of classes.
    defences : tuple of str
        Sanitizers of the catalogue, and the verdict.
    model : estimator, optional
        A model of the user's on the prepared features, to train and report in
        place of a linear one.
    model_name : str
        What it is called.
    seed : int
    workers : int
        Processes; results do not depend on it.
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str
        What the user typed, for the report.
    """

    fraction: float
    quantile: float = 0.95
    hypothesis: NormBall | Ridge | None = None
    domain: str = "auto"
    loss: str = "hinge"
    contamination: float = 0.05
    tolerance: float | None = None
    attacks: tuple[str, ...] | None = None
    defences: tuple[str, ...] = DEFENCES
    model: Any = None
    model_name: str = ""
    seed: int = 0
    workers: int = 1
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        Budget(self.fraction)
        if self.attacks is not None:
            object.__setattr__(self, "attacks", check_suite(self.attacks))
        _check_defences(self.defences)
        check_count(workers=self.workers)
        check_within("(0, 0.5)", remove=self.contamination)
        check_within("[0.5, 1)", quantile=self.quantile)
        if self.tolerance is not None:
            check_within("(0, 1)", tolerance=self.tolerance)

    @property
    def certificates(self) -> CertifyPlan:
        """Plan of the certificates."""
        return CertifyPlan(self.quantile, self.hypothesis, self.domain, self.loss, self.tolerance, self.seed)

    @property
    def fractions(self) -> tuple[float, ...]:
        """The fractions of the curve, the audited one among them."""
        if self.fraction == 0:
            return (0.0,)
        grid = [self.fraction if step == 1 else round(self.fraction * step, 6) for step in _CURVE]
        return tuple(sorted({value for value in grid if value < 0.5}))

    def settled(self, n_classes: int) -> tuple[str, ...]:
        """Return the attacks that are tried besides the certificate's own; none where the fraction buys no row."""
        return settle_suite(self.attacks, n_classes) if self.fraction > 0 else ()


def refuse_taken_names(poisons: Collection[str], plan: AuditPlan) -> None:
    """Refuse attacks of the caller's that are named like one of the audit's.

    Raises
    ------
    InvalidArgument
        If there is one.
    """
    default = tuple(dict.fromkeys((*SUITE, *SUITE_OF_SEVERAL)))
    ours = (CANDIDATE, *(default if plan.attacks is None else plan.attacks))
    taken = sorted(set(ours) & set(poisons))
    if taken:
        raise InvalidArgument("poison", f"files of different names, none called {', '.join(ours)}", taken[0])


def count_steps(plan: AuditPlan, n_classes: int = 2, n_poisons: int = 0) -> int:
    """Count the calls of `on_step` in an audit; less often if some attack of the suite has no feasible row."""
    suite, certified = len(plan.settled(n_classes)), n_classes == 2
    attacks = 1 + int(plan.fraction > 0 and certified) + suite + n_poisons
    return len(plan.fractions) * certified + suite + attacks * (1 + len(plan.defences)) + len(plan.defences)


def _check_defences(chosen: Sequence[str]) -> None:
    for name in chosen:
        if name not in DEFENCES:
            raise unknown("defences", DEFENCES, name)
    if not chosen or len(set(chosen)) < len(chosen):
        raise InvalidArgument("defences", f"some of {', '.join(DEFENCES)}, each once", ",".join(chosen) or "none")
