"""Computation in blocks of rows that are halved when memory runs out."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from toadstone.core.checks import check_count


def in_blocks(work: Callable[[slice], Tensor], count: int, *, block: int) -> Tensor:
    """Compute blocks of rows one after another and return the concatenated results.

    Where memory runs out, on a graphics card or on the CPU, this block and all
    later ones are halved, if need be down to a single row, with a warning.

    Parameters
    ----------
    work : callable
        Takes a slice of rows and returns a tensor with as many rows.
    count : int
        Total number of rows, at least 1.
    block : int
        Largest number of rows in a block.

    Returns
    -------
    Tensor
        Of `count` rows.

    Raises
    ------
    InvalidArgument
        If `block` is not a whole number from 1.
    torch.OutOfMemoryError, RuntimeError
        If a single row exceeds the memory, or `work` raises anything else.

    Examples
    --------
    >>> in_blocks(lambda rows: torch.arange(5)[rows] ** 2, 5, block=2)
    tensor([ 0,  1,  4,  9, 16])
    """
    check_count(block=block)
    done: list[Tensor] = []
    start = 0
    while start < count:
        try:
            done.append(work(slice(start, min(start + block, count))))
            start += block
            continue
        except RuntimeError as error:
            if block == 1 or not out_of_memory(error):
                raise
        # Outside the handler, where no traceback keeps the block's tensors alive.
        block = halved(min(block, count - start))
    return torch.cat(done)


def halved(block: int) -> int:
    """Return half a block, but at least one row; free what torch caches, and warn."""
    smaller = max(1, block // 2)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    warnings.warn(f"out of memory: going on in blocks of {smaller}", RuntimeWarning, stacklevel=3)
    return smaller


def out_of_memory(error: RuntimeError) -> bool:
    """Return True if an error of torch says that a device or the CPU has no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
