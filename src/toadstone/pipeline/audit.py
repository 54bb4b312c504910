"""The whole audit: certificates, candidate attack, defences, suspects, one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from toadstone.attacks.collapse import CollapsedAttack
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded, InvalidArgument, InvalidData
from toadstone.datasets.split import Split
from toadstone.kernels.losses import margin_loss
from toadstone.learners.norm_ridge import ridge_for_norm
from toadstone.pipeline.attack_search.audit_attacks import ShortSearch, make_attacks
from toadstone.pipeline.attack_search.search import SearchEffort
from toadstone.pipeline.audit_plan import CANDIDATE, AuditPlan
from toadstone.pipeline.certify import FILTERS, Certified, certify_split
from toadstone.pipeline.costing.curve import cost_curve
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline, Progress
from toadstone.pipeline.harness.data_summary import digests, expressible, summarize
from toadstone.pipeline.harness.defender import settle_defence
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.judge import ONE_AGAINST_THE_REST, Defence, judge_attacks, judge_poisons
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.harness.suspects import list_suspects
from toadstone.pipeline.harness.threat_model import ThreatModel, expected_quantile, settle_domain
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord, CostPoint, Defender, Evaluation, Threat

_LEAST = "enough for the certificates and what every audit says besides"
_SEVERAL = (
    "No bound is certified: there are {count} classes, and an audit certifies two (`toadstone certify` any number). "
    "What follows was measured, and a stronger attack may exist."
)
_OWN_MODEL = (
    "It does not cover your model, {name}: the bound is for linear models, and the test errors are those of yours."
)


@dataclass(frozen=True, eq=False)
class Audit:
    """Result of an audit.

    Parameters
    ----------
    record : AuditRecord
    certificate : Certificate or None
        At the audited fraction; None for three and more classes.
    poison : Poison or None
        The candidate attack; None at fraction zero, and without a
        certificate.
    unfinished : str
        What there was no time for, in a sentence; empty if nothing.
    """

    record: AuditRecord
    certificate: Certificate | None
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

    Three and more classes are attacked and defended, and have no certificate.

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
    ground = _ground(split, plan, clock, _within(deadline, on_step))
    with clock.stage("suspects"):
        scorers = {name: ground.defence.filter(name) for name in plan.defences}
        suspects = list_suspects(split.train, scorers, names=split.row_names, raw=split.raw, on_ranked=on_step)
    deadline.demand(_LEAST)
    poison, trained = ground.poison, replace(ground.defence, own=plan.model)
    with clock.stage("defences"):
        cells = judge_attacks(
            split,
            ({} if poison is None else {CANDIDATE: poison}) | dict(poisons or {}),
            plan.defences,
            trained,
            check=ground.threat.check,
            fitted=scorers,
            workers=plan.workers,
            on_cell=on_step,
        )
    suite = _Suite(split, plan, ground.threat, trained, deadline)
    searched, unfinished = suite.judged(clock, on_step)
    cells = _ordered((*cells, *searched), plan, len(split.train.classes))
    certificate = ground.certificate
    record = AuditRecord(
        header=make_header("audit", command=plan.command, seed=plan.seed, digests=digests(split)),
        source=source_of(split, plan.source),
        data=summarize(split, ground.threat.domain),
        threat=Threat(plan.fraction, "add", ground.threat.budget.count(len(split.train))),
        defender=_defender(plan, ground, cells),
        curve=() if ground.certified is None else ground.certified.curve,
        no_certificate="" if certificate else _SEVERAL.format(count=len(split.train.classes)),
        evaluations=cells,
        suspects=suspects,
        assumptions=certificate.assumptions if certificate else (),
        not_promised=_not_promised(plan, certificate, unfinished),
        cost=_costs(suite, ground, clock),
        timings=clock.seconds,
    )
    return Audit(record, certificate, poison, unfinished)


@dataclass(frozen=True, eq=False)
class _Ground:
    """The linear defender that attacks aim at, and the certificate where there are two classes."""

    defence: Defence
    origin: str
    hypothesis: NormBall | Ridge
    threat: ThreatModel
    certified: Certified | None = None
    certificate: Certificate | None = None
    poison: Poison | None = None


def _ground(split: Split, plan: AuditPlan, clock: Clock, on_certified: Callable[[], None]) -> _Ground:
    if len(split.train.classes) > 2:
        return _uncertified(split, plan, clock)
    with clock.stage("certificates"):
        certified = certify_split(split, plan.fractions, plan.certificates, on_certified=on_certified)
    certificate = certified.certificates[plan.fractions.index(plan.fraction)]
    hypothesis = certificate.setting.hypothesis
    with clock.stage("candidate attack"):
        defence, origin = _defence(split.train, plan, hypothesis, certified.hypothesis_origin)
        threat = _threat(split.train, plan, certificate.setting.domain, defence)
        poison = _candidate(split.train, certificate, certified, plan.seed)
    return _Ground(defence, origin, hypothesis, threat, certified, certificate, poison)


def _uncertified(split: Split, plan: AuditPlan, clock: Clock) -> _Ground:
    """Settle the defender of three and more classes, for which there is no certificate."""
    if isinstance(plan.hypothesis, NormBall):
        raise InvalidArgument("norm_squared", "two classes beside it", f"{len(split.train.classes)}")
    if plan.loss != "hinge":
        raise InvalidArgument("loss", "hinge, as there are more than two classes", plan.loss)
    ridge = None if plan.hypothesis is None else plan.hypothesis.strength
    with clock.stage("choosing the ridge"):
        defence, origin = settle_defence(
            split, learner=None, ridge=ridge, contamination=plan.contamination, seed=plan.seed
        )
    threat = _threat(split.train, plan, settle_domain(split, plan.domain), defence)
    return _Ground(defence, origin, Ridge(defence.ridge), threat)


def _costs(suite: _Suite, ground: _Ground, clock: Clock) -> tuple[CostPoint, ...]:
    """Say which numbers of rows some errors take, where certificates are of the model that attacks aim at."""
    plan = suite.plan
    if ground.certified is None or isinstance(ground.hypothesis, NormBall) or plan.loss != "hinge":
        return ()
    if suite.deadline.passed:
        return ()
    poisons = suite.made if ground.poison is None else {CANDIDATE: ground.poison, **suite.made}
    with clock.stage("cost"):
        return cost_curve(suite.split.train, ground.certified.certificates, poisons, ground.defence, seed=plan.seed)


def _not_promised(plan: AuditPlan, certificate: Certificate | None, unfinished: str) -> tuple[str, ...]:
    said = list(certificate.not_promised) if certificate else []
    if certificate and plan.model is not None:
        said.append(_OWN_MODEL.format(name=plan.model_name))
    return (*said, *([f"It is unfinished: {unfinished}."] if unfinished else []))


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
    trained: Defence
    deadline: Deadline
    made: dict[str, Poison] = field(default_factory=dict)

    def judged(self, clock: Clock, on_step: Callable[[], None] | None) -> tuple[tuple[Evaluation, ...], str]:
        """Search the attacks and judge them; also say what there was no time for."""
        plan, threat = self.plan, self.threat
        suite = plan.settled(len(self.split.train.classes))
        if not suite or threat.budget.count(len(self.split.train)) == 0:
            return (), ""
        search, tried, made = ShortSearch(threat, SearchEffort(plan.seed, plan.workers)), [], self.made
        with clock.stage("attacks"):
            for name in suite:
                if self.deadline.passed:
                    break
                made.update(make_attacks((name,), search, on_made=on_step))
                tried.append(name)
        with clock.stage("defences"):
            for poison in made.values():
                threat.check(poison)
            cells = judge_poisons(
                self.split,
                made,
                plan.defences,
                self.trained,
                deadline=self.deadline,
                workers=plan.workers,
                on_cell=on_step,
            )
        judged = {cell.attack for cell in cells}
        late = [name for name in suite if name not in tried or (name in made and name not in judged)]
        if not late:
            return cells, ""
        what = f"the attacks {', '.join(late)} were not tried"
        return cells, self.deadline.unfinished(what, "give more seconds, or name fewer attacks or defences")


def _ordered(cells: Sequence[Evaluation], plan: AuditPlan, n_classes: int) -> tuple[Evaluation, ...]:
    """Order cells by attack: none, ours, then the caller's."""
    ours = (NO_ATTACK, CANDIDATE, *plan.settled(n_classes))
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


