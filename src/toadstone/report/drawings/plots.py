"""Plain matplotlib figures of results, in matplotlib's own colours.

Drawn by the object interface, so that neither `pyplot` nor the caller's
figures are touched; a notebook shows the returned figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import CertifiedCurve
from toadstone.records.attack import AttackRecord
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, Bound
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.row_scores import RowScores
from toadstone.records.scan import ScanRecord
from toadstone.report.drawings.charts import BUDGET_LABEL, LOSS_LABEL
from toadstone.report.text.formats import bare_percent, visible
from toadstone.report.text.wording import short_name, spoken

_WIDTH, _ROW = 7.0, 0.3


def plot_curve(curve: Sequence[Bound], audited: float | None = None) -> Figure:
    """Plot the certified bound and the attack's loss over the fraction of poison.

    Parameters
    ----------
    curve : sequence of Bound
        At least one point, in any order.
    audited : float, optional
        The fraction to mark.

    Raises
    ------
    InvalidArgument
        If the curve is empty.
    """
    if not curve:
        raise InvalidArgument("curve", "at least one point", "none")
    points = sorted(curve, key=lambda point: point.fraction)
    fractions = [point.fraction for point in points]
    bounds, attacks = [point.bound for point in points], [point.attack_value for point in points]
    figure, axes = _sheet(4.0)
    axes.fill_between(fractions, attacks, bounds, alpha=0.2)
    # Where the two coincide, the narrow dashes lie on the broad line and both are seen.
    axes.plot(fractions, bounds, marker="o", markersize=9, linewidth=5, label="certified bound")
    axes.plot(fractions, attacks, marker="D", markersize=5, linewidth=1.75, linestyle="--", label="attack found")
    doubtful = [(point.fraction, point.bound) for point in points if not point.conclusive]
    if doubtful:
        axes.plot(
            *zip(*doubtful, strict=True), "o", color="C0", markersize=9, markerfacecolor="white", label="not conclusive"
        )
    if audited is not None:
        axes.axvline(audited, color="0.5", linewidth=1, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(BUDGET_LABEL)
    axes.set_ylabel(LOSS_LABEL)
    axes.legend()
    return figure


def plot_scores(record: ScanRecord, scores: RowScores) -> Figure:
    """Plot the scores of all rows, the most suspicious first, and where the list of rows to look at ends.

    Parameters
    ----------
    record : ScanRecord
    scores : RowScores
    """
    figure, axes = _sheet(3.5)
    ranks = np.arange(1, len(scores.score) + 1)
    axes.step(ranks, np.sort(scores.score)[::-1], where="mid", label="score")
    if record.listed_rows:
        axes.axvspan(0.5, record.listed_rows + 0.5, alpha=0.2, color="C3", label=f"{record.listed_rows:,} listed")
    # The list is a small part of the rows; the others need no room.
    axes.set_xlim(0.5, min(len(ranks), max(50, 5 * record.listed_rows)) + 0.5)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("rows, the most suspicious first")
    axes.set_ylabel("score")
    _legend_above(axes)
    return figure


def plot_detectors(record: ScanRecord) -> Figure:
    """Plot the share that each detector flags, its false-alarm rate and its smallest detectable share.

    Detectors that were skipped are left out.

    Raises
    ------
    InvalidArgument
        If no detector ran.
    """
    ran = {name: found for name, found in record.detectors.items() if not found.skipped}
    if not ran:
        raise InvalidArgument("record", "at least one detector that ran", "none")
    figure, axes = _sheet(1.2 + _ROW * len(ran))
    places = np.arange(len(ran))
    colours = ["C3" if found.exceeded else "C0" for found in ran.values()]
    axes.barh(places, [found.flagged_share for found in ran.values()], color=colours, height=0.6, label="flagged")
    # A detector without a threshold has a rate of 0, and no share that it could detect.
    known = [(place, found) for place, found in zip(places, ran.values(), strict=True) if found.false_alarm_rate]
    for label, marker, name in (
        ("false-alarm rate", "|", "false_alarm_rate"),
        ("smallest detectable share", "d", "smallest_detectable_share"),
    ):
        shares = [getattr(found, name) for _, found in known]
        axes.plot(shares, [place for place, _ in known], marker, color="black", markersize=9, label=label)
    _name_rows(axes, ran)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("share of the rows")
    _legend_above(axes)
    return figure


def plot_measurements(record: DefenceRecord) -> Figure:
    """Plot the accuracy without and with a defence on each set of independent rows, with 95 % intervals.

    Raises
    ------
    InvalidArgument
        If there were no independent rows to measure on.
    """
    if not record.measurements:
        raise InvalidArgument("record", "a defence measured on trusted rows or a published test set", "neither")
    figure, axes = _sheet(2.4)
    names: list[str] = []
    for found in record.measurements:
        change = found.change
        for title, middle, low, high in (
            ("without", change.before, change.before_low, change.before_high),
            ("with", change.after, change.after_low, change.after_high),
        ):
            axes.errorbar(middle, len(names), xerr=[[middle - low], [high - middle]], fmt="o", color="C0", capsize=4)
            names.append(f"{title}, {change.rows} {found.where} rows")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("accuracy")
    return figure


def plot_matrix(record: EvaluationRecord) -> Figure:
    """Plot the effect of every attack behind every defence, as a matrix of shares of test rows.

    The effect is the test error, or the share of the goal that is reached
    for attacks with a goal of their own; cells that were not run are empty.

    Raises
    ------
    InvalidArgument
        If no cell was run.
    """
    columns, attacks = record.columns(), [info.name for info in record.attacks]
    shares = np.full((len(attacks), len(columns)), np.nan)
    for row, attack in enumerate(attacks):
        for column, (info, thresholds) in enumerate(columns):
            cell = record.cell(attack, info.name, thresholds)
            if cell is not None and cell.effect is not None:
                shares[row, column] = cell.effect.mean
    heads = [f"{info.name} ({thresholds})" if thresholds else info.name for info, thresholds in columns]
    return draw_shares(
        shares,
        rows=("attack", [_title(name, "no attack") for name in attacks]),
        columns=("defence", [_title(head, "no defence") for head in heads]),
        titles=("test error, or share of the goal reached", "share of the test rows"),
    )


def draw_shares(
    shares: Array,
    *,
    rows: tuple[str, Sequence[str]],
    columns: tuple[str, Sequence[str]],
    titles: tuple[str, str],
    palette: str = "YlOrRd",
) -> Figure:
    """Plot a matrix of shares of test rows, with each share in its cell; cells that are not numbers are empty.

    Parameters
    ----------
    shares : ndarray of shape (n, m)
    rows, columns : (str, sequence of str)
        The kind of thing, and the name of each.
    titles : (str, str)
        Of the figure and of its colours.
    palette : str
        Of matplotlib; the larger the share, the darker.

    Raises
    ------
    InvalidArgument
        If no cell has a number.
    """
    if np.isnan(shares).all():
        raise InvalidArgument("record", "at least one cell that was run", "none")
    figure, axes = _sheet(2.0 + _ROW * len(rows[1]), width=2.5 + 0.5 * len(columns[1]))
    image = axes.imshow(shares, cmap=palette, vmin=0.0, aspect="auto")
    darkest = float(np.nanmax(shares))
    for (row, column), share in np.ndenumerate(shares):
        if not np.isnan(share):
            # Dark cells need light figures.
            colour = "white" if share > 0.6 * darkest else "black"
            axes.text(column, row, bare_percent(float(share)), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(columns[1])), columns[1], rotation=90)
    axes.set_yticks(range(len(rows[1])), rows[1])
    axes.set_xlabel(columns[0])
    axes.set_ylabel(rows[0])
    figure.colorbar(image, ax=axes, format=PercentFormatter(1.0), label=titles[1])
    axes.set_title(titles[0], fontsize="medium")
    return figure


def plot_defences(record: AttackRecord) -> Figure:
    """Plot the test error that an attack leaves behind each defence, with its 95 % interval.

    Raises
    ------
    InvalidArgument
        If no defence was evaluated.
    """
    cells = record.evaluations
    if not cells:
        raise InvalidArgument("record", "at least one evaluated defence", "none")
    figure, axes = _sheet(1.2 + _ROW * len(cells))
    errors = np.array([cell.test_error for cell in cells])
    spread = [errors - [cell.low for cell in cells], [cell.high for cell in cells] - errors]
    axes.barh(range(len(cells)), errors, xerr=spread, height=0.6, capsize=3, label="with the attack, 95 % interval")
    axes.axvline(record.clean_test_error, color="black", linestyle="--", label="clean data, no defence")
    _name_rows(axes, [cell.sanitizer for cell in cells])
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("test error")
    _legend_above(axes)
    return figure


def plot_certified_accuracy(curves: Sequence[CertifiedCurve], labels: Sequence[str], unit: str) -> Figure:
    """Plot the share of test rows that are right whatever an attacker does, over the units that it controls.

    Parameters
    ----------
    curves : sequence of CertifiedCurve
        One for each setting.
    labels : sequence of str
        The settings, in words.
    unit : str
        What is counted, in the plural.
    """
    figure, axes = _sheet(4.0)
    for curve, label in zip(curves, labels, strict=True):
        counts = curve.right_counts
        axes.step(
            [0, *(counts + 1)],
            [curve.accuracy, *(curve.certified(int(count) + 1) for count in counts)],
            where="post",
            label=label,
        )
    axes.set_xlabel(visible(unit))
    axes.set_ylabel("certified accuracy")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.axhline(0.5, linewidth=0.8, linestyle=":", color="0.5")
    axes.legend()
    return figure


def _sheet(height: float, width: float = _WIDTH) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _name_rows(axes: Axes, names: Iterable[str]) -> None:
    """Write names down the axis, the first at the top."""
    titles = [_title(name, "no defence") for name in names]
    axes.set_yticks(range(len(titles)), titles)
    axes.invert_yaxis()


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _title(name: str, nothing: str) -> str:
    return nothing if name in (NO_ATTACK, NO_SANITIZER) else short_name(visible(spoken(name)))
