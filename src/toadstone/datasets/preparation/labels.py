"""Checks of labels: type, classes and class sizes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray, Labels
from toadstone.core.checks import plainly, quoted
from toadstone.core.errors import InvalidArgument, InvalidData

MIN_ROWS = 5
"""Smallest size of a class."""

_FEW_FRACTIONS = 20
_TARGET = "a regression target, which `regression` reads (--regression, or --target COLUMN)"
_MANY_NUMBERS = f"{_TARGET}, or an identifier"
_MANY_WHOLE = 30
_SHOWN = 80
_WHOLE_TEXT = re.compile(r"-?(0|[1-9]\d*)(\.0*)?")
_NUMBER_TEXT = re.compile(r"\s*[-+]?\d[\d.,' ]*(e[-+]?\d+)?\s*", re.IGNORECASE | re.ASCII)
_FRACTION = re.compile(r"\s*[-+]?\d*[.,]\d*[1-9]\d*\s*", re.ASCII)
_INVISIBLE = ("Cf", "Cc")


def as_labels(values: Labels, what: str) -> Labels:
    """Convert labels to whole numbers, booleans or text, without loss.

    Parameters
    ----------
    values : ndarray
        Of shape (n,) or (n, 1).
    what : str
        Source of the labels, for error messages.

    Returns
    -------
    ndarray of shape (n,)
        int64, bool or str. Floats that are whole numbers become integers.
        Whole numbers beyond 64 bits with sign, and a few fractions, become text.

    Raises
    ------
    InvalidData
        If they are not one-dimensional, missing, many fractions or of another type.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        raise InvalidData(
            f"{what}: expected one label a row, got an array of shape {values.shape}: several labels a row, and "
            "one-hot labels, cannot be used; pass one column of classes"
        )
    if values.ndim != 1:
        raise InvalidData(f"{what}: expected one label a row, got an array of shape {values.shape}")
    if values.dtype.kind == "O":
        values = _of_objects(values, what)
    kind = values.dtype.kind
    if kind in "bU":
        return values
    if kind in "iu":
        fits = kind == "i" or not len(values) or int(values.max()) <= np.iinfo(np.int64).max
        return values.astype(np.int64 if fits else np.str_)
    if kind == "S":
        try:
            return np.char.decode(values, "utf-8")
        except UnicodeDecodeError:
            raise InvalidData(f"{what}: expected UTF-8 text, got other bytes") from None
    if kind != "f":
        raise InvalidData(f"{what}: expected whole numbers or text, got values of type {values.dtype}")
    return _whole(values, what)


def _of_objects(values: Labels, what: str) -> Labels:
    """Return objects of one type, such as texts of a data frame, as an array of this type."""
    listed = values.tolist()
    for position, value in enumerate(listed):
        if value is None or value != value:
            raise InvalidData(f"{what}: expected a label in every row, got nothing at position {position}")
    kinds = {type(value) for value in listed}
    if kinds == {str}:
        return np.array(listed, dtype=np.str_)
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        typed = np.array(listed)
        return typed if typed.dtype.kind != "O" else np.array([str(value) for value in listed])
    found = listing(sorted(kind.__name__ for kind in kinds)) or "no values"
    raise InvalidData(f"{what}: expected whole numbers or text, got values of type {found}")


def _whole(values: Labels, what: str) -> Labels:
    bad = ~np.isfinite(values)
    if bad.any():
        raise InvalidData(
            f"{what}: expected a label in every row, got {values[bad][0]} at position {int(np.argmax(bad))}"
        )
    fractional = values != np.floor(values)
    if fractional.any():
        if len(np.unique(values)) > _FEW_FRACTIONS:
            raise InvalidData(f"{what}: expected classes, got {values[fractional][0]:g}: it looks like {_TARGET}")
        return np.array([f"{value:g}" for value in values.tolist()])
    if np.abs(values).max(initial=0.0) >= 2.0**63:
        return np.array([str(int(value)) for value in values.tolist()])
    return values.astype(np.int64)


def labels_of_texts(texts: Sequence[str]) -> Labels:
    """Read labels from the texts of a file: whole numbers if all are, otherwise the texts, character for character.

    Examples
    --------
    >>> labels_of_texts(["1", "0"]), labels_of_texts(["7", "007"])
    (array([1, 0]), array(['7', '007'], dtype='<U3'))
    """
    distinct = set(texts)
    if all(_WHOLE_TEXT.fullmatch(text) for text in distinct):
        numbers = {text: int(text.partition(".")[0]) for text in distinct}
        if all(abs(number) < 2**63 for number in numbers.values()):
            return np.array([numbers[text] for text in texts], dtype=np.int64)
    return np.array(texts, dtype=np.str_)


def near_equal(y: Labels) -> list[str]:
    """Name the groups of labels that differ only by blanks, case, Unicode form or invisible characters.

    Examples
    --------
    >>> near_equal(np.array(["ill", "ill ", "well"]))
    ["the labels 'ill' and 'ill ' differ only by blanks, case or invisible characters, and count as different classes"]
    """
    groups: dict[str, list[str]] = {}
    for label in np.unique(y).tolist() if y.dtype.kind == "U" else []:
        groups.setdefault(_folded(label), []).append(label)
    return [
        f"the labels {' and '.join(map(quoted, group))} differ only by blanks, case or invisible characters, "
        "and count as different classes"
        for group in groups.values()
        if len(group) > 1
    ]


def _folded(label: str) -> str:
    visible = (mark for mark in unicodedata.normalize("NFKC", label) if unicodedata.category(mark) not in _INVISIBLE)
    return " ".join("".join(visible).casefold().split())


