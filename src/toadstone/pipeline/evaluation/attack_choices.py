"""Choices that an attack needs before it is made: labels, a trigger, a group of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse

from toadstone.attacks.backdoors.image_shape import ImageShape, Layout
from toadstone.attacks.backdoors.row_trigger import FeatureTrigger, TokenTrigger
from toadstone.attacks.backdoors.trigger import Trigger
from toadstone.attacks.flips.demographic import Group
from toadstone.attacks.flips.subpopulation import Subpopulation
from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.feasible import Domain
from toadstone.core.protocols import Attack
from toadstone.datasets.split import Split
from toadstone.kernels.rows import count_distinct
from toadstone.pipeline.attack_search.audit_attacks import ShortSearch

_PATCHED, _TOKENS, _COLUMNS = 3, 2, 2
_SELDOM = 0.99
_DEPTHS = (255, 16)
_CHANNELS = (1, 3, 4)
_MOST_CLUSTERS = 50

IMAGES = {
    "mnist": (28, 28),
    "mnist-1-7": (28, 28),
    "pneumonia": (28, 28),
    "pneumonia-hospitals": (28, 28),
    "digits-1-7": (8, 8),
}
"""Height and width of the images of data sets known by name."""


@dataclass(frozen=True, eq=False)
class AttackerView:
    """Facts about the rows that an attacker uses besides their values.

    Parameters
    ----------
    domain : Domain
        Values that a row can have at all.
    fraction : float
        Its budget.
    image : ImageShape, optional
        The shape of rows that are images.
    search : ShortSearch, optional
        Of the attacks that are optimized against a linear model; none where
        there are more than two classes.
    """

    domain: Domain
    fraction: float
    image: ImageShape | None = None
    search: ShortSearch | None = None


@dataclass(frozen=True, eq=False)
class ConfiguredAttack:
    """An attack with its options settled, and the rows on which its success is measured.

    Parameters
    ----------
    attack : Attack
    trigger : Trigger, optional
    target : object, optional
        The label that the trigger calls up.
    group : Subpopulation or Group, optional
        The rows in which it wants errors.
    """

    attack: Attack
    trigger: Trigger | None = None
    target: object | None = None
    group: Subpopulation | Group | None = None


def image_layout(
    stored: tuple[int, ...] | None, asked: tuple[int, int, int] | None
) -> tuple[int, int, int, Layout] | None:
    """Return height, width, channels and the order of the columns of images, or None for rows that are none.

    Images of a file keep the shape in which it holds them; channels come last
    there, or first where only the first number can be that of channels.

    Parameters
    ----------
    stored : tuple of int, optional
        Shape of one image in the file: (height, width), (height, width,
        channels) or (channels, height, width).
    asked : tuple of int, optional
        Height, width and channels, as the caller has them.

    Raises
    ------
    InvalidArgument
        If the two contradict each other.

    Examples
    --------
    >>> image_layout((3, 16, 16), None), image_layout((16, 16), None)
    ((16, 16, 3, 'CHW'), (16, 16, 1, 'HWC'))
    """
    if stored is None:
        return None if asked is None else (*asked, "HWC")
    if len(stored) == 2:
        stored = (*stored, 1)
    readings: list[tuple[int, int, int, Layout]] = []
    if len(stored) == 3:
        first, middle, last = stored
        readings = [(first, middle, last, "HWC"), (middle, last, first, "CHW")]
        if first in _CHANNELS and last not in _CHANNELS:
            readings.reverse()
    if asked is None:
        return readings[0] if readings and readings[0][2] in _CHANNELS else None
    # Only one of several numbers can be that of channels; where both can, what the caller says decides.
    possible = [one for one in readings if one[2] in _CHANNELS] or readings
    fitting = next((one for one in possible if one[:3] == asked), None)
    if fitting is None:
        shown = " or ".join("x".join(map(str, one[:3])) for one in possible) or "no shape"
        raise InvalidArgument(
            "image", f"{shown}, as the images of the file are of shape {stored}", "x".join(map(str, asked))
        )
    return fitting


def layout_of(split: Split, asked: tuple[int, int, int] | None = None) -> tuple[int, int, int, Layout] | None:
    """Return `image_layout` of the rows of a split: as stored, as asked, or as known of a data set by its name."""
    known = (*IMAGES[split.name], 1) if split.name in IMAGES else None
    return image_layout(split.image, asked or known)


def image_shape(X: Matrix, height: int, width: int, channels: int = 1, layout: Layout = "HWC") -> ImageShape:
    """Return the shape of images, with the range and depth that their values show.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, height * width * channels)
    height, width, channels : int
    layout : {"HWC", "CHW"}
        Order of the columns.

    Raises
    ------
    InvalidArgument
        If there are more or fewer columns than pixels.

    Examples
    --------
    >>> image_shape(np.array([[0.0, 0.2, 1.0, 0.6]]), 2, 2).levels
    256
    """
    if X.shape[1] != height * width * channels:
        raise InvalidArgument("image", f"a shape of {X.shape[1]} pixels", f"{height}x{width}x{channels}")
    lowest, highest = min(0.0, float(X.min())), max(1.0, float(X.max()))
    values = (X.data if issparse(X) else np.asarray(X)) - lowest
    units = values / (highest - lowest)
    # Real images of few rows seldom show all levels, but each shown one is a multiple of the step.
    whole = (depth for depth in sorted(_DEPTHS) if np.abs(units * depth - np.rint(units * depth)).max(initial=0) < 1e-6)
    depth = next(whole, None)
    levels = None if depth is None else depth + 1
    return ImageShape(
        height=height,
        width=width,
        channels=channels,
        layout=layout,
        lowest=lowest,
        highest=highest,
        levels=levels,
    )


def two_labels(data: Dataset, rng: Generator) -> tuple[object, object]:
    """Draw a target and a source among the labels."""
    target, source = rng.permutation(data.classes)[:2]
    return target, source


def patch_size(shape: ImageShape) -> int:
    """Return the side of the square of BadNets: three pixels, or less in a tiny image."""
    return max(1, min(_PATCHED, min(shape.height, shape.width) // 4))


def seldom_features(data: Dataset) -> FeatureTrigger:
    """Return a trigger of the two columns that say least of the label, at values that few rows exceed.

    Columns of two values are not among them, unless there are no others:
    high values of the others would call up a class without any attack.
    """
    several = np.flatnonzero(_distinct_values(data.X) > 2)
    columns = several if len(several) >= _COLUMNS else np.arange(data.n_features)
    explained = _explained_share(data, columns)
    chosen = np.sort(columns[np.argsort(explained, kind="stable")[:_COLUMNS]])
    return FeatureTrigger.seen_in(data.X, tuple(map(int, chosen)), quantile=_SELDOM)


def rare_words(data: Dataset, domain: Domain) -> TokenTrigger:
    """Return a trigger of the words in the fewest texts, at the median of the weights that occur."""
    weights = data.X.data[data.X.data != 0]
    middle = float(np.quantile(weights, 0.5, method="nearest"))
    highest = np.inf if domain.integer and weights.max() > 1 else float(weights.max())
    return TokenTrigger.rarest_in(data.X, min(_TOKENS, data.n_features), count=middle, highest=highest)


def half_covered(data: Dataset, fraction: float, seed: int) -> Subpopulation:
    """Return the cluster of which the budget covers half as nearly as possible."""
    wanted = 2 * fraction * len(data)
    most = min(_MOST_CLUSTERS, count_distinct(data.X))
    n_clusters = int(np.clip(round(len(data) / max(wanted, 1.0)), min(2, most), most))
    found = Subpopulation.found_in(data.X, n_clusters=n_clusters, seed=seed)
    sizes = [np.count_nonzero(replace(found, index=index).contains(data.X)) for index in range(n_clusters)]
    return replace(found, index=int(np.argmin(np.abs(np.array(sizes) - wanted))))


def evenest_group(data: Dataset) -> Group:
    """Return the group of the larger value of the two-valued column that splits the rows most evenly.

    Raises
    ------
    InvalidData
        If there is no column of two values.
    """
    columns = binary_columns(data.X)
    if not columns.size:
        raise InvalidData("features: expected a column of two values, got none")
    table = data.X[:, columns]
    values = np.asarray(table.toarray() if issparse(table) else table)
    upper = values.max(axis=0)
    evenness = np.abs((values == upper).mean(axis=0) - 0.5)
    best = int(evenness.argmin())
    return Group(feature=int(columns[best]), lowest=float(upper[best]))


def binary_columns(X: Matrix) -> IntArray:
    """Return the columns of exactly two values."""
    return np.flatnonzero(_distinct_values(X) == 2)


def _distinct_values(X: Matrix) -> Array:
    rows = X.tocsc() if issparse(X) else X
    columns = (rows[:, [column]] for column in range(X.shape[1]))
    return np.array([len(np.unique(column.toarray() if issparse(column) else column)) for column in columns])


def _explained_share(data: Dataset, columns: IntArray) -> Array:
    """Return the share of each column's variance that lies between the classes; 1 where it has none."""
    table = data.X[:, columns]
    values = np.asarray(table.toarray() if issparse(table) else table)
    centre, total = values.mean(axis=0), values.var(axis=0)
    between = np.zeros(len(columns))
    for label in data.classes:
        rows = data.y == label
        between += rows.mean() * (values[rows].mean(axis=0) - centre) ** 2
    return np.asarray(np.divide(between, total, out=np.ones(len(columns)), where=total > 0))
