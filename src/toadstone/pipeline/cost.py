"""Number of rows that an attacker needs to do a harm: certified from below, found from above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from toadstone.certificates.saddle.certify import pose
from toadstone.core.budget import Budget, Kind
from toadstone.core.certificate import CostCertificate, Ridge, Setting
from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.split import Split
from toadstone.kernels.minimax.reach import measure_reach
from toadstone.learners.ridge_choice import choose_ridge
from toadstone.pipeline.certification.saddle_words import assumptions
from toadstone.pipeline.certify import DEFAULT_QUANTILE, FILTERS
from toadstone.pipeline.costing.candidates import CostKind, make_candidates
from toadstone.pipeline.costing.certified import Effort, certify_cost, setting_of
from toadstone.pipeline.costing.harm import Harm, Outcome, train_on
from toadstone.pipeline.costing.search import CostSearch, Found
from toadstone.pipeline.harness.clock import Clock
from toadstone.pipeline.harness.data_summary import digests, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.harness.threat_model import ThreatModel, settle_domain
from toadstone.records.guarantees.cost import CertifiedSide, CostRecord, FoundSide, Vulnerability
from toadstone.records.header import Source

KINDS: tuple[CostKind, ...] = get_args(CostKind)

_MORE_ERROR = 0.05

_NOT_PROMISED = (
    "The error and the loss are those on the clean training rows. The test error of the attack is measured, and "
    "nothing is certified about it.",
    "An attack with fewer rows than the one found may exist, down to the certified number where there is one.",
    "Nothing is said about other models, or about filters that are fitted again on poisoned data.",
)


@dataclass(frozen=True)
class CostPlan:
    """Options of a cost.

    Parameters
    ----------
    error : float, optional
        Share of the clean training rows that the attacker wants classified
        wrongly, in (0, 1]; by default the clean error and five points.
    loss : float, optional
        Their mean hinge loss, in place of the error.
    kind : {"add", "flip", "replace"}
    quantile : float
        Share of each class's clean rows that passes the filters, in [0.5, 1).
    ridge : float, optional
        Penalty of the defender's model; by default by cross-validation.
    domain : {"auto", "real", "box", "integer"}
    most : float
        Rows to try at most, for each clean row, in (0, 0.5).
    tolerance : float, optional
        Relative gap at which certificates stop.
    seed : int
    workers : int
        Processes; results do not depend on it.
    source : Source, optional
    command : str
        What the user typed, for the record.
    """

    error: float | None = None
    loss: float | None = None
    kind: CostKind = "add"
    quantile: float = DEFAULT_QUANTILE
    ridge: float | None = None
    domain: str = "auto"
    most: float = 0.4
    tolerance: float | None = None
    seed: int = 0
    workers: int = 1
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if self.error is not None or self.loss is not None:
            Harm(self.error, self.loss)
        if self.kind not in KINDS:
            raise InvalidArgument("kind", f"one of {', '.join(KINDS)}", self.kind)
        check_within("[0.5, 1)", quantile=self.quantile)
        check_within("(0, 0.5)", most=self.most)
        if self.ridge is not None:
            check_positive(ridge=self.ridge)
        if self.tolerance is not None:
            check_within("(0, 1)", tolerance=self.tolerance)
        check_count(workers=self.workers)


@dataclass(frozen=True, eq=False)
class Cost:
    """Result of a cost.

    Parameters
    ----------
    record : CostRecord
    certificate : CostCertificate or None
        None where nothing but training without poison says that it takes a
        row.
    poison : Poison or None
        The attack found.
    """

    record: CostRecord
    certificate: CostCertificate | None
    poison: Poison | None


def cost(
    split: Split,
    plan: CostPlan,
    *,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_step: Callable[[], None] | None = None,
) -> Cost:
    """Say how many rows an attacker needs to make a defender err so often, or lose so much.

    Parameters
    ----------
    split : Split
        Its training rows, of two classes, are taken as clean.
    plan : CostPlan
    on_stage : callable
        Called with the name of each stage as it begins.
    on_step : callable, optional
        Called after each certificate and each attack tried.

    Returns
    -------
    Cost

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.
    """
    clock = Clock(on_stage)
    with clock.stage("planning"):
        ground = _ground(split, plan)
    certified = CertifiedSide(0, None, 0.0, "Training without poison does the harm already.")
    proof, found, tried = None, None, 0
    if not ground.harm.done(ground.clean):
        with clock.stage("certificates"):
            certified, proof = certify_cost(
                ground.threat,
                setting_of(plan.kind, ground.setting),
                ground.harm,
                ground.model,
                kind=plan.kind,
                effort=Effort(plan.tolerance, plan.seed),
                on_step=on_step,
            )
        with clock.stage("attacks"):
            found, tried = _search(ground, plan, certified.rows, on_step)
    with clock.stage("record"):
        record = _record(split, plan, ground, _Sides(certified, _found_side(ground, found), tried), clock)
    return Cost(record, proof, None if found is None else found.poison)


@dataclass(frozen=True)
class _Sides:
    """Both sides of a cost."""

    certified: CertifiedSide
    found: FoundSide | None
    tried: int


@dataclass(frozen=True, eq=False)
class _Ground:
    """Defender, feasible rows and clean training, settled before anything is certified or tried."""

    split: Split
    threat: ThreatModel
    setting: Setting
    ridge_origin: str
    harm: Harm
    target_origin: str
    clean: Outcome
    model: object
    most: int
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def train(self) -> Dataset:
        """The clean rows."""
        return self.split.train


def _ground(split: Split, plan: CostPlan) -> _Ground:
    train = split.train
    if len(train.classes) != 2:
        raise InvalidData(
            f"labels: expected two classes, got {len(train.classes)}; choose two of them, as in --classes A,B"
        )
    domain, (ridge, origin) = settle_domain(split, plan.domain), _settle_ridge(train, plan)
    defence = Defence(ridge=ridge, seed=plan.seed)
    setting = Setting(FILTERS, plan.quantile, domain, "hinge", Ridge(ridge))
    most = Budget(plan.most).count(len(train))
    if most == 0:
        raise InvalidArgument("most", f"enough for one row of {len(train)}", plan.most)
    kind: Kind = "flip" if plan.kind == "flip" else "add"
    threat = ThreatModel(train, Budget(plan.most, kind), domain, defence, FILTERS, plan.quantile)
    model, clean = train_on(train, None, defence)
    harm, target = Harm(plan.error, plan.loss) if plan.error or plan.loss else None, "as asked"
    if harm is None:
        harm = Harm(min(clean.error + _MORE_ERROR, 1.0))
        target = "the error of training without poison and five points"
    return _Ground(split, threat, setting, origin, harm, target, clean, model, most)


def _settle_ridge(train: Dataset, plan: CostPlan) -> tuple[float, str]:
    if plan.ridge is not None:
        return plan.ridge, "as asked"
    return choose_ridge(train.X, train.y, random_state=plan.seed).ridge, "chosen by cross-validation"


def _search(
    ground: _Ground, plan: CostPlan, first: int, on_step: Callable[[], None] | None
) -> tuple[Found | None, int]:
    if first > ground.most:
        return None, 0
    search = CostSearch(
        make_candidates(plan.kind, ground.harm, ground.threat, ground.setting, workers=plan.workers),
        ground.train,
        None if plan.kind == "flip" else ground.threat.feasible_set,
        ground.threat.defence,
        ground.harm,
        ground.clean,
        plan.kind,
        plan.seed,
        plan.workers,
        on_step,
    )
    return search.run(first, ground.most)


def _found_side(ground: _Ground, found: Found | None) -> FoundSide | None:
    if found is None:
        return None
    model, outcome = train_on(ground.train, found.poison, ground.threat.defence)
    return FoundSide(
        rows=found.rows,
        done=found.done,
        name=found.name,
        error=outcome.error,
        loss=outcome.loss if np.isfinite(outcome.loss) else None,
        test_error=_test_error(model, ground.split.test),
    )


def _test_error(model: object, test: Dataset) -> float:
    return float(np.mean(model.predict(test.X) != test.y))  # type: ignore[attr-defined]


def _record(split: Split, plan: CostPlan, ground: _Ground, sides: _Sides, clock: Clock) -> CostRecord:
    said = assumptions(ground.train, setting_of(plan.kind, ground.setting), Budget(0.0, plan.kind))
    return CostRecord(
        header=make_header("cost", command=plan.command, seed=plan.seed, digests=digests(split)),
        source=source_of(split, plan.source),
        data=summarize(split, ground.threat.domain),
        kind=plan.kind,
        error=ground.harm.error,
        loss=ground.harm.loss,
        target_origin=ground.target_origin,
        clean_error=ground.clean.error,
        clean_loss=ground.clean.loss,
        clean_test_error=_test_error(ground.model, split.test),
        certified=sides.certified,
        found=sides.found,
        tried=sides.tried,
        most_rows=ground.most,
        ridge=ground.threat.defence.ridge,
        ridge_origin=ground.ridge_origin,
        quantile=plan.quantile,
        vulnerability=_vulnerability(ground),
        # The last is about test rows, of which a cost certifies nothing.
        assumptions=said[:-1],
        not_promised=_NOT_PROMISED,
        seconds=sum(clock.seconds.values()),
        timings=clock.seconds,
    )


def _vulnerability(ground: _Ground) -> Vulnerability:
    problem = pose(ground.train, ground.threat.feasible_set, ground.setting)
    weights = np.ravel(ground.model.coef_)  # type: ignore[attr-defined]
    if not np.any(weights):
        return Vulnerability(None, 0.0, None)
    found = measure_reach(problem, weights)
    finite = np.isfinite(found.separability)
    return Vulnerability(found.separability if finite else None, found.share_of_width, found.width if finite else None)
