"""A scan in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.scan import DetectorReport, FlaggedRow, ScanRecord
from toadstone.report.text.formats import counted, flow, format_count, format_share, listed, shortened, visible_lines
from toadstone.report.text.rows_text import aside_sentences, contradiction_sentence, reading_lines
from toadstone.report.text.wording import LONGEST_PREVIEW, SHOWN_ROWS, short_name, spoken

_NO_FIGURE = "-"


def scan_lines(record: ScanRecord, width: int | None) -> list[str]:
    """Write the rows to look at, then the figures of each detector, then what to do next.

    Parameters
    ----------
    record : ScanRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    sentences = (*scan_sentences(record, SHOWN_ROWS), *row_sentences(record))
    lines = [flow(sentence, width) for sentence in sentences]
    if record.rows:
        lines += ["", *_row_lines(record, width)]
    lines += ["", *reading_lines(record.data, width, record.source)]
    return visible_lines([*lines, "", *_detector_lines(record, width), "", flow(next_step(record), width)])


def scan_sentences(record: ScanRecord, shown: int) -> tuple[str, ...]:
    """Say whether anything stands out, how many rows are flagged, and what could have stayed undetected.

    Parameters
    ----------
    record : ScanRecord
    shown : int
        Rows that are listed below at most.
    """
    ran = _ran(record)
    if not ran:
        return ("No detector could use these data: no row was checked.",)
    by = (
        f"at least one of {counted(len(ran), 'detector')}"
        if len(ran) > 1
        else f"the one detector that ran ({listed([*ran])})"
    )
    flagged = f"{format_count(record.flagged_rows)} of {counted(record.data.n_train, 'row')} are flagged by {by}."
    if record.trusted_rows:
        flagged += f" Their thresholds come from {counted(record.trusted_rows, 'trusted row')}, where these suffice."
    limits = [found.smallest_detectable_share for found in ran.values() if found.false_alarm_rate]
    if not limits:
        return "No detector has a threshold, because its scores do not vary: poison would stay undetected.", flagged
    beyond = [name for name, found in ran.items() if found.exceeded]
    if beyond:
        return _look_at(min(shown, len(record.rows)), beyond), flagged
    calm = "Nothing stands out: no detector flags more rows than its false-alarm rate and chance explain."
    undetected = (
        f"Poison on less than {format_share(min(limits))} of the rows could have stayed undetected, and so could "
        "poison that these detectors cannot see."
    )
    anyway = " The most suspicious are listed all the same." if record.rows else ""
    return calm, f"{flagged}{anyway}", undetected


def row_sentences(record: ScanRecord) -> tuple[str, ...]:
    """Say which rows were not judged, and which are equal but for the label."""
    contradicted = contradiction_sentence(record.source, record.contradicting, record.contradictions)
    return (*aside_sentences(record.source, record.set_aside), *([contradicted] if contradicted else []))


def next_step(record: ScanRecord) -> str:
    """Say in one sentence what to do after a scan."""
    ran = _ran(record)
    if not any(found.false_alarm_rate for found in ran.values()):
        return (
            "Next: nothing was decided; mend what the table names, or give rows that you know to be clean as --trusted."
        )
    if any(found.exceeded for found in ran.values()):
        sharper = (
            ""
            if record.trusted_rows
            else "; rows that you know to be clean, given as --trusted, sharpen the thresholds"
        )
        return (
            "Next: check these rows, then remove the bad ones by hand or with `toadstone defend`, which reports "
            f"the cost in accuracy{sharper}."
        )
    if record.trusted_rows:
        return "Next: nothing has to be done; `toadstone audit` bounds the harm of poison that no detector sees."
    return (
        "Next: nothing has to be done; rows that you know to be clean, given as --trusted, make smaller shares of "
        "poison detectable."
    )


def leading_detector(flagged: FlaggedRow) -> str:
    """Name the detector, among those that flag a row, that ranks it first."""
    return min(flagged.reasons, key=lambda name: flagged.ranks[name])


def main_reason(flagged: FlaggedRow) -> str:
    """Say which detectors flag a row, and the reason of the one that ranks it first.

    Examples
    --------
    >>> row = FlaggedRow("7", 6, "spam", 0.9, {"sever": 3, "roni": 1}, {"sever": "far", "roni": "bad"}, "0" * 64, "")
    >>> main_reason(row)
    'roni and 1 other: bad'
    """
    first, others = leading_detector(flagged), len(flagged.reasons) - 1
    beside = f" and {counted(others, 'other')}" if others else ""
    return f"{spoken(first)}{beside}: {flagged.reasons[first]}"


def _ran(record: ScanRecord) -> dict[str, DetectorReport]:
    return {name: found for name, found in record.detectors.items() if not found.skipped}


def _look_at(shown: int, beyond: list[str]) -> str:
    rows = "this row" if shown == 1 else f"these {shown} rows"
    flag, its = ("flags", "its false-alarm rate") if len(beyond) == 1 else ("flag", "their false-alarm rates")
    names = listed([spoken(name) for name in beyond])
    return f"Look at {rows} first: {names} {flag} more rows than {its} and chance explain."


def _row_lines(record: ScanRecord, width: int | None) -> list[str]:
    lines = []
    for flagged in record.rows[:SHOWN_ROWS]:
        preview = shortened(flagged.preview, LONGEST_PREVIEW)
        head = f"  {record.source.full(flagged.row)}, {short_name(flagged.label)}: {preview}"
        lines += [flow(head, width, indent=4), flow(f"    {main_reason(flagged)}", width, indent=6)]
    others = record.flagged_rows - min(SHOWN_ROWS, len(record.rows))
    return [*lines, flow(f"  and {format_count(others)} more, {in_table(record)}", width)] if others > 0 else lines


def in_table(record: ScanRecord) -> str:
    """Say where all flagged rows are listed, or the first of them if there are too many."""
    if len(record.rows) == record.flagged_rows:
        return "all in suspects.csv (--out)"
    return f"the first {format_count(len(record.rows))} in suspects.csv (--out)"


def _detector_lines(record: ScanRecord, width: int | None) -> list[str]:
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
    ran = _ran(record).values()
    if any(found.exceeded for found in ran):
        lines.append(flow("* more rows than the false-alarm rate and chance explain", width, indent=2))
    if not all(found.false_alarm_rate for found in ran):
        lines.append(flow(f"{_NO_FIGURE} no threshold, because the scores do not vary", width, indent=2))
    return lines


def _percent(share: float | None) -> str:
    return _NO_FIGURE if share is None else f"{100 * share:.2f} %"
