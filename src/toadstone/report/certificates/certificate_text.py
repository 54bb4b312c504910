"""Certificates as lines for a terminal or a pipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from toadstone.certificates.saddle.changed_rows import error_bound
from toadstone.core.certificate import DIGEST_LABEL, ModelCertificate, Ridge
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
_MOST_NAMED = 12
_KINDS = {"add": "", "flip": " of flipped labels", "replace": " of replaced rows"}
_OBJECTIVES = {"add": "", "flip": "the training objective ", "replace": "the training objective "}


def certificate_lines(
    certificates: Sequence[ModelCertificate],
    conclusive: Sequence[bool],
    split: Split,
    origin: str,
    width: int | None,
    *,
    about_test_rows: str = "",
) -> list[str]:
    """Write the bounds and attack values of one data set, then the data, then the assumptions.

    Parameters
    ----------
    certificates : sequence of ModelCertificate
        Of one setting, one for each fraction.
    conclusive : sequence of bool
        Whether bound and attack met, for each.
    split : Split
        The data.
    origin : str
        How the models were chosen, in plain words.
    width : int or None
        Columns of the terminal; None for a pipe.
    about_test_rows : str
        A sentence on single predictions, empty for none.
    """
    first, n = certificates[0], len(split.train)
    sentences = [
        f"Bound: no allowed attack gets {_OBJECTIVES[first.budget.kind]}above it. Unit: {first.unit}.",
        "Attack: value that a concrete attack reaches. The true worst case lies between the two.",
    ]
    if first.changed is not None:
        sentences.append(
            "Clean: no allowed attack gets the trained model's objective on the clean rows, as they were, above it. "
            "Error: no more of them are classified wrongly."
        )
    if not all(conclusive):
        sentences.append(
            "Not conclusive: the search stopped before the two met. The bound holds, but the truth may be well below; "
            "features of one scale (--scale standard) or a larger --tolerance may settle it."
        )
    sentences += [_data_sentence(split), *reading_sentences(split), _setting_sentence(first, origin)]
    lines = [
        flow(_bound_sentence(certificates[-1], n), width),
        *([flow(about_test_rows, width)] if about_test_rows else []),
        "",
        *_table(certificates, conclusive, n),
        "",
        *(flow(sentence, width) for sentence in sentences),
        *_bullets("Assumed:", first.assumptions, width),
        *_bullets("Not covered:", first.not_promised, width),
    ]
    return visible_lines(lines)


def verified_sentence(certificate: ModelCertificate, recomputed: float) -> str:
    """State what a verified certificate proves, with its bound and the one recomputed from the data."""
    before = certificate.digest_label != DIGEST_LABEL
    written = f" It was written by {certificate.digest_label}, as this project was called before." if before else ""
    return (
        f"Verified: at fraction {certificate.budget.fraction:.10g}{_KINDS[certificate.budget.kind]} no allowed attack "
        f"gets {_OBJECTIVES[certificate.budget.kind]}above {format_bound(certificate.bound)} ({certificate.unit})"
        f"{_clean_part(certificate)}; the stored attack reaches "
        f"{format_attack_value(certificate.attack_value)}. Recomputed from the data, the bound is "
        f"{format_bound(recomputed, digits=_EXACT)}; the certificate states "
        f"{format_bound(certificate.bound, digits=_EXACT)}.{written}"
    )


def kept_sentence(fields: Mapping[str, float], n_test: int) -> str:
    """State what single predictions withstand at the last fraction asked for."""
    return (
        f"Of the {format_count(n_test)} test rows, {fields['unchanged']:.1%} keep their prediction, and "
        f"{fields['certified_accuracy']:.1%} are right, whatever such an attack does, chosen anew for each row; half "
        f"of all are right whatever {format_count(int(fields['median_rows']))} rows do. Computed from the clean "
        f"rows; the certificate's file does not prove it."
    )


def _clean_part(certificate: ModelCertificate) -> str:
    """State the bound for the clean rows as they were, where some are changed."""
    if certificate.changed is None:
        return ""
    return f", nor the trained model's objective on the clean rows above {format_bound(certificate.clean_bound)}"


def _bound_sentence(certificate: ModelCertificate, n_train: int) -> str:
    """State the bound at the last fraction asked for."""
    budget = certificate.budget
    share, rows, clean = (format_fraction(budget.fraction), format_count(budget.count(n_train)), format_count(n_train))
    reached = (
        f"gets above {format_bound(certificate.bound, digits=_DIGITS)}; a concrete attack reaches "
        f"{format_attack_value(certificate.attack_value, digits=_DIGITS)}."
    )
    if certificate.changed is None:
        return f"With {share} poison ({rows} rows for {clean} clean ones), no allowed attack {reached}"
    done = "flipped labels" if budget.kind == "flip" else "replaced rows"
    return (
        f"With {share} {done} ({rows} of {clean} rows), no allowed attack {reached} At most "
        f"{_wrong(certificate, n_train)} of the clean rows are then classified wrongly."
    )


def _wrong(certificate: ModelCertificate, n_train: int) -> str:
    """State the bound of the share of clean rows classified wrongly, rounded up."""
    return f"{math.ceil(1000 * error_bound(certificate, n_train)) / 10:.1f} %"


def _table(certificates: Sequence[ModelCertificate], conclusive: Sequence[bool], n_train: int) -> list[str]:
    more = "" if certificates[0].changed is None else f" {'clean':>11} {'error':>8}"
    lines = [f"{'fraction':>10} {'rows':>8} {'attack':>11} {'bound':>11}{more}"]
    for certificate, closed in zip(certificates, conclusive, strict=True):
        attack = format_attack_value(certificate.attack_value, digits=_DIGITS)
        bound = format_bound(certificate.bound, digits=_DIGITS)
        rows = format_count(certificate.budget.count(n_train))
        note = "" if closed else "   not conclusive"
        if certificate.changed is not None:
            clean = format_bound(certificate.clean_bound, digits=_DIGITS)
            note = f" {clean:>11} {_wrong(certificate, n_train):>8}{note}"
        lines.append(f"{certificate.budget.fraction:>10.10g} {rows:>8} {attack:>11} {bound:>11}{note}")
    return lines


def _data_sentence(split: Split) -> str:
    train = split.train
    names = [short_name(str(label)) for label in train.classes]
    several = f"{len(names)} classes: {', '.join(names[:_MOST_NAMED])}{', ...' if len(names) > _MOST_NAMED else ''}"
    classes = " against ".join(names) if len(names) == 2 else several
    size = f"{format_count(len(train))} training rows of {format_count(train.n_features)} features"
    return f"Data: {split.name}, {size}, {classes}."


def _setting_sentence(certificate: ModelCertificate, origin: str) -> str:
    setting = certificate.setting
    hypothesis = setting.hypothesis
    if isinstance(hypothesis, Ridge):
        models = f"ridge {hypothesis.strength:g}"
    else:
        models = f"squared norm at most {hypothesis.squared_radius:g}"
    if not setting.sanitizers:
        return f"Setting: {models} ({origin}); no filters."
    filters = " and ".join(setting.sanitizers)
    return f"Setting: {models} ({origin}); filters {filters} at quantile {setting.quantile:g}; domain {setting.domain}."


def _bullets(title: str, sentences: Iterable[str], width: int | None) -> list[str]:
    return [title, *(flow(f"  - {sentence}", width, indent=4) for sentence in sentences)]
