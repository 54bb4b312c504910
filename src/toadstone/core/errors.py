"""Everything toadstone raises on purpose.

::

    ToadstoneError
    ├── InvalidInput (also a ValueError)    the caller can mend it; exit code 2
    │   ├── InvalidArgument                 an option out of its range
    │   ├── InvalidData                     rows, labels or a file
    │   └── UnknownName                     not in a catalogue
    ├── EmptyFeasibleSet                    constraints that contradict each other
    ├── BudgetExceeded                      an attack broke its contract
    └── CertificateRejected                 a certificate does not prove its bound
"""


class ToadstoneError(Exception):
    """Base of the tree above."""


class InvalidInput(ToadstoneError, ValueError):
    """Something the caller gave cannot be used."""


class InvalidArgument(InvalidInput):
    """An argument outside its range.

    Examples
    --------
    >>> raise InvalidArgument("fraction", "a number in [0, 0.5)", 3)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `fraction`: expected a number in [0, 0.5), got 3
    """

    def __init__(self, name: str, expected: str, got: object) -> None:
        super().__init__(f"`{name}`: expected {expected}, got {got}")


class InvalidData(InvalidInput):
    """Rows, labels or a file that cannot be used."""


class UnknownName(InvalidInput):
    """A name that no catalogue knows."""


class EmptyFeasibleSet(ToadstoneError):
    """No point satisfies the constraints of a feasible set."""


class BudgetExceeded(ToadstoneError):
    """An attack returned more rows than allowed, or rows outside its domain."""


class CertificateRejected(ToadstoneError):
    """A certificate does not prove the bound that it states."""
