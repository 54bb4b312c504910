"""Plain figures: axes, and a mark for each entry of the record."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.report.drawings.plots import (
    plot_curve,
    plot_defences,
    plot_detectors,
    plot_matrix,
    plot_measurements,
    plot_scores,
)


def axes_of(figure):
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return figure.axes[0]


def labelled(axes):
    return dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))


def values(line):
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))


def names(ticks):
    return [tick.get_text() for tick in ticks]


def test_a_curve_has_both_lines_and_the_audited_fraction(record):
    axes = axes_of(plot_curve(record.curve[::-1], audited=0.03))
    lines = labelled(axes)
    assert values(lines["certified bound"]) == [(point.fraction, point.bound) for point in record.curve]
    assert values(lines["attack found"]) == [(point.fraction, point.attack_value) for point in record.curve]
    assert "not conclusive" not in lines
    assert [tuple(line.get_xdata()) for line in axes.lines if line.get_linestyle() == ":"] == [(0.03, 0.03)]
    assert axes.get_xlabel() == "rows under the attacker’s control, for each hundred clean rows"
    assert axes.get_ylabel() == "training loss for each clean row"
    assert axes.get_ylim()[0] == 0
    assert not [line for line in axes_of(plot_curve(record.curve)).lines if line.get_linestyle() == ":"]


def test_inconclusive_points_of_a_curve_are_hollow(hostile):
    marks = labelled(axes_of(plot_curve(hostile.curve)))["not conclusive"]
    assert values(marks) == [(point.fraction, point.bound) for point in hostile.curve]
    assert marks.get_markerfacecolor() == "white"


def test_an_empty_curve_is_refused():
    with pytest.raises(InvalidArgument, match="at least one point"):
        plot_curve(())


def test_detectors_have_a_bar_and_two_marks(scanned):
    axes = axes_of(plot_detectors(scanned))
    assert [bar.get_width() for bar in axes.patches] == [0.07, 0.005]
    assert [bar.get_facecolor() != axes.patches[1].get_facecolor() for bar in axes.patches] == [True, False]
    assert names(axes.get_yticklabels()) == ["spectral", "deep-knn"]
    lines = labelled(axes)
    assert values(lines["false-alarm rate"]) == [(0.02, 0), (0.02, 1)]
    assert values(lines["smallest detectable share"]) == [(0.045, 0), (0.045, 1)]
    assert axes.get_xlabel() == "share of the rows"
    assert axes.yaxis_inverted()


def test_scores_fall_and_the_list_is_shaded(scanned, scores):
    axes = axes_of(plot_scores(scanned, scores))
    assert axes.lines[0].get_ydata().tolist() == [0.99, 0.95, 0.9, 1 / 3]
    assert "44 listed" in labelled(axes) or any("44 listed" in str(patch.get_label()) for patch in axes.patches)
    calm = axes_of(plot_scores(dataclasses.replace(scanned, listed_rows=0), scores))
    assert not calm.patches


def test_a_detector_without_threshold_has_no_marks(scanned):
    still = dataclasses.replace(scanned.detectors["spectral"], false_alarm_rate=0.0)
    axes = axes_of(plot_detectors(dataclasses.replace(scanned, detectors=scanned.detectors | {"spectral": still})))
    assert values(labelled(axes)["false-alarm rate"]) == [(0.02, 1)]
    skipped = {"activation": scanned.detectors["activation"]}
    with pytest.raises(InvalidArgument, match="at least one detector that ran"):
        plot_detectors(dataclasses.replace(scanned, detectors=skipped))


def test_independent_rows_have_two_points_with_intervals(defended):
    axes = axes_of(plot_measurements(defended))
    bars = [segment for collection in axes.collections for segment in collection.get_segments()]
    assert [bar[:, 0].tolist() for bar in bars] == [
        pytest.approx(ends) for ends in ([0.826, 0.945], [0.838, 0.952], [0.81, 0.968], [0.865, 0.989])
    ]
    assert names(axes.get_yticklabels())[:2] == ["without, 100 trusted rows", "with, 100 trusted rows"]
    assert axes.get_xlabel() == "accuracy"


def test_what_was_not_measured_is_not_drawn(defended):
    with pytest.raises(InvalidArgument, match="measured on trusted rows or a published test set"):
        plot_measurements(dataclasses.replace(defended, measurements=()))


def test_a_matrix_has_a_figure_for_each_cell_that_was_run(evaluated):
    axes = axes_of(plot_matrix(evaluated))
    ran = [cell for cell in evaluated.cells if cell.effect is not None]
    assert len(axes.texts) == len(ran) < len(evaluated.cells)
    assert names(axes.get_yticklabels()) == ["no attack", "random-flip", "noise", "patch", "adaptive-random-flip"]
    heads = names(axes.get_xticklabels())
    assert heads[0] == "no defence"
    assert heads[3:5] == ["spectral (own)", "spectral (trusted)"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("defence", "attack")
    shown = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    assert shown[0, 1] == "20.0"
    assert shown[0, 3] == "90.0"


def test_a_matrix_of_nothing_is_refused(evaluated):
    nothing = tuple(dataclasses.replace(cell, test_error=None, success=None) for cell in evaluated.cells)
    with pytest.raises(InvalidArgument, match="at least one cell"):
        plot_matrix(dataclasses.replace(evaluated, cells=nothing))


def test_defences_have_a_bar_with_its_interval_and_the_clean_error(attacked):
    axes = axes_of(plot_defences(attacked))
    assert [bar.get_width() for bar in axes.patches] == [cell.test_error for cell in attacked.evaluations]
    (spread,) = (one for one in axes.collections if len(one.get_segments()) == len(attacked.evaluations))
    for segment, cell in zip(spread.get_segments(), attacked.evaluations, strict=True):
        assert segment[:, 0].tolist() == pytest.approx([cell.low, cell.high])
    assert names(axes.get_yticklabels())[:2] == ["no defence", "sphere"]
    assert labelled(axes)["clean data, no defence"].get_xdata()[0] == attacked.clean_test_error
    assert axes.get_xlabel() == "test error"
    with pytest.raises(InvalidArgument, match="at least one evaluated defence"):
        plot_defences(dataclasses.replace(attacked, evaluations=()))


def test_hostile_names_are_drawn(record, attacked, scanned, defended, evaluated, with_hostile_text):
    for plot, drawn in (
        (plot_defences, attacked),
        (plot_detectors, scanned),
        (plot_measurements, defended),
        (plot_matrix, evaluated),
    ):
        axes_of(plot(with_hostile_text(drawn)))
    assert axes_of(plot_curve(with_hostile_text(record).curve))


def test_no_global_figure_is_loaded():
    code = "import sys, toadstone.report.drawings.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
