"""Rows and plots of all curves come from the run."""

import dataclasses

import pytest

from toadstone.core.certificate import NormBall
from toadstone.datasets import sha256
from toadstone.experiments.certified_2017 import dogfish as p17_dogfish
from toadstone.experiments.certified_2017 import enron as p17_enron
from toadstone.experiments.certified_2017 import mnist_1_7 as p17_mnist_1_7
from toadstone.experiments.conditions import Conditions
from toadstone.pipeline.certify import CertifyPlan, certify_split

CURVES = [p17_enron, p17_mnist_1_7, p17_dogfish]


@pytest.fixture(scope="module")
def fewer(cells):
    """The same cells, every other one."""
    return dataclasses.replace(cells, train=cells.train.take(list(range(0, len(cells.train), 2))))


@pytest.mark.parametrize("experiment", CURVES)
def test_figures_come_from_the_run(miniature, figures, experiment, cells, fewer):
    first, again, other = (experiment.measure(split, miniature, Conditions()) for split in (cells, cells, fewer))
    assert figures(first) == figures(again)
    assert first.data == {"breast-cancer": sha256(cells.train)}
    changed = {what for what, value in figures(first).items() if figures(other)[what] != value}
    assert {what for what in figures(first) if "loss" in what or "bound" in what} <= changed


@pytest.mark.parametrize("experiment", CURVES)
def test_bounds_are_the_certificates(miniature, figures, experiment, cells):
    found = figures(experiment.measure(cells, miniature, Conditions()))
    made = certify_split(cells, miniature.fractions, CertifyPlan(quantile=0.7, hypothesis=NormBall(0.5), domain="real"))
    bounds = [found[f"certified bound at {fraction}\N{NO-BREAK SPACE}%"] for fraction in (0, 3, 30)]
    assert bounds == [certificate.bound for certificate in made.certificates]
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("experiment", CURVES)
def test_pictures_show_what_the_rows_say(miniature, figures, experiment, cells):
    measured = experiment.measure(cells, miniature, Conditions())
    (panel,) = measured.panels
    curve = next(one for one in panel.series if (one.label, one.source) == ("certified bound", "ours"))
    assert list(curve.y) == [value for what, value in figures(measured).items() if what.startswith("certified bound")]
    assert {one.source for one in panel.series} == {"paper", "ours"}


@pytest.mark.parametrize("experiment", CURVES)
def test_figures_of_the_paper_have_reasons(miniature, experiment, cells):
    measured = experiment.measure(cells, miniature, Conditions())
    assert all(row.reason or row.ours is None for row in measured.comparisons if row.paper is not None)
    assert all(row.note for row in measured.comparisons if row.ours is None)
