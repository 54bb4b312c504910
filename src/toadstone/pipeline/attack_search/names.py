"""Names of the attacks that can be searched for, and the reasons against the others."""

from __future__ import annotations

from toadstone.catalogue import canonical, entry, names, refuse_renamed, unknown
from toadstone.core.errors import UnknownName

_OTHER_WORDS = {
    "collapse": "collapse comes from a certificate: toadstone audit always tries it",
    "evading": "evading chooses among another attack's rows: use toadstone evaluate --attacks adaptive-NAME",
    "multiclass-min-max": "multiclass-min-max is what min-max stands for where there are more than two classes: "
    "ask for min-max",
}
_GOALS = {
    "trigger": "plants a trigger and aims at triggered rows, and this command measures the test error",
    "group": "aims at a group of rows, and this command measures the test error",
}
_THREATS = {"flip": "relabels rows", "perturb": "alters rows"}


def searchable() -> tuple[str, ...]:
    """Return the attacks that add rows to raise the test error, those of a certificate left out."""
    return tuple(name for name in names("attack") if not _refusal(name))


def check_searchable(name: str, option: str) -> None:
    """Refuse an attack whose threat model is not that of added rows that raise the test error.

    Parameters
    ----------
    name : str
    option : str
        What the caller calls the argument, for the message.

    Raises
    ------
    UnknownName
        If there is no such attack, or it does not fit.

    Examples
    --------
    >>> check_searchable("noise", "attacks")
    Traceback (most recent call last):
    toadstone.core.errors.UnknownName: `attacks`: noise alters rows, and this command adds some; use toadstone evaluate
    """
    if name in names("network-attack") and name not in names("attack"):
        raise UnknownName(f"`{option}`: {network_sentence(name)}")
    refuse_renamed(name, option)
    try:
        known = canonical("attack", name)
    except UnknownName:
        raise unknown(option, searchable(), name) from None
    if reason := _refusal(known):
        raise UnknownName(f"`{option}`: {reason}")


def network_sentence(name: str) -> str:
    """Say that an attack is for neural networks, and where to find it."""
    return f"{name} poisons images for neural networks; use toadstone.deep"


def _refusal(name: str) -> str:
    """Say why an attack of the catalogue cannot be searched for; empty where it can."""
    found = entry("attack", name)
    if name in _OTHER_WORDS:
        return _OTHER_WORDS[name]
    if found.goal in _GOALS:
        return f"{name} {_GOALS[found.goal]}; use toadstone evaluate"
    if "add" not in found.threats:
        return f"{name} {_THREATS[found.threats[0]]}, and this command adds some; use toadstone evaluate"
    return ""
