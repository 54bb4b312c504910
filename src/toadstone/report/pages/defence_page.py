"""The page of a defence."""

from __future__ import annotations

from toadstone.records.defence import DefenceRecord
from toadstone.report.pages.environment import MOST_ROWS, environment
from toadstone.report.text.defence_text import (
    change_in_words,
    defence_sentences,
    fates,
    format_accuracy,
    limit_in_words,
    model_sentence,
    next_sentences,
)
from toadstone.report.text.rows_text import values_in_words


def render_defence(record: DefenceRecord) -> str:
    """Render a defence as one HTML page that fetches nothing.

    Parameters
    ----------
    record : DefenceRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    made = environment()
    made.filters.update(accuracy=format_accuracy, change=change_in_words, values=values_in_words)
    return made.get_template("defence.html.j2").render(
        record=record,
        sentences=defence_sentences(record),
        fates=fates(record.source, record.account, record.set_aside),
        next=next_sentences(record),
        model=model_sentence(record),
        limit=limit_in_words(record),
        removals=record.removals[:MOST_ROWS],
        relabelled=record.relabelled[:MOST_ROWS],
        light=record.light[:MOST_ROWS],
    )
