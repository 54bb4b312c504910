"""The page of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import CAUGHT, MISSED, Estimate, MatrixCell, Thresholds
from toadstone.report.pages.environment import environment
from toadstone.report.text.evaluation_text import evaluation_sentences, format_estimate
from toadstone.report.text.formats import format_interval, format_share
from toadstone.report.text.wording import detector_in_words, learner_in_words, spoken

_ADAPTIVE = "adaptive-"
_RANDOM, _PERFECT = "random", "perfect"
_GOALS = {"trigger": "triggered rows", "group": "errors in group"}
_ERRORS = "test error"


@dataclass(frozen=True)
class AttackRow:
    """An attack against the defences of some columns; None where it was not planned."""

    info: AttackInfo
    cells: tuple[MatrixCell | None, ...]

    @property
    def name(self) -> str:
        """Name of the attack; of an adaptive one, that of its plain attack."""
        return self.info.name.removeprefix(_ADAPTIVE) if self.info.knows_detector else self.info.name


@dataclass(frozen=True)
class DetectorMatrix:
    """Every attack against all detectors, with thresholds of one origin."""

    thresholds: Thresholds
    detectors: tuple[DefenceInfo, ...]
    rows: tuple[AttackRow, ...]


@dataclass(frozen=True)
class Alarms:
    """False alarms of a detector and their accuracy cost, by the origin of its thresholds."""

    detector: DefenceInfo
    cells: tuple[MatrixCell | None, ...]

    def exceeds(self, cell: MatrixCell) -> bool:
        """Return True if more clean rows are flagged than the false-alarm rate allows."""
        rate, found = self.detector.false_alarm_rate, cell.false_alarms
        return rate is not None and found is not None and found.mean > rate

    def by_chance(self, cell: MatrixCell) -> bool:
        """Return True if the interval of the flagged share reaches down to the false-alarm rate."""
        rate, found = self.detector.false_alarm_rate, cell.false_alarms
        return rate is not None and found is not None and found.low is not None and found.low <= rate


@dataclass(frozen=True)
class AttackEffect:
    """Effect of an attack undefended, behind the best defence, and behind the two baselines."""

    info: AttackInfo
    goal: str
    clean: Estimate | None
    undefended: Estimate | None
    random: Estimate | None
    best: Estimate | None
    perfect: Estimate | None
    best_name: str
    caught_by: tuple[str, ...]


def render_evaluation(record: EvaluationRecord) -> str:
    """Render an evaluation as one HTML page that fetches nothing.

    Parameters
    ----------
    record : EvaluationRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    made = environment()
    made.filters.update(estimate=format_estimate, interval=_interval, effect=effect_of)
    detectors = record.columns("detector")
    origins = tuple(dict.fromkeys(thresholds for _, thresholds in detectors))
    others = record.columns("sanitizer", "learner")
    return made.get_template("evaluation.html.j2").render(
        record=record,
        sentences=evaluation_sentences(record),
        cards=_cards(record),
        matrices=[_matrix(record, origin) for origin in origins],
        origins=origins,
        alarms=[_alarms(record, info, origins) for info in dict.fromkeys(info for info, _ in detectors)],
        effects=[_effect(record, info) for info in ordered_attacks(record)],
        others=[info for info, _ in others],
        other_rows=[
            AttackRow(info, tuple(record.cell(info.name, other.name, source) for other, source in others))
            for info in ordered_attacks(record)
            if not info.knows_detector
        ],
        words={info.name: detector_in_words(info.name) for info, _ in detectors},
        skipped=_skipped(record),
        learner=learner_in_words(record.learner),
        clean=record.cell(NO_ATTACK, NO_DEFENCE),
        bounds=(MISSED, CAUGHT),
    )


