"""A network as a classifier of rows of pixels, trained plainly or with a defence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from toadstone.catalogue.networks import NetworkTraining
from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.epic import EPIC
from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.tensors.factories import images_for, last_linear, load_network
from toadstone.deep.tensors.features import activations, head_gradients, logits
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import plain, train
from toadstone.deep.training.trades import Trades
from toadstone.deep.training.trimmed_loss import TrimmedLoss

_EPIC_FRACTION, _QUARTER = 0.2, 4
_WEAK_TRADES = Trades(radius=4.0, step=4 / 3, steps=3)
"""Weaker than the paper's 8 levels in 10 steps, at a third of its cost."""


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """Train a network on rows of pixels.

    Parameters
    ----------
    network : str, callable or Module
        ``"module:factory"``, with weights to start from as
        ``"module:factory@FILE"``; a function that returns a network, or a
        network itself, of which each `fit` trains a copy. Nothing is unpickled.
    image : tuple of int
        Height, width and channels of the images that rows are, channels last.
    training : {"plain", "epic", "trimmed-loss", "trades", "dp-sgd"}, default="plain"
        Cross entropy on all rows; rows with isolated gradients dropped from
        the second quarter of the epochs on; the tenth of largest loss left
        out; adversarial training within 4 levels; differentially private
        gradients, which need Opacus and a network without batch norms.
    epochs : int, default=10
    learning_rate : float, default=0.02
        The largest of one cycle.
    batch_size : int, default=64
    head : str, optional
        Name of the last layer; the last linear one by default.
    random_state : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; the outputs of the network in this order.
    network_ : Module
        Trained, in evaluation mode.
    dropped_indices_ : ndarray of int
        Rows that the training left out at its end, ascending.
    n_features_in_ : int

    References
    ----------
    .. [1] Yang, Liu and Mirzasoleiman, "Not all poisons are created equal",
       ICML 2022.
    .. [2] Shen and Sanghavi, "Learning with bad training data via iterative
       trimmed loss minimization", ICML 2019.
    .. [3] Zhang and others, "Theoretically principled trade-off between
       robustness and accuracy", ICML 2019.
    .. [4] Abadi and others, "Deep learning with differential privacy", CCS
       2016.

    Examples
    --------
    >>> from toadstone.deep import SmallCNN
    >>> X = np.repeat([0.1, 0.9], 20)[:, None] * np.ones(64)
    >>> y = np.repeat(["dark", "light"], 20)
    >>> model = NetworkClassifier(partial(SmallCNN, width=4, classes=2), image=(8, 8, 1), epochs=4)
    >>> float(model.fit(X, y).score(X, y))
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "network": [str, callable],
        "image": [tuple, list],
        "training": [StrOptions(set(get_args(NetworkTraining)))],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "head": [str, None],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    classes_: Labels
    network_: nn.Module
    dropped_indices_: IntArray

    def __init__(
        self,
        network: str | nn.Module | Callable[[], nn.Module],
        *,
        image: tuple[int, int, int],
        training: NetworkTraining = "plain",
        epochs: int = 10,
        learning_rate: float = 0.02,
        batch_size: int = 64,
        head: str | None = None,
        random_state: int = 0,
    ) -> None:
        self.network = network
        self.image = image
        self.training = training
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.head = head
        self.random_state = random_state

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : ndarray of shape (n, height * width * channels)
            Pixels in [0, 1].
        y : array_like of shape (n,)

        Returns
        -------
        NetworkClassifier
            Itself.

        Raises
        ------
        InvalidData
            If pixels are outside [0, 1], rows are no such images, or the
            network has fewer outputs than there are labels.
        InvalidInput
            If the network cannot be had, or does not take these images.
        """
        self._validate_params()
        checked, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        model = copy.deepcopy(load_network(self.network))
        images, named = images_for(model, self.pixels(checked)), torch.from_numpy(codes.astype(np.int64))
        outputs = logits(model, images[:1]).shape[1]
        if outputs < len(self.classes_):
            count = len(self.classes_)
            raise InvalidData(f"labels: expected at most {outputs}, one for each output of the network, got {count}")
        self.dropped_indices_ = np.setdiff1d(np.arange(len(codes)), self._train(model, images, named))
        self.network_ = model.eval()
        return self

    def predict_proba(self, X: Matrix) -> Array:
        """Return probabilities of shape (n, n_classes); outputs beyond the labels have no part in them."""
        found = logits(self.network_, self._received(X))[:, : len(self.classes_)]
        return np.asarray(found.double().softmax(dim=1).cpu().numpy())

    def predict(self, X: Matrix) -> Labels:
        """Return the likeliest label of each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def features(self, X: Matrix) -> Array:
        """Return what the last layer gets for each row, shape (n, d)."""
        images = self._received(X)
        head = last_linear(self.network_) if self.head is None else self.head
        return np.asarray(activations(self.network_, head, images).double().cpu().numpy())

    def _train(self, model: nn.Module, images: Tensor, labels: Tensor) -> IntArray:
        """Train a network, and return the rows that the training kept at its end."""
        every = np.arange(len(labels))
        if self.training == "dp-sgd":
            # Opacus is an extra of its own.
            from toadstone.deep.training.dp_sgd import PrivateTrainingConfig, train_privately

            private = PrivateTrainingConfig(
                epochs=self.epochs, batch=min(self.batch_size, len(labels)), learning_rate=self.learning_rate
            )
            train_privately(model, images, labels, private, seed=self.random_state)
            return every
        config = TrainingConfig(
            epochs=self.epochs, batch=self.batch_size, learning_rate=self.learning_rate, schedule="one-cycle"
        )
        objective = _WEAK_TRADES if self.training == "trades" else plain
        watcher = self._watcher(images, labels)
        train(model, images, labels, config, seed=self.random_state, objective=objective, watcher=watcher)
        if isinstance(watcher, EPIC):
            return np.asarray(watcher.rows.cpu().numpy())
        kept = None if watcher is None else watcher.before_epoch(self.epochs, model)
        return every if kept is None else np.asarray(kept.numpy())

    def _watcher(self, images: Tensor, labels: Tensor) -> EPIC | TrimmedLoss | None:
        if self.training == "epic":
            schedule = Schedule(fraction=_EPIC_FRACTION, warm_up=-(-self.epochs // _QUARTER))
            return EPIC(labels, schedule, partial(head_gradients, images=images, labels=labels))
        return TrimmedLoss(images=images, labels=labels, keep=0.9) if self.training == "trimmed-loss" else None

    def _received(self, X: Matrix) -> Tensor:
        check_is_fitted(self)
        return images_for(self.network_, self.pixels(validate_data(self, X, dtype=np.float64, reset=False)))

    def pixels(self, X: Matrix) -> NDArray[np.uint8]:
        """Return rows as images of bytes, shape (n, height, width, channels).

        Raises
        ------
        InvalidArgument, InvalidData
            If rows have another number of pixels, or values are outside [0, 1].
        """
        rows = np.asarray(X, dtype=np.float64)
        height, width, channels = self.image
        if rows.shape[1] != height * width * channels:
            raise InvalidArgument("image", f"a shape of {rows.shape[1]} pixels, those of a row", tuple(self.image))
        if len(rows) and (rows.min() < 0 or rows.max() > 1):
            raise InvalidData(f"pixels: expected values in [0, 1], got {rows.min():.4g} to {rows.max():.4g}")
        return np.asarray(np.rint(255 * rows).astype(np.uint8).reshape(-1, height, width, channels))
