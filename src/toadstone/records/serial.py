"""Records as JSON text and back, and the JSON schema that follows from their types."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from toadstone.core.errors import InvalidData
from toadstone.records.header import Limits

_T = TypeVar("_T")

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


class Record:
    """Base of the records: JSON text under the published schema, and back."""

    def to_json(self) -> str:
        """Write the record as JSON text under its published schema.

        Raises
        ------
        ValueError
            If a number is NaN or infinite.
        """
        return json.dumps(as_fields(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text.

        Raises
        ------
        InvalidData
            If the text is not JSON, or not that of such a record.
        """
        try:
            made = from_fields(cls, json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidData(f"record: expected the JSON of a {cls.__name__}, got other text ({error})") from None
        return made


def as_fields(value: Any) -> Any:
    """Turn a record, or a part of one, into JSON types; derived properties included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: as_fields(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return fields | {name: as_fields(getattr(value, name)) for name in derived(type(value))}
    if isinstance(value, Mapping):
        return {str(name): as_fields(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_fields(item) for item in value]
    return value


def derived(cls: type[Any]) -> tuple[str, ...]:
    """Name the properties of a class that its JSON also holds."""
    return tuple(getattr(cls, "derived", ()))


def from_fields(cls: type[_T], fields: Any) -> _T:
    """Rebuild a record, or a part of one, from JSON types, as `as_fields` makes them.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        If they are of something else.
    """
    made: _T = _revive(cls, fields)
    return made


def _revive(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _revive(arguments[0], value)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        # Unions in records are of one type and None, or of tuples of plain values.
        return _revive(next(argument for argument in arguments if argument is not type(None)), value)
    if origin is tuple:
        return tuple(_revive(arguments[0], item) for item in value)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return {name: _revive(arguments[1], item) for name, item in value.items()}
    if dataclasses.is_dataclass(hint):
        # Derived properties follow from the fields and are not passed to the constructor.
        hints = get_type_hints(hint, include_extras=True)
        known = {name: part for name, part in value.items() if name not in derived(hint)}  # type: ignore[arg-type]
        return hint(**{name: _revive(hints[name], part) for name, part in known.items()})  # type: ignore[operator]
    return value


def schema_of(cls: type[Any], name: str, version: str) -> dict[str, Any]:
    """Make the JSON schema (draft 2020-12) of a record from its types and docstrings.

    Every field is required and no other allowed. Descriptions are those of
    the "Parameters" section of each class.
    """
    parts: dict[str, Any] = {}
    whole = _object(cls, parts)
    if "header" in parts:
        # A record of one kind under the header of another, or of another version, is refused.
        parts["header"]["properties"]["record"]["enum"] = [name]
        parts["header"]["properties"]["schema_version"]["enum"] = [version]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:toadstone:{name}:{version}",
        "title": f"toadstone {name} record",
        "description": _summary(cls),
        **whole,
        "$defs": dict(sorted(parts.items())),
    }


def _object(cls: type[Any], parts: dict[str, Any]) -> dict[str, Any]:
    hints, said = get_type_hints(cls, include_extras=True), _descriptions(cls)
    properties: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        properties[field.name] = _field(hints[field.name], parts)
        if field.name in said:
            properties[field.name] = {**properties[field.name], "description": said[field.name]}
    for name in derived(cls):
        returned = get_type_hints(getattr(cls, name).fget, include_extras=True)["return"]
        properties[name] = _field(returned, parts) | {"description": _summary(getattr(cls, name))}
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _field(hint: Any, parts: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits = [extra.keywords for extra in arguments[1:] if isinstance(extra, Limits)]
        return _field(arguments[0], parts) | {name: value for found in limits for name, value in found.items()}
    if origin in (Union, types.UnionType):
        found = [_field(argument, parts) for argument in arguments]
        kinds = [one.get("type") for one in found]
        if len(found) == 2 and kinds[1] == "null" and isinstance(kinds[0], str) and "enum" not in found[0]:
            return {**found[0], "type": [kinds[0], "null"]}
        return {"anyOf": found}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _field(arguments[0], parts)}
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _field(arguments[1], parts)}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        key = re.sub(r"(?<!^)(?=[A-Z])", "_", hint.__name__).lower()
        if key not in parts:
            # Entered before its fields are, so that a class may refer to itself.
            parts[key] = {}
            parts[key] = {"description": _summary(hint), **_object(hint, parts)}
        return {"$ref": f"#/$defs/{key}"}
    return dict(_PLAIN[hint])


def _summary(documented: Any) -> str:
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _descriptions(cls: type[Any]) -> dict[str, str]:
    """Read the texts of the "Parameters" section of a class's docstring, by name."""
    section = (inspect.getdoc(cls) or "").partition("\nParameters\n----------\n")[2]
    found: dict[str, str] = {}
    for names, text in re.findall(r"^(\w[\w, ]*?)(?: : .*)?\n((?: {4}.*\n?)+)", section + "\n", re.MULTILINE):
        found |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return found
