"""Features of a network, in which labels are judged while groups are looked for in the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.core.arrays import Matrix
from toadstone.core.dataset import Dataset
from toadstone.kernels.rows import stack


@dataclass(frozen=True, eq=False)
class SeenFeatures:
    """Features of all rows of a source, in its order, and of the trusted rows.

    Parameters
    ----------
    rows : ndarray of shape (n, k)
    trusted : ndarray of shape (m, k), optional
    note : str
        Where they are from, in a sentence.
    """

    rows: Matrix
    trusted: Matrix | None
    note: str

    @property
    def beside(self) -> Matrix:
        """The features of all rows with those of the trusted ones after them."""
        return self.rows if self.trusted is None else stack([self.rows, self.trusted])

    def of(self, data: Dataset) -> Dataset:
        """Return rows with their features in place of their columns."""
        return Dataset(self.rows, data.y, None, data.row_ids)

    def of_trusted(self, trusted: Dataset | None) -> Dataset | None:
        """Return the trusted rows with their features in place of their columns; None stays None."""
        return None if trusted is None or self.trusted is None else Dataset(self.trusted, trusted.y)


def notes_on(seen: SeenFeatures | None) -> tuple[str, ...]:
    """Return the note on features of a network, if there are any."""
    return () if seen is None else (seen.note,)
