"""Schedule of EPIC: the epochs at which it looks for isolated rows, and the share that it may drop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument

Variant = Literal["paper", "released"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Epochs at which EPIC looks for isolated rows, and the share that it may drop.

    Parameters
    ----------
    fraction : float
        Medoids per row of a class, in (0, 1); the paper's EPIC-0.1 to EPIC-0.3.
    warm_up : int
        Epochs before the first look.
    interval : int
        Epochs between looks.
    last_epoch : int, optional
        Last epoch that begins with a look, at least `warm_up`. The authors stop
        at the first epoch with a lower learning rate. Without it, looks go on
        to the end.
    max_dropped : float
        Share of each class's active rows that one look may drop, the most
        isolated first. With 0 nothing is dropped, and `EPIC.latest` holds the
        ranking.
    variant : {"paper", "released"}
        Rows to cluster: those still active, or all, dropped ones included, as
        in the authors' code.

    Raises
    ------
    InvalidArgument
        If a value is out of range, or an epoch is not a whole number.

    Examples
    --------
    >>> schedule = Schedule(fraction=0.1, warm_up=10, interval=5, last_epoch=25)
    >>> [epoch for epoch in range(40) if schedule.due(epoch)]
    [10, 15, 20, 25]
    """

    fraction: float = 0.1
    warm_up: int = 10
    interval: int = 1
    last_epoch: int | None = None
    max_dropped: float = 1.0
    variant: Variant = "paper"

    def __post_init__(self) -> None:
        check_within("(0, 1)", fraction=self.fraction)
        check_count(0, warm_up=self.warm_up)
        check_count(interval=self.interval)
        if self.last_epoch is not None:
            check_count(self.warm_up, last_epoch=self.last_epoch)
        check_within("[0, 1]", max_dropped=self.max_dropped)
        if self.variant not in get_args(Variant):
            raise InvalidArgument("variant", " or ".join(map(repr, get_args(Variant))), repr(self.variant))

    def due(self, epoch: int) -> bool:
        """Return True if an epoch, counted from 0, begins with a look."""
        ended = self.last_epoch is not None and epoch > self.last_epoch
        return epoch >= self.warm_up and (epoch - self.warm_up) % self.interval == 0 and not ended
