"""Published schemas: what they are made from, what they accept and what they refuse."""

import copy
import json
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from toadstone.core.errors import UnknownName
from toadstone.records.header import SCHEMA_VERSIONS
from toadstone.report.files.schema import RECORDS, load_schema, write_schemas


def refusals(record, fields):
    return [
        f"{list(error.path)}: {error.message}"
        for error in Draft202012Validator(load_schema(record)).iter_errors(fields)
    ]


def objects(schema):
    """The root and every part of a schema, by name."""
    return {"": schema} | schema["$defs"]


def part_at(fields, path):
    for step in path:
        fields = fields[step]
    return fields


def paths_of_objects(schema, fields, path=()):
    """One path to each object of a record that is not a mapping with names of its own."""
    if "$ref" in schema:
        schema = schema["root"]["$defs"][schema["$ref"].removeprefix("#/$defs/")] | {"root": schema["root"]}
    root = schema["root"]
    if "anyOf" in schema:
        chosen = next(one for one in schema["anyOf"] if ("$ref" in one) == isinstance(fields, dict))
        yield from paths_of_objects(chosen | {"root": root}, fields, path)
    elif isinstance(fields, dict) and "properties" in schema:
        yield path
        for name, part in fields.items():
            yield from paths_of_objects(schema["properties"][name] | {"root": root}, part, (*path, name))
    elif isinstance(fields, dict):
        for name, part in list(fields.items())[:1]:
            yield from paths_of_objects(schema["additionalProperties"] | {"root": root}, part, (*path, name))
    elif isinstance(fields, list) and fields:
        yield from paths_of_objects(schema["items"] | {"root": root}, fields[0], (*path, 0))


@pytest.mark.parametrize("name", RECORDS)
def test_a_published_schema_is_valid_and_is_what_the_code_generates(name, tmp_path):
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:toadstone:{name}:{SCHEMA_VERSIONS[name]}"
    write_schemas(tmp_path)
    published = resources.files("toadstone.report.files").joinpath(f"{name}.schema.json").read_text("utf-8")
    assert published == (tmp_path / f"{name}.schema.json").read_text("utf-8"), (
        "run python -m toadstone.report.files.schema"
    )


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_is_described_and_required(name):
    for part, schema in objects(load_schema(name)).items():
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"]), part
        assert schema["description"], part
        for field, about in schema["properties"].items():
            assert about.get("description") or "$ref" in about, f"{part}.{field} has no description"


def test_an_unknown_record_is_refused():
    with pytest.raises(UnknownName, match="expected one of audit, attack, cost, scan, defence, evaluation, "):
        load_schema("gate")


def test_a_record_satisfies_its_schema_and_survives(each):
    fields = json.loads(each.to_json())
    assert refusals(each.header.record, fields) == []
    assert RECORDS[each.header.record] is type(each)
    assert type(each).from_json(each.to_json()) == each


def test_hostile_text_survives(each, with_hostile_text):
    record = with_hostile_text(each)
    assert refusals(record.header.record, json.loads(record.to_json())) == []
    assert type(record).from_json(record.to_json()) == record
    assert record.to_json().isascii()


def test_a_missing_or_an_extra_field_is_refused(each):
    name, fields = each.header.record, json.loads(each.to_json())
    schema = load_schema(name)
    paths = list(paths_of_objects(schema | {"root": schema}, fields))
    assert len(paths) >= 5
    for path in paths:
        for field in part_at(fields, path):
            broken = copy.deepcopy(fields)
            del part_at(broken, path)[field]
            assert len(refusals(name, broken)) == 1, (path, field)
        broken = copy.deepcopy(fields)
        part_at(broken, path)["surprise"] = 1
        assert len(refusals(name, broken)) == 1, path


