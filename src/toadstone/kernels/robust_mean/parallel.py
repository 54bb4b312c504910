"""Work on parts of the coordinates: several threads, one BLAS thread each, results in the order of the parts."""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_Result = TypeVar("_Result")

_MOST = 8
"""Threads beyond which the memory is the limit, not the processor."""
_AHEAD = 2
"""Parts that may be computed for each thread before their turn: what bounds the memory of results."""

_LOCK = threading.Lock()
_INSIDE = 0
_BEFORE: dict[str, int] = {}


def parts(length: int, size: int) -> list[slice]:
    """Divide `length` coordinates into consecutive parts of `size`; the last may be smaller."""
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def in_order(task: Callable[[slice], _Result], pieces: Sequence[slice]) -> Iterator[_Result]:
    """Yield what `task` makes of each part, in the order of the parts, whatever the number of threads.

    Parameters
    ----------
    task : callable
        Takes a part. It should spend its time in NumPy or compiled loops, which let other threads run.
    pieces : sequence of slice

    Notes
    -----
    BLAS has one thread meanwhile: how it divides a product would change the last digits.
    """
    with one_blas_thread() as allowed:
        count = min(allowed, len(pieces))
        if count <= 1:
            yield from map(task, pieces)
            return
        with ThreadPoolExecutor(count) as pool:
            waiting: deque[Future[_Result]] = deque()
            try:
                for piece in pieces:
                    waiting.append(pool.submit(task, piece))
                    if len(waiting) >= _AHEAD * count:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def available_threads() -> int:
    """Count the threads that are of use: the cores of this process, at most 8."""
    from joblib import cpu_count

    return max(1, min(int(cpu_count()), _MOST))


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Limit BLAS to one thread; yields how many threads the task may use instead.

    What the user allows BLAS, by a variable of the environment or threadpoolctl, is the limit. Calls that overlap
    share the state: the first sets it, the last puts it back.
    """
    global _INSIDE
    controller = _controller()
    with _LOCK:
        if _INSIDE == 0:
            _BEFORE.clear()
            _BEFORE.update({library.filepath: library.num_threads for library in controller.lib_controllers})
            for library in controller.lib_controllers:
                library.set_num_threads(1)
        _INSIDE += 1
        allowed = min([available_threads(), *_BEFORE.values()])
    try:
        yield allowed
    finally:
        with _LOCK:
            _INSIDE -= 1
            if _INSIDE == 0:
                for library in controller.lib_controllers:
                    library.set_num_threads(_BEFORE[library.filepath])


@functools.cache
def _controller() -> ThreadpoolController:
    """Return the BLAS libraries that are loaded: NumPy's is, since this module's callers use it."""
    import numpy  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
