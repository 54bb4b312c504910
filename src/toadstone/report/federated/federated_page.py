"""The page of a federated simulation."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import FederatedCell, FederatedRecord, RuleInfo
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.federated.curves import MOST_NAMED, draw_curves
from toadstone.report.federated.federated_text import setting_sentences
from toadstone.report.federated.findings import answer_sentences, certified_sentences, next_line
from toadstone.report.federated.losses import HELD, change, spread_of, tied_rules
from toadstone.report.federated.unheld import unheld_sentences
from toadstone.report.pages.environment import environment
from toadstone.report.text.audit_matrix import HEAT_STEPS, heat_of
from toadstone.report.text.formats import bare_percent, counted, format_share

KNOWLEDGE_WORDS = {
    "none": "",
    "own": "knows its own clients’ rows alone",
    "updates": "knows the updates of all honest clients",
    "rule": "knows the updates of all honest clients, and searches through the rule itself",
}

_MOST_UPRIGHT = 9
"""Rules up to which a wide screen has their names upright."""


@dataclass(frozen=True)
class Shown:
    """A cell, its interval and course in words, the depth of its colour, and its points of lost accuracy.

    It is low if one class for all test rows would be as accurate.
    """

    cell: FederatedCell | None
    course: str = ""
    heat: int = 0
    change: str = ""
    low: bool = False


@dataclass(frozen=True)
class MatrixRow:
    """An attack against every rule."""

    title: str
    cells: tuple[Shown, ...]


@dataclass(frozen=True)
class Matrix:
    """Attacks down and rules across, for one number of malicious clients.

    Parameters
    ----------
    malicious : int
    best : str
        The rule whose worst attack costs least; empty where none was run, or
        the model has learned nothing.
    low : bool
        True if a cell is no more accurate than one class for all test rows.
    rows : tuple of MatrixRow
    filtering : tuple of RuleInfo
        Rules that give clients no weight.
    filtered : tuple of (str, tuple of str)
        For each attack, per cent of the malicious and of the honest messages
        without weight, by rule of `filtering`.
    charts : tuple of Markup
        Curves, for a wide and for a narrow screen.
    """

    malicious: int
    best: str
    low: bool
    rows: tuple[MatrixRow, ...]
    filtering: tuple[RuleInfo, ...]
    filtered: tuple[tuple[str, tuple[str, ...]], ...]
    charts: tuple[Markup, ...]


def render_federation(record: FederatedRecord) -> str:
    """Render a federated simulation as one HTML page that fetches nothing.

    Parameters
    ----------
    record : FederatedRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    made = environment()
    made.filters.update(percent=bare_percent)
    advice, code = next_line(record)
    return made.get_template("federated.html.j2").render(
        record=record,
        answers=answer_sentences(record),
        advice=advice,
        code=code,
        unheld=unheld_sentences(record),
        certified=certified_sentences(record),
        cards=_cards(record),
        matrices=[_matrix(record, malicious) for malicious in record.malicious],
        heat_steps=HEAT_STEPS,
        held=100 * HELD,
        most=_MOST_UPRIGHT,
        named=MOST_NAMED,
        knowledge=KNOWLEDGE_WORDS,
        setting=setting_sentences(record),
    )


def _matrix(record: FederatedRecord, malicious: int) -> Matrix:
    best = record.best_rule(malicious)
    filtering = tuple(
        info
        for info in record.rules
        if any(cell.malicious_filtered or cell.honest_filtered for cell in _attacked(record, info.name, malicious))
    )
    ran = any(cell.curve for cell in record.cells if cell.malicious == malicious)
    return Matrix(
        malicious=malicious,
        best="" if best is None or not record.learned(malicious) else best.rule,
        low=any(
            cell.accuracy is not None and not record.above_majority(cell.accuracy.mean)
            for cell in record.cells
            if cell.malicious == malicious
        ),
        rows=tuple(
            MatrixRow(
                _title(info.name),
                tuple(_shown(record, record.cell(info.name, rule.name, malicious)) for rule in record.rules),
            )
            for info in record.attacks
        ),
        filtering=filtering,
        filtered=tuple(
            (info.name, tuple(_filtered(record.cell(info.name, rule.name, malicious)) for rule in filtering))
            for info in record.attacked_by
        ),
        charts=tuple(Markup(draw_curves(record, malicious, canvas=canvas)) for canvas in (WIDE, NARROW)) if ran else (),
    )


def _title(attack: str) -> str:
    return "no attack" if attack == NO_ATTACK else attack


def _shown(record: FederatedRecord, cell: FederatedCell | None) -> Shown:
    if cell is None or cell.accuracy is None:
        return Shown(None)
    low = not record.above_majority(cell.accuracy.mean)
    if cell.lost is None:
        return Shown(cell, _course(cell), low=low)
    return Shown(cell, _course(cell), heat_of(cell.lost.mean), change(cell.lost.mean).replace("-", "−"), low)


def _course(cell: FederatedCell) -> str:
    """Write the interval of the accuracy, its worst round and its mean over the rounds."""
    said = [spread_of(cell.accuracy)]
    if cell.worst is not None and cell.area is not None:
        said.append(f"worst round of the second half {format_share(cell.worst.mean)}")
        said.append(f"mean over the rounds {format_share(cell.area.mean)}")
    return "; ".join(text for text in said if text)


def _attacked(record: FederatedRecord, rule: str, malicious: int) -> list[FederatedCell]:
    cells = (record.cell(info.name, rule, malicious) for info in record.attacked_by)
    return [cell for cell in cells if cell is not None and cell.accuracy is not None]


def _filtered(cell: FederatedCell | None) -> str:
    if cell is None or cell.malicious_filtered is None:
        return ""
    honest = "–" if cell.honest_filtered is None else f"{100 * cell.honest_filtered:.0f}"
    return f"{100 * cell.malicious_filtered:.0f} · {honest}"


def _cards(record: FederatedRecord) -> list[tuple[str, str, str, str]]:
    """Return title, figure, note and kind of the headline figures, of the largest number of malicious clients."""
    malicious = max(record.malicious)
    base, best = record.unattacked(malicious), record.best_rule(malicious)
    worst, cards = record.worst_cell(record.mean, malicious), []
    if base is not None and base.accuracy is not None:
        note = f"of the mean, on {record.test_rows:,} test rows{_low(record, base)}"
        cards.append(("Without an attack", format_share(base.accuracy.mean), note, ""))
    if best is not None and best.accuracy is not None and best.rule != record.mean and record.learned(malicious):
        tied = len(tied_rules(record, best)) - 1
        others = f" and {counted(tied, 'other rule')} alike" if tied else ""
        note = f"behind {best.rule}{others}, {_where(record, best)}{_low(record, best)}"
        cards.append(("Best rule", format_share(best.accuracy.mean), note, "bound"))
    if worst is not None and worst.accuracy is not None:
        note = f"behind the mean, {_where(record, worst)}{_low(record, worst)}"
        cards.append(("No rule at all", format_share(worst.accuracy.mean), note, "attack"))
    cards.append(("Malicious clients", f"{malicious} of {record.clients}", "controlled by one attacker", ""))
    return cards


def _where(record: FederatedRecord, worst: FederatedCell) -> str:
    if worst.attack == record.no_attack:
        return "its lowest accuracy, already without an attack"
    return f"under {worst.attack}, its worst attack"


def _low(record: FederatedRecord, cell: FederatedCell) -> str:
    """Say of an accuracy that one class for all test rows would be as good."""
    if cell.accuracy is None or record.above_majority(cell.accuracy.mean):
        return ""
    return f"; no more than the share of the largest class, {format_share(record.majority)}"
