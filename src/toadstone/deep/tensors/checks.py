"""A check of the random generator, an argument that many functions take."""

from __future__ import annotations

from torch import Generator

from toadstone.core.errors import InvalidArgument


def check_generator(generator: object) -> None:
    """Check for a torch generator: without one torch draws from its global state, which cannot be repeated.

    Raises
    ------
    InvalidArgument
    """
    if not isinstance(generator, Generator):
        raise InvalidArgument("generator", "a torch.Generator", type(generator).__name__)
