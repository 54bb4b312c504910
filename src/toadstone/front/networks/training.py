"""A network of the caller's as the model that a defence trains."""

from __future__ import annotations

from typing import Any, cast, get_args

from toadstone.catalogue.networks import NetworkTraining
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.front.networks.images import shape_of
from toadstone.pipeline.harness.own_model import is_torch_module


def refuse_training(training: str | None, epochs: int | None) -> None:
    """Refuse options of a training where no network is trained.

    Raises
    ------
    InvalidArgument
    """
    for name, value in (("training", training), ("epochs", epochs)):
        if value is not None:
            raise InvalidArgument(name, "a network given by `model` beside it", value)


def trained_model(model: Any, loaded: Any, split: Split, *, training: str | None, epochs: int | None, seed: int) -> Any:
    """Return the model to train: a network as a classifier of the images of a split, anything else as it is.

    Parameters
    ----------
    model : str, estimator, Module or callable
        As the caller gave it.
    loaded : estimator or Module
        What came of it.
    split : Split
    training, epochs
        As for `toadstone.deep.NetworkClassifier`.
    seed : int

    Raises
    ------
    InvalidArgument
        If an option of networks is given for another model, or rows are no
        images.
    """
    if not is_torch_module(loaded):
        refuse_training(training, epochs)
        return loaded
    if training not in (None, *get_args(NetworkTraining)):
        raise InvalidArgument("training", f"one of {', '.join(get_args(NetworkTraining))}", training)
    if epochs is not None:
        check_count(epochs=epochs)
    height, width, channels, order = shape_of(split, option="model")
    if order != "HWC":
        raise InvalidArgument("model", "images with channels last, for a network", "channels first")
    from toadstone.deep.estimators.network_classifier import NetworkClassifier
    from toadstone.deep.tensors.factories import load_network

    # Weights that cannot be read are refused now, not after the verdict.
    load_network(model)
    chosen: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    way = cast(NetworkTraining, training or "plain")
    return NetworkClassifier(model, image=(height, width, channels), training=way, random_state=seed, **chosen)
