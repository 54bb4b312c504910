"""The run in progress: the command that its record names, the display of its progress, the bound on its threads."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from toadstone.pipeline.harness.threads import bounded_threads

_Options = ParamSpec("_Options")
_Result = TypeVar("_Result")


class Watch(Protocol):
    """A display of progress."""

    def announce(self, stage: str) -> None:
        """Name the stage that begins."""

    def expect(self, steps: int) -> None:
        """Say how many steps there will be."""

    def step(self) -> None:
        """Count one step."""


class _Silent:
    def announce(self, stage: str) -> None:
        """Show nothing."""

    def expect(self, steps: int) -> None:
        """Show nothing."""

    def step(self) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class Run:
    """A call of a front-door function.

    Parameters
    ----------
    command : str
        The command line, or the name of the function that Python called.
    watch : Watch
    """

    command: str
    watch: Watch


_RUN: ContextVar[Run | None] = ContextVar("toadstone run", default=None)


def current_run(function: str) -> Run:
    """Return the run of the command line, or that of a plain call of a function from Python."""
    return _RUN.get() or Run(f"toadstone.{function}", _Silent())


@contextmanager
def run_as(command: str, watch: Watch) -> Iterator[None]:
    """Let front-door functions record a command line and report progress."""
    token = _RUN.set(Run(command, watch))
    try:
        yield
    finally:
        _RUN.reset(token)


def front_door(function: Callable[_Options, _Result]) -> Callable[_Options, _Result]:
    """Make a public function bound its threads while it runs; `open_data` says how large the work is."""

    @functools.wraps(function)
    def bounded(*args: _Options.args, **options: _Options.kwargs) -> _Result:
        with bounded_threads():
            return function(*args, **options)

    return bounded
