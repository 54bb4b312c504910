"""Certificates of single predictions as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toadstone.core.pointwise import PointwiseCertificate
from toadstone.records.guarantees.pointwise import PointwiseSummary
from toadstone.report.text.formats import (
    bare_percent,
    counted,
    flow,
    format_count,
    format_fraction,
    format_share,
    listed,
    visible_lines,
)

FEW_UNITS = 100
"""Up to so many units, such as hospitals or weeks, are counted one by one; more of them in per cent."""

_PLAIN_FROM = 1000
"""Numbers from which no decimals are written."""

_COLUMNS = {
    "threat": "poison",
    "ridge": "ridge",
    "lambda": "lambda",
    "k": "neighbours",
    "n_parts": "parts",
    "n_buckets": "buckets",
}
"""Settings that a user chooses, and their names."""


def pointwise_lines(
    summaries: Sequence[PointwiseSummary],
    certificates: Sequence[PointwiseCertificate],
    width: int | None,
    *,
    unscaled: bool = False,
) -> list[str]:
    """Write what predictions withstand, then a line for each setting, then what is assumed.

    Parameters
    ----------
    summaries : sequence of PointwiseSummary
    certificates : sequence of PointwiseCertificate
        Of one method, in the same order.
    width : int or None
        Columns of the terminal; None for a pipe.
    unscaled : bool
        True if rows were encoded one by one, and the scale left open.
    """
    best = strongest(summaries)
    certificate = certificates[summaries.index(best)]
    lines = [flow(pointwise_sentence(best), width), "", *_table(summaries), ""]
    lines += [flow(sentence, width) for sentence in remark_sentences(summaries, certificate.adversary)]
    lines += [flow(_preparation(certificate), width)] if unscaled else []
    for title, sentences in (("Assumed:", certificate.assumptions), ("Not covered:", certificate.not_promised)):
        lines += [title, *(flow(f"  - {sentence}", width, indent=4) for sentence in sentences)]
    return visible_lines(lines)


def strongest(summaries: Sequence[PointwiseSummary]) -> PointwiseSummary:
    """Return the summary whose reported certified accuracies are largest on the whole; the first on a tie."""
    if summaries[0].method == "temporal":
        # Two statements about one vote: the first covers poison at any time.
        return summaries[0]
    return max(summaries, key=lambda summary: sum(summary.certified_accuracy.values()))


def pointwise_sentence(summary: PointwiseSummary) -> str:
    """State what the predictions of one setting withstand, in one sentence."""
    rows, accuracy = counted(summary.queries, "test row"), format_share(summary.accuracy)
    if summary.method == "temporal":
        return (
            f"{format_share(summary.unchanged['1'])} of the predictions for {rows} cannot be changed by whatever "
            f"arrived in one of {format_count(summary.n_units)} {summary.unit}; {accuracy} are right without an attack."
        )
    if summary.n_units <= FEW_UNITS:
        return (
            f"{format_share(summary.unchanged['1'])} of the predictions for {rows} cannot be changed by any one of the "
            f"{format_count(summary.n_units)} {summary.unit}{_at(summary)}; {accuracy} are right without an attack."
        )
    key, share = next(iter(summary.certified_accuracy.items()))
    return (
        f"{accuracy} of {rows} are predicted rightly, half of all withstand {format_count(summary.median)} "
        f"{summary.unit} ({format_share(summary.median / summary.n_units)} of {format_count(summary.n_units)}), and "
        f"{format_share(share)} are right whatever an attacker does with {format_fraction(float(key))}{_at(summary)}."
    )


def setting_in_words(summary: PointwiseSummary) -> str:
    """Name what sets one setting apart from others, empty where there is nothing to choose."""
    found = [f"{_COLUMNS[name]} {_number(summary.settings[name])}" for name in _chosen(summary)]
    return listed(found) if found else ""


def _chosen(summary: PointwiseSummary) -> list[str]:
    """Names of the settings that a user chooses; groups with a model each have no number of parts."""
    return [name for name in _COLUMNS if summary.settings.get(name, 0)]


def _at(summary: PointwiseSummary) -> str:
    found = setting_in_words(summary)
    return f", at {found}" if found else ""


def _table(summaries: Sequence[PointwiseSummary]) -> list[str]:
    few = summaries[0].n_units <= FEW_UNITS
    what = "predictions that so many units cannot change" if few else "right whatever that share of the units does"
    values = [summary.unchanged if few else summary.certified_accuracy for summary in summaries]
    lines = [f"Test rows, %, each attacked by itself (pointwise): {what}", *_columns(summaries, values)]
    together = [summary.collective_unchanged if few else summary.collective_accuracy for summary in summaries]
    if not all(together):
        return lines
    what = "predictions that stay at least" if few else "right at least"
    title = f"All test rows, %, attacked together by one choice of units (collective): {what}"
    return [*lines, title, *_columns(summaries, together)]


def _columns(summaries: Sequence[PointwiseSummary], values: Sequence[Mapping[str, float]]) -> list[str]:
    names, few = _chosen(summaries[0]), summaries[0].n_units <= FEW_UNITS
    shares = [
        f"{key} {'unit' if key == '1' else 'units'}" if few else f"at {format_fraction(float(key))}"
        for key in values[0]
    ]
    rows = [[*(_COLUMNS[name] for name in names), "right", "median", *shares]]
    for summary, found in zip(summaries, values, strict=True):
        chosen = [_number(summary.settings[name]) for name in names]
        middle = [bare_percent(summary.accuracy), format_count(summary.median)]
        rows.append([*chosen, *middle, *(bare_percent(share) for share in found.values())])
    widths = [max(len(row[place]) for row in rows) + 2 for place in range(len(rows[0]))]
    return ["".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def remark_sentences(summaries: Sequence[PointwiseSummary], adversary: str) -> list[str]:
    """Say what the attacker may do, how counts relate to the largest that hold, and what the median is."""
    first = summaries[0]
    collective = " Collective: one choice for all of them." if first.collective_unchanged else ""
    sentences = [
        f"{adversary} Pointwise: the attacker may choose anew for every test row.{collective}",
        _exactness(strongest(summaries)),
    ]
    if len(summaries) > 1 and first.method != "temporal":
        sentences.append(
            "The settings are compared on the test rows. Choose one beforehand or on trusted rows; none may be chosen "
            "by labels that an attacker may change."
        )
    sentences.append(
        f"Median: {first.unit} that half of all test rows withstand and are right. "
        f"{format_count(first.n_train)} training rows, {format_count(first.n_units)} {first.unit} in all."
        if first.n_units <= FEW_UNITS
        else f"Median: {first.unit} that half of all test rows withstand and are right. {format_count(first.n_train)} "
        "training rows."
    )
    return sentences


def _preparation(certificate: PointwiseCertificate) -> str:
    """Say on which rows the preparation was learned."""
    if certificate.method != "neighbours":
        return "Each row is encoded by itself, and each model scales columns as its own rows are."
    if "scale" in certificate.evidence:
        return "Each row is encoded by itself, and columns are scaled as the trusted rows are."
    return (
        "Each row is encoded by itself, and columns are compared as they stand: a scale of the training rows would "
        "depend on those that an attacker changes. --trusted FILE gives one of other rows."
    )


def _exactness(summary: PointwiseSummary) -> str:
    """Say how the counts relate to the largest that hold."""
    if not summary.exact:
        return "The counts are sound, and may be too low."
    if summary.method in ("votes", "temporal"):
        return "The counts are exact for an attacker that decides the votes of the models that it reaches."
    return "The counts are the largest that hold, but for rounding, which lowers them."


def _number(value: str | float | int) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if value >= _PLAIN_FROM else f"{value:.4g}"


def verified_pointwise_sentence(summary: PointwiseSummary) -> str:
    """State what a verified certificate proves."""
    sentences = [
        f"Verified: {pointwise_sentence(summary)} Counts were computed again from the data and the certificate."
    ]
    if "votes_sha256" in summary.settings:
        sentences.append("That the votes are those of the stated model was not checked.")
    return " ".join(sentences)
