"""Certificates as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from toadstone.core.certificate import DIGEST_LABEL, Certificate, Ridge
from toadstone.report.text.formats import (
    flow,
    format_attack_value,
    format_bound,
    format_count,
    format_fraction,
    visible_lines,
)
from toadstone.report.text.rows_text import reading_sentences
from toadstone.report.text.wording import short_name

if TYPE_CHECKING:
    from toadstone.datasets.split import Split

_DIGITS, _EXACT = 5, 10


def certificate_lines(
    certificates: Sequence[Certificate], conclusive: Sequence[bool], split: Split, origin: str, width: int | None
) -> list[str]:
    """Write the bounds and attack values of one data set, then the data, then the assumptions.

    Parameters
    ----------
    certificates : sequence of Certificate
        Of one setting, one for each fraction.
    conclusive : sequence of bool
        Whether bound and attack met, for each.
    split : Split
        The data.
    origin : str
        How the models were chosen, in plain words.
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    first = certificates[0]
    sentences = [
        f"Bound: no allowed attack gets above it. Unit: {first.unit}.",
        "Attack: value that a concrete attack reaches. The true worst case lies between the two.",
    ]
    if not all(conclusive):
        sentences.append(
            "Not conclusive: the search stopped before the two met. The bound holds, but the truth may be well below; "
            "features of one scale (--scale standard) or a larger --tolerance may settle it."
        )
    sentences += [_data_sentence(split), *reading_sentences(split), _setting_sentence(first, origin)]
    lines = [
        flow(_bound_sentence(certificates[-1], len(split.train)), width),
        "",
        *_table(certificates, conclusive, len(split.train)),
        "",
        *(flow(sentence, width) for sentence in sentences),
        *_bullets("Assumed:", first.assumptions, width),
        *_bullets("Not covered:", first.not_promised, width),
    ]
    return visible_lines(lines)


def verified_sentence(certificate: Certificate, recomputed: float) -> str:
    """State what a verified certificate proves, with its bound and the one recomputed from the data."""
    before = certificate.digest_label != DIGEST_LABEL
    written = f" It was written by {certificate.digest_label}, as this project was called before." if before else ""
    return (
        f"Verified: at fraction {certificate.budget.fraction:.10g} no allowed attack gets above "
        f"{format_bound(certificate.bound)} ({certificate.unit}); the stored attack reaches "
        f"{format_attack_value(certificate.attack_value)}. Recomputed from the data, the bound is "
        f"{format_bound(recomputed, digits=_EXACT)}; the certificate states "
        f"{format_bound(certificate.bound, digits=_EXACT)}.{written}"
    )


def _bound_sentence(certificate: Certificate, n_train: int) -> str:
    """State the bound at the last fraction asked for."""
    rows = format_count(certificate.budget.count(n_train))
    return (
        f"With {format_fraction(certificate.budget.fraction)} poison ({rows} rows for {format_count(n_train)} clean "
        f"ones), no allowed attack gets above {format_bound(certificate.bound, digits=_DIGITS)}; a concrete attack "
        f"reaches {format_attack_value(certificate.attack_value, digits=_DIGITS)}."
    )


def _table(certificates: Sequence[Certificate], conclusive: Sequence[bool], n_train: int) -> list[str]:
    lines = [f"{'fraction':>10} {'rows':>8} {'attack':>11} {'bound':>11}"]
    for certificate, closed in zip(certificates, conclusive, strict=True):
        attack = format_attack_value(certificate.attack_value, digits=_DIGITS)
        bound = format_bound(certificate.bound, digits=_DIGITS)
        rows = format_count(certificate.budget.count(n_train))
        note = "" if closed else "   not conclusive"
        lines.append(f"{certificate.budget.fraction:>10.10g} {rows:>8} {attack:>11} {bound:>11}{note}")
    return lines


def _data_sentence(split: Split) -> str:
    train = split.train
    classes = " against ".join(short_name(str(label)) for label in train.classes)
    size = f"{format_count(len(train))} training rows of {format_count(train.n_features)} features"
    return f"Data: {split.name}, {size}, {classes}."


def _setting_sentence(certificate: Certificate, origin: str) -> str:
    setting = certificate.setting
    hypothesis = setting.hypothesis
    if isinstance(hypothesis, Ridge):
        models = f"ridge {hypothesis.strength:g}"
    else:
        models = f"squared norm at most {hypothesis.squared_radius:g}"
    filters = " and ".join(setting.sanitizers)
    return f"Setting: {models} ({origin}); filters {filters} at quantile {setting.quantile:g}; domain {setting.domain}."


def _bullets(title: str, sentences: Iterable[str], width: int | None) -> list[str]:
    return [title, *(flow(f"  - {sentence}", width, indent=4) for sentence in sentences)]
