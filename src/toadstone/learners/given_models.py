"""Models that the caller gives: what fails in them is said in a sentence, with the model's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from toadstone.core.arrays import Labels
from toadstone.core.checks import plainly
from toadstone.core.errors import InvalidInput

_LONGEST = 300


@contextmanager
def failing_in_words(option: str, name: str, step: str) -> Iterator[None]:
    """Turn an exception of a caller's model into a refusal that names model, step and exception.

    Parameters
    ----------
    option : str
        The argument by which the model was given; with an empty one the model
        is no caller's, and what it raises passes.
    name : str
        Of the model.
    step : str
        Its method, such as "fit".

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
        yield
    except (InvalidInput, MemoryError):
        raise
    except Exception as error:
        if not option:
            raise
        said = next(iter(str(error).strip().splitlines()), "") or "no message"
        raise InvalidInput(
            f"`{option}`: expected a model that takes these rows, got {type(error).__name__} in {step} of "
            f"{plainly(name)}: {plainly(said, _LONGEST)}; a scikit-learn Pipeline can encode texts and fill gaps first"
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
    return flat
