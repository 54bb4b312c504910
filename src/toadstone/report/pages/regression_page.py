"""The pages of numeric targets: of a scan and of a defence."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.regression import RegressionDefenceRecord, RegressionScanRecord, WrongTarget
from toadstone.report.pages.environment import MOST_ROWS, environment
from toadstone.report.regression.regression_text import (
    WHERE,
    change_in_words,
    defence_sentences,
    format_error,
    format_target,
    next_step,
    scan_sentences,
)
from toadstone.report.text.rows_text import account_sentence, aside_sentences


def render_target_scan(record: RegressionScanRecord) -> str:
    """Render a scan of numeric targets as one HTML page that fetches nothing.

    Parameters
    ----------
    record : RegressionScanRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    return _render(record, record.rows, record.flagged_rows, scan_sentences(record), next_step(record))


def render_target_defence(record: RegressionDefenceRecord) -> str:
    """Render a defence of numeric targets as one HTML page; as `render_target_scan`."""
    sentences = (*defence_sentences(record), account_sentence(record.account))
    return _render(record, record.removals, len(record.removals), sentences, "")


def _render(
    record: RegressionScanRecord | RegressionDefenceRecord,
    rows: Sequence[WrongTarget],
    total: int,
    sentences: tuple[str, ...],
    following: str,
) -> str:
    made = environment()
    made.filters.update(
        target=format_target,
        before=lambda found: format_error(found.before, found),
        after=lambda found: format_error(found.after, found),
        change=change_in_words,
        suggested=lambda row: format_target(row.suggested, row.high - row.low),
        between=lambda row: (
            f"{format_target(row.low, row.high - row.low)} to {format_target(row.high, row.high - row.low)}"
        ),
    )
    return made.get_template("regression.html.j2").render(
        record=record,
        rows=rows[:MOST_ROWS],
        total=total,
        sentences=sentences,
        aside=aside_sentences(record.source, record.set_aside),
        next_step=following,
        errors=record.errors if isinstance(record, RegressionDefenceRecord) else (),
        where=WHERE,
    )
