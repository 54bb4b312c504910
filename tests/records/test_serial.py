"""Records as JSON text and back, and the schema made from their types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest

from toadstone.core.errors import InvalidData
from toadstone.records.header import Limits
from toadstone.records.serial import Record, schema_of


@dataclass(frozen=True)
class Leaf:
    """A leaf.

    Parameters
    ----------
    size : int
        In millimetres,
        rounded.
    """

    derived: ClassVar[tuple[str, ...]] = ("area",)

    size: Annotated[int, Limits(minimum=0, exclusiveMaximum=9)]

    @property
    def area(self) -> int:
        """Size squared."""
        return self.size**2


@dataclass(frozen=True)
class Tree(Record):
    """A tree.

    With more to say of it.

    Parameters
    ----------
    kind : {"oak", "elm"}
        Of the wood.
    low, high : float, optional
        The ends.
    """

    kind: Literal["oak", "elm"]
    low: float | None
    high: float | None
    leaves: tuple[Leaf, ...]
    named: Mapping[str, Leaf]
    last: Leaf | None
    places: tuple[float, ...] | tuple[str, ...]


TREE = Tree("oak", None, 1.5, (Leaf(1), Leaf(3)), {"a": Leaf(2)}, Leaf(8), ("x", "y"))


def test_a_record_survives_its_json_with_what_is_derived():
    assert Tree.from_json(TREE.to_json()) == TREE
    assert '"area": 64' in TREE.to_json()
    bare = Tree("elm", 0.0, None, (), {}, None, (1.0, 2.0))
    assert Tree.from_json(bare.to_json()) == bare


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_json_lacks_is_refused(value):
    with pytest.raises(ValueError, match="Out of range"):
        Tree("oak", value, None, (), {}, None, ()).to_json()


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", '{"kind": "oak"}', '{"surprise": 1}'])
def test_text_of_something_else_is_refused(text):
    with pytest.raises(InvalidData, match="record: expected the JSON of a Tree"):
        Tree.from_json(text)


def test_a_schema_holds_limits_choices_descriptions_and_parts():
    schema = schema_of(Tree, "tree", "2.0")
    assert schema["$id"] == "urn:toadstone:tree:2.0"
    assert (schema["title"], schema["description"]) == ("toadstone tree record", "A tree.")
    assert schema["required"] == ["kind", "low", "high", "leaves", "named", "last", "places"]
    fields = schema["properties"]
    assert fields["kind"] == {"enum": ["oak", "elm"], "description": "Of the wood."}
    assert fields["low"] == fields["high"] == {"type": ["number", "null"], "description": "The ends."}
    assert fields["leaves"] == {"type": "array", "items": {"$ref": "#/$defs/leaf"}}
    assert fields["named"] == {"type": "object", "additionalProperties": {"$ref": "#/$defs/leaf"}}
    assert fields["last"] == {"anyOf": [{"$ref": "#/$defs/leaf"}, {"type": "null"}]}
    leaf = schema["$defs"]["leaf"]
    assert leaf["properties"]["size"] == {
        "type": "integer",
        "minimum": 0,
        "exclusiveMaximum": 9,
        "description": "In millimetres, rounded.",
    }
    assert leaf["required"] == ["size", "area"]
    assert leaf["properties"]["area"] == {"type": "integer", "description": "Size squared."}
    assert leaf["additionalProperties"] is False
