"""Options of the readers."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypedDict, get_args

from toadstone.core.checks import check_within, did_you_mean
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import describe_hold_out

WEIGHTINGS = ("tfidf", "counts")
SCALES = ("auto", "standard", "none")
QUOTES = ("auto", "double", "none")
MISSING = ("indicate", "refuse", "drop-rows")
Kind = Literal["number", "category", "date", "text", "id"]
KINDS: tuple[str, ...] = get_args(Kind)
_OF_COLUMNS = ("label", "text", "drop", "columns", "types", "id", "group", "time")
_BY_NAME = {"tab": "\t", "\\t": "\t", "space": " "}


class Reading(TypedDict, total=False):
    """Options of how data are read, as keywords: those of `toadstone.read`."""

    label: str | None
    text: str | Sequence[str] | None
    weighting: str
    scale: str
    classes: Sequence[str] | None
    test_share: float
    missing: str
    drop: str | Sequence[str] | None
    columns: str | Sequence[str] | None
    types: Mapping[str, str] | str | None
    id: str | None
    dayfirst: bool | None
    decimal: str | None
    separator: str | None
    quote: str
    encoding: str | None
    labels: str | None
    regression: bool


def checked(reading: Reading) -> Reading:
    """Check that all keywords are options of reading, which Python cannot do for a function that takes any.

    Raises
    ------
    TypeError
        If one is not.
    """
    for name in reading:
        if name not in Reading.__annotations__:
            hint = did_you_mean(name, Reading.__annotations__, show=repr)
            raise TypeError(f"unexpected keyword argument {name!r}{hint}")
    return reading


@dataclass(frozen=True)
class Request:
    """Options of `toadstone.read`, checked on construction.

    Lists of names may be given as text, separated by commas. `group` and
    `time` name columns that stay beside the features: who a row is from, and
    when. With `row_by_row` nothing is learned from other rows: a row is encoded
    by itself, and scaling is left open. With
    `rare_classes` "aside", rows of classes that are too small to be judged are
    set aside instead of refused.

    Raises
    ------
    InvalidArgument
        If an option is out of range, or two contradict each other.
    """

    label: str | None = None
    text: str | Sequence[str] | None = None
    weighting: str = "tfidf"
    scale: str = "auto"
    classes: Sequence[str] | None = None
    test_share: float = 0.2
    missing: str = "indicate"
    drop: str | Sequence[str] | None = None
    columns: str | Sequence[str] | None = None
    types: Mapping[str, str] | str | None = None
    id: str | None = None
    dayfirst: bool | None = None
    decimal: str | None = None
    separator: str | None = None
    quote: str = "auto"
    encoding: str | None = None
    labels: str | None = None
    regression: bool = False
    group: str | None = None
    time: str | None = None
    row_by_row: bool = False
    random_state: int = 0
    rare_classes: Literal["refuse", "aside"] = "refuse"

    def __post_init__(self) -> None:
        choices = {"weighting": WEIGHTINGS, "scale": SCALES, "quote": QUOTES, "missing": MISSING}
        for name, values in choices.items():
            if getattr(self, name) not in values:
                raise InvalidArgument(name, f"one of {values}", repr(getattr(self, name)))
        check_within("(0, 1)", test_share=self.test_share)
        for name in ("label", "id", "group", "time"):
            # Columns of data frames may have numbers for names.
            object.__setattr__(self, name, None if getattr(self, name) is None else str(getattr(self, name)))
        self._check_characters()
        for name in ("text", "drop", "columns"):
            object.__setattr__(self, name, _names(getattr(self, name)) or None)
        object.__setattr__(self, "types", _kinds(self.types))
        twice = [name for name in self.texts if self.kinds.get(name, "text") != "text"]
        if twice:
            raise InvalidArgument("types", f"text for {twice[0]}, which `text` names", self.kinds[twice[0]])
        if self.drop is not None and self.columns is not None:
            raise InvalidArgument("drop", "either this or `columns`, not both", ",".join(self.drop))
        if self.classes is not None and self.regression:
            raise InvalidArgument("classes", "nothing for a numeric target", self.classes)
        if self.classes is not None:
            classes = (self.classes,) if isinstance(self.classes, str) else tuple(str(name) for name in self.classes)
            if len(set(classes)) < 2:
                raise InvalidArgument("classes", "at least two different labels", classes)
            object.__setattr__(self, "classes", classes)

    def _check_characters(self) -> None:
        if self.separator is not None:
            object.__setattr__(self, "separator", _BY_NAME.get(self.separator, self.separator))
            if len(self.separator) != 1 or not self.separator.isascii() or self.separator in '"\r\n\0':
                raise InvalidArgument("separator", "one ASCII character, or 'tab'", repr(self.separator))
        if self.decimal not in (None, ".", ","):
            raise InvalidArgument("decimal", "'.' or ','", repr(self.decimal))
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                expected = "the name of an encoding, such as 'latin-1'"
                raise InvalidArgument("encoding", expected, repr(self.encoding)) from None

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of texts, none by default."""
        return _names(self.text)

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column whose kind the caller states."""
        return _kinds(self.types)

    @property
    def beside(self) -> dict[str, str]:
        """Columns of sources and times, by the option that names them; they are no features."""
        return {name: column for name in ("group", "time") if (column := getattr(self, name)) is not None}

    def setting_aside(self) -> Self:
        """Return the same request, with rows of rare classes set aside."""
        return replace(self, rare_classes="aside")

    def refuse_columns(self, what: str) -> None:
        """Check that no option names a column or the notation of a text file, for data without these.

        Raises
        ------
        InvalidArgument
            If one does.
        """
        for name in (*_OF_COLUMNS, "dayfirst", "decimal", "separator", "encoding"):
            value: Any = getattr(self, name)
            if value:
                given = ",".join(value) if isinstance(value, tuple | dict) else value
                raise InvalidArgument(name, f"nothing for {what}, which has no named columns", repr(given))

    def refuse_regression(self, what: str) -> None:
        """Check that no numeric target is asked for, for data whose labels are classes.

        Raises
        ------
        InvalidArgument
            If one is.
        """
        if self.regression:
            raise InvalidArgument("regression", f"nothing for {what}, whose labels are classes", "True")

    def refuse_notation(self, what: str) -> None:
        """Check that no option is about the notation of delimited text, for other formats.

        Raises
        ------
        InvalidArgument
            If one is.
        """
        for name, usual in (("separator", None), ("encoding", None), ("quote", "auto")):
            if getattr(self, name) != usual:
                raise InvalidArgument(
                    name, f"nothing for {what}, which is no delimited text", repr(getattr(self, name))
                )

    @property
    def test_origin(self) -> str:
        """Description of the hold-out, in words."""
        if self.regression:
            return f"{100 * self.test_share:g} % held out at random, seed {self.random_state}"
        return describe_hold_out(self.test_share, self.random_state)

    @property
    def target(self) -> str:
        """Name of a numeric target of arrays, or nothing where labels are classes."""
        return "y" if self.regression else ""


def _names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    parts = (value.split(",") if isinstance(value, str) else value) or ()
    return tuple(name for part in parts if (name := str(part).strip()))


def _kinds(value: Mapping[str, str] | str | None) -> dict[str, str]:
    if isinstance(value, Mapping):
        kinds = {str(name): kind for name, kind in value.items()}
    else:
        pairs = [part.rpartition("=") for part in _names(value)]
        kinds = {name.strip(): kind.strip() for name, _, kind in pairs}
        if len(kinds) < len(pairs):
            raise InvalidArgument("types", "each column once", value)
    for name, kind in kinds.items():
        if kind not in KINDS or not name:
            got = f"{name}={kind}" if name else kind
            raise InvalidArgument("types", f"COLUMN=KIND, where KIND is one of {', '.join(KINDS)}", got)
    return kinds
