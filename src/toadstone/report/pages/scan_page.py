"""The page of a scan."""

from __future__ import annotations

from toadstone.records.scan import ScanRecord
from toadstone.report.pages.environment import MOST_ROWS, environment
from toadstone.report.text.rows_text import aside_sentences, named_rows
from toadstone.report.text.scan_text import leading_detector, next_step, scan_sentences
from toadstone.report.text.wording import SHOWN_ROWS, detector_in_words


def render_scan(record: ScanRecord) -> str:
    """Render a scan as one HTML page that fetches nothing.

    Parameters
    ----------
    record : ScanRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    made = environment()
    made.filters.update(
        leading=leading_detector,
        rows=lambda group, source: named_rows(source, group.rows, len(group.rows)),
    )
    return made.get_template("scan.html.j2").render(
        record=record,
        sentences=scan_sentences(record, MOST_ROWS),
        aside=aside_sentences(record.source, record.set_aside),
        next_step=next_step(record),
        words={name: detector_in_words(name) for name in record.detectors},
        rows=record.rows[:MOST_ROWS],
        contradictions=record.contradictions[:MOST_ROWS],
        most_rows=SHOWN_ROWS,
        ran=sum(not found.skipped for found in record.detectors.values()),
    )
