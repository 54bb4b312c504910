import copy
import dataclasses
import json

import pytest
from jsonschema import Draft202012Validator

from toadstone.records import audit as records
from toadstone.report.files.schema import load_schema

PARTS = {
    "data": records.DataSummary,
    "class_count": records.ClassCount,
    "threat": records.Threat,
    "defender": records.Defender,
    "bound": records.Bound,
    "evaluation": records.Evaluation,
    "suspect": records.Suspect,
}


def problems(fields):
    return list(Draft202012Validator(load_schema()).iter_errors(fields))


@pytest.fixture
def fields(record):
    return json.loads(record.to_json())


def test_the_schema_is_itself_valid():
    Draft202012Validator.check_schema(load_schema())


def test_the_schema_is_of_this_version():
    assert load_schema()["properties"]["schema_version"]["const"] == records.SCHEMA_VERSION


def test_records_satisfy_the_schema(record, hostile):
    assert problems(json.loads(record.to_json())) == []
    assert problems(json.loads(hostile.to_json())) == []


def test_a_record_survives_its_json(record):
    assert records.AuditRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("name", PARTS)
def test_every_field_of_a_part_is_described_and_required(name):
    part = load_schema()["$defs"][name]
    expected = {field.name for field in dataclasses.fields(PARTS[name])}
    assert set(part["properties"]) == set(part["required"]) == expected
    assert part["additionalProperties"] is False


def test_every_field_of_the_record_is_described_and_required():
    schema = load_schema()
    expected = {field.name for field in dataclasses.fields(records.AuditRecord)}
    assert set(schema["properties"]) == set(schema["required"]) == expected


PLACES = [
    (),
    ("data",),
    ("data", "classes", 0),
    ("threat",),
    ("defender",),
    ("curve", 0),
    ("evaluations", 0),
    ("suspects", 0),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_missing_or_extra_field_is_refused(fields, place):
    def part_of(whole):
        for step in place:
            whole = whole[step]
        return whole

    for name in part_of(fields):
        broken = copy.deepcopy(fields)
        del part_of(broken)[name]
        assert problems(broken), name
    broken = copy.deepcopy(fields)
    part_of(broken)["surprise"] = 1
    assert problems(broken)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), "2.0"),
        (("threat", "fraction"), 0.5),
        (("threat", "kind"), "steal"),
        (("data", "sha256"), "abc"),
        (("data", "domain"), "auto"),
        (("curve",), []),
        (("curve", 0, "bound"), "0.3"),
        (("evaluations", 0, "test_error"), 1.2),
        (("suspects", 0, "ranks"), {"slab": 0}),
    ],
)
def test_a_value_out_of_range_is_refused(fields, path, value):
    *steps, last = path
    part = fields
    for step in steps:
        part = part[step]
    part[last] = value
    assert len(problems(fields)) == 1
