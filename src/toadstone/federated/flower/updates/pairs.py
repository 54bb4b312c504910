"""Pairs of keys of low-rank adapters: as a user gives them, and as the model has them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from toadstone.core.errors import InvalidArgument

Pairs = tuple[tuple[str, str], ...]


def check_pairs(adapters: Any) -> Pairs:
    """Check that adapters are pairs of names.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_pairs("lora_A")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `adapters`: expected pairs of keys, such as [('lora_A', 'lora_B')], got ...
    """
    if not isinstance(adapters, list | tuple) or not all(_is_pair(pair) for pair in adapters):
        raise InvalidArgument("adapters", "pairs of keys, such as [('lora_A', 'lora_B')]", repr(adapters))
    return tuple((a, b) for a, b in adapters)


def pairs_of(keys: Collection[str], pairs: Sequence[tuple[str, str]]) -> Pairs:
    """Find the pairs in a model.

    Parameters
    ----------
    keys : collection of str
        Of the model.
    pairs : sequence of (str, str)
        Keys, or ends of keys: those stand for all pairs of keys that have them
        behind equal beginnings.

    Returns
    -------
    tuple of (str, str)
        In the order of the keys.

    Raises
    ------
    InvalidArgument
        If there is no such pair, or a key without its partner.

    Examples
    --------
    >>> pairs_of(["l.lora_A", "m.lora_A", "l.lora_B", "m.lora_B"], [("lora_A", "lora_B")])
    (('l.lora_A', 'l.lora_B'), ('m.lora_A', 'm.lora_B'))
    """
    found: list[tuple[str, str]] = []
    for a, b in pairs:
        if a in keys or b in keys:
            found.append((a, b))
        else:
            found.extend(_by_ends(keys, a, b))
    return tuple(found)


def _by_ends(keys: Collection[str], a: str, b: str) -> Pairs:
    beginnings = [key.removesuffix(a) for key in keys if key.endswith(a)]
    partners = [key.removesuffix(b) for key in keys if key.endswith(b)]
    if not beginnings:
        # The pair itself: the model says that it has no such keys.
        return ((a, b),)
    alone = [*(f"{own}{a}" for own in beginnings if own not in partners)]
    alone += [f"{own}{b}" for own in partners if own not in beginnings]
    if alone:
        raise InvalidArgument("adapters", "a partner for each key", f"{alone[0]!r} alone")
    return tuple((f"{own}{a}", f"{own}{b}") for own in beginnings)


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(name, str) and bool(name) for name in pair)
    )
