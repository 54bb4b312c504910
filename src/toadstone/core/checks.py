"""Checks of arguments that many functions share, each with one error message."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from numbers import Integral, Real

from toadstone.core.errors import InvalidArgument

LARGEST_SEED = 2**32 - 1
"""Largest seed that NumPy's legacy generators, and scikit-learn with them, accept."""


def check_positive(**numbers: float) -> None:
    """Check that numbers are positive and finite.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_positive(ridge=0.0)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `ridge`: expected a positive number, got 0.0
    >>> check_positive(ridge="1")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `ridge`: expected a positive number, got '1'
    """
    for name, number in numbers.items():
        # Written so that NaN, which compares as false, is refused.
        if not isinstance(number, Real) or not 0 < number < math.inf:
            raise InvalidArgument(name, "a positive number", _shown(number))


def check_not_negative(**numbers: float) -> None:
    """Check that numbers are finite and at least zero.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_not_negative(burn_in=-1)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `burn_in`: expected a number that is not negative, got -1
    """
    for name, number in numbers.items():
        if not isinstance(number, Real) or not 0 <= number < math.inf:
            raise InvalidArgument(name, "a number that is not negative", _shown(number))


def check_within(interval: str, /, **numbers: float) -> None:
    """Check that numbers lie in an interval, given in mathematical notation.

    Parameters
    ----------
    interval : str
        Such as ``"(0, 0.5]"``: a round bracket excludes its end.
    **numbers : float
        Arguments by name.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_within("(0, 0.5]", share=0.5)
    >>> check_within("(0, 0.5]", share=0.0)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `share`: expected a number in (0, 0.5], got 0.0
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    for name, number in numbers.items():
        if not isinstance(number, Real):
            raise InvalidArgument(name, f"a number in {interval}", _shown(number))
        above = number >= low if interval.startswith("[") else number > low
        below = number <= high if interval.endswith("]") else number < high
        if not (above and below):
            raise InvalidArgument(name, f"a number in {interval}", number)


def check_count(least: int = 1, /, **counts: object) -> None:
    """Check that counts are whole numbers from `least`; neither 2.0 nor True is one.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_count(batch=32)
    >>> check_count(0, draws=1.5)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `draws`: expected a whole number from 0, got 1.5
    """
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, Integral) or count < least:
            raise InvalidArgument(name, f"a whole number from {least}", _shown(count))


def _shown(value: object) -> object:
    # A text that looks like a number is told from it by its quotation marks.
    return quoted(value) if isinstance(value, str) else value


def check_seed(seed: object) -> None:
    """Check that a seed is a whole number that every random generator accepts.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_seed(-1)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `seed`: expected a whole number from 0 to 4294967295, got -1
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) <= LARGEST_SEED:
        raise InvalidArgument("seed", f"a whole number from 0 to {LARGEST_SEED}", seed)


def did_you_mean(name: str, known: Iterable[str], *, most: int = 1, show: Callable[[str], str] = str) -> str:
    """Return the end of an error message that suggests the known names closest to an unknown one.

    Parameters
    ----------
    name : str
        The unknown name.
    known : iterable of str
    most : int
        Largest number of suggestions.
    show : callable
        Formats a suggestion; `repr` where names may hold spaces.

    Returns
    -------
    str
        Empty if no name is close.

    Examples
    --------
    >>> did_you_mean("enrom", ["enron", "sms"])
    '; did you mean enron?'
    >>> did_you_mean("mnist", ["enron", "sms"])
    ''
    """
    close = get_close_matches(name, list(known), n=most)
    return f"; did you mean {' or '.join(map(show, close))}?" if close else ""


def quoted(value: object, limit: int = 60) -> str:
    r"""Return a text from data in quotation marks, cut to a length and without control characters.

    Examples
    --------
    >>> quoted("a\tb"), quoted("x" * 99, limit=5)
    ("'a\\tb'", "'xxxx…'")
    """
    text = str(value)
    return repr(text if len(text) <= limit else f"{text[: limit - 1]}…")


def plainly(value: object, limit: int = 60) -> str:
    r"""Return a text from data as it is if it is short and printable, otherwise as `quoted` does.

    Examples
    --------
    >>> plainly("age"), plainly("a\x1bb")
    ('age', "'a\\x1bb'")
    """
    text = str(value)
    return text if text.isprintable() and len(text) <= limit else quoted(text, limit)
