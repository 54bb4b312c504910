"""The rows of one seed of a simulation: those of each client, of the server, and to test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split, stratified_rows
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.pipeline.evaluation.attack_choices import seldom_features
from toadstone.pipeline.evaluation.seed_split import draw_train
from toadstone.pipeline.federation.dealing import Dealing

_SIDE = 4
"""A square of a quarter of the image's side is left to small images."""


@dataclass(frozen=True, eq=False)
class FederatedPart:
    """Rows that the trials of one seed share.

    Parameters
    ----------
    seed : int
    rows : Dataset
        Of all clients together; labels are positions of classes.
    dealt : tuple of ndarray of int
        Positions of the rows of each client.
    test : Dataset
        Labels are positions of classes.
    classes : int
        Number of classes.
    root : Dataset, optional
        Rows of the server's own, none of which a client has.
    trigger : BackdoorTrigger
        Of backdoors.
    image : tuple of int, optional
        Height and width of rows that are grey images.
    """

    seed: int
    rows: Dataset
    dealt: tuple[IntArray, ...]
    test: Dataset
    classes: int
    root: Dataset | None
    trigger: BackdoorTrigger
    image: tuple[int, int] | None

    @property
    def clients(self) -> list[tuple[Matrix, IntArray]]:
        """Rows and positions of classes of each client.

        Rows are of single precision, as the models compute their steps: a cast of each batch would take longer
        than its gradient.
        """
        X = self.rows.X if issparse(self.rows.X) else np.asarray(self.rows.X, dtype=np.float32)
        return [(X[places], np.asarray(self.rows.y[places], dtype=np.int64)) for places in self.dealt]


def deal_part(
    split: Split,
    dealing: Dealing,
    test: Dataset,
    *,
    seed: int,
    rows: int,
    root_rows: int,
    image: tuple[int, int] | None,
) -> FederatedPart:
    """Draw the rows of one seed, hold out those of the server, and deal the others to clients.

    Parameters
    ----------
    split : Split
    dealing : Dealing
    test : Dataset
    seed : int
    rows : int
        About so many training rows are drawn, from each class in its share.
    root_rows : int
        About so many of them are the server's; 0 for none.
    image : tuple of int, optional
        Height and width of rows that are grey images.

    Raises
    ------
    InvalidData
        If a class has too few rows.
    """
    drawn = draw_train(split.train, rows, seed)
    taken, root = drawn, None
    if root_rows:
        rest, held = stratified_rows(split.train.y[drawn], share=root_rows / len(drawn), random_state=seed)
        taken, root = drawn[rest], split.train.take(drawn[held])
    classes = split.train.classes
    mine = _coded(split.train.take(taken), classes)
    rng = np.random.default_rng([seed, 0])
    dealt = dealing.deal(mine, taken, rng)
    target = int(np.random.default_rng([seed, 1]).integers(len(classes)))
    return FederatedPart(
        seed,
        mine,
        tuple(dealt),
        _coded(test, classes),
        len(classes),
        None if root is None else _coded(root, classes),
        _trigger(mine, image, target),
        image,
    )


def _coded(rows: Dataset, classes: Labels) -> Dataset:
    places = np.clip(np.searchsorted(classes, rows.y), 0, len(classes) - 1)
    # A label that no client has is never right.
    return Dataset(rows.X, np.where(classes[places] == rows.y, places, -1), rows.feature_names)


def _trigger(rows: Dataset, image: tuple[int, int] | None, target: int) -> BackdoorTrigger:
    """Return a bright square in the corner of images, and for others values that few rows have."""
    if image is not None:
        size = max(1, min(3, min(image) // _SIDE))
        return BackdoorTrigger.corner(*image, size=size, value=float(max(1.0, rows.X.max())), target=target)
    found = seldom_features(rows)
    return BackdoorTrigger(features=found.features, values=found.values, target=target)
