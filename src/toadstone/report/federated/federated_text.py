"""A federated simulation as lines for a terminal or a pipe."""

from __future__ import annotations

import re
from collections.abc import Sequence

from toadstone.records.federated import FederatedCell, FederatedRecord, RuleInfo
from toadstone.report.federated.findings import (
    answer_sentences,
    certified_sentences,
    next_line,
)
from toadstone.report.federated.losses import HELD, change, points
from toadstone.report.federated.unheld import unheld_sentences
from toadstone.report.text.formats import bare_percent, counted, flow, format_share, listed, visible_lines
from toadstone.report.text.rows_text import reading_lines
from toadstone.report.text.standing_text import format_estimate

_GAP = 2
_Column = tuple[list[str], list[str]]
_PIECE = re.compile(r"[^+-]+[+-]?")


def federated_lines(record: FederatedRecord, width: int | None) -> list[str]:
    """Write which rule held, the line of code for it, what was not held, the matrix, who was filtered, and the setting.

    Parameters
    ----------
    record : FederatedRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    advice, code = next_line(record)
    lines = [flow(sentence, width) for sentence in answer_sentences(record)]
    lines += ["", flow(advice, width), *([f"  {code}"] if code else [])]
    rest = (*certified_sentences(record), *unheld_sentences(record))
    lines += [*([""] if rest else []), *(flow(sentence, width) for sentence in rest)]
    for malicious in record.malicious:
        lines += ["", flow(_title(record, malicious), width), *_matrix(record, malicious, width)]
    lines += ["", *(flow(sentence, width) for sentence in key_sentences(record))]
    filtered = filtered_sentences(record)
    lines += ["", "Who got no weight, over all attacks", *(flow(f"  {one}", width, indent=4) for one in filtered)]
    lines += ["", *(flow(sentence, width) for sentence in setting_sentences(record))]
    lines += reading_lines(record.data, width)
    lines += [flow(f"Note: {warning}", width) for warning in record.warnings]
    return visible_lines(lines)


def key_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say how the matrix is read, and when a rule is said to have held."""
    over = "of one seed" if len(record.seeds) == 1 else f"means over {len(record.seeds)} seeds"
    low = any(cell.accuracy is not None and not record.above_majority(cell.accuracy.mean) for cell in record.cells)
    star = f" *: no more than the share of the largest class ({format_share(record.majority)})." if low else ""
    return (
        "Accuracy in per cent, and the points by which it differs from the mean without an attack: a minus is a loss, "
        f"a plus a gain. Losses are rounded up, gains down. Figures are {over}; matrix.csv has the intervals. -: not "
        f"run.{star}",
        f"A rule held if its worst attack cost at most {100 * HELD:g} points on average over the seeds.",
    )


def setting_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say how the figures were made."""
    return (
        f"{counted(record.rows, 'row')} of {counted(record.clients, 'client')} "
        f"({record.smallest_client} to {record.largest_client} rows each), {counted(record.test_rows, 'test row')}, "
        f"{counted(len(record.seeds), 'seed')}: {record.model}; {counted(record.rounds, 'round')}, momentum "
        f"{record.momentum:g} at the clients, {counted(record.parameters, 'parameter')}.",
        record.split_words,
        record.root_origin,
    )


def filtered_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say which share of the malicious and of the honest messages each rule gave no weight, and what was refused."""
    sentences: list[str] = []
    for malicious in record.malicious:
        several = "" if len(record.malicious) == 1 else f", {malicious} malicious"
        weighing = []
        for info in record.rules:
            ran = _ran(record, info.name, malicious)
            bad, honest = _mean_of(ran, "malicious_filtered"), _mean_of(ran, "honest_filtered")
            if not bad and not honest:
                weighing += [info.name] * bool(ran)
            else:
                said = (
                    f"{format_share(bad or 0.0)} of the malicious messages, {format_share(honest or 0.0)} of the honest"
                )
                sentences.append(f"{info.name}{several}: {said}.")
            unchanged = _mean_of(ran, "unchanged_rounds") or 0.0
            if unchanged:
                share = format_share(unchanged / record.rounds)
                sentences.append(
                    f"{info.name}{several}: {share} of the rounds aggregated nothing and changed no model."
                )
        if weighing:
            sentences.append(f"Nobody{several}: {listed(weighing)}.")
    return (*sentences, *_refused(record))


