"""A model of the caller's: found by name, checked, copied and trained."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from toadstone.core.arrays import Array, Labels
from toadstone.core.errors import InvalidArgument
from toadstone.learners.boosters import wrap_booster
from toadstone.learners.given_models import failing_in_words, imported

_MADE = "an estimator with fit and predict, or a function that returns one"


def is_torch_module(model: Any) -> bool:
    """Tell a network of PyTorch from an estimator, without importing PyTorch."""
    return any(base.__module__.startswith("torch.nn.") for base in type(model).__mro__)


def load_model(model: Any, *, option: str = "model") -> Any:
    """Return the untrained model behind a name, a factory or an estimator.

    Parameters
    ----------
    model : str, callable or estimator
        ``module:name`` of an estimator or of a function without arguments
        that returns one, or one of both themselves. Modules are looked for in
        the current directory first. Nothing is unpickled.
    option : str
        What the caller calls the argument, for messages.

    Returns
    -------
    estimator
        Whatever has `fit` and `predict`; it need not be of scikit-learn.

    Raises
    ------
    InvalidArgument
        If there is no such module or attribute, or no model comes of it.

    Examples
    --------
    >>> load_model("sklearn.tree:DecisionTreeClassifier")
    DecisionTreeClassifier()
    """
    return _checked(_made(model, option), model, option)


def load_model_or_network(model: Any, *, option: str = "model") -> Any:
    """Return what `load_model` does, or the `torch.nn.Module` behind a name, which may end with ``@FILE``."""
    name = model.partition("@")[0] if isinstance(model, str) else model
    made = _made(name, option)
    return made if is_torch_module(made) else _checked(made, model, option)


def _made(model: Any, option: str) -> Any:
    found = imported(model, option) if isinstance(model, str) else model
    # A class has a fit of its own, and is still to be called.
    ready = hasattr(found, "fit") or is_torch_module(found)
    factory = isinstance(found, type) or (callable(found) and not ready)
    with failing_in_words(option, name_of(model), "the call"):
        return found() if factory else found


def _checked(made: Any, model: Any, option: str) -> Any:
    missing = [name for name in ("fit", "predict") if not callable(getattr(made, name, None))]
    if missing:
        named = f"{model}: " if isinstance(model, str) else ""
        raise InvalidArgument(option, _MADE, f"{named}{type(made).__name__}, which has no {' and no '.join(missing)}")
    return made


def name_of(model: Any) -> str:
    """Name a model for reports: as the caller named it, else its class.

    Examples
    --------
    >>> name_of("models:make"), name_of(Pipeline([]))
    ('models:make', 'Pipeline')
    """
    if isinstance(model, str):
        return model
    return str(getattr(model, "__name__", type(model).__name__))


def untrained(model: Any) -> Any:
    """Return an untrained copy of a model: a clone, or a deep copy where it is no estimator of scikit-learn.

    A classifier of XGBoost, LightGBM or CatBoost is wrapped as `WrappedBooster`.
    """
    return clone(wrap_booster(model), safe=False)


def train(model: Any, rows: Any, y: Labels, weight: Array | None = None) -> Any:
    """Train an untrained copy of a model.

    Parameters
    ----------
    model : estimator
    rows : matrix or data frame
    y : ndarray of shape (n,)
    weight : ndarray of shape (n,), optional
        Of the rows.

    Returns
    -------
    estimator

    Raises
    ------
    InvalidArgument
        If there are weights, and the model takes none.
    """
    fresh = untrained(model)
    if weight is None:
        return fresh.fit(rows, y)
    return fresh.fit(rows, y, **{weight_name(model): weight})


def weight_name(model: Any) -> str:
    """Return the name under which `fit` of a model, or of the last step of a pipeline, takes the weights of rows.

    Raises
    ------
    InvalidArgument
        If it takes none.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> weight_name(Pipeline([("tree", DecisionTreeClassifier())]))
    'tree__sample_weight'
    """
    if isinstance(model, Pipeline):
        last, step = model.steps[-1]
        return f"{last}__{weight_name(step)}"
    if not has_fit_parameter(model, "sample_weight"):
        raise InvalidArgument("action", "remove or relabel for a model whose fit takes no sample_weight", "weight")
    return "sample_weight"
