"""Numbers as people write them: decimal commas, thousands, percent signs, currencies, units, marks for none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
LEADING_ZERO = r"^[+-]?0\d"
MISSING = r"(?i)^(|\?+|-+|\.+|\*+|n/?a|#n/?a|<na>|nan|null|none|nil|missing|unknown)$"
"""Marks that stand for no number among numbers."""
MISSING_TEXT = r"^(|NA|N/A|n/a|#N/A|<NA>|NaN|nan|NULL|null)$"
"""Marks that stand for no value among texts."""
_CURRENCIES = r"[$€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL|ZAR|Rs\.?"
_AFFIXED = (
    rf"^(?P<prefix>(?:{_CURRENCIES}) ?)?"
    r"(?P<number>[+-]?\d(?:[\d.,' \x{00a0}\x{202f}]*\d)?(?:[eE][+-]?\d+)?)"
    r"(?P<suffix> ?(?:%|‰|[$€£¥°]|[A-Za-zµμ°][A-Za-zµμ°/²³%]*))?$"
)
_SPACES = r"[' \x{00a0}\x{202f}]"
_UNGROUPED = {".": r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$", ",": r"^[+-]?\d+(,\d+)?([eE][+-]?\d+)?$"}
_GROUPED = {
    # A group of thousands never begins with a zero: "0,253" has a decimal comma.
    ".": rf"^[+-]?([1-9]\d{{0,2}}(,\d{{3}})+|[1-9]\d{{0,2}}({_SPACES}\d{{3}})+|\d+)(\.\d+)?([eE][+-]?\d+)?$",
    ",": rf"^[+-]?([1-9]\d{{0,2}}(\.\d{{3}})+|[1-9]\d{{0,2}}({_SPACES}\d{{3}})+|\d+)(,\d+)?([eE][+-]?\d+)?$",
}


@dataclass(frozen=True)
class Notation:
    """Notation of the numbers of one column.

    Parameters
    ----------
    decimal : {".", ","}
    prefix, suffix : str
        Currency, percent sign or unit that stands at every number.
    plain : bool
        True if the texts are numbers as Python writes them.
    grouped : bool
        True if thousands are separated. Where they never were, "49.249" beside
        decimal commas may as well have a decimal point, and is no number.
    """

    decimal: str = "."
    prefix: str = ""
    suffix: str = ""
    plain: bool = True
    grouped: bool = False

    def numbers(self, texts: Any) -> Any:
        """Convert an Arrow array of texts to float64; null where a text is no number in this notation."""
        if self.plain:
            quick = _cast(texts)
            if quick is not None:
                return quick
            matches = pc.match_substring_regex(texts, PLAIN)
            return pc.cast(pc.if_else(matches, texts, None), pa.float64())
        parts = pc.extract_regex(_typed_signs(texts), _AFFIXED)
        number = _field(parts, "number")
        pattern = (_GROUPED if self.grouped else _UNGROUPED)[self.decimal]
        fits = pc.and_(
            pc.and_(_same(parts, "prefix", self.prefix), _same(parts, "suffix", self.suffix)),
            pc.match_substring_regex(number, pattern),
        )
        groups = "[,' \u00a0\u202f]" if self.decimal == "." else "[.' \u00a0\u202f]"
        bare = pc.replace_substring_regex(number, groups, "")
        if self.decimal == ",":
            bare = pc.replace_substring(bare, ",", ".")
        return pc.cast(pc.if_else(pc.fill_null(fits, fill_value=False), bare, None), pa.float64())

    @property
    def words(self) -> str:
        """Description for people; empty for plain numbers."""
        if self.plain:
            return ""
        parts = ["decimal comma"] if self.decimal == "," else []
        parts += [f"without {mark!r}" for mark in (self.prefix, self.suffix) if mark]
        parts += ["thousands separated"] if self.grouped else []
        return ", ".join(parts) or "with a typographic minus"


def plain_numbers(texts: Any) -> Any | None:
    """Convert texts that are all numbers as Python writes them, or empty; return None for others.

    A shortcut for the most frequent column: no pattern is tried, but for leading zeros.
    """
    filled = pc.if_else(pc.equal(texts, ""), None, texts)
    numbers = _cast(filled)
    if numbers is None or numbers.null_count == len(numbers):
        return None
    return None if pc.any(pc.match_substring_regex(texts, LEADING_ZERO)).as_py() else numbers


def _cast(texts: Any) -> Any | None:
    try:
        numbers = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        return None
    # The library reads "inf" and "nan" too, which are words here.
    return numbers if pc.all(pc.is_finite(numbers)).as_py() is not False else None


def is_plain(texts: Any) -> Any:
    """Return an Arrow mask of the texts that are numbers as Python writes them."""
    return pc.match_substring_regex(texts, PLAIN)


def notations(texts: Any, decimal: str | None = None) -> list[Notation]:
    """Return every notation in which all texts are numbers.

    Parameters
    ----------
    texts : pyarrow.StringArray
        Distinct and trimmed, without marks of missing values.
    decimal : {".", ","}, optional
        Decimal sign, where the caller states it.

    Returns
    -------
    list of Notation
        Empty if there is none; two if the decimal sign is ambiguous, as in "1,234".

    Examples
    --------
    >>> [found.decimal for found in notations(pa.array(["1,5", "2"]))]
    [',']
    >>> [found.decimal for found in notations(pa.array(["1,234", "2,000"]))]
    ['.', ',']
    >>> notations(pa.array(["12 %", "7 %"]))[0].words
    "without '%'"
    """
    dots_mean_thousands = decimal == "," and pc.any(pc.match_substring(texts, ".")).as_py()
    if not dots_mean_thousands and pc.all(is_plain(texts)).as_py():
        return [Notation()]
    parts = pc.extract_regex(_typed_signs(texts), _AFFIXED)
    affixes = [_only(parts, name) for name in ("prefix", "suffix")]
    if parts.null_count or None in affixes:
        return []
    number = _field(parts, "number")
    found = [
        Notation(sign, str(affixes[0]), str(affixes[1]), plain=False, grouped=not _all_match(number, _UNGROUPED[sign]))
        for sign, pattern in _GROUPED.items()
        if decimal in (None, sign) and _all_match(number, pattern)
    ]
    if len(found) == 2 and found[0].numbers(texts).equals(found[1].numbers(texts)):
        return found[:1]
    return found


def has_number(texts: Any) -> Any:
    """Return an Arrow mask of the texts that are numbers in some notation, or bounds such as "<5".

    A single letter that touches the number makes a code, such as "5A", and
    "st", "nd", "rd" and "th" an ordinal; neither is a number.
    """
    bare = pc.replace_substring_regex(_typed_signs(texts), r"^[<>≤≥~]=? ?| ?[+]$", "")
    affixed = pc.and_(
        pc.is_valid(pc.extract_regex(bare, _AFFIXED)),
        pc.invert(pc.match_substring_regex(bare, r"\d(?:\pL|st|nd|rd|th)$")),
    )
    return pc.or_(is_plain(bare), affixed)


def may_be_grouped(texts: Any) -> bool:
    """Return True if every point in the texts may separate thousands, and there is one: "1.072" beside "373"."""
    dotted = texts.filter(pc.match_substring(texts, "."))
    return len(dotted) > 0 and _all_match(dotted, r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$")


def _typed_signs(texts: Any) -> Any:
    """Write the minus and the apostrophe of typesetters as keyboards do."""
    return pc.replace_substring(pc.replace_substring(texts, "\u2212", "-"), "\u2019", "'")


def _all_match(texts: Any, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _field(parts: Any, name: str) -> Any:
    return pc.struct_field(parts, name)


def _same(parts: Any, name: str, value: str) -> Any:
    return pc.equal(pc.utf8_trim_whitespace(_field(parts, name)), value)


def _only(parts: Any, name: str) -> str | None:
    found = pc.unique(pc.utf8_trim_whitespace(_field(parts, name))).to_pylist()
    return found[0] if len(found) == 1 else None
