"""The page of a scan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toadstone.records.header import Source
from toadstone.records.scan import DetectorReport, Finding, ScanRecord
from toadstone.report.pages.environment import MOST_ROWS, environment, is_picture
from toadstone.report.text.formats import format_count
from toadstone.report.text.rows_text import named_rows
from toadstone.report.text.scan_headline import (
    detector_sentences,
    evidence_sentence,
    fact_sentences,
    next_step,
    scan_sentences,
)
from toadstone.report.text.scan_text import (
    detector_title,
    flagged_also,
    other_reasons,
    rows_by_themselves,
    rows_title,
    sentence_start,
    verdict_on,
)
from toadstone.report.text.wording import SHOWN_ROWS, detector_in_words

_OF_A_GROUP = 8


def render_scan(record: ScanRecord, pictures: Mapping[str, str] = MappingProxyType({})) -> str:
    """Render a scan as one HTML page that fetches nothing.

    Parameters
    ----------
    record : ScanRecord
    pictures : mapping from str to str
        PNG files in base64 of rows that are images, by the names of the rows.

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    made = environment()
    made.filters.update(
        also=lambda row: flagged_also(row, decided=record.decided),
        other_reasons=other_reasons,
        rows=lambda group, source: named_rows(source, group.rows, len(group.rows)),
        rows_of=_all_rows,
        verdict_on=verdict_on,
        which=lambda row: sentence_start(row, record.source),
    )
    sentences = scan_sentences(record)
    of_detectors = detector_sentences(record)
    first = sentences[: len(sentences) - len(of_detectors)] if record.decided else sentences
    return made.get_template("scan.html.j2").render(
        record=record,
        headline=first[0] if first else "",
        sentences=first[1:],
        of_detectors=of_detectors if record.decided else (),
        evidence=evidence_sentence(record),
        facts=fact_sentences(record),
        next_step=next_step(record),
        words={name: detector_in_words(name) for name in record.detectors},
        rows_title=rows_title(record),
        detector_title=detector_title(record),
        rows=rows_by_themselves(record)[:MOST_ROWS],
        alone=record.listed_rows - record.grouped_rows,
        review=record.review[:MOST_ROWS],
        groups=record.groups[:MOST_ROWS],
        contradictions=record.contradictions[:MOST_ROWS],
        most_rows=SHOWN_ROWS,
        pictures={name: picture for name, picture in pictures.items() if is_picture(picture)},
        of_a_group=_OF_A_GROUP,
    )


def _all_rows(found: DetectorReport | Finding, source: Source) -> str:
    count = found.count if isinstance(found, Finding) else found.flagged
    others = count - len(found.rows)
    return source.several(found.rows) + (f" and {format_count(others)} more" if others > 0 else "")
