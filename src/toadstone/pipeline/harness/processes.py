"""The number of processes for a piece of work."""

from __future__ import annotations

from toadstone.core.dataset import Dataset
from toadstone.kernels.rows import count_entries

_FEW_ENTRIES = 100_000


def processes(wanted: int, tasks: int, data: Dataset) -> int:
    """Return as many processes as are wanted and there are tasks, or one for little data.

    Parameters
    ----------
    wanted : int
    tasks : int
    data : Dataset
        What each task works on.

    Examples
    --------
    >>> processes(8, 3, Dataset([[0.0], [1.0]], ["ham", "spam"]))
    1
    """
    return 1 if count_entries(data.X) < _FEW_ENTRIES else max(min(wanted, tasks), 1)
