"""Seconds of each stage of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str], None]


@dataclass
class Clock:
    """Seconds by stage, announced as they begin."""

    announce: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        self.announce(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin
