"""A scan as lines for a terminal or a pipe, and its rows in words."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.header import Source
from toadstone.records.scan import ListedRow, ScanRecord
from toadstone.report.text.formats import counted, flow, format_count, listed, visible_lines
from toadstone.report.text.rows_text import reading_lines, values_in_words
from toadstone.report.text.scan_headline import fact_sentences, next_step, ran_detectors, scan_sentences, with_rows
from toadstone.report.text.wording import SHOWN_ROWS, rows_place, short_name, spoken

_NO_FIGURE = "-"


def scan_lines(record: ScanRecord, width: int | None) -> list[str]:
    """Write the finding in a sentence, the rows, the groups, facts, the detectors, and what to do next.

    Parameters
    ----------
    record : ScanRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    lines = [flow(sentence, width) for sentence in scan_sentences(record)]
    sections = (
        (rows_title(record), _row_lines(rows_by_themselves(record), record, width)),
        ("Groups of rows", _group_lines(record, width)),
        ("Rows to review", _review_lines(record, width)),
        ("About the table", [flow(f"- {fact}", width, indent=2) for fact in fact_sentences(record)]),
        ("How the data were read", reading_lines(record.data, width, record.source)),
        (detector_title(record), _detector_lines(record, width)),
    )
    for title, body in sections:
        if body:
            lines += ["", flow(title, width), *body]
    return visible_lines([*lines, "", flow(next_step(record), width)])


def rows_title(record: ScanRecord) -> str:
    """Heading of the rows to look at."""
    return "Rows that look mislabelled" if record.decided else "Rows that detectors flag"


def detector_title(record: ScanRecord) -> str:
    """Heading of the detectors: evidence beside a verdict."""
    return "Detectors (evidence; the verdict does not depend on them)" if record.decided else "Detectors"


def rows_by_themselves(record: ScanRecord) -> tuple[ListedRow, ...]:
    """The listed rows that are in no group."""
    return tuple(row for row in record.rows if row.group is None)


def verdict_on(row: ListedRow) -> str:
    """Say what a row is labelled and what it looks like.

    Examples
    --------
    >>> row = ListedRow("7", 6, "spam", "ham", 0.98, 0.97, None, (), {}, "0" * 64, {})
    >>> verdict_on(row).replace(chr(160), " ")
    'labelled spam, looks like ham (98 %)'
    """
    label = f"labelled {short_name(row.label)}"
    if row.suggested_label is None:
        return label
    sure = f" ({100 * (row.probability or 0.0):.0f}\N{NO-BREAK SPACE}%)"
    return f"{label}, looks like {short_name(row.suggested_label)}{sure}"


def sentence_start(row: ListedRow, source: Source) -> str:
    """Name a row at the beginning of a sentence; the name of a column stays as it is."""
    name = source.full(row.row)
    return name if source.numbering == "id" else f"{name[:1].upper()}{name[1:]}"


def values_of(row: ListedRow) -> str:
    """List the columns of a row that matter with their values."""
    return values_in_words(row.values)


def other_reasons(row: ListedRow) -> tuple[str, ...]:
    """Reasons that say more than label and suggestion do."""
    return tuple(reason for reason in row.reasons if not reason.startswith("labelled "))


def flagged_also(row: ListedRow, *, decided: bool) -> str:
    """Name the detectors that flag a row; without a verdict, with the reason of the first.

    Examples
    --------
    >>> row = ListedRow("7", 6, "spam", None, None, 0.9, None, (), {"roni": "bad", "sever": "far"}, "0" * 64, {})
    >>> flagged_also(row, decided=False), flagged_also(row, decided=True)
    ('roni and 1 other: bad', 'also flagged by roni and sever')
    """
    names = [spoken(name) for name in row.also_flagged_by]
    if not names:
        return ""
    if not decided:
        beside = f" and {counted(len(names) - 1, 'other')}" if len(names) > 1 else ""
        return f"{names[0]}{beside}: {next(iter(row.also_flagged_by.values()))}"
    shown = names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} others"]
    return f"also flagged by {listed(shown)}"


def _row_lines(rows: Sequence[ListedRow], record: ScanRecord, width: int | None) -> list[str]:
    lines: list[str] = []
    for row in rows[:SHOWN_ROWS]:
        lines.append(flow(f"  {record.source.full(row.row)}: {verdict_on(row)}", width, indent=4))
        also = flagged_also(row, decided=record.decided)
        lines += [flow(f"    {text}", width, indent=6) for text in (values_of(row), also) if text]
    others = record.listed_rows - record.grouped_rows - min(SHOWN_ROWS, len(rows))
    return [*lines, flow(f"  and {format_count(others)} more, {in_table(record)}", width)] if others > 0 else lines


def _group_lines(record: ScanRecord, width: int | None) -> list[str]:
    groups = record.groups
    lines = [flow(f"- {with_rows(record, group)}", width, indent=2) for group in groups[:SHOWN_ROWS]]
    others = record.group_count - min(SHOWN_ROWS, len(groups))
    place = rows_place("record.json", record.header, "record.groups")
    return [*lines, flow(f"  and {format_count(others)} more, see {place}", width)] if others > 0 else lines


def _review_lines(record: ScanRecord, width: int | None) -> list[str]:
    lines = []
    for row in record.review[:SHOWN_ROWS]:
        lines.append(flow(f"  {record.source.full(row.row)}: {verdict_on(row)}", width, indent=4))
    others = record.review_rows - min(SHOWN_ROWS, len(record.review))
    place = rows_place("scores.csv", record.header, "scores")
    return [*lines, flow(f"  and {format_count(others)} more, see {place}", width)] if others > 0 else lines


def in_table(record: ScanRecord) -> str:
    """Say where all listed rows are, or the first of them if there are too many."""
    place = rows_place("suspects.csv", record.header)
    if len(record.rows) == record.listed_rows:
        return f"all in {place}"
    return f"the first {format_count(len(record.rows))} in {place}"


def _detector_lines(record: ScanRecord, width: int | None) -> list[str]:
    if not record.detectors:
        return []
    widest = max([len("detector"), *(len(name) for name in record.detectors)])
    lines = [
        f"  {'':<{widest}}{'':>17}{'false-alarm':>12}{'smallest':>18}",
        f"  {'detector':<{widest}}{'flagged':>9}{'share':>8}{'rate':>12}{'detectable share':>18}{'time':>10}",
    ]
    for name, found in record.detectors.items():
        if found.skipped:
            lines.append(flow(f"  {name:<{widest}}  skipped: {found.skipped}", width, indent=widest + 4))
            continue
        # A detector without a threshold has a rate of 0, and no share that it could detect.
        limits = (found.false_alarm_rate, found.smallest_detectable_share) if found.false_alarm_rate else (None, None)
        share, rate, least = (_percent(value) for value in (found.flagged_share, *limits))
        lines.append(
            f"{'*' if found.exceeded else ' '} {name:<{widest}}{found.flagged:>9,}{share:>8}{rate:>12}{least:>18}"
            f"{found.seconds:>8.1f} s"
        )
    ran = ran_detectors(record).values()
    if any(found.exceeded for found in ran):
        lines.append(flow("* more rows than the false-alarm rate and chance explain", width, indent=2))
    if not all(found.false_alarm_rate for found in ran):
        lines.append(flow(f"{_NO_FIGURE} no threshold, because the scores do not vary", width, indent=2))
    return lines


def _percent(share: float | None) -> str:
    return _NO_FIGURE if share is None else f"{100 * share:.2f} %"
