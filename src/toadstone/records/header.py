"""The header of every record, and the types of fields with limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

SCHEMA_VERSION: Literal["2.0"] = "2.0"


@dataclass(frozen=True)
class Limits:
    """JSON Schema keywords of a field, written beside its type as ``Annotated[float, Limits(minimum=0)]``."""

    minimum: float | None = None
    maximum: float | None = None
    exclusiveMinimum: float | None = None
    exclusiveMaximum: float | None = None
    pattern: str | None = None
    minLength: int | None = None
    minItems: int | None = None
    minProperties: int | None = None
    format: str | None = None

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords that are set."""
        return {name: value for name, value in vars(self).items() if value is not None}


Share: TypeAlias = Annotated[float, Limits(minimum=0, maximum=1)]
Fraction: TypeAlias = Annotated[float, Limits(minimum=0, exclusiveMaximum=0.5)]
Count: TypeAlias = Annotated[int, Limits(minimum=0)]
Positive: TypeAlias = Annotated[int, Limits(minimum=1)]
Seconds: TypeAlias = Annotated[float, Limits(minimum=0)]
Loss: TypeAlias = Annotated[float, Limits(minimum=0)]
Name: TypeAlias = Annotated[str, Limits(minLength=1)]
Digest: TypeAlias = Annotated[str, Limits(pattern="^[0-9a-f]{64}$")]
Moment: TypeAlias = Annotated[str, Limits(format="date-time")]
Ranks: TypeAlias = Mapping[str, Positive]

DomainName: TypeAlias = Literal["real", "box", "integer"]
RecordName: TypeAlias = Literal["audit", "attack", "scan", "defence", "evaluation", "reproduction"]


@dataclass(frozen=True)
class Header:
    """Facts of the run that made a record.

    Parameters
    ----------
    record : {"audit", "attack", "scan", "defence", "evaluation", "reproduction"}
        Which record this is.
    schema_version : str
        Version of the record's published JSON schema.
    command : str
        The command line, or the call of the Python function.
    created : str
        End of the run, ISO 8601 with time zone.
    seed : int
        Seed of all that is random.
    threads : int, optional
        Threads of the linear-algebra libraries; None where it was not recorded.
    peak_memory_mb : float, optional
        Largest resident memory of the process so far, in MB; None where it
        was not recorded.
    digests : mapping from str to str
        SHA-256 of each set of rows that was read, by its part in the run.
    versions : mapping from str to str
        Of Python, toadstone and the packages that computed the record.
    """

    record: RecordName
    schema_version: Literal["2.0"]
    command: str
    created: Moment
    seed: Count
    threads: Positive | None
    peak_memory_mb: Annotated[float, Limits(minimum=0)] | None
    digests: Mapping[str, Digest]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """Origin of the rows of a record.

    Parameters
    ----------
    name : str
        File name, name in the catalogue, or kind of the object in memory.
    location : str
        As the caller named it; empty for objects in memory.
    first_line : int, optional
        Line of row 0, counted from 1, where each row is a line of a text file.
    """

    name: Name
    location: str = ""
    first_line: Positive | None = None


@dataclass(frozen=True)
class ClassCount:
    """Rows of one label in the training and in the test set.

    Parameters
    ----------
    label : str
        As the data name it.
    train, test : int
        Rows with that label.
    """

    label: str
    train: Count
    test: Count


@dataclass(frozen=True)
class DataSummary:
    """Sizes and preparation of a data set, without any of its values.

    Parameters
    ----------
    n_train, n_test : int
        Rows for training and for testing.
    n_features : int
        Columns after preparation.
    density : float
        Share of the training entries that are not zero.
    classes : tuple of ClassCount
        One for each label.
    domain : {"real", "box", "integer"}
        Values that a row can have.
    preparation, test_origin : str
        How columns became features, and where the test rows are from.
    """

    n_train: Positive
    n_test: Count
    n_features: Positive
    density: Share
    classes: Annotated[tuple[ClassCount, ...], Limits(minItems=2)]
    domain: DomainName
    preparation: str
    test_origin: str