BROKEN = [
    ("record", ("header", "schema_version"), "2.0"),
    ("figure", ("header", "schema_version"), "3.0"),
    ("record", ("header", "record"), "scan"),
    ("record", ("header", "threads"), 0),
    ("record", ("header", "seed"), -1),
    ("record", ("header", "digests", "train"), "abc"),
    ("record", ("source", "name"), ""),
    ("record", ("source", "numbering"), "page"),
    ("record", ("threat", "fraction"), 0.5),
    ("record", ("threat", "kind"), "steal"),
    ("record", ("data", "domain"), "auto"),
    ("record", ("data", "classes"), []),
    ("record", ("no_certificate",), None),
    ("record", ("curve", 0, "bound"), "0.3"),
    ("record", ("evaluations", 0, "test_error"), 1.2),
    ("record", ("suspects", 0, "ranks"), {"slab": 0}),
    ("attacked", ("quantile",), 1.0),
    ("attacked", ("quantile",), 0.4),
    ("attacked", ("worst_case",), None),
    ("attacked", ("targets", "error", "none"), -0.1),
    ("attacked", ("split_test", "selected"), "0.1"),
    ("scanned", ("listed_rows",), -1),
    ("scanned", ("header", "schema_version"), "3.0"),
    ("scanned", ("expected_innocents",), -0.5),
    ("scanned", ("evidence", "rate"), 1.5),
    ("scanned", ("verdict", "seconds"), None),
    ("scanned", ("findings", 0, "kind"), "magic"),
    ("scanned", ("findings", 0, "p_value"), 2.0),
    ("scanned", ("detectors", "spectral", "flagged_share"), 1.5),
    ("scanned", ("detectors", "spectral", "flagged"), None),
    ("scanned", ("rows", 0, "reasons"), {}),
    ("scanned", ("rows", 0, "probability"), 1.1),
    ("scanned", ("rows", 0, "group"), -1),
    ("scanned", ("rows", 0, "fingerprint"), "abc"),
    ("defended", ("max_removed",), 0.5),
    ("defended", ("action",), "burn"),
    ("defended", ("groups", 0, "count"), -1),
    ("defended", ("groups", 0, "p_value"), 1.1),
    ("defended", ("relabelled", 0, "probability"), 1.1),
    ("defended", ("noise", "rate"), -0.1),
    ("defended", ("measurements", 0, "where"), "kept"),
    ("defended", ("expected_innocents",), -1),
    ("defended", ("removals", 0, "row"), 3),
    ("defended", ("removals", 0, "position"), -1),
    ("defended", ("account", "read"), 0),
    ("defended", ("set_aside", "kinds", 0, "rows"), 0),
    ("scanned", ("contradictions", 0, "rows"), ["3"]),
    ("scanned", ("data", "columns", 0, "features"), -1),
    ("defended", ("measurements", 0, "change", "rows"), 0),
    ("defended", ("measurements", 1, "change", "drop_low"), -1.1),
    ("evaluated", ("fraction",), 0.5),
    ("evaluated", ("fraction",), 0),
    ("evaluated", ("cells", 0, "verdict"), "perhaps"),
    ("evaluated", ("cells", 0, "test_error"), 0.1),
    ("evaluated", ("trials", 0, "thresholds"), "none"),
    ("evaluated", ("trials", 0, "auroc"), 1.5),
    ("evaluated", ("defences", 0, "kind"), "wall"),
    ("figure", ("comparisons", 0, "standing"), "guessed"),
    ("figure", ("panels", 0, "x_scale"), "cubic"),
    ("figure", ("comparisons", 0, "paper", "accuracy"), -1),
    ("figure", ("header", "digests", "enron"), "0" * 63),
    ("figure", ("seconds",), -1),
]


@pytest.mark.parametrize(("fixture", "path", "value"), BROKEN)
def test_a_value_out_of_range_is_refused(request, fixture, path, value):
    record = request.getfixturevalue(fixture)
    fields = json.loads(record.to_json())
    part_at(fields, path[:-1])[path[-1]] = value
    assert refusals(record.header.record, fields)
