"""Seconds of each stage of a run, and the moment by which it should end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from toadstone.core.errors import InvalidArgument

Progress = Callable[[str], None]


@dataclass
class Clock:
    """Seconds by stage, announced as they begin; a stage may have several parts."""

    announce: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        self.announce(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


@dataclass(frozen=True)
class Deadline:
    """The moment after which a run begins no further step; what it has begun it ends.

    Parameters
    ----------
    seconds : float, optional
        From now on; None for no limit.

    Raises
    ------
    InvalidArgument
        If it is not a positive number.

    Examples
    --------
    >>> Deadline(60.0).passed, Deadline(None).passed
    (False, False)
    """

    seconds: float | None
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise InvalidArgument("max_seconds", "a positive number", self.seconds)

    @property
    def passed(self) -> bool:
        """True once the time is over."""
        return self.seconds is not None and time.perf_counter() - self.began >= self.seconds

    @property
    def reason(self) -> str:
        """Why a step did not run, in words."""
        return f"the {self.seconds:g} seconds of --max-seconds were over"

    def explains(self, skipped: str) -> bool:
        """True if a step was skipped because the time was over."""
        return self.seconds is not None and skipped == self.reason

    def unfinished(self, what: str, instead: str) -> str:
        """Say in a sentence what did not run, that the result is therefore undecided, and what would decide it.

        Examples
        --------
        >>> Deadline(5.0).unfinished("the verdict did not run", "give more seconds")
        'the 5 seconds of --max-seconds were over: the verdict did not run; the result is undecided: give more seconds'
        """
        return f"{self.reason}: {what}; the result is undecided: {instead}"

    def demand(self, expected: str) -> None:
        """Refuse to go on once the time is over, where nothing could be said yet.

        Raises
        ------
        InvalidArgument
            If it is.
        """
        if self.passed:
            raise InvalidArgument("max_seconds", expected, f"{self.seconds:g}, which were over before it; give more")


UNLIMITED = Deadline(None)
