"""Public names of a package that are imported when first used, so that importing the package stays cheap."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Collection, Mapping
from typing import Any


def is_installed(library: str) -> bool:
    """Return True if a library could be imported, without importing it.

    Examples
    --------
    >>> is_installed("numpy"), is_installed("no_such_library")
    (True, False)
    """
    try:
        return importlib.util.find_spec(library) is not None
    except ModuleNotFoundError:
        return False


def lazy_exports(
    package: str, homes: Mapping[str, str], *, unlisted: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package that exports names of its modules.

    Parameters
    ----------
    package : str
        Full name of the package, its ``__name__``.
    homes : mapping
        Each public name, and the module inside the package that defines it.
    unlisted : collection of str, optional
        Names that `dir` leaves out, because what they need is not installed;
        asked for by name they still say what that is.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return load, lambda: sorted(set(homes) - set(unlisted))
