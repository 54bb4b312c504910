"""How many processes a piece of work is worth."""

from __future__ import annotations

from toadstone.core.dataset import Dataset
from toadstone.kernels.rows import count_entries

_FEW_ENTRIES = 100_000


def processes(wanted: int, tasks: int, data: Dataset) -> int:
    """As many as are wanted and there are tasks; one where starting others takes longer than the work.

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