def best_cell(evaluations: Sequence[Evaluation]) -> Evaluation:
    """The worst attack against the best defence, or none: the least of the largest test errors.

    Without any attack, the least error on clean rows.
    """
    attacked = [cell for cell in evaluations if cell.attack != NO_ATTACK] or list(evaluations)
    worst: dict[str, Evaluation] = {}
    for cell in attacked:
        known = worst.setdefault(cell.sanitizer, cell)
        worst[cell.sanitizer] = cell if cell.test_error > known.test_error else known
    return min(worst.values(), key=lambda cell: cell.test_error)


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


def _defender(plan: AuditPlan, ground: _Ground, cells: Sequence[Evaluation]) -> Defender:
    hypothesis = ground.hypothesis
    ball = isinstance(hypothesis, NormBall)
    bare = next(cell for cell in cells if cell.attack == NO_ATTACK and cell.sanitizer == NO_SANITIZER)
    linear = "linear classifier" if ground.defence.learner == ONE_AGAINST_THE_REST else ground.defence.learner
    return Defender(
        learner=plan.model_name or linear,
        loss=plan.loss,
        wrong_row_loss=float(margin_loss(plan.loss).value(np.zeros(1))[0]),
        hypothesis="norm_ball" if ball else "ridge",
        hypothesis_value=hypothesis.squared_radius if isinstance(hypothesis, NormBall) else hypothesis.strength,
        hypothesis_origin=ground.origin,
        removed_share=plan.contamination,
        certificate_quantile=plan.quantile,
        clean_test_error=bare.test_error,
    )
