"""One method of the catalogue, as strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Threat: TypeAlias = Literal["add", "flip", "perturb"]
Goal: TypeAlias = Literal["errors", "trigger", "group", "targets"]


@dataclass(frozen=True)
class Entry:
    """A method of the catalogue.

    Parameters
    ----------
    path : str
        ``"module:Class"``, or ``"module:function"``.
    sentence : str
        One plain sentence on what it does.
    threats : tuple of {"add", "flip", "perturb"}
        Budgets that an attack can spend, its own first; empty for defences,
        and for attacks by clients, who send what they like.
    goal : {"errors", "trigger", "group", "targets"}, optional
        What an attack wants misclassified: any test row, triggered rows, a
        group of rows, or chosen rows. None for defences.
    """

    path: str
    sentence: str
    threats: tuple[Threat, ...] = ()
    goal: Goal | None = None
