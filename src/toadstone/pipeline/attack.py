"""The strongest attack of one method on a data set, and what it does to each defence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from toadstone.attacks.decoys.burn_in import PAPER, paper_burn_in
from toadstone.attacks.decoys.decoys import DEFAULT_GRID, GRIDS
from toadstone.catalogue import canonical, names, resolve
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split, hold_out
from toadstone.kernels.rows import count_distinct
from toadstone.pipeline.attack_search.attacker import Knowledge
from toadstone.pipeline.attack_search.methods import FOLLOWS_ERRORS, method
from toadstone.pipeline.attack_search.search import QUICK, SLOW, SearchEffort, SearchProblem, SearchResult, craft
from toadstone.pipeline.attack_search.targeted import (
    TARGET_GRID,
    check_target,
    pick_targets,
    relabelled,
    target_outcome,
)
from toadstone.pipeline.certify import FILTERS
from toadstone.pipeline.harness.clock import Clock
from toadstone.pipeline.harness.data_summary import digests, summarize
from toadstone.pipeline.harness.defender import settle_defence
from toadstone.pipeline.harness.filters import check_filters
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.judge import judge
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.harness.threat_model import ThreatModel, settle_domain
from toadstone.records.attack import AttackRecord, SplitTest, TargetOutcome
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, Evaluation, Threat
from toadstone.records.header import Source

SELECTIONS = ("validation", "train", "test")
_VALIDATION_SHARE = 0.2

_ON_TARGETS = "target"

_WORDS = {
    "validation": "Candidates aim at the training rows and were compared on a fifth of them, held out; no test "
    "label was used.",
    "train": "Candidates aim at the training rows and were compared on them; no test label was used.",
    "test": "Candidates were compared on the test rows and their labels, as in the paper: the errors are those of an "
    "attacker who knows them.",
    _ON_TARGETS: "Candidates aim at the chosen test rows and were compared by their true labels; no other test "
    "label was used.",
}


@dataclass(frozen=True)
class AttackPlan:
    """Options of an attack.

    Parameters
    ----------
    method : str
        An attack of the catalogue that adds rows to raise the test error.
    fraction : float
        Added rows for each clean row, in [0, 0.5).
    select_on : {"validation", "train", "test"}
        Rows on which candidates are compared: a fifth of the training rows,
        all of them, or the test rows. Attacks aim at the training rows, or at
        the test rows.
    filters : tuple of str
        Sanitizers that the attacker expects, some of
        `toadstone.pipeline.harness.filters.CONVEX`.
    quantile : float
        Of each class's clean scores by these filters, in [0.5, 1): what the
        attacker expects to pass them.
    learner : {"linear", "crammer-singer", "online"}, optional
        The defender's; by default linear for two classes, and Crammer and
        Singer's for more.
    ridge : float, optional
        The defender's; by default the published one of a data set known by
        name, or else chosen by cross-validation.
    domain : {"auto", "real", "box", "integer"}
    target : tuple of int
        Test rows, as numbered in `Dataset.row_ids`, whose misclassification
        is the goal, instead of as many errors as possible; attacks then aim
        at them and are compared on them, whatever `select_on` says.
    contamination : float
        Share of each class that the defences remove.
    seed : int
    workers : int
        Processes; results do not depend on it.
    source : Source, optional
        Origin of the rows; the name of the split by default.
    command : str
        What the user typed, for the record.
    """

    method: str = "kkt-influence"
    fraction: float = 0.03
    select_on: str = "validation"
    filters: tuple[str, ...] = FILTERS
    quantile: float = 0.9
    learner: str | None = None
    ridge: float | None = None
    domain: str = "auto"
    target: tuple[int, ...] = ()
    contamination: float = 0.05
    seed: int = 0
    workers: int = 1
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        Budget(self.fraction)
        method(self.method)
        object.__setattr__(self, "method", canonical("attack", self.method))
        if self.select_on not in SELECTIONS:
            raise InvalidArgument("select_on", f"one of {', '.join(SELECTIONS)}", self.select_on)
        check_filters(self.filters)
        check_target(self.target, self.method)
        check_within("[0.5, 1)", quantile=self.quantile)
        if self.learner is not None:
            resolve("learner", self.learner)
        if self.ridge is not None:
            check_positive(ridge=self.ridge)
        check_within("(0, 0.5)", remove=self.contamination)
        check_count(workers=self.workers)


@dataclass(frozen=True, eq=False)
class Attacked:
    """Poison rows and their record."""

    poison: Poison
    record: AttackRecord


def attack(
    split: Split,
    plan: AttackPlan,
    *,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_step: Callable[[], None] | None = None,
) -> Attacked:
    """Find the strongest attack of a method, and judge it.

    The attacker knows the clean training rows, the defender's model, and the
    kinds of filters. The plan says on which rows candidates are compared, and
    so does the record.

    Parameters
    ----------
    split : Split
        Of two classes; some methods are for more, too.
    plan : AttackPlan
    on_stage : callable
        Called with the name of each stage as it begins.
    on_step : callable, optional
        Called after each attack tried.

    Returns
    -------
    Attacked

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.
    BudgetExceeded
        If an attack broke its contract.
    """
    clock = Clock(on_stage)
    with clock.stage("planning"):
        situation = _assess(split, plan)
        train, rows, probe = _selection(split, plan)
    with clock.stage("search"):
        finding, tried = situation.find(train, rows, probe, on_step)
        split_test = _split_test(situation, on_step)
    with clock.stage("defences"):
        poison = finding.poison if train is split.train else situation.again(finding)
        situation.threat.check(poison)
        cells, clean_error, outcome = _defend(situation, poison, probe)
    threat, chosen_on = situation.threat, _ON_TARGETS if plan.target else plan.select_on
    record = AttackRecord(
        header=make_header("attack", command=plan.command, seed=plan.seed, digests=digests(split)),
        source=source_of(split, plan.source),
        data=summarize(split, threat.domain),
        threat=Threat(plan.fraction, "add", threat.budget.count(len(split.train))),
        method=plan.method,
        candidate=finding.candidate.name,
        tried=tried,
        selected_on=chosen_on,
        protocol=_WORDS[chosen_on],
        filters=plan.filters,
        quantile=plan.quantile,
        removed_share=plan.contamination,
        learner=threat.defence.learner,
        ridge=threat.defence.ridge,
        ridge_origin=situation.ridge_origin,
        clean_test_error=clean_error,
        test_error={cell.sanitizer: cell.test_error for cell in cells},
        worst_case=min(cell.test_error for cell in cells if cell.sanitizer != NO_SANITIZER),
        split_test=split_test,
        targets=outcome,
        evaluations=cells,
        poison_rows=len(poison),
        distinct_rows=count_distinct(poison.X),
        seconds=sum(clock.seconds.values()),
        timings=clock.seconds,
    )
    return Attacked(poison, record)


def _defend(
    situation: _Situation, poison: Poison, probe: Dataset
) -> tuple[tuple[Evaluation, ...], float, TargetOutcome | None]:
    """Judge the poison by every defence; also the test error without either, and the outcome of targets."""
    split, plan, defence = situation.split, situation.plan, situation.threat.defence
    defences, nothing = (NO_SANITIZER, *names("sanitizer")), Poison(split.train.X[:0], split.train.y[:0])
    cells = judge(split.train, split.test, poison, defences, defence, name=plan.method)
    (clean,) = judge(split.train, split.test, nothing, (NO_SANITIZER,), defence, name=NO_ATTACK)
    outcome = target_outcome(split.train, probe, poison, defences, defence) if plan.target else None
    return cells, clean.test_error, outcome


@dataclass(frozen=True, eq=False)
class _Situation:
    """Threat model and models, settled before any attack is tried."""

    split: Split
    plan: AttackPlan
    threat: ThreatModel
    ridge_origin: str

    def find(
        self, train: Dataset, rows: Dataset, probe: Dataset, on_step: Callable[[], None] | None
    ) -> tuple[SearchResult, int]:
        """The strongest attack on `rows` of a defender who trains on `train`, aimed at `probe`; how many were tried."""
        name, fraction = self.split.name, self.plan.fraction
        known = Knowledge(
            self.threat,
            train,
            probe,
            TARGET_GRID if self.plan.target else GRIDS.get(name, DEFAULT_GRID),
            burn_in=paper_burn_in(name, fraction) if name in PAPER else 1.0,
            targets=relabelled(probe, train.classes) if self.plan.target else None,
        )
        k = len(train.classes)
        problem = SearchProblem(train, rows, self.threat.budget, self.threat.defence, QUICK, SLOW if k == 2 else ())
        return method(self.plan.method, k)(known, problem, SearchEffort(self.plan.seed, self.plan.workers, on_step))

    def again(self, finding: SearchResult) -> Poison:
        """The same attack on all training rows."""
        poison = craft(finding.candidate, finding.index, self.split.train, self.threat.budget, self.plan.seed)
        return finding.poison if poison is None else poison


def _assess(split: Split, plan: AttackPlan) -> _Situation:
    budget = Budget(plan.fraction)
    if budget.count(len(split.train)) == 0:
        raise InvalidArgument("fraction", f"enough for one row of {len(split.train)}", plan.fraction)
    method(plan.method, len(split.train.classes))
    domain = settle_domain(split, plan.domain)
    defence, origin = settle_defence(
        split, learner=plan.learner, ridge=plan.ridge, contamination=plan.contamination, seed=plan.seed
    )
    threat = ThreatModel(split.train, budget, domain, defence, plan.filters, plan.quantile)
    return _Situation(split, plan, threat, origin)


def _selection(split: Split, plan: AttackPlan) -> tuple[Dataset, Dataset, Dataset]:
    """The rows that the selecting defender trains on, those where errors are counted, those that attacks aim at."""
    if plan.target:
        targets = pick_targets(split.test, plan.target)
        return split.train, targets, targets
    if plan.select_on == "validation":
        train, held_out = hold_out(split.train, share=_VALIDATION_SHARE, random_state=plan.seed)
        return train, held_out, split.train
    rows = split.test if plan.select_on == "test" else split.train
    return split.train, rows, rows


def _split_test(situation: _Situation, on_step: Callable[[], None] | None) -> SplitTest | None:
    """Select on one half of the test rows and report the other, where a method follows the errors on test rows.

    The difference is luck with the rows that it was selected on.
    """
    split, plan = situation.split, situation.plan
    if plan.select_on != "test" or plan.method not in FOLLOWS_ERRORS:
        return None
    half, other = hold_out(split.test, share=0.5, random_state=plan.seed)
    finding, _ = situation.find(split.train, half, half, on_step)
    cells = judge(
        split.train,
        other,
        finding.poison,
        QUICK + SLOW,
        situation.threat.defence,
        name=plan.method,
        workers=plan.workers,
    )
    return SplitTest(finding.strength, min(cell.test_error for cell in cells))
