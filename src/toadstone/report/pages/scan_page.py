"""The page of a scan."""

from __future__ import annotations

from toadstone.records.scan import ScanRecord
from toadstone.report.pages.environment import MOST_ROWS, environment
from toadstone.report.text.scan_text import leading_detector, next_step, scan_sentences
from toadstone.report.text.wording import detector_in_words


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
    made.filters.update(leading=leading_detector)
    return made.get_template("scan.html.j2").render(
        record=record,
        sentences=scan_sentences(record, MOST_ROWS),
        next_step=next_step(record),
        words={name: detector_in_words(name) for name in record.detectors},
        rows=record.rows[:MOST_ROWS],
        ran=sum(not found.skipped for found in record.detectors.values()),
    )
