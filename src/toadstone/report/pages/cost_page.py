"""The page of a cost."""

from __future__ import annotations

from toadstone.records.guarantees.cost import CostRecord
from toadstone.report.cost.cost_text import cost_sentences, detail_sentences, setting_sentence
from toadstone.report.pages.environment import environment
from toadstone.report.text.formats import format_count

_CERTIFIED = "fewer rows than this cannot do the harm, whatever they are"
_FOUND = "so many rows suffice, by an attack that was carried out"


def render_cost(record: CostRecord) -> str:
    """Render a cost as one HTML page that fetches nothing.

    Parameters
    ----------
    record : CostRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    return (
        environment()
        .get_template("cost.html.j2")
        .render(
            record=record,
            sentences=cost_sentences(record),
            details=detail_sentences(record),
            setting=setting_sentence(record),
            sides=_sides(record),
        )
    )


def _sides(record: CostRecord) -> list[dict[str, str]]:
    rows = (("certified", record.certified_rows, _CERTIFIED), ("found", record.attack_rows, _FOUND))
    return [
        {"name": name, "rows": "none" if number is None else format_count(number), "meaning": meaning}
        for name, number, meaning in rows
    ]
