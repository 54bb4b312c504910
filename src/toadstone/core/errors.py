"""The exceptions that toadstone raises on purpose.

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


def missing_extra(extra: str, package: str) -> str:
    """Return the words that tell a user how to install an optional package.

    The project is not published yet, so they name the clone.

    Parameters
    ----------
    extra : str
        Name of the extra in ``pyproject.toml``.
    package : str
        The package that is missing, as people write it.

    Examples
    --------
    >>> f"toadstone.deep {missing_extra('deep', 'PyTorch')}"
    "toadstone.deep needs PyTorch, which is not installed: pip install '.[deep]' in the clone of toadstone"
    """
    return f"needs {package}, which is not installed: pip install '.[{extra}]' in the clone of toadstone"


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
