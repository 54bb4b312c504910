"""The condition on the number of clients under which each rule is robust, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from toadstone.core.errors import InvalidInput


@dataclass(frozen=True)
class Condition:
    """A condition on the clients n, of which f are malicious: ``n >= multiple * f + offset``.

    Parameters
    ----------
    title : str
        What messages call the method.
    multiple, offset : int
    clients : int, optional
        The most clients.
    honest : bool
        The method needs f = 0.
    beside : str
        What the method needs beside clients, in words.

    Examples
    --------
    >>> Condition("Krum", 2, 3).text
    'n >= 2f + 3'
    >>> Condition("Mean", 0, 1, honest=True).text
    'n >= 1 and f = 0'
    """

    title: str
    multiple: int
    offset: int
    clients: int | None = None
    honest: bool = False
    beside: str = ""

    @property
    def text(self) -> str:
        """The condition in mathematical notation."""
        many = f"{self.multiple}f + {self.offset}" if self.multiple else f"{self.offset}"
        few = f" and n <= {self.clients}" if self.clients else ""
        return f"n >= {many}{few}{' and f = 0' if self.honest else ''}{self.beside}"

    def holds(self, clients: int, malicious: int) -> bool:
        """Return True if the method is robust for these numbers.

        Examples
        --------
        >>> Condition("Krum", 2, 3).holds(9, 3), Condition("Krum", 2, 3).holds(8, 3)
        (True, False)
        """
        return (
            clients >= self.multiple * malicious + self.offset
            and (self.clients is None or clients <= self.clients)
            and not (self.honest and malicious)
        )


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "mean": Condition("Mean", 0, 1, honest=True),
        "median": Condition("Coordinate median", 2, 1),
        "trimmed-mean": Condition("Trimmed mean", 2, 1),
        "meamed": Condition("MeaMed", 2, 1),
        "krum": Condition("Krum", 2, 3),
        "multi-krum": Condition("Multi-Krum", 2, 3),
        "bulyan": Condition("Bulyan", 4, 3),
        "geometric-median": Condition("Geometric median", 2, 1),
        "centred-clipping": Condition("Centred clipping", 2, 1),
        "norm-filter": Condition("Norm filter", 2, 1),
        "minimum-diameter": Condition("Minimum-diameter averaging", 2, 1, clients=24),
        "fltrust": Condition("FLTrust", 0, 1, beside=", any f, with a trusted root set"),
        "dnc": Condition("DnC", 2, 1),
        "flame": Condition("FLAME", 2, 1),
        "nnm": Condition("Nearest-neighbour mixing", 2, 1),
        "arc": Condition("ARC", 2, 1),
        "bucketing": Condition("Bucketing", 0, 1),
        "clipping": Condition("Clipping", 0, 1),
    }
)
"""By name, in the order of the catalogue."""


def check_condition(name: str, *, clients: int, malicious: int, behind: str = "") -> None:
    """Refuse numbers of clients for which a method is not robust.

    Parameters
    ----------
    name : str
    clients : int
        n.
    malicious : int
        f.
    behind : str
        End of the sentence, on what made the numbers differ from the caller's.

    Raises
    ------
    InvalidInput

    Examples
    --------
    >>> check_condition("krum", clients=7, malicious=3)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidInput: Krum needs n >= 2f + 3: got n = 7, f = 3
    """
    condition = CONDITIONS[name]
    if not condition.holds(clients, malicious):
        got = f"got n = {clients}, f = {malicious}{behind}"
        raise InvalidInput(f"{condition.title} needs {condition.text}: {got}")
