"""A check of random generators, and errors in one line."""

from __future__ import annotations

from torch import Generator

from toadstone.core.errors import InvalidArgument


def first_line(error: Exception) -> str:
    r"""Return the first line of an error in lower case, or its type where it has no text.

    Examples
    --------
    >>> first_line(ValueError("Bad magic number\nat byte 0")), first_line(EOFError())
    ('bad magic number', 'eoferror')
    """
    return (str(error).splitlines() or [type(error).__name__])[0].lower()


def check_generator(generator: object) -> None:
    """Check for a torch generator: without one torch draws from its global state, which cannot be repeated.

    Raises
    ------
    InvalidArgument
    """
    if not isinstance(generator, Generator):
        raise InvalidArgument("generator", "a torch.Generator", type(generator).__name__)
