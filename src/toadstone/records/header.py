"""The header of every record, and the types of fields with limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from toadstone.core.row_names import Numbering, RowNames


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
_PLURALS: Mapping[str, str] = {"line": "lines", "row": "rows", "index": "indices"}
RecordName: TypeAlias = Literal[
    "audit",
    "attack",
    "cost",
    "scan",
    "defence",
    "evaluation",
    "federation",
    "inspection",
    "reproduction",
    "predictions",
    "regression-scan",
    "regression-defence",
    "regression-attack",
]
Version: TypeAlias = Literal["2.0", "3.0", "4.0"]

SCHEMA_VERSIONS: Mapping[RecordName, Version] = MappingProxyType(
    {
        "audit": "4.0",
        "attack": "3.0",
        "cost": "4.0",
        "scan": "4.0",
        "defence": "4.0",
        "evaluation": "3.0",
        "federation": "4.0",
        "inspection": "4.0",
        # A reproduction has no rows of a source; its published records stay valid.
        "reproduction": "2.0",
        "predictions": "4.0",
        "regression-scan": "4.0",
        "regression-defence": "4.0",
        "regression-attack": "4.0",
    }
)
"""Version of the published schema of each kind of record."""


@dataclass(frozen=True)
class Header:
    """Facts of the run that made a record.

    Parameters
    ----------
    record : str
        Which record this is: "scan", "regression-scan" and so on.
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
    schema_version: Version
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
    numbering : {"line", "row", "id", "index"}
        What names a row: its line in a text file, its number from 1, the
        value of a column, or its index in memory.
    id_column : str
        The column that names rows, for the numbering "id".

    Examples
    --------
    >>> Source("mails.csv", "mails.csv", "line").full("7")
    'line 7'
    """

    name: Name
    location: str = ""
    numbering: Numbering = "row"
    id_column: str = ""

    def full(self, row: str) -> str:
        """Write the name of a row with its kind: "line 5", "row 3", "id 'a7'", "index 12"."""
        return RowNames(self.numbering, [row], column=self.id_column).full(0)

    def several(self, rows: Sequence[str]) -> str:
        """Write the names of rows with their kind: "line 5", "lines 3, 5"."""
        if len(rows) == 1:
            return self.full(rows[0])
        named = [repr(row) for row in rows] if self.numbering == "id" else rows
        return f"{_PLURALS.get(self.numbering, self.id_column)} {', '.join(named)}"

    @property
    def title(self) -> str:
        """Heading of a column of row names."""
        return RowNames(self.numbering, column=self.id_column).title

    @property
    def sentence(self) -> str:
        """Explanation of the names, for the header of an output."""
        return RowNames(self.numbering, column=self.id_column).sentence


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
class ColumnSummary:
    """The way from one column of the source to features.

    Parameters
    ----------
    name : str
        As the source names it.
    kind : {"number", "category", "date", "text", "left out"}
        What it was read as.
    features : int
        Columns that it became.
    note : str
        Notation that was read, levels that were pooled, or why it was left out.
    fitted : mapping from str to JSON types
        What was learned from training rows: median, mean and deviation,
        levels, or digest of the words.
    """

    name: str
    kind: str
    features: Count
    note: str
    fitted: Mapping[str, Any]


@dataclass(frozen=True)
class DataSummary:
    """Sizes and preparation of a data set.

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
    columns : tuple of ColumnSummary
        One for each column of a table but the label; empty for arrays.
    notes : tuple of str
        Sentences on how the source was read.
    """

    n_train: Positive
    n_test: Count
    n_features: Positive
    density: Share
    classes: Annotated[tuple[ClassCount, ...], Limits(minItems=2)]
    domain: DomainName
    preparation: str
    test_origin: str
    columns: tuple[ColumnSummary, ...] = ()
    notes: tuple[str, ...] = ()
