"""Arguments that many functions take: counts and generators, refused in one sentence each."""

from __future__ import annotations

from numbers import Integral

from torch import Generator

from toadstone.core.errors import InvalidArgument


def check_whole(least: int = 1, /, **numbers: object) -> None:
    """Refuse counts that are not whole numbers from `least`; 2.0 is none, nor is True.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_whole(batch=32)
    >>> check_whole(0, draws=1.5)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `draws`: expected a whole number from 0, got 1.5
    """
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise InvalidArgument(name, f"a whole number from {least}", value)


def check_generator(generator: object) -> None:
    """Refuse what is no generator: None would draw from torch's global one, which nobody can repeat.

    Raises
    ------
    InvalidArgument
    """
    if not isinstance(generator, Generator):
        raise InvalidArgument("generator", "a torch.Generator", type(generator).__name__)
