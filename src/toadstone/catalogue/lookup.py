"""Find entries of the catalogue by name, and import what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from toadstone.catalogue.attacks import ATTACKS
from toadstone.catalogue.defences import DETECTORS, LEARNERS, ROBUST_LEARNERS, SANITIZERS
from toadstone.catalogue.entry import Entry
from toadstone.catalogue.federated import CLIENT_ATTACKS, PREAGGREGATIONS, RULES
from toadstone.catalogue.libraries import LIBRARIES
from toadstone.catalogue.networks import NETWORK_ATTACKS, NETWORK_DEFENCES
from toadstone.catalogue.regression import REGRESSION_ATTACKS, REGRESSION_DEFENCES
from toadstone.core.checks import did_you_mean
from toadstone.core.errors import UnknownName

CATALOGUE: Mapping[str, Mapping[str, Entry]] = MappingProxyType(
    {
        "attack": MappingProxyType(ATTACKS),
        "sanitizer": MappingProxyType(SANITIZERS),
        "detector": MappingProxyType(DETECTORS),
        "learner": MappingProxyType(LEARNERS),
        "robust-learner": MappingProxyType(ROBUST_LEARNERS),
        "network-attack": MappingProxyType(NETWORK_ATTACKS),
        "network-defence": MappingProxyType(NETWORK_DEFENCES),
        "regression-attack": MappingProxyType(REGRESSION_ATTACKS),
        "regression-defence": MappingProxyType(REGRESSION_DEFENCES),
        "aggregation-rule": MappingProxyType(RULES),
        "pre-aggregation": MappingProxyType(PREAGGREGATIONS),
        "client-attack": MappingProxyType(CLIENT_ATTACKS),
    }
)
"""Entries by kind, then by name, in the order in which reports list them."""

ALIASES: Mapping[str, str] = MappingProxyType({"minmax": "min-max"})
"""Other spellings that are accepted."""

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "adaptive": "kkt-influence",
        "best": "kkt-influence",
        "minmax-basic": "min-max-basic",
        "multiclass-minmax": "multiclass-min-max",
        "patch": "badnets",
        "stripes": "sig",
    }
)
"""Attacks by their names of before, which are refused."""

RENAMED_OPTIONS: Mapping[str, str] = MappingProxyType({"--promise": "--false-alarm-rate"})
"""Options of the command line by their names of before, which are refused."""


def names(kind: str) -> tuple[str, ...]:
    """Return all names of one kind, in the order in which reports list them.

    Raises
    ------
    UnknownName
        If the kind is not in the catalogue.

    Examples
    --------
    >>> names("sanitizer")
    ('l2', 'slab', 'loss', 'svd', 'knn')
    """
    return tuple(_entries(kind))


def distinct(kind: str) -> tuple[str, ...]:
    """Return the first name of each class of a kind, where several names stand for one class.

    Examples
    --------
    >>> "min-max" in distinct("attack"), "min-max-basic" in distinct("attack")
    (True, False)
    """
    first: dict[str, str] = {}
    for name, found in _entries(kind).items():
        first.setdefault(found.path, name)
    return tuple(first.values())


def entry(kind: str, name: str) -> Entry:
    """Return the entry of a name.

    Parameters
    ----------
    kind : str
    name : str
        Aliases are accepted.

    Raises
    ------
    UnknownName
        If the catalogue does not know the kind or the name.

    Examples
    --------
    >>> entry("attack", "kkt").threats
    ('add',)
    """
    library, _ = in_library(kind, name)
    return LIBRARIES[library] if library else _entries(kind)[canonical(kind, name)]


def resolve(kind: str, name: str) -> Any:
    """Import the class, or the function, behind a name.

    Parameters
    ----------
    kind : str
    name : str
        Of a detector of another library too, such as ``"pyod:ECOD"``.

    Returns
    -------
    type or callable

    Raises
    ------
    UnknownName
        If the catalogue, or the library, does not know the kind or the name.
    InvalidArgument
        If the library of a detector is not installed.

    Examples
    --------
    >>> resolve("sanitizer", "l2").__name__
    'SphereSanitizer'
    """
    module, _, attribute = entry(kind, name).path.partition(":")
    found = getattr(import_module(module), attribute)
    library, behind = in_library(kind, name)
    return found(behind) if library else found


def in_library(kind: str, name: str) -> tuple[str, str]:
    """Split the name of another library's detector, ``library:name``; both parts are empty for any other name.

    Examples
    --------
    >>> in_library("detector", "pyod:ECOD"), in_library("detector", "spectral")
    (('pyod', 'ECOD'), ('', ''))
    """
    library, colon, behind = name.partition(":")
    return (library, behind) if kind == "detector" and colon and library in LIBRARIES else ("", "")


def canonical(kind: str, name: str, *, option: str = "") -> str:
    """Return the catalogue's name for one that a user gave.

    Parameters
    ----------
    kind : str
    name : str
        A name or an alias.
    option : str
        What the caller calls the argument, for messages; the kind by default.

    Raises
    ------
    UnknownName
        If there is no such name, or it was renamed.

    Examples
    --------
    >>> canonical("attack", "minmax")
    'min-max'
    >>> canonical("attack", "adaptive", option="attacks")
    Traceback (most recent call last):
    toadstone.core.errors.UnknownName: `attacks`: adaptive is called kkt-influence now
    """
    known = _entries(kind)
    if name in known or any(in_library(kind, name)):
        return name
    if kind == "attack" and name in ALIASES:
        return ALIASES[name]
    if kind == "attack":
        refuse_renamed(name, option or kind)
    others = [f"{library}:NAME" for library in LIBRARIES] if kind == "detector" else []
    raise unknown(option or kind, [*known, *others], name)


def refuse_renamed(name: str, option: str) -> None:
    """Refuse an attack's name of before, and say the present one.

    Raises
    ------
    UnknownName
        If the attack was renamed.
    """
    if name in RENAMED:
        raise UnknownName(f"`{option}`: {name} is called {RENAMED[name]} now")


def unknown(option: str, known: Iterable[str], name: str) -> UnknownName:
    """Build the error for a name that is none of those known, with the nearest of them.

    Examples
    --------
    >>> print(unknown("defences", ["sever", "roni"], "sever2"))
    `defences`: expected one of sever, roni, got sever2; did you mean sever?
    """
    listed = tuple(known)
    hint = did_you_mean(name, listed) or did_you_mean(name.lower(), listed)
    return UnknownName(f"`{option}`: expected one of {', '.join(listed)}, got {name}{hint}")


def _entries(kind: str) -> Mapping[str, Entry]:
    if kind not in CATALOGUE:
        raise unknown("kind", CATALOGUE, kind)
    return CATALOGUE[kind]
