"""One self-contained page from a run record."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord, Suspect
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.drawings.charts import draw_curve
from toadstone.report.text import audit_matrix as matrix
from toadstone.report.text import formats, wording

MOST_SUSPECTS = 50
"""Rows shown; ``suspects.csv`` holds them all."""

_LONGEST_PREVIEW = 160


def render(record: AuditRecord) -> str:
    """Render a record as one HTML page that fetches nothing.

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
    charts = (
        draw_curve(
            record.curve,
            audited=record.threat.fraction,
            wrong_row_loss=record.defender.wrong_row_loss,
            canvas=canvas,
        )
        for canvas in (WIDE, NARROW)
    )
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            record=record,
            headline=record.headline,
            sentences=wording.headline_sentences(record),
            cautions=wording.cautions(record),
            glossary=wording.glossary(record),
            attacks=wording.attacks_in_words(record),
            defences=wording.defences_in_words(record),
            best=matrix.best_defence(record),
            undefended=matrix.undefended(record),
            matrix=matrix.arrange(record),
            heat_steps=matrix.HEAT_STEPS,
            suspects=record.suspects[:MOST_SUSPECTS],
            rankers=_rankers(record.suspects),
            charts=[Markup(chart) for chart in charts],
            script=Markup(script),
            script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _rankers(suspects: tuple[Suspect, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for suspect in suspects for name in suspect.ranks))


def environment() -> Environment:
    """Templates that escape what they are given, and the filters they share."""
    made = Environment(
        loader=PackageLoader("toadstone.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters.update(
        attack_value=formats.format_attack_value,
        bound=formats.format_bound,
        count=formats.format_count,
        fraction=formats.format_fraction,
        interval=lambda run: formats.format_interval(run.low, run.high),
        loss=formats.format_loss,
        moment=lambda text: text.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC"),
        name=_spoken_name,
        preview=lambda text: formats.shortened(text, _LONGEST_PREVIEW),
        seconds=lambda value: f"{value:,.2f}\N{NO-BREAK SPACE}s",
        share=formats.format_share,
        spoken=wording.spoken,
    )
    return made


def _shown(value: object) -> object:
    return formats.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _spoken_name(name: str, nothing: str = "") -> str:
    if nothing and name in (NO_ATTACK, NO_SANITIZER):
        return nothing
    return formats.shortened(wording.spoken(name), wording.LONGEST_NAME)
