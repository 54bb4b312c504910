"""The plan of an evaluation, and everything that is settled before its first trial."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_within
from toadstone.core.dataset import Dataset, Trusted, demand_trusted
from toadstone.core.errors import InvalidArgument
from toadstone.core.version import __version__
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.rows import fitting_domain
from toadstone.learners.ridge_choice import choose_ridge
from toadstone.pipeline.attack_search.audit_attacks import ShortSearch
from toadstone.pipeline.attack_search.search import SearchEffort
from toadstone.pipeline.certify import FILTERS
from toadstone.pipeline.evaluation.attack_choices import AttackerView, image_shape, layout_of
from toadstone.pipeline.evaluation.attacks import AttackSpec, attack_suite, choose_attacks
from toadstone.pipeline.evaluation.defences import SCORING, choose_defences, defence_suite, planned_thresholds
from toadstone.pipeline.evaluation.seed_split import SeedSplit, draw_part, draw_test, refuse_shared
from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.judge import ONE_AGAINST_THE_REST, Defence
from toadstone.pipeline.harness.threat_model import ThreatModel, expected_quantile
from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import DefenceInfo
from toadstone.records.header import Source
from toadstone.records.trials import Trial

_LOSS = "logistic"
"""Of the plain model: logistic regression is trained many times faster than a support vector machine on images."""

_ACCURACY = 1e-4
"""Duality gap of the models: finer ones have the same test errors."""


@dataclass(frozen=True)
class EvaluationPlan:
    """Attacks, defences, rows and seeds of an evaluation.

    Parameters
    ----------
    fraction : float
        Poison rows for each clean row that the attacker can reach, in (0, 0.5).
    seed, seeds : int
        The first seed, and how many. Each draws its own rows, trusted rows,
        poison and models; the test rows stay.
    rows, test_rows : int
        At most so many training rows a seed, trusted ones included, and test
        rows.
    trusted_share : float
        Of the training rows, in [0, 1), where no trusted rows are given.
    attacks, defences : tuple of str, optional
        Names, or words for several; by default all defences, and all attacks
        that are not optimized.
    image : tuple of int, optional
        Height, width and channels of rows that are images; needed only where the file does not show them.
    false_alarm_rate : float, optional
        Share of clean rows that each detector may flag, in (0, 0.1]; its own
        default otherwise.
    contamination : float
        Share of each class that sanitizers remove.
    ridge : float, optional
        Penalty of the models; chosen on clean rows by default.
    source : Source, optional
        Origin of the rows, for the record; the name of the split by default.
    command : str
        For the record.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    """

    fraction: float = 0.05
    seed: int = 0
    seeds: int = 3
    rows: int = 2000
    test_rows: int = 2000
    trusted_share: float = 0.1
    attacks: tuple[str, ...] | None = None
    defences: tuple[str, ...] | None = None
    image: tuple[int, int, int] | None = None
    false_alarm_rate: float | None = None
    contamination: float = 0.05
    ridge: float | None = None
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        check_within("(0, 0.5)", fraction=self.fraction)
        check_count(seeds=self.seeds, rows=self.rows, test_rows=self.test_rows)
        check_within("[0, 1)", trusted_share=self.trusted_share)
        if self.false_alarm_rate is not None:
            check_within("(0, 0.1]", false_alarm_rate=self.false_alarm_rate)

    @property
    def every_seed(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(range(self.seed, self.seed + self.seeds))


@dataclass(frozen=True, eq=False)
class EvaluationSetup:
    """Data, suites and models of an evaluation.

    Parameters
    ----------
    split : Split
    plan : EvaluationPlan
    trusted : Trusted, optional
    test : Dataset
    view : AttackerView
    specs : tuple of AttackSpec
    infos : tuple of DefenceInfo
    defence : Defence
        The plain model; every seed has its own.
    ridge_origin : str
    """

    split: Split
    plan: EvaluationPlan
    trusted: Trusted | None
    test: Dataset
    view: AttackerView
    specs: tuple[AttackSpec, ...]
    infos: tuple[DefenceInfo, ...]
    defence: Defence
    ridge_origin: str

    @property
    def has_trusted(self) -> bool:
        """True where there are trusted rows."""
        return self.trusted is not None or self.plan.trusted_share > 0

    def part(self, seed: int) -> SeedSplit:
        """Draw the rows of a seed."""
        plan = self.plan
        return draw_part(
            self.split, seed=seed, rows=plan.rows, test=self.test, share=plan.trusted_share, trusted=self.trusted
        )

    def against(self, spec: AttackSpec | None) -> tuple[DefenceInfo, ...]:
        """Return the defences that an attack, or none, is tried against."""
        if spec is None or not spec.knows_detector:
            return self.infos
        kinds = (*SCORING, "learner") if spec.plans_for_defence else SCORING
        return tuple(info for info in self.infos if info.kind in kinds)

    def attacker(self, part: SeedSplit, defence: Defence) -> AttackerView:
        """Return the view of the attacker of a seed, who knows its rows and the defender's model."""
        if len(part.clean.classes) != 2:
            return self.view
        plan = self.plan
        quantile = expected_quantile(plan.contamination)
        threat = ThreatModel(part.clean, Budget(plan.fraction), self.view.domain.name, defence, FILTERS, quantile)
        return replace(self.view, search=ShortSearch(threat, SearchEffort(part.seed)))

    @cached_property
    def planned(self) -> dict[tuple[int, str, str], tuple[Trial, ...]]:
        """By seed, attack and defence, the trials to come, still blank."""
        attacks = [(NO_ATTACK, self.against(None)), *((spec.name, self.against(spec)) for spec in self.specs)]
        return {
            (seed, attack, info.name): tuple(
                Trial(attack, info.name, thresholds, seed)
                for thresholds in planned_thresholds(info, trusted=self.has_trusted)
            )
            for seed in self.plan.every_seed
            for attack, infos in attacks
            for info in infos
        }

    @property
    def digest(self) -> str:
        """A digest of the data, the plan and the version, on which the trials depend."""
        settled = asdict(replace(self.plan, source=None, command=""))
        trusted = None if self.trusted is None else sha256(self.trusted.data)
        parts = [__version__, sha256(self.split.train), sha256(self.split.test), trusted, settled]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def prepare(split: Split, plan: EvaluationPlan, *, trusted: Trusted | None = None) -> EvaluationSetup:
    """Choose attacks, defences and the model for some data.

    Parameters
    ----------
    split : Split
        Its training rows are taken as clean.
    plan : EvaluationPlan
    trusted : Trusted, optional
        Rows for thresholds and for the detectors that need some, none of
        them in `split`, in place of a share of its training rows.

    Raises
    ------
    InvalidArgument
        If the trusted rows are not declared so or overlap the others, or the
        budget buys no row.
    UnknownName
        If there is no such attack for these data, or no such defence.
    InvalidData
        If a class has too few rows.
    """
    if trusted is not None:
        refuse_shared(demand_trusted(trusted).data, split.train)
        plan = replace(plan, trusted_share=0.0)
    test = draw_test(split.test, plan.test_rows, plan.seed)
    first = draw_part(split, seed=plan.seed, rows=plan.rows, test=test, share=plan.trusted_share, trusted=trusted)
    shape = layout_of(split, plan.image)
    image = None if shape is None else image_shape(first.clean.X, *shape)
    specs = choose_attacks(attack_suite(first.clean, image), plan.attacks)
    has_trusted = trusted is not None or plan.trusted_share > 0
    suite = defence_suite(plan.contamination, false_alarm_rate=plan.false_alarm_rate, trusted=has_trusted)
    infos = choose_defences(suite, plan.defences)
    if Budget(plan.fraction).count(len(first.clean)) < 1:
        raise InvalidArgument("fraction", f"one of {len(first.clean)} rows that is at least one row", plan.fraction)
    ridge, origin = _settle_ridge(first.clean, plan)
    defence = Defence(
        contamination=plan.contamination, ridge=ridge, loss=_LOSS, learner=ONE_AGAINST_THE_REST, accuracy=_ACCURACY
    )
    view = AttackerView(expressible(split.train, split.domain or fitting_domain(split.train.X)), plan.fraction, image)
    return EvaluationSetup(split, plan, trusted, test, view, specs, infos, defence, origin)


def _settle_ridge(clean: Dataset, plan: EvaluationPlan) -> tuple[float, str]:
    if plan.ridge is not None:
        return plan.ridge, "as asked"
    found = choose_ridge(clean.X, clean.y, loss=_LOSS, random_state=plan.seed)
    return found.ridge, "chosen by cross-validation on the clean rows of the first seed"
