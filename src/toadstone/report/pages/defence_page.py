"""The page of a defence."""

from __future__ import annotations

from toadstone.records.defence import DefenceRecord
from toadstone.report.pages.environment import MOST_ROWS, environment
from toadstone.report.text.defence_text import (
    REMOVING,
    defence_sentences,
    fates,
    format_accuracy,
    format_cost,
    step_note,
)
from toadstone.report.text.wording import detector_in_words, learner_in_words


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
    made.filters.update(accuracy=format_accuracy, cost=format_cost, note=step_note)
    return made.get_template("defence.html.j2").render(
        record=record,
        sentences=defence_sentences(record),
        fates=fates(record.source, record.account, record.set_aside),
        words={step.name: detector_in_words(step.name) for step in record.steps if step.layer in REMOVING},
        learner=learner_in_words(record.learner),
        removals=record.removals[:MOST_ROWS],
    )
