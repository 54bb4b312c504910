"""Numbers, lists and foreign text in the form that reports show.

A certified bound is rounded up and an attack's value down, so that no figure
in a report claims more than the record does.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

_FEWEST_DECIMALS, _MOST_DECIMALS = 2, 8
_SPACE = "\N{NO-BREAK SPACE}"

_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_EMPTY_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef"
_HIDDEN = re.compile(
    # Controls; marks that reorder, join or take no room; separators of lines; halves of characters; empty letters.
    r"[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    rf"\ufeff\ufff0-\ufffb\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f{_EMPTY_LETTERS}]"
)


def format_bound(value: float, *, digits: int = 4, decimals: int | None = None) -> str:
    """Write an upper bound, rounded up.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits, though never fewer than two decimals.
    decimals : int, optional
        Decimals instead, for columns of a table.

    Examples
    --------
    >>> format_bound(0.32864001), format_bound(7.3)
    ('0.3287', '7.300')
    """
    return _rounded(value, ROUND_CEILING, digits, decimals)


def format_attack_value(value: float, *, digits: int = 4, decimals: int | None = None) -> str:
    """Write what an attack achieves, rounded down; else as `format_bound`.

    Examples
    --------
    >>> format_attack_value(0.32869999)
    '0.3286'
    """
    return _rounded(value, ROUND_FLOOR, digits, decimals)


def format_loss(value: float, *, digits: int = 4, decimals: int | None = None) -> str:
    """Write a measured loss, rounded to nearest; else as `format_bound`."""
    return _rounded(value, ROUND_HALF_EVEN, digits, decimals)


def _rounded(value: float, rounding: str, digits: int, decimals: int | None) -> str:
    # The shortest decimal text of the float is what the record itself states.
    exact = Decimal(repr(float(value)))
    if decimals is None:
        decimals = min(max(digits - 1 - exact.adjusted(), _FEWEST_DECIMALS), _MOST_DECIMALS)
    return format(exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding), "f")


def format_fraction(value: float) -> str:
    """Write a fraction of rows in per cent, exactly.

    Examples
    --------
    >>> format_fraction(0.015).replace(chr(160), " ")
    '1.5 %'
    """
    percent = (Decimal(repr(float(value))) * 100).normalize()
    return f"{percent:f}{_SPACE}%"


def format_share(value: float) -> str:
    """Write a measured share in per cent, finer below one per cent.

    Examples
    --------
    >>> format_share(53 / 1035).replace(chr(160), " ")
    '5.1 %'
    """
    return _percent(value, _share_decimals(value), ROUND_HALF_EVEN)


def bare_percent(value: float) -> str:
    """Write a measured share in per cent without the sign, for a column that says so.

    Examples
    --------
    >>> bare_percent(53 / 1035), bare_percent(0.0069)
    ('5.1', '0.69')
    """
    return format_share(value).removesuffix(f"{_SPACE}%")


def format_share_bound(value: float) -> str:
    """Write an upper bound of a share in per cent, rounded up."""
    return _percent(value, _share_decimals(value), ROUND_CEILING)


def format_interval(low: float, high: float) -> str:
    """Write a confidence interval of a share in per cent, rounded outwards.

    Examples
    --------
    >>> format_interval(0.03939, 0.06631).replace(chr(160), " ")
    '3.9 to 6.7 %'
    """
    decimals = _share_decimals(high)
    lower = _percent(low, decimals, ROUND_FLOOR).removesuffix(f"{_SPACE}%")
    return f"{lower}{_SPACE}to{_SPACE}{_percent(high, decimals, ROUND_CEILING)}"


def _share_decimals(value: float) -> int:
    return 1 if value == 0 or value >= 0.01 else 2


def _percent(value: float, decimals: int, rounding: str) -> str:
    percent = Decimal(repr(float(value))) * 100
    return f"{percent.quantize(Decimal(1).scaleb(-decimals), rounding=rounding):f}{_SPACE}%"


def format_count(value: int) -> str:
    """Write a count with thousands set apart.

    Examples
    --------
    >>> format_count(4137)
    '4,137'
    """
    return f"{value:,}"


def counted(number: int, thing: str) -> str:
    """Write a count with its noun, which takes an s unless there is one.

    Examples
    --------
    >>> counted(1, "row"), counted(4137, "row")
    ('1 row', '4,137 rows')
    """
    return f"{format_count(number)} {thing}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Join names by commas, the last two by a word.

    Examples
    --------
    >>> listed(["l2"]), listed(["l2", "slab", "loss"]), listed(["l2", "slab"], "or")
    ('l2', 'l2, slab and loss', 'l2 or slab')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


class Flowed(str):
    """Text that `flow` broke into lines; any other line break came with the data."""

    __slots__ = ()


def flow(text: str, width: int | None, *, indent: int = 0) -> str:
    """Break a sentence into lines of a terminal; later lines are indented, and nothing hidden is left in any.

    Parameters
    ----------
    text : str
    width : int or None
        Columns; None leaves one line, as a pipe wants it.
    indent : int
        Of all lines but the first.

    Examples
    --------
    >>> print(flow("- as long as it is broad", 20, indent=2))
    - as long as it is
      broad
    """
    # A line break in foreign text must not start a line of its own.
    text = visible(text)
    if width is None:
        return text
    lines = textwrap.wrap(
        text, max(width, 20), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return Flowed("\n".join(lines))


def visible(text: str) -> str:
    r"""Write as escapes what could hide, reorder or break what is shown: controls, marks of direction, breaks of lines.

    Examples
    --------
    >>> visible("safe" + chr(0x202E) + "exe" + chr(27) + "[2J" + chr(10))
    'safe\\u202eexe\\x1b[2J\\n'
    """
    return _HIDDEN.sub(lambda found: _escape(found[0]), text)


def visible_lines(lines: Iterable[str]) -> list[str]:
    """Apply `visible` to all lines of a terminal but those of `flow`, which it went through."""
    return [line if isinstance(line, Flowed) else visible(line) for line in lines]


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return _NAMED.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shortened(text: str, length: int) -> str:
    """Cut a text to at most `length` characters, the last an ellipsis if cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
