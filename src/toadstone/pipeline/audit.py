"""The whole audit: certificates, candidate attack, defences, suspects, one record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toadstone.attacks.collapse import CollapsedAttack
from toadstone.catalogue import names
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge
from toadstone.core.checks import check_count, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded, InvalidArgument, InvalidData
from toadstone.datasets.split import Split
from toadstone.kernels.losses import margin_loss
from toadstone.learners.norm_ridge import ridge_for_norm
from toadstone.pipeline.attack_search.audit_attacks import SUITE, ShortSearch, check_suite, make_attacks
from toadstone.pipeline.attack_search.search import SearchEffort
from toadstone.pipeline.certify import FILTERS, Certified, CertifyPlan, certify_split
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline, Progress
from toadstone.pipeline.harness.data_summary import digests, expressible, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.judge import Defence, judge_attacks, judge_poisons
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.harness.suspects import list_suspects
from toadstone.pipeline.harness.threat_model import ThreatModel, expected_quantile, settle_domain
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord, Defender, Evaluation, Threat
from toadstone.records.header import Source

CANDIDATE = "collapse"
_LEAST = "enough for the certificates and what every audit says besides"
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
    attacks : tuple of str
        What to try besides the certificate's own attack: attacks of the
        catalogue that add rows to raise the test error.
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
    attacks: tuple[str, ...] = SUITE
    seed: int = 0
    workers: int = 1
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        Budget(self.fraction)
        object.__setattr__(self, "attacks", check_suite(self.attacks))
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


@dataclass(frozen=True, eq=False)
class Audit:
    """Result of an audit.

    Parameters
    ----------
    record : AuditRecord
    certificate : Certificate
        At the audited fraction.
    poison : Poison or None
        The candidate attack; None at fraction zero.
    unfinished : str
        What there was no time for, in a sentence; empty if nothing.
    """

    record: AuditRecord
    certificate: Certificate
    poison: Poison | None
    unfinished: str = ""


def audit(
    split: Split,
    plan: AuditPlan,
    *,
    poisons: Mapping[str, Poison] | None = None,
    deadline: Deadline = UNLIMITED,
    on_stage: Progress = lambda stage: None,
    on_step: Callable[[], None] | None = None,
) -> Audit:
    """Certify, attack, defend and rank the rows of a data set.

    Parameters
    ----------
    split : Split
    plan : AuditPlan
    poisons : mapping from name to Poison, optional
        Other attacks to evaluate, besides the certificate's own.
    deadline : Deadline
        Attacks that have not been made and judged by then are left out; the
        certificates and their own attack are the least.
    on_stage : callable
        Called with the name of each stage as it begins.
    on_step : callable, optional
        Called `count_steps` times in all, for progress.

    Returns
    -------
    Audit

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used, or one of `poisons` breaks
        the budget or the domain, or the deadline passes before the
        certificates are there.
    """
    _check_poisons(split, plan, poisons or {})
    clock = Clock(on_stage)
    with clock.stage("certificates"):
        certified = certify_split(split, plan.fractions, plan.certificates, on_certified=_within(deadline, on_step))
    certificate = certified.certificates[plan.fractions.index(plan.fraction)]
    with clock.stage("candidate attack"):
        defence, origin = _defence(split.train, plan, certificate.setting.hypothesis, certified.hypothesis_origin)
        threat = _threat(split.train, plan, certificate.setting.domain, defence)
        poison = _candidate(split.train, certificate, certified, plan.seed)
    with clock.stage("suspects"):
        scorers = {name: defence.sanitizer(name) for name in names("sanitizer")}
        suspects = list_suspects(split.train, scorers, names=split.row_names, raw=split.raw, on_ranked=on_step)
    deadline.demand(_LEAST)
    with clock.stage("defences"):
        cells = judge_attacks(
            split,
            ({} if poison is None else {CANDIDATE: poison}) | dict(poisons or {}),
            tuple(scorers),
            defence,
            check=threat.check,
            fitted=scorers,
            workers=plan.workers,
            on_cell=on_step,
        )
    searched, unfinished = _Suite(split, plan, threat, deadline).judged(clock, on_step) if poison else ((), "")
    cells = _ordered((*cells, *searched), plan)
    record = AuditRecord(
        header=make_header("audit", command=plan.command, seed=plan.seed, digests=digests(split)),
        source=source_of(split, plan.source),
        data=summarize(split, certificate.setting.domain),
        threat=Threat(plan.fraction, "add", 0 if poison is None else certificate.budget.count(len(split.train))),
        defender=_defender(plan, certificate.setting.hypothesis, origin, cells),
        curve=certified.curve,
        evaluations=cells,
        suspects=suspects,
        assumptions=certificate.assumptions,
        not_promised=(*certificate.not_promised, *([f"It is unfinished: {unfinished}."] if unfinished else [])),
        timings=clock.seconds,
    )
    return Audit(record, certificate, poison, unfinished)


def _within(deadline: Deadline, on_step: Callable[[], None] | None) -> Callable[[], None]:
    """Count a certificate, and refuse to go on without time for the others: a bound needs all of them."""

    def step() -> None:
        if on_step is not None:
            on_step()
        deadline.demand(_LEAST)

    return step


@dataclass(frozen=True)
class _Suite:
    """The attacks besides the certificate's own, as far as there is time."""

    split: Split
    plan: AuditPlan
    threat: ThreatModel
    deadline: Deadline

    def judged(self, clock: Clock, on_step: Callable[[], None] | None) -> tuple[tuple[Evaluation, ...], str]:
        """Search the attacks and judge them; also say what there was no time for."""
        plan, threat = self.plan, self.threat
        search, tried = ShortSearch(threat, SearchEffort(plan.seed, plan.workers)), []
        made: dict[str, Poison] = {}
        with clock.stage("attacks"):
            for name in plan.attacks:
                if self.deadline.passed:
                    break
                made |= make_attacks((name,), search, on_made=on_step)
                tried.append(name)
        with clock.stage("defences"):
            for poison in made.values():
                threat.check(poison)
            cells = judge_poisons(
                self.split,
                made,
                names("sanitizer"),
                threat.defence,
                deadline=self.deadline,
                workers=plan.workers,
                on_cell=on_step,
            )
        judged = {cell.attack for cell in cells}
        late = [name for name in plan.attacks if name not in tried or (name in made and name not in judged)]
        return cells, self.deadline.unfinished(f"the attacks {', '.join(late)} were not tried") if late else ""


