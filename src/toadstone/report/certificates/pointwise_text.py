"""Certificates of single predictions as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toadstone.core.pointwise import PointwiseCertificate
from toadstone.records.guarantees.pointwise import PointwiseSummary
from toadstone.report.certificates.unit_words import (
    any_one,
    doubt_sentences,
    many_units,
    one_unit,
    plain_assumption,
    plain_sentence,
    unit_sentences,
)
from toadstone.report.text.formats import (
    bare_percent,
    counted,
    flow,
    format_count,
    format_fraction,
    format_interval,
    format_share,
    listed,
    visible_lines,
)

FEW_UNITS = 100
"""Up to so many units, such as hospitals or weeks, are counted one by one; more of them in per cent."""

_THREATS = (
    "Duration: poison lies in so many successive periods, whenever they were; the first sentence is about it. "
    "Earliness: poison lies in the most recent periods, none of it before."
)

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
    origin: str = "",
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
    origin : str
        Where the test rows are from.
    """
    best = strongest(summaries)
    certificate = certificates[summaries.index(best)]
    lines = [flow(pointwise_sentence(best, len(summaries)), width), "", *_table(summaries, width), ""]
    named = unit_sentences(best)
    if named:
        lines += ["Who can change predictions alone, the worst first:", *(f"  {one}" for one in named), ""]
    lines += [flow(sentence, width) for sentence in remark_sentences(summaries, certificate.adversary, origin)]
    lines += [flow(_preparation(certificate), width)] if unscaled else []
    assumed = [plain_assumption(sentence, best.settings) for sentence in certificate.assumptions]
    for title, sentences in (("Assumed:", assumed), ("Not covered:", certificate.not_promised)):
        lines += [title, *(flow(f"  - {sentence}", width, indent=4) for sentence in sentences)]
    return visible_lines(lines)


def strongest(summaries: Sequence[PointwiseSummary]) -> PointwiseSummary:
    """Return the summary whose reported certified accuracies are largest on the whole; the first on a tie."""
    if summaries[0].method == "temporal":
        # Two statements about one vote: the first covers poison at any time.
        return summaries[0]
    return max(summaries, key=lambda summary: sum(summary.certified_accuracy.values()))


def pointwise_sentence(summary: PointwiseSummary, settings: int = 1) -> str:
    """State what the predictions of one setting withstand, in one sentence; of how many settings it is the best."""
    rows, accuracy = counted(summary.queries, "test row"), format_share(summary.accuracy)
    if summary.method == "temporal" or summary.n_units <= FEW_UNITS:
        when = " (duration)" if summary.settings.get("threat") == "duration" else _at(summary, settings)
        return (
            f"{format_share(summary.unchanged['1'])} of the predictions for {rows} cannot be changed by "
            f"{any_one(summary)}{when}; {accuracy} are right without an attack."
        )
    key, share = next(iter(summary.certified_accuracy.items()))
    return (
        f"{accuracy} of {rows} are predicted rightly, half of all withstand {format_count(summary.median)} "
        f"{many_units(summary.unit)} ({format_share(summary.median / summary.n_units)} of "
        f"{format_count(summary.n_units)}), and {format_share(share)} are right whatever an attacker does with "
        f"{format_fraction(float(key))}{_at(summary, settings)}."
    )


def setting_in_words(summary: PointwiseSummary) -> str:
    """Name what sets one setting apart from others, empty where there is nothing to choose."""
    found = [f"{_COLUMNS[name]} {_number(summary.settings[name])}" for name in _chosen(summary)]
    return listed(found) if found else ""


def _chosen(summary: PointwiseSummary) -> list[str]:
    """Names of the settings that a user chooses; groups with a model each have no number of parts."""
    return [name for name in _COLUMNS if summary.settings.get(name, 0)]


def _at(summary: PointwiseSummary, settings: int) -> str:
    found = setting_in_words(summary)
    best = f" (best of {settings} settings on these test rows)" if settings > 1 else ""
    return f", at {found}{best}" if found else best


def _table(summaries: Sequence[PointwiseSummary], width: int | None) -> list[str]:
    pointwise, collective = (
        "each attacked by itself (pointwise)",
        "attacked together by one choice of units (collective)",
    )
    right = "right, and stay so whatever that share of the units does"
    blocks = [(f"Test rows, %, {pointwise}: {right}", [one.certified_accuracy for one in summaries])]
    stay, together = "right at least", [one.collective_accuracy for one in summaries]
    if summaries[0].n_units <= FEW_UNITS:
        blocks = [
            (
                f"Test rows, %, {pointwise}: predictions that so many units cannot change, right or wrong",
                [one.unchanged for one in summaries],
            ),
            (
                "Of these the right ones, % of all test rows: right, and so many units cannot change it",
                [one.certified_few for one in summaries],
            ),
        ]
        stay, together = "predictions that stay at least", [one.collective_unchanged for one in summaries]
    if all(together):
        blocks.append((f"All test rows, %, {collective}: {stay}", together))
    return [line for title, values in blocks for line in (flow(title, width), *_columns(summaries, values))]


def _columns(summaries: Sequence[PointwiseSummary], values: Sequence[Mapping[str, float]]) -> list[str]:
    names, few = _chosen(summaries[0]), summaries[0].n_units <= FEW_UNITS
    shares = [
        f"{key} {'unit' if key == '1' else 'units'}" if few else f"at {format_fraction(float(key))}"
        for key in values[0]
    ]
    rows = [[*(_COLUMNS[name] for name in names), "accuracy", "median", *shares]]
    for summary, found in zip(summaries, values, strict=True):
        chosen = [_number(summary.settings[name]) for name in names]
        middle = [bare_percent(summary.accuracy), format_count(summary.median)]
        rows.append([*chosen, *middle, *(bare_percent(share) for share in found.values())])
    widths = [max(len(row[place]) for row in rows) + 2 for place in range(len(rows[0]))]
    return ["".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def remark_sentences(summaries: Sequence[PointwiseSummary], adversary: str, origin: str = "") -> list[str]:
    """Say what the attacker may do, how counts relate to the largest that hold, and what the columns are."""
    first, best = summaries[0], strongest(summaries)
    collective = " Collective: one choice for all of them." if first.collective_unchanged else ""
    sentences = [
        f"{plain_sentence(adversary)} Pointwise: the attacker may choose anew for every test row.{collective}",
        _exactness(best),
    ]
    if first.method == "temporal":
        sentences.append(_THREATS)
    elif len(summaries) > 1:
        sentences.append(
            "The settings are compared on the test rows. Choose one beforehand or on trusted rows; none may be chosen "
            "by labels that an attacker may change."
        )
    few, drawn = first.n_units <= FEW_UNITS, f", {origin}" if origin else ""
    total = f", {format_count(first.n_units)} units in all, each one {one_unit(first.unit)}" if few else ""
    sentences += [
        f"Accuracy: right without an attack, of {counted(best.queries, 'test row')}{drawn}; its 95 % interval is "
        f"{format_interval(best.accuracy_low, best.accuracy_high)}. Median: the most "
        f"{'units' if few else many_units(first.unit)} with which half of all test rows are still right for sure.",
        f"{format_count(first.n_train)} training rows{total}."
        + (" --fail-if-certified-below is about right predictions, at a share of the units." if few else ""),
        *doubt_sentences(first),
    ]
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
