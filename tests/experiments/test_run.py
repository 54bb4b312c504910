"""A run is recorded under its experiment's name; options that would be ignored are refused."""

import dataclasses
from pathlib import Path

import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.experiments.catalogue import Experiment, find
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.run import reproduce

MEASURED = Measured({"Data": "none"}, (), (), {"enron": "0" * 64}, ("A note.",))


@pytest.fixture
def runs(monkeypatch):
    """Every experiment returns the same figures."""
    monkeypatch.setattr(Experiment, "load", lambda self: lambda conditions: MEASURED)


@pytest.mark.usefixtures("runs")
def test_the_record_has_the_figures_under_the_experiments_name():
    record = reproduce(find("p17-enron"), Conditions(seed=7), command="toadstone reproduce p17-enron")
    assert (record.name, record.title, record.source) == (
        "p17-enron",
        find("p17-enron").title,
        find("p17-enron").source,
    )
    assert (record.setting, record.notes) == (MEASURED.setting, MEASURED.notes)
    assert (record.header.seed, record.header.command) == (7, "toadstone reproduce p17-enron")
    assert record.header.digests == MEASURED.data
    assert "torch" not in record.header.versions


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("option", "value"), [("scale", "full"), ("work", Path("trials")), ("minutes", 5.0)])
def test_options_of_networks_are_refused_elsewhere(option, value):
    conditions = dataclasses.replace(Conditions(), **{option: value})
    with pytest.raises(InvalidArgument, match=f"^`{option}`: expected an experiment on networks, got fig7$"):
        reproduce(find("fig7"), conditions)


def test_only_a_missing_pytorch_is_explained(monkeypatch):
    def load(self):
        raise ModuleNotFoundError("not there", name=missing)

    monkeypatch.setattr(Experiment, "load", load)
    missing = "torch"
    with pytest.raises(InvalidData, match=r"^epic-scratch needs PyTorch, .* pip install '\.\[deep\]' in the clone"):
        reproduce(find("epic-scratch"), Conditions())
    missing = "scipy"
    with pytest.raises(ModuleNotFoundError, match="not there"):
        reproduce(find("epic-scratch"), Conditions())
