import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from toadstone.core.errors import UnknownName
from toadstone.datasets import ENTRIES
from toadstone.experiments.catalogue import EXPERIMENTS, find

ROOM = Path(import_module("toadstone.experiments").__file__).parent


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_each_experiment_can_be_imported_and_found(experiment):
    assert list(inspect.signature(experiment.load()).parameters) == ["conditions"]
    assert find(experiment.name) is experiment
    assert experiment.minutes > 0
    assert experiment.title


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_data_sets_are_known(experiment):
    assert set(experiment.data) <= {entry.name for entry in ENTRIES}
    source = ROOM.joinpath(*experiment.module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    assert set(experiment.data) == set(re.findall(r'\bload\("([\w-]+)"\)', source))


def test_names_are_unique_and_every_experiment_of_the_room_is_listed():
    assert len({experiment.name for experiment in EXPERIMENTS}) == len(EXPERIMENTS)
    runnable = {
        ".".join(path.relative_to(ROOM).with_suffix("").parts)
        for path in ROOM.rglob("*.py")
        if re.search(r"^def run\(", path.read_text(), re.MULTILINE)
    }
    assert {experiment.module for experiment in EXPERIMENTS} == runnable - {"run"}


def test_an_unknown_name_gets_a_close_one():
    with pytest.raises(UnknownName, match="got p17-enrom; did you mean p17-enron"):
        find("p17-enrom")
