"""New labels and weights for rows of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument

WEIGHT = "weight"
"""Column and array of the weights of rows."""


@dataclass(frozen=True)
class Changes:
    """New labels and weights of kept rows, by positions in the source.

    Parameters
    ----------
    label_of : mapping from int to int
        Row whose label a relabelled row takes.
    weight : mapping from int to float, optional
        Of each judged row, for a new column `WEIGHT`; None where all count
        alike.
    """

    label_of: Mapping[int, int] = field(default_factory=dict)
    weight: Mapping[int, float] | None = None

    def __bool__(self) -> bool:
        return bool(self.label_of) or self.weight is not None

    def labels_from(self, rows: Sequence[int] | IntArray) -> list[int]:
        """Return the rows whose labels some rows have afterwards: most have their own."""
        return [self.label_of.get(int(row), int(row)) for row in rows]

    def weights(self, rows: Sequence[int] | IntArray) -> list[float] | None:
        """Return the weights of some rows; those that were not judged count whole. None where all count alike."""
        if self.weight is None:
            return None
        return [float(self.weight.get(int(row), 1.0)) for row in rows]

    def check_names(self, names: Sequence[str]) -> None:
        """Check that the column of weights is new to a table.

        Raises
        ------
        InvalidArgument
            If it has such a column already.
        """
        if self.weight is not None and WEIGHT in names:
            raise InvalidArgument("action", f"data without a column {WEIGHT}, which the weights go to", WEIGHT)
