"""The page of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.standings import Standing, as_good, standings
from toadstone.records.trials import CAUGHT, MISSED, Estimate, MatrixCell, Thresholds
from toadstone.report.pages.environment import environment
from toadstone.report.pages.evaluation_matrix import MANY, effect_groups, effect_of, flagged_groups
from toadstone.report.text.audit_matrix import HEAT_STEPS
from toadstone.report.text.evaluation_grid import attack_columns
from toadstone.report.text.evaluation_text import evaluation_sentences, unrun_sentences
from toadstone.report.text.formats import bare_percent, format_interval, format_share
from toadstone.report.text.standing_text import GOAL_WORDS, defence_in_words, first_of
from toadstone.report.text.wording import detector_in_words, learner_in_words


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
    """Effect of an attack without any defence, and behind the best one."""

    info: AttackInfo
    goal: str
    clean: Estimate | None
    undefended: Estimate | None
    best: Estimate | None
    best_name: str
    tied: int
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
    made.filters.update(
        brief=_brief,
        defence=defence_in_words,
        effect=effect_of,
        first=first_of,
        percent=bare_percent,
        spread=_spread,
        tied=_tied,
    )
    detectors = record.columns("detector")
    origins = tuple(dict.fromkeys(thresholds for _, thresholds in detectors))
    columns = attack_columns(record)
    return made.get_template("evaluation.html.j2").render(
        record=record,
        sentences=_through(record),
        standings=standings(record),
        goals=GOAL_WORDS,
        cards=_cards(record),
        columns=columns,
        many=len(columns) > MANY,
        flagged_by=flagged_groups(record, columns),
        reached=effect_groups(record, columns),
        heat_steps=HEAT_STEPS,
        origins=origins,
        alarms=[_alarms(record, info, origins) for info in dict.fromkeys(info for info, _ in detectors)],
        effects=[_effect(record, info) for info in ordered_attacks(record)],
        words={info.name: detector_in_words(info.name) for info, _ in detectors},
        unrun=unrun_sentences(record),
        learner=learner_in_words(record.learner),
        clean=record.cell(NO_ATTACK, NO_DEFENCE),
        bounds=(MISSED, CAUGHT),
    )


def ordered_attacks(record: EvaluationRecord) -> tuple[AttackInfo, ...]:
    """Return the attacks, each adaptive one after its plain one."""
    pairs = ((column.plain, column.adaptive) for column in attack_columns(record))
    return tuple(info for pair in pairs for info in pair if info is not None)


def _through(record: EvaluationRecord) -> tuple[str, ...]:
    """Return the sentences that the table of the worst and the best does not hold."""
    return evaluation_sentences(record)[-2:] if record.columns("detector") else evaluation_sentences(record)[-1:]


def _alarms(record: EvaluationRecord, detector: DefenceInfo, origins: Iterable[Thresholds]) -> Alarms:
    return Alarms(detector, tuple(record.cell(NO_ATTACK, detector.name, origin) for origin in origins))


def _effect(record: EvaluationRecord, info: AttackInfo) -> AttackEffect:
    best = record.best_defence(info.name)
    clean = [cell.clean_success for cell in record.cells if cell.attack == info.name and cell.clean_success]
    return AttackEffect(
        info=info,
        goal=GOAL_WORDS.get(info.goal, GOAL_WORDS["errors"]),
        clean=clean[0] if clean else effect_of(record.cell(NO_ATTACK, NO_DEFENCE)),
        undefended=effect_of(record.cell(info.name, NO_DEFENCE)),
        best=effect_of(best),
        best_name="" if best is None else defence_in_words((best.defence, best.thresholds)),
        tied=0 if best is None else len({name for name, _ in as_good(record, info.name)} - {best.defence}),
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


def _tied(standing: Standing) -> tuple[str, ...]:
    """Name the defences within the interval of the best, each once."""
    best = "" if standing.best is None else standing.best[0]
    return tuple(dict.fromkeys(name for name, _ in standing.as_good if name != best))


def _spread(estimate: Estimate) -> str:
    # Seeds that all agree give an interval of no width, which would claim too much.
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return ""
    return format_interval(estimate.low, estimate.high)


def _brief(estimate: Estimate) -> str:
    """Write an interval for a narrow cell, in whole per cent and rounded outwards."""
    if not _spread(estimate):
        return ""
    low, high = estimate.low or 0.0, estimate.high or 0.0
    return f"{math.floor(100 * low)}–{math.ceil(100 * high - 1e-9)}"
