"""Calls in another process, which shares no state with this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pickle import PicklingError
from typing import Any

from toadstone.core.errors import InvalidArgument


def in_another_process(function: Callable[[Any], Any], tasks: Iterable[Any]) -> list[Any]:
    """Do what the builtin `map` does in a process of its own, with another seed of hashes and other addresses.

    Parameters
    ----------
    function : callable
    tasks : iterable

    Returns
    -------
    list

    Raises
    ------
    InvalidArgument
        If the process cannot load what it is sent, or ends without an answer.
    """
    # Imported for this alone, which takes a while.
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    pool = get_reusable_executor(max_workers=1)
    try:
        return [pool.submit(function, task).result() for task in tasks]
    except (BrokenProcessPool, PicklingError) as error:
        expected = "a model that another process can import and train, as one of an installed module"
        raise InvalidArgument("estimator", expected, str(error).partition("\n")[0]) from None
