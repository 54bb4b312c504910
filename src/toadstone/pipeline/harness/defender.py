"""The defender that an attack is made for: learner, ridge and training accuracy."""

from __future__ import annotations

from toadstone.core.dataset import Dataset
from toadstone.datasets.catalogue.entries import ENTRIES
from toadstone.datasets.split import Split, hold_out
from toadstone.kernels.rows import count_entries
from toadstone.learners.ridge_choice import choose_ridge
from toadstone.pipeline.harness.judge import ONE_AGAINST_THE_REST, Defence

_ALL_TOGETHER = "crammer-singer"
_RIDGE_ROWS = 10_000
_CLOSE, _COARSE, _MANY_ENTRIES = 1e-6, 1e-3, 2_000_000


def settle_defence(
    split: Split, *, learner: str | None, ridge: float | None, contamination: float, seed: int
) -> tuple[Defence, str]:
    """Choose the defender of some data, and say in plain words where its ridge comes from.

    Parameters
    ----------
    split : Split
        Only its training rows are looked at.
    learner : str, optional
        By default linear for two classes, and Crammer and Singer's for more.
    ridge : float, optional
        By default the published one of a data set known by name, or else
        chosen by cross-validation; with several classes on ten thousand rows
        at most.
    contamination : float
        Share of each class that the defences remove.
    seed : int

    Returns
    -------
    defence : Defence
    ridge_origin : str

    Raises
    ------
    UnknownName
        If there is no such learner.
    """
    train, several = split.train, len(split.train.classes) > 2
    chosen = learner or (_ALL_TOGETHER if several else ONE_AGAINST_THE_REST)
    # Fails before anything is trained if the learner is unknown.
    defence = Defence(learner=chosen)
    settled, origin = _settle_ridge(split, ridge, seed)
    many = several and count_entries(train.X) > _MANY_ENTRIES
    accuracy = _COARSE if many else _CLOSE
    defence = Defence(contamination=contamination, ridge=settled, learner=chosen, seed=seed, accuracy=accuracy)
    return defence, origin


def _settle_ridge(split: Split, ridge: float | None, seed: int) -> tuple[float, str]:
    if ridge is not None:
        return ridge, "as asked"
    published = next((entry.ridge for entry in ENTRIES if entry.name == split.name), None)
    if published is not None:
        return published, "published for this data set (Koh, Steinhardt and Liang 2022)"
    return sampled_ridge(split.train, seed)


def sampled_ridge(rows: Dataset, seed: int) -> tuple[float, str]:
    """Choose a ridge by cross-validation, with several classes on ten thousand rows at most; say so in plain words."""
    origin = "chosen by cross-validation"
    if len(rows.classes) > 2 and len(rows) > _RIDGE_ROWS:
        rows, origin = _sample(rows, seed), f"{origin} on {_RIDGE_ROWS} of the rows"
    return choose_ridge(rows.X, rows.y, random_state=seed).ridge, origin


def _sample(rows: Dataset, seed: int) -> Dataset:
    _, drawn = hold_out(rows, share=_RIDGE_ROWS / len(rows), random_state=seed)
    return drawn
