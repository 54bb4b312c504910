"""The number of threads that BLAS and OpenMP may use: as many as the work and the container allow.

Threads that wait for each other spin. Beside another busy process a scan of 1,000 rows spent ten times the processor
time in that, so small work gets one thread, and none gets more than the cores that the container lends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_Options = ParamSpec("_Options")
_Result = TypeVar("_Result")

_MANY_ENTRIES = 2_000_000
# Those whose first import loads the libraries of NumPy, SciPy and scikit-learn, each with threads of its own.
_LOADERS = ("numpy", "scipy.linalg", "sklearn.cluster")

_MOST: ContextVar[dict[str, int] | None] = ContextVar("threads at most", default=None)


def available_cores() -> int:
    """Count the cores that this process may use: its affinity, and the processor quota of its container.

    Examples
    --------
    >>> available_cores() >= 1
    True
    """
    from joblib import cpu_count

    return max(int(cpu_count()), 1)


@contextmanager
def bounded_threads() -> Iterator[None]:
    """Compute with one thread until `allow_threads` says how large the work is; afterwards all is as before.

    Inside another such context the outer one decides.
    """
    if _MOST.get() is not None:
        yield
        return
    controller, cores = _controller(), available_cores()
    most: dict[str, int] = {}
    for library in controller.info():
        # What the user allows, by OMP_NUM_THREADS or threadpoolctl, is an upper limit too.
        most[library["user_api"]] = min(library["num_threads"], most.get(library["user_api"], cores))
    token = _MOST.set(most)
    try:
        with controller.limit(limits=1):
            yield
    finally:
        _MOST.reset(token)


def allow_threads(entries: int) -> None:
    """Compute with all available cores from here on if the data have many entries.

    Parameters
    ----------
    entries : int
        Stored entries of the data: rows times columns where they are dense.
    """
    most = _MOST.get()
    if most is not None:
        _controller().limit(limits=most if entries >= _MANY_ENTRIES else 1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: a task that runs beside others."""
    with _controller().limit(limits=1):
        yield


def alone(task: Callable[_Options, _Result], *args: _Options.args, **options: _Options.kwargs) -> _Result:
    """Carry out a task with one thread, in whichever process it runs."""
    with one_thread():
        return task(*args, **options)


@functools.cache
def _controller() -> ThreadpoolController:
    """The libraries of this process, all of them loaded first: one that came later would be left without a bound."""
    from threadpoolctl import ThreadpoolController

    for module in _LOADERS:
        import_module(module)
    return ThreadpoolController()
