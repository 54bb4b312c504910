"""Models that the caller gives: what fails in them is said in a sentence, with the model's own words."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from toadstone.core.arrays import Labels
from toadstone.core.checks import plainly
from toadstone.core.errors import InvalidArgument, InvalidInput

NAMED = "MODULE:NAME, as in models:make for the function make of models.py"
"""How a caller names what is to be imported."""

_LONGEST = 300


@contextmanager
def failing_in_words(option: str, name: str, step: str) -> Iterator[None]:
    """Turn an exception of a caller's model into a refusal that names model, step and exception.

    A model that ends the program is refused too: its exit code would be taken
    for ours, and 0 for a passed gate. What a model prints goes to standard
    error, for standard output is the result's.

    Parameters
    ----------
    option : str
        The argument by which the model was given; with an empty one the model
        is no caller's, and what it raises passes.
    name : str
        Of the model.
    step : str
        Its method, such as "fit", or another part of its code.

    Raises
    ------
    InvalidInput
        In place of any exception but this one and a lack of memory.

    Examples
    --------
    >>> with failing_in_words("model", "models:make", "fit"):
    ...     float("north")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidInput: `model`: expected a model that takes these rows, got ValueError in fit of \
models:make: could not convert string to float: 'north'; a scikit-learn Pipeline can encode texts and fill gaps first
    """
    try:
        with redirect_stdout(sys.stderr) if option else nullcontext():
            yield
    except (InvalidInput, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if not option:
            raise
        said = next(iter(str(error).strip().splitlines()), "") or "no message"
        on_rows = step in ("fit", "predict")
        hint = "; a scikit-learn Pipeline can encode texts and fill gaps first" if on_rows else ""
        raise InvalidInput(
            f"`{option}`: expected a model that {'takes these rows' if on_rows else 'can be had'}, got "
            f"{type(error).__name__} in {step} of {plainly(name)}: {plainly(said, _LONGEST)}{hint}"
        ) from error


def predicted(model: Any, rows: Any, n: int, *, option: str, name: str) -> Labels:
    """Predict rows by a model, and check that there is a prediction for each.

    Parameters
    ----------
    model : estimator
        Fitted.
    rows : matrix or data frame
    n : int
        Rows in it.
    option, name : str
        As for `failing_in_words`.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    InvalidInput
        If a caller's model fails, or returns another number of predictions.
    """
    with failing_in_words(option, name, "predict"):
        found = np.asarray(model.predict(rows))
    flat = found.ravel()
    if option and len(flat) != n:
        raise InvalidInput(
            f"`{option}`: expected one prediction a row from predict of {plainly(name)}, got an array of shape "
            f"{found.shape} for {n:,} rows"
        )
    if option and flat.dtype.kind in "fcO" and any(one is None or one != one for one in flat.tolist()):
        raise InvalidInput(f"`{option}`: expected labels or numbers from predict of {plainly(name)}, got missing ones")
    return flat


def imported(spec: str, option: str) -> Any:
    """Return what ``module:name`` names; modules are looked for in the current directory first.

    Parameters
    ----------
    spec : str
    option : str
        The argument by which the caller gave it, for messages.

    Raises
    ------
    InvalidArgument
        If there is no such module or attribute.
    """
    module, _, path = spec.partition(":")
    if not module or not path:
        raise InvalidArgument(option, NAMED, spec)
    with _importable_here(), failing_in_words(option, spec, "the import"):
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            # A module that the caller's own one lacks is told apart from the caller's own one.
            own = error.name is None or module == error.name or module.startswith(f"{error.name}.")
            missing = module if own else f"{module}, which imports {error.name}, and that is not installed"
            expected = "a module that is installed or lies in the current directory" if own else "a module that imports"
            raise InvalidArgument(option, expected, missing) from None
    for name in path.split("."):
        if not hasattr(found, name):
            raise InvalidArgument(option, NAMED, f"{spec}, and {getattr(found, '__name__', module)} has no {name}")
        found = getattr(found, name)
    return found


@contextmanager
def _importable_here() -> Iterator[None]:
    """Let modules of the current directory win while one is looked for, and be found after all others later."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
        if here not in sys.path:
            # What the module imports later, or a worker process unpacks, lies there too.
            sys.path.append(here)
