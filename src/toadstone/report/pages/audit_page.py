"""The page of an audit."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from markupsafe import Markup

from toadstone.records.audit import AuditRecord
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.drawings.charts import draw_curve
from toadstone.report.pages.environment import MOST_ROWS, environment
from toadstone.report.text import audit_matrix as matrix
from toadstone.report.text import wording
from toadstone.report.text.audit_text import cautions, headline_sentences, next_sentences, rankers
from toadstone.report.text.formats import format_count, format_fraction, format_share


def render(record: AuditRecord) -> str:
    """Render an audit as one HTML page that fetches nothing.

    The page works without scripts, in light and dark, on paper and on a
    narrow screen. The same record gives the same bytes.

    Parameters
    ----------
    record : AuditRecord

    Returns
    -------
    str
        UTF-8 text of the whole file.

    Raises
    ------
    InvalidData
        If the record's curve has no point at the audited fraction.
    """
    script = resources.files("toadstone.report").joinpath("templates/report.js").read_text("utf-8").strip()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            record=record,
            headline=record.headline,
            sentences=headline_sentences(record),
            cautions=cautions(record),
            glossary=wording.glossary(record),
            attacks=wording.attacks_in_words(record),
            defences=wording.defences_in_words(record),
            standing=matrix.stand(record),
            next=next_sentences(record),
            matrix=matrix.arrange(record),
            heat_steps=matrix.HEAT_STEPS,
            suspects=record.suspects[:MOST_ROWS],
            rankers=rankers(record),
            charts=_charts(record),
            data_facts=_data_facts(record),
            setting_facts=_setting_facts(record),
            # The page's policy lets only the script with this digest run.
            script=Markup(script),
            script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _charts(record: AuditRecord) -> list[Markup]:
    """Draw the curve twice; the page shows the one that fits the screen."""
    if not record.curve:
        return []
    audited, wrong = record.threat.fraction, record.defender.wrong_row_loss
    return [
        Markup(draw_curve(record.curve, audited=audited, wrong_row_loss=wrong, canvas=canvas))
        for canvas in (WIDE, NARROW)
    ]


def _data_facts(record: AuditRecord) -> list[tuple[str, str]]:
    data = record.data
    return [
        ("Name", record.source.name),
        *(
            (f"Class {count.label}", f"{format_count(count.train)} training, {format_count(count.test)} test")
            for count in data.classes
        ),
        ("Entries not zero", format_share(data.density)),
        ("Values", data.domain),
        ("Test rows", data.test_origin),
    ]


def _setting_facts(record: AuditRecord) -> list[tuple[str, str]]:
    threat, defender = record.threat, record.defender
    models = {"norm_ball": "squared norm at most", "ridge": "ridge"}[defender.hypothesis]
    return [
        ("Attacker", f"{threat.kind}, {format_fraction(threat.fraction)}: {format_count(threat.rows)} rows"),
        ("Learner", f"{defender.learner}, {wording.spoken(defender.loss)} loss"),
        ("Models", f"{models} {defender.hypothesis_value:.6g} ({defender.hypothesis_origin})"),
        ("Certified radii", f"{format_fraction(defender.certificate_quantile)} quantile of each class"),
        ("Removed", f"{format_fraction(defender.removed_share)} of each class"),
    ]