def ordered_attacks(record: EvaluationRecord) -> tuple[AttackInfo, ...]:
    """Return the attacks, each adaptive one after its plain one."""
    real = [info for info in record.attacks if info.name != NO_ATTACK]
    place = {info.name: number for number, info in enumerate(real)}

    def key(info: AttackInfo) -> tuple[int, bool]:
        plain = info.name.removeprefix(_ADAPTIVE) if info.knows_detector else info.name
        return place.get(plain, place[info.name]), info.knows_detector

    return tuple(sorted(real, key=key))


def effect_of(cell: MatrixCell | None) -> Estimate | None:
    """Return the effect of an attack in a cell; None where it was not run."""
    return None if cell is None else cell.effect


def _matrix(record: EvaluationRecord, thresholds: Thresholds) -> DetectorMatrix:
    detectors = tuple(info for info, source in record.columns("detector") if source == thresholds)
    rows = tuple(
        AttackRow(info, tuple(record.cell(info.name, detector.name, thresholds) for detector in detectors))
        for info in ordered_attacks(record)
    )
    return DetectorMatrix(thresholds, detectors, rows)


def _alarms(record: EvaluationRecord, detector: DefenceInfo, origins: Iterable[Thresholds]) -> Alarms:
    return Alarms(detector, tuple(record.cell(NO_ATTACK, detector.name, origin) for origin in origins))


def _effect(record: EvaluationRecord, info: AttackInfo) -> AttackEffect:
    undefended, best = record.cell(info.name, NO_DEFENCE), record.best_defence(info.name)
    clean = [cell.clean_success for cell in record.cells if cell.attack == info.name and cell.clean_success]
    return AttackEffect(
        info=info,
        goal=_GOALS.get(info.goal, _ERRORS),
        clean=clean[0] if clean else effect_of(record.cell(NO_ATTACK, NO_DEFENCE)),
        undefended=effect_of(undefended),
        random=effect_of(record.cell(info.name, _RANDOM)),
        best=effect_of(best),
        perfect=effect_of(record.cell(info.name, _PERFECT)),
        best_name="" if best is None else best.defence,
        caught_by=record.detectors_by_verdict(info.name)["caught"],
    )


def _cards(record: EvaluationRecord) -> tuple[tuple[str, str, str], ...]:
    """Return title, figure and note of the headline figures."""
    uncaught, cards = record.uncaught(), []
    for adaptive, title, note in (
        (False, "Attacks caught", "by at least one detector: half of the poison or more"),
        (True, "Adaptive attacks caught", "by a detector that the attacker knows"),
    ):
        names = [info.name for info in ordered_attacks(record) if info.knows_detector is adaptive]
        if names and record.columns("detector"):
            cards.append((title, f"{sum(name not in uncaught for name in names)} of {len(names)}", note))
    clean = record.cell(NO_ATTACK, NO_DEFENCE)
    if clean is not None and clean.test_error is not None:
        note = f"with neither attack nor defence, on {record.test_rows:,} rows"
        cards.append(("Clean test error", format_share(clean.test_error.mean), note))
    alarms = [
        (cell.false_alarms.mean, info.false_alarm_rate)
        for info, source in record.columns("detector")
        if (cell := record.cell(NO_ATTACK, info.name, source))
        and cell.false_alarms
        and info.false_alarm_rate is not None
    ]
    if alarms:
        within = sum(found <= rate for found, rate in alarms)
        note = "detectors on clean rows, with either thresholds"
        cards.append(("Within their false-alarm rate", f"{within} of {len(alarms)}", note))
    return tuple(cards)


def _skipped(record: EvaluationRecord) -> dict[str, tuple[str, ...]]:
    """Collect the cells that could not be run, by the reason."""
    reasons: dict[str, list[str]] = {}
    for cell in record.cells:
        if cell.skipped:
            reasons.setdefault(cell.skipped, []).append(f"{spoken(cell.attack)} against {spoken(cell.defence)}")
    return {reason: tuple(dict.fromkeys(names)) for reason, names in reasons.items()}


def _interval(estimate: Estimate) -> str:
    # Seeds that all agree give an interval of no width, which would claim too much.
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return ""
    return format_interval(estimate.low, estimate.high)
