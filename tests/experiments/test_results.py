"""The published results are renderings of the records beside them."""

import importlib.util
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from toadstone.experiments.catalogue import find
from toadstone.report.files.schema import load_schema

DOCS = Path(__file__).parents[2] / "docs"
RECORDS = sorted((DOCS / "results" / "reproductions").glob("*.json"))


@pytest.fixture(scope="module")
def program():
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("reproductions", DOCS / "reproductions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_its_program_writes(program):
    assert program.PAGE.read_text(encoding="utf-8") == program.page()


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_records_are_of_known_experiments_and_satisfy_the_schema(file):
    fields = json.loads(file.read_text(encoding="utf-8"))
    experiment = find(fields["name"])
    assert (fields["title"], fields["source"]) == (experiment.title, experiment.source)
    assert file.stem == fields["name"]
    assert list(Draft202012Validator(load_schema("reproduction")).iter_errors(fields)) == []