def _ran(record: FederatedRecord, rule: str, malicious: int) -> list[FederatedCell]:
    cells = [record.cell(attack.name, rule, malicious) for attack in record.attacked_by]
    return [cell for cell in cells if cell is not None and cell.accuracy is not None]


def _mean_of(cells: Sequence[FederatedCell], name: str) -> float | None:
    found = [value for cell in cells if (value := getattr(cell, name)) is not None]
    return sum(found) / len(found) if found else None


def _refused(record: FederatedRecord) -> list[str]:
    """Say which attacks sent messages that never entered."""
    most = {
        info.name: max((cell.refused or 0.0 for cell in record.cells if cell.attack == info.name), default=0.0)
        for info in record.attacked_by
    }
    said = [f"{name} (up to {format_share(share)} of all messages)" for name, share in most.items() if share]
    return [f"Refused before any rule, as malformed or not finite: {listed(said)}."] if said else []


def federated_glance(record: FederatedRecord) -> dict[str, list[str]]:
    """Tabulate each rule: its accuracy without an attack, and under the attack that costs it most."""
    table: dict[str, list[str]] = {
        name: [] for name in ("malicious", "rule", "no_attack", "worst_attack", "under_it", "points_lost")
    }
    for malicious in record.malicious:
        for info in record.rules:
            bare, worst = record.cell(record.no_attack, info.name, malicious), record.worst_cell(info.name, malicious)
            row = (
                f"{malicious} of {record.clients}",
                info.name,
                "" if bare is None or bare.accuracy is None else format_estimate(bare.accuracy),
                "" if worst is None else worst.attack,
                "" if worst is None or worst.accuracy is None else format_estimate(worst.accuracy),
                "" if worst is None or worst.lost is None else points(worst.lost.mean),
            )
            for column, value in zip(table.values(), row, strict=True):
                column.append(value)
    return table


def _title(record: FederatedRecord, malicious: int) -> str:
    return f"{malicious} of {counted(record.clients, 'client')} malicious: attacks down, rules across"


def _matrix(record: FederatedRecord, malicious: int, width: int | None) -> list[str]:
    """Arrange attacks down and rules across, in as many parts as the width requires."""
    names = ["no attack", *(info.name for info in record.attacked_by)]
    first = max(map(len, names)) + 2
    columns = [_column(record, info, malicious, width) for info in record.rules]
    lines: list[str] = []
    while columns:
        room = (10**9 if width is None else width) - first
        part: list[_Column] = []
        while columns and (not part or sum(map(_breadth, [*part, columns[0]])) <= room):
            part.append(columns.pop(0))
        height = max(len(heads) for heads, _ in part)
        for row in range(height):
            lines.append(_row("", [_down(heads, height)[row] for heads, _ in part], part, first))
        for place, name in enumerate(names):
            lines.append(_row(name, [cells[place] for _, cells in part], part, first))
        if columns:
            lines.append("")
    return lines


def _column(record: FederatedRecord, info: RuleInfo, malicious: int, width: int | None) -> _Column:
    """Return the head of a rule, on a terminal in pieces that stand one below the other, and its cells."""
    heads = [info.name] if width is None else _PIECE.findall(info.name)
    return heads, [_shown(record, record.cell(attack.name, info.name, malicious)) for attack in record.attacks]


def _breadth(column: _Column) -> int:
    return max(len(text) for texts in column for text in texts) + _GAP


def _down(heads: list[str], height: int) -> list[str]:
    return [""] * (height - len(heads)) + heads


def _row(name: str, texts: Sequence[str], part: Sequence[_Column], first: int) -> str:
    cells = "".join(f"{text:>{_breadth(column)}}" for text, column in zip(texts, part, strict=True))
    return f"  {name:<{first - 2}}{cells}".rstrip()


def _shown(record: FederatedRecord, cell: FederatedCell | None) -> str:
    if cell is None or cell.accuracy is None:
        return "-"
    lost = "" if cell.lost is None else f" {change(cell.lost.mean):>6}"
    star = "" if record.above_majority(cell.accuracy.mean) else "*"
    return f"{star}{bare_percent(cell.accuracy.mean)}{lost}"
