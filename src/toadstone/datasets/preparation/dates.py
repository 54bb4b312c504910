"""Dates and times as people write them, as days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_TIME = r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?)? ?(?:Z|UTC|[+-]\d{2}:?\d{2})?$"
_ISO = rf"^(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_TIME}"
_MONTH_ONLY = r"^(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])$"
_THREE_PARTS = rf"^(?P<first>\d{{1,2}})[-/.](?P<second_part>\d{{1,2}})[-/.](?P<year>\d{{4}}|\d{{2}}){_TIME}"
_NAMED = rf"^(?P<day>\d{{1,2}})[- ](?P<name>[A-Za-z]{{3}})[a-z]*[- ](?P<year>\d{{4}}|\d{{2}}){_TIME}"
_NAMED_FIRST = rf"^(?P<name>[A-Za-z]{{3}})[a-z]*\.? (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}){_TIME}"
_CLOCK = r"^(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PATTERNS = {
    "year-month-day": _ISO,
    "year-month": _MONTH_ONLY,
    "day/month/year": _THREE_PARTS,
    "month/day/year": _THREE_PARTS,
    "day month year": _NAMED,
    "month day, year": _NAMED_FIRST,
    "time of day": _CLOCK,
}
_SECONDS_A_DAY = 86400
_PIVOT = 69


@dataclass(frozen=True)
class DateFormat:
    """Way of writing dates in one column.

    Parameters
    ----------
    words : str
        Such as "day/month/year".
    """

    words: str

    def days(self, texts: Any) -> Any:
        """Convert an Arrow array of texts to days since 1970 as float64; null where a text is no such date.

        Times of day are parts of a day. Offsets of time zones are left out,
        as are parts of a second. Years of two digits are 1969 to 2068.
        """
        parts = pc.extract_regex(texts, _PATTERNS[self.words])
        if self.words == "time of day":
            return _clock(parts)
        if self.words in ("day/month/year", "month/day/year"):
            first, second = _whole(parts, "first"), _whole(parts, "second_part")
            day, month = (first, second) if self.words.startswith("day") else (second, first)
        else:
            month = _month_of_name(parts) if "name" in _fields(parts) else _whole(parts, "month")
            day = _whole(parts, "day") if "day" in _fields(parts) else pc.if_else(pc.is_valid(month), 1, None)
        dates = _dates(_full_year(_whole(parts, "year")), month, day)
        return pc.add(dates, _clock(parts)) if "hour" in _fields(parts) else dates


def date_formats(texts: Any) -> list[DateFormat]:
    """Return every format in which all texts are dates that exist.

    Parameters
    ----------
    texts : pyarrow.StringArray
        Distinct and trimmed, without marks of missing values.

    Returns
    -------
    list of DateFormat
        Two where day and month cannot be told apart.

    Examples
    --------
    >>> [found.words for found in date_formats(pa.array(["2024-02-29 10:00", "2024-03-01 11:30"]))]
    ['year-month-day']
    >>> [found.words for found in date_formats(pa.array(["03/04/2024", "05/06/2024"]))]
    ['day/month/year', 'month/day/year']
    """
    formats = (DateFormat(words) for words in _PATTERNS)
    return [one for one in formats if one.days(texts).null_count == 0]


def has_date(texts: Any) -> Any:
    """Return an Arrow mask of the texts that are dates in some format."""
    found = pa.array([False] * len(texts), pa.bool_())
    for words in _PATTERNS:
        found = pc.or_(found, pc.is_valid(DateFormat(words).days(texts)))
    return found


def _fields(parts: Any) -> list[str]:
    return [field.name for field in parts.type]


def _whole(parts: Any, name: str) -> Any:
    field = pc.struct_field(parts, name)
    return pc.cast(pc.if_else(pc.not_equal(field, ""), field, None), pa.int64())


def _clock(parts: Any) -> Any:
    hour, minute, second = (_whole(parts, name) for name in ("hour", "minute", "second"))
    seconds = pc.add(
        pc.multiply(pc.fill_null(hour, 0), 3600),
        pc.add(pc.multiply(pc.fill_null(minute, 0), 60), pc.fill_null(second, 0)),
    )
    days = pc.divide(pc.cast(seconds, pa.float64()), float(_SECONDS_A_DAY))
    return pc.if_else(pc.is_valid(parts), days, None)


def _month_of_name(parts: Any) -> Any:
    names = pc.utf8_lower(pc.struct_field(parts, "name"))
    return pc.cast(pc.add(pc.index_in(names, pa.array(_MONTHS)), 1), pa.int64())


def _full_year(year: Any) -> Any:
    century = pc.if_else(pc.less(year, _PIVOT), 2000, 1900)
    return pc.if_else(pc.less(year, 100), pc.add(year, century), year)


def _dates(year: Any, month: Any, day: Any) -> Any:
    """Return days since 1970, and null for dates that do not exist, such as 30 February."""
    two = [pc.utf8_lpad(pc.cast(part, pa.string()), 2, "0") for part in (month, day)]
    text = pc.binary_join_element_wise(pc.utf8_lpad(pc.cast(year, pa.string()), 4, "0"), *two, "-")
    stamps = pc.strptime(text, format="%Y-%m-%d", unit="s", error_is_null=True)
    # `strptime` takes 30 February for the 1st of March.
    real = pc.equal(pc.strftime(stamps, format="%Y-%m-%d"), text)
    days = pc.divide(pc.cast(pc.cast(stamps, pa.int64()), pa.float64()), float(_SECONDS_A_DAY))
    return pc.if_else(pc.fill_null(real, fill_value=False), days, None)