def _ordered(cells: Sequence[Evaluation], plan: AuditPlan) -> tuple[Evaluation, ...]:
    """Order cells by attack: none, ours, then the caller's."""
    ours = (NO_ATTACK, CANDIDATE, *plan.attacks)
    return tuple(sorted(cells, key=lambda cell: ours.index(cell.attack) if cell.attack in ours else len(ours)))


def _check_poisons(split: Split, plan: AuditPlan, poisons: Mapping[str, Poison]) -> None:
    """Refuse attacks of the caller's that break the budget or the domain.

    They are input; only an attack of ours breaks a contract.
    """
    known = expressible(split.train, settle_domain(split, plan.domain))
    for others in poisons.values():
        try:
            check_poison(others, split.train, Budget(plan.fraction), known)
        except BudgetExceeded as error:
            raise InvalidData(str(error)) from None


def refuse_taken_names(poisons: Collection[str], plan: AuditPlan) -> None:
    """Refuse attacks of the caller's that are named like one of the audit's.

    Raises
    ------
    InvalidArgument
        If there is one.
    """
    ours = (CANDIDATE, *plan.attacks)
    taken = sorted(set(ours) & set(poisons))
    if taken:
        raise InvalidArgument("poison", f"files of different names, none called {', '.join(ours)}", taken[0])


def count_steps(plan: AuditPlan, n_poisons: int = 0) -> int:
    """Count the calls of `on_step` in an audit; less often if some attack of the suite has no feasible row."""
    suite = len(plan.attacks) if plan.fraction > 0 else 0
    attacks = 1 + int(plan.fraction > 0) + suite + n_poisons
    return len(plan.fractions) + suite + attacks * (1 + len(names("sanitizer"))) + len(names("sanitizer"))


def best_error(evaluations: Sequence[Evaluation]) -> float:
    """The test error that the best sanitizer leaves under its worst attack.

    Without any attack, the error of the best sanitizer on clean rows.
    """
    attacked = [cell for cell in evaluations if cell.attack != NO_ATTACK] or list(evaluations)
    sanitizers = {cell.sanitizer for cell in attacked} - {NO_SANITIZER}
    return min(max(cell.test_error for cell in attacked if cell.sanitizer == name) for name in sanitizers)


def _candidate(train: Dataset, certificate: Certificate, certified: Certified, seed: int) -> Poison | None:
    if certificate.budget.count(len(train)) == 0:
        return None
    attack = CollapsedAttack.of(certificate, train.classes, certified.feasible_set)
    return attack.poison(train, certificate.budget, np.random.default_rng(seed))


def _threat(train: Dataset, plan: AuditPlan, domain: str, defence: Defence) -> ThreatModel:
    """Settle what the attacker knows: the training rows and the defences, whose filters it leaves some room."""
    quantile = expected_quantile(plan.contamination)
    return ThreatModel(train, Budget(plan.fraction), domain, defence, FILTERS, quantile)


def _defence(train: Dataset, plan: AuditPlan, hypothesis: NormBall | Ridge, origin: str) -> tuple[Defence, str]:
    """The ridge that the evaluated defender trains with, and where it comes from."""
    ridge = hypothesis.strength if isinstance(hypothesis, Ridge) else 0.0
    if isinstance(hypothesis, NormBall):
        ridge = ridge_for_norm(train.X, train.signs, hypothesis.squared_radius, loss=margin_loss(plan.loss))
        origin = f"{origin}; evaluated defences train with the ridge {ridge:.4g} that gives this norm on clean rows"
    return Defence(contamination=plan.contamination, ridge=ridge, loss=plan.loss, seed=plan.seed), origin


def _defender(plan: AuditPlan, hypothesis: NormBall | Ridge, origin: str, cells: Sequence[Evaluation]) -> Defender:
    ball = isinstance(hypothesis, NormBall)
    bare = next(cell for cell in cells if cell.attack == NO_ATTACK and cell.sanitizer == NO_SANITIZER)
    return Defender(
        learner="linear classifier",
        loss=plan.loss,
        wrong_row_loss=float(margin_loss(plan.loss).value(np.zeros(1))[0]),
        hypothesis="norm_ball" if ball else "ridge",
        hypothesis_value=hypothesis.squared_radius if isinstance(hypothesis, NormBall) else hypothesis.strength,
        hypothesis_origin=origin,
        removed_share=plan.contamination,
        certificate_quantile=plan.quantile,
        clean_test_error=bare.test_error,
    )
