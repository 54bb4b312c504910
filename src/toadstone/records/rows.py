"""Rows of a source in records: those set aside, those that contradict each other, and an account of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from toadstone.records.header import Count, Limits, Positive


@dataclass(frozen=True)
class AsideRow:
    """A row of the source that was not judged.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        As it stands there; empty where it has none.
    reason : str
        Why it was not judged.
    dropped : bool
        True if the caller asked to drop it; otherwise it is kept.
    """

    row: str
    position: Count
    label: str
    reason: str
    dropped: bool


@dataclass(frozen=True)
class AsideKind:
    """Rows that were not judged for one reason.

    Parameters
    ----------
    reason : str
        Why they were not judged.
    dropped : bool
        True if the caller asked to drop them; otherwise they are kept.
    rows : int
        All of them, counted.
    labels : mapping from str to int
        Rows of each label, where they have one.
    """

    reason: str
    dropped: bool
    rows: Positive
    labels: Mapping[str, Positive]


@dataclass(frozen=True)
class SetAside:
    """Rows of the source that were not judged.

    Parameters
    ----------
    kept : int
        Rows that are kept all the same.
    dropped : int
        Rows that were dropped because the caller asked for it.
    kinds : tuple of AsideKind
        One for each reason.
    rows : tuple of AsideRow
        The first of them, in the order of the source; at most 200.
    """

    kept: Count = 0
    dropped: Count = 0
    kinds: tuple[AsideKind, ...] = ()
    rows: tuple[AsideRow, ...] = ()


@dataclass(frozen=True)
class RowAccount:
    """Fates of the rows of the source: read = kept + removed + dropped.

    Parameters
    ----------
    read : int
        Rows of the source.
    kept : int
        Rows kept, those among them that were not judged.
    removed : int
        Rows removed as suspicious.
    dropped : int
        Rows dropped because the caller asked for it.
    """

    read: Positive
    kept: Count
    removed: Count
    dropped: Count


@dataclass(frozen=True)
class Contradiction:
    """Rows whose features are equal and whose labels are not.

    Parameters
    ----------
    rows : tuple of str
        Their names, in the numbering of the source.
    positions : tuple of int
        Their positions in the source, from 0.
    labels : tuple of str
        Their labels, one a row.
    """

    rows: Annotated[tuple[str, ...], Limits(minItems=2)]
    positions: Annotated[tuple[Count, ...], Limits(minItems=2)]
    labels: Annotated[tuple[str, ...], Limits(minItems=2)]
