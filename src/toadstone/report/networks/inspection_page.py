"""The page of an inspection, with pictures of the found triggers."""

from __future__ import annotations

from toadstone.records.networks.inspection import InspectionRecord, SuspectedLabel
from toadstone.report.networks.inspection_text import evidence, headline, next_step, setting, treatment
from toadstone.report.pages.environment import environment, is_picture


def render_inspection(record: InspectionRecord) -> str:
    """Render an inspection as one HTML page that fetches nothing.

    Parameters
    ----------
    record : InspectionRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    suspected = {(one.found.label, one.found.kind) for one in record.suspects}
    return (
        environment()
        .get_template("inspection.html.j2")
        .render(
            record=record,
            headline=headline(record),
            next_step=next_step(record).removeprefix("Next: "),
            treatment=treatment(record),
            setting=setting(record),
            suspects=[(suspect, _pictures(suspect), evidence(suspect)) for suspect in record.suspects],
            suspected=suspected,
        )
    )


def _pictures(suspect: SuspectedLabel) -> list[tuple[str, str]]:
    """Return captions and pictures; a record that was changed may hold something else in their place."""
    both = (("Trigger", suspect.trigger), ("On a trusted image", suspect.example))
    return [(caption, picture) for caption, picture in both if is_picture(picture)]
