"""The page of certified predictions."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from toadstone.records.guarantees.pointwise import PointwiseRecord, PointwiseSummary
from toadstone.report.certificates.pointwise_text import (
    FEW_UNITS,
    pointwise_sentence,
    remark_sentences,
    setting_in_words,
    strongest,
)
from toadstone.report.certificates.unit_words import (
    any_one,
    many_units,
    plain_assumption,
    plain_sentence,
    unit_sentences,
)
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.drawings.certified_steps import draw_certified
from toadstone.report.pages.environment import environment
from toadstone.report.text.formats import bare_percent, format_count, format_fraction, format_share

_TITLES = {
    "label-flips": "wrong labels that predictions withstand",
    "votes": "rows that predictions withstand",
    "neighbours": "rows that predictions withstand",
    "temporal": "periods that predictions withstand",
}


def render_predictions(record: PointwiseRecord) -> str:
    """Render certificates of single predictions as one HTML page that fetches nothing.

    Parameters
    ----------
    record : PointwiseRecord

    Returns
    -------
    str
        UTF-8 text of the whole file; the same record gives the same bytes.
    """
    best = strongest(record.summaries)
    chosen = record.summaries.index(best)
    return (
        environment()
        .get_template("predictions.html.j2")
        .render(
            record=record,
            best=best,
            title=_TITLES[best.method],
            lead=pointwise_sentence(best, len(record.summaries)),
            assumed=[plain_assumption(sentence, best.settings) for sentence in record.assumptions],
            named=unit_sentences(best),
            cards=_cards(best),
            # Twice; the page shows the one that fits the screen.
            charts=[
                Markup(draw_certified(record.summaries, record.steps, chosen=chosen, canvas=canvas))
                for canvas in (WIDE, NARROW)
            ],
            legend=_legend(best),
            keys=[_key(key, best) for key in _values(best)],
            rows=[_row(summary, best) for summary in record.summaries],
            remarks=remark_sentences(record.summaries, record.adversary, record.data.test_origin),
            promises=_promises(record, best),
        )
    )


def _values(summary: PointwiseSummary) -> Mapping[str, float]:
    return summary.unchanged if summary.n_units <= FEW_UNITS else summary.certified_accuracy


def _together(summary: PointwiseSummary) -> Mapping[str, float]:
    return summary.collective_unchanged if summary.n_units <= FEW_UNITS else summary.collective_accuracy


def _key(key: str, summary: PointwiseSummary) -> str:
    if summary.n_units > FEW_UNITS:
        return f"at {format_fraction(float(key))}"
    return f"{key} {'unit' if key == '1' else 'units'}"


def _card(name: str, figure: str, note: str, kind: str = "bound") -> dict[str, str]:
    return {"name": name, "figure": figure, "kind": kind, "note": note}


def _cards(best: PointwiseSummary) -> list[dict[str, str]]:
    few, number = best.n_units <= FEW_UNITS, format_count(best.n_units)
    key, share = next(iter(_values(best).items()))
    whom = "" if few else f"{format_fraction(float(key))} of {number}"
    alone = f"of the test rows are right whatever an attacker does with {whom}; pointwise"
    stay = f"of the test rows stay right under any one choice of {whom}; collective"
    if few:
        alone = f"of the predictions cannot be changed by {any_one(best)}; pointwise"
        stay = f"of the predictions stay, whichever one of the {number} attacks them all; collective"
    half = f"{many_units(best.unit)}, at which half of all test rows are still right for sure"
    cards = [
        _card("Each row alone", format_share(share), alone),
        _card("Half of all rows", format_count(best.median), half),
    ]
    if _together(best):
        cards.append(_card("All rows at once", f"≥ {format_share(_together(best)[key])}", stay))
    if best.attacked_accuracy:
        first, left = next(iter(best.attacked_accuracy.items()))
        found = f"right after the best choice of {format_fraction(float(first))} that was found, against all test rows"
        cards.append(_card("Attack found", format_share(left), f"{found} at once", "attack"))
    return cards


def _row(summary: PointwiseSummary, best: PointwiseSummary) -> dict[str, object]:
    # Pointwise, collective and attack at one share of the units are one cell.
    columns = [found for found in (_values(summary), _together(summary), _attacked(summary)) if found]
    return {
        "setting": _setting(summary),
        "chosen": summary is best,
        "accuracy": bare_percent(summary.accuracy),
        "median": format_count(summary.median),
        "cells": [" · ".join(bare_percent(found[key]) for found in columns) for key in _values(summary)],
    }


def _attacked(summary: PointwiseSummary) -> Mapping[str, float]:
    return summary.attacked_accuracy if summary.n_units > FEW_UNITS else {}


def _setting(summary: PointwiseSummary) -> str:
    """Name a setting briefly: lambda and the ridge are one number."""
    words = setting_in_words(summary)
    return words.partition(" and lambda")[2].join(["lambda", ""]) if " and lambda" in words else words or "the only one"


def _legend(best: PointwiseSummary) -> str:
    """Say what the numbers of a cell are."""
    parts = ["each attacked by itself"]
    parts += ["all attacked at once, at least"] if _together(best) else []
    parts += ["after the attack found"] if _attacked(best) else []
    what = "predictions that do not change" if best.n_units <= FEW_UNITS else "test rows that are right"
    return f"In per cent: {what}, {' · '.join(parts)}."


def _promises(record: PointwiseRecord, best: PointwiseSummary) -> list[tuple[str, str]]:
    together = ", and a bound on how many of them one attack can change at once" if _together(best) else ""
    return [
        (
            "What is promised",
            f"For each of {format_count(best.queries)} test rows, a number of {many_units(best.unit)} with which "
            f"nobody can change its prediction{together}.",
        ),
        ("Against whom", plain_sentence(record.adversary)),
        (
            "To whom",
            "To whoever uses the predictions of this very model for these very rows, as long as the assumptions hold. "
            "Another model, another preparation and other rows need a certificate of their own.",
        ),
    ]
