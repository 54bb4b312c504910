"""Ctrl-C and SIGTERM: one exception and one exit code, wherever in the program they arrive."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143
_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
_PATIENCE = 5.0
_arrived: list[int] = []


def leave_at_once() -> None:
    """End the program without a word at a signal, while it has nothing to clean up."""
    for number, code in _CODES.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            # With the code bound here, for the handler may run while modules are half imported.
            signal.signal(number, lambda *_, code=code: os._exit(code))


def listen() -> None:
    """Turn each signal into an exception, so that unfinished files are removed."""
    _arrived.clear()
    for number in _CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _report_unless_stopping


def settle() -> None:
    """Raise nothing more: the exception of a signal has arrived where it is handled."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def finish() -> None:
    """Ignore signals from here on: the outcome is settled, and Python would restore its own handlers as it ends."""
    settle()
    for number in _CODES:
        signal.signal(number, signal.SIG_IGN)
    # An interrupt within code from a string, as dataclasses run it while modules load, is remembered even if it was
    # handled, and `python -m` would kill itself by it in the end. The next code from a string makes it forget.
    exec("")


def ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the one that started this worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def code_behind(error: BaseException) -> int | None:
    """Give the exit code of the signal that an exception comes from; None where it comes from none.

    Compiled code and libraries wrap the exception of a signal in others, more
    than one deep, or replace it by one that does not know of it.

    Examples
    --------
    >>> error = RuntimeError("a callback failed")
    >>> error.__context__ = SystemError("an exception was set")
    >>> error.__context__.__cause__ = KeyboardInterrupt()
    >>> code_behind(error), code_behind(RuntimeError("a callback failed"))
    (130, None)
    """
    for one in _chain(error):
        if isinstance(one, KeyboardInterrupt):
            return INTERRUPTED
        if isinstance(one, SystemExit) and one.code == TERMINATED:
            return TERMINATED
    return _arrived[0] if _arrived else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: dict[int, BaseException] = {}
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is not None and id(one) not in seen:
            seen[id(one)] = one
            yield one
            ahead += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]


def _stop(number: int, _: FrameType | None) -> None:
    """Raise the exception of a signal, and ignore further signals so that the clean-up is not stopped.

    Foreign code, such as a destructor, may swallow the exception: it is raised
    again after a while, unless the program has ended by then.
    """
    for stopping in _CODES:
        signal.signal(stopping, signal.SIG_IGN)
    _arrived.append(_CODES[signal.Signals(number)])
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _, frame: _stop(number, frame))
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    if number == signal.SIGTERM:
        sys.exit(TERMINATED)
    raise KeyboardInterrupt


def _report_unless_stopping(unraisable: sys.UnraisableHookArgs) -> None:
    # A destructor that swallows the exception of a signal would print its traceback.
    if not _arrived:
        sys.__unraisablehook__(unraisable)
