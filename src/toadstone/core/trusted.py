"""Trusted rows: rows declared to be clean."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument


@dataclass(frozen=True, eq=False)
class Trusted:
    """Rows declared to be clean, with the reason.

    Thresholds and validations are only as good as the rows they rest on.
    Functions that use trusted rows therefore require this declaration and
    refuse a plain `Dataset`.

    Parameters
    ----------
    data : Dataset
    because : str
        Reason why the rows can be trusted; reports quote it.

    Raises
    ------
    InvalidArgument
        If no reason is given.

    Examples
    --------
    >>> Trusted(Dataset([[0.0], [1.0]], ["ham", "spam"]), because="read by two of us").because
    'read by two of us'
    """

    data: Dataset
    because: str

    def __post_init__(self) -> None:
        if not self.because.strip():
            raise InvalidArgument("because", "why these rows can be trusted", "nothing")

    def __len__(self) -> int:
        return len(self.data)


def demand_trusted(rows: object) -> Trusted:
    """Check that rows are declared to be clean.

    Raises
    ------
    InvalidArgument
        If they are not `Trusted`.

    Examples
    --------
    >>> demand_trusted(Dataset([[0.0]], ["ham"]))
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `trusted`: expected rows declared clean, as Trusted(rows, because=...), \
got Dataset, which may be poisoned
    """
    if not isinstance(rows, Trusted):
        expected = "rows declared clean, as Trusted(rows, because=...)"
        raise InvalidArgument("trusted", expected, f"{type(rows).__name__}, which may be poisoned")
    return rows
