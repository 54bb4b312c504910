"""Names of rows: one numbering for every message, table and report about a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from toadstone.core.checks import plainly, quoted

Numbering: TypeAlias = Literal["line", "row", "id", "index"]


@dataclass(frozen=True, eq=False)
class RowNames:
    """Name of each row of a source, by its position.

    Parameters
    ----------
    kind : {"line", "row", "id", "index"}
        Line of a text file, row counted from 1, value of a column that
        identifies rows, or index of an object in memory.
    names : sequence or ndarray, optional
        Name of each row; otherwise they are counted from `first`.
    first : int
        Number of the first row, where `names` is not given.
    column : str
        The column that identifies rows, for the kind "id".

    Examples
    --------
    >>> RowNames("row")[0], RowNames("id", names=["a7", "b2"], column="key")[1]
    ('1', 'b2')
    >>> RowNames("line", names=[2, 5]).full(1)
    'line 5'
    """

    kind: Numbering = "row"
    names: Any = None
    first: int = 1
    column: str = ""

    def __getitem__(self, position: int) -> str:
        """Return the name of the row at a position."""
        return str(self.first + position) if self.names is None else str(self.names[position])

    def full(self, position: int) -> str:
        """Return the name with its kind: "line 5", "row 3", "id 'a7'", "index 12"."""
        name = self[position]
        return f"{plainly(self.column)} {quoted(name)}" if self.kind == "id" else f"{self.kind} {plainly(name)}"

    def line(self, position: int) -> int | None:
        """Return the line of a row in its text file, or None where rows are named otherwise."""
        return int(self[position]) if self.kind == "line" else None

    @property
    def title(self) -> str:
        """Heading of a column of row names."""
        return self.column if self.kind == "id" else self.kind

    @property
    def sentence(self) -> str:
        """Explanation of the names, for the header of an output."""
        return {
            "line": "Rows are named by their line in the file, from 1.",
            "row": "Rows are numbered from 1, in the order of the file.",
            "id": f"Rows are named by column {self.column!r}.",
            "index": "Rows are named by their index, as in memory.",
        }[self.kind]