def rows_of_classes(y: Labels, classes: Sequence[str] | None, what: str) -> IntArray:
    """Return the positions of the rows whose label is one of the classes, as text or as the same number.

    Raises
    ------
    InvalidArgument
        If a class does not occur in `y`.
    """
    if classes is None:
        return np.arange(len(y))
    present = {str(label): label for label in np.unique(y)}
    chosen = [_named(name, present, what) for name in classes]
    return np.flatnonzero(np.isin(y, chosen))


def _named(name: str, present: dict[str, Any], what: str) -> Any:
    if name in present:
        return present[name]
    # A file may show 1.0 or true where the label is 1 or True.
    alike = [label for text, label in present.items() if _same_value(name, text)]
    if len(alike) != 1:
        shown = listing([quoted(text) for text in present])
        raise InvalidArgument("classes", f"labels among {shown} ({what})", quoted(name))
    return alike[0]


def _same_value(name: str, text: str) -> bool:
    if text in ("True", "False"):
        return name.strip().casefold() == text.casefold()
    try:
        return float(name) == float(text)
    except ValueError:
        return name.strip() == text.strip()


def rare_classes(y: Labels) -> dict[str, int]:
    """Return the number of rows of each class that has fewer than five.

    Examples
    --------
    >>> rare_classes(np.array(["a"] * 9 + ["b"]))
    {'b': 1}
    """
    classes, counts = np.unique(y, return_counts=True)
    return {str(label): int(size) for label, size in zip(classes, counts, strict=True) if size < MIN_ROWS}


def check_classes(y: Labels, what: str) -> None:
    """Check that a classifier can be trained and tested on the labels.

    Raises
    ------
    InvalidData
        If there is only one class, a class has fewer than 5 rows, or there
        are too many classes for the number of rows.
    """
    check_several(y, what)
    rare = rare_classes(y)
    if rare:
        named = listing([f"{size} of {quoted(name)}" for name, size in rare.items()])
        raise InvalidData(
            f"{what}: expected at least {MIN_ROWS} rows of each class, got {named}; "
            "`classes` keeps those that it names, and a scan does without the rare ones"
        )


def check_several(y: Labels, what: str) -> None:
    """Check that there are several classes, and few for the number of rows.

    Raises
    ------
    InvalidData
        If not.
    """
    classes = np.unique(y)
    if len(classes) == 0:
        raise InvalidData(f"{what}: expected rows, got none")
    if len(classes) == 1:
        raise InvalidData(f"{what}: expected at least two classes, got only {quoted(classes[0])}")
    if len(classes) > 2 and len(classes) > len(y) / MIN_ROWS:
        raise InvalidData(
            f"{what}: expected a few classes, got {len(classes)} different labels in {len(y)} rows: "
            f"it looks like {_MANY_NUMBERS if _are_numbers(classes) else 'an identifier'}"
        )


def _are_numbers(classes: Labels) -> bool:
    return classes.dtype.kind in "iuf" or all(_NUMBER_TEXT.fullmatch(str(text)) for text in classes.tolist())


def refuse_many_numbers(y: Labels, what: str) -> None:
    """Refuse numbers most of which are no classes, though some occur often enough to be one.

    Raises
    ------
    InvalidData
        If there are more than 20 different numbers, and some are fractions or
        they are more than the rows are enough for.
    """
    classes = np.unique(y)
    if len(classes) <= _FEW_FRACTIONS or not _are_numbers(classes):
        return
    check_several(y, what)
    fractions = _fractions(classes)
    if fractions:
        raise InvalidData(f"{what}: expected classes, got {quoted(fractions[0])}: it looks like {_TARGET}")


def number_notes(y: Labels) -> list[str]:
    """Say that numbers are read as classes, where they look like a quantity.

    These are fractions, and more than 30 different whole numbers most of which
    have fewer than 5 rows. A few whole numbers, or many rows of each, are
    classes without a word.

    Examples
    --------
    >>> number_notes(np.array([0, 1, 1])), number_notes(np.array(["2.5", "3", "3"]))  # doctest: +ELLIPSIS
    ([], ['the labels are numbers, such as 2.5, and are read as 2 classes; as a quantity, `regression` ...'])
    """
    classes, counts = np.unique(y, return_counts=True)
    if not len(classes) or not _are_numbers(classes):
        return []
    fractions = _fractions(classes)
    if not fractions and (len(classes) <= _MANY_WHOLE or np.count_nonzero(counts < MIN_ROWS) * 2 <= len(classes)):
        return []
    example = fractions[0] if fractions else str(classes[-1])
    return [
        f"the labels are numbers, such as {plainly(example)}, and are read as {len(classes)} classes; as a quantity, "
        "`regression` reads them (--regression, or --target COLUMN)"
    ]


def _fractions(classes: Labels) -> list[str]:
    return [str(label) for label in classes.tolist() if _FRACTION.fullmatch(str(label))]


def check_test_labels(train: Labels, test: Labels, what: str) -> None:
    """Check that every test label occurs in training.

    Raises
    ------
    InvalidData
        If one does not, or if there are no test rows.
    """
    if len(test) == 0:
        raise InvalidData(f"{what}: expected test rows, got none")
    if (train.dtype.kind == "U") != (test.dtype.kind == "U"):
        raise InvalidData(f"{what}: expected training and test labels of one type, got {train.dtype} and {test.dtype}")
    unseen = np.setdiff1d(test, train)
    if len(unseen):
        raise InvalidData(f"{what}: expected test labels that occur in training, got {plainly(unseen[0])}")


def listing(names: Sequence[object], limit: int = 12) -> str:
    """Join the first names with commas and count the rest."""
    shown = ", ".join(plainly(name, _SHOWN) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
