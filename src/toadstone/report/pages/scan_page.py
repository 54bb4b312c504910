"""One self-contained page from the record of a scan."""

from __future__ import annotations

from toadstone.records.scan import ScanRecord
from toadstone.report.pages.audit_page import MOST_SUSPECTS, environment
from toadstone.report.text.wording import detector_in_words, scan_sentences


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
    page = environment().get_template("scan.html.j2")
    return page.render(
        record=record,
        sentences=scan_sentences(record),
        words={name: detector_in_words(name) for name in record.detectors},
        rows=record.rows[:MOST_SUSPECTS],
    )
