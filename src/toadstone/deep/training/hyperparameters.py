"""Hyperparameters of a training."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Literal, get_args

from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.precision import Precision

Augmentation = Literal["none", "flip-crop"]
LearningSchedule = Literal["steps", "one-cycle"]

_RISE = 0.25
"""Share of all steps in which the rate of one cycle rises."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of stochastic gradient descent with Nesterov momentum.

    Parameters
    ----------
    epochs : int
    batch : int
        Images of a step.
    learning_rate : float
        The largest one.
    schedule : {"steps", "one-cycle"}
        The learning rate falls at `milestones`; or it rises linearly from 0 in
        the first quarter of all steps and falls linearly to 0 in the others
        [1]_, which reaches more in few epochs.
    momentum : float
        In [0, 1).
    weight_decay : float
        For weights; biases and parameters of norms have none.
    milestones : tuple of int
        Epochs, counted from 0, at which the learning rate is multiplied by
        `factor`; none for one cycle.
    factor : float
        In (0, 1].
    augmentation : {"none", "flip-crop"}
        `toadstone.deep.tensors.augmentation.flip_crop`, drawn anew in every
        epoch.
    precision : {"float32", "bfloat16"}
        Of matrix products and convolutions; weights are in single precision.

    Raises
    ------
    InvalidArgument
        If a value is out of range, or a count is not a whole number.

    References
    ----------
    .. [1] Smith and Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", SPIE 2019.

    Examples
    --------
    >>> [TrainingConfig(epochs=6, milestones=(2, 4)).rate(epoch) for epoch in (0, 2, 5)]
    [0.1, 0.01, 0.001]
    >>> [TrainingConfig(epochs=8, schedule="one-cycle").rate(epoch) for epoch in (0, 1, 2, 5)]
    [0.0, 0.05, 0.1, 0.05]
    """

    epochs: int = 40
    batch: int = 128
    learning_rate: float = 0.1
    schedule: LearningSchedule = "steps"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    milestones: tuple[int, ...] = ()
    factor: float = 0.1
    augmentation: Augmentation = "none"
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_count(epochs=self.epochs, batch=self.batch)
        check_positive(learning_rate=self.learning_rate)
        check_within("[0, 1)", momentum=self.momentum)
        if not 0 <= self.weight_decay < float("inf"):
            raise InvalidArgument("weight_decay", "a number from 0", self.weight_decay)
        check_within("(0, 1]", factor=self.factor)
        whole = all(isinstance(milestone, Integral) for milestone in self.milestones)
        if not whole or any(low >= high for low, high in pairwise((0, *self.milestones))):
            raise InvalidArgument("milestones", "increasing whole numbers from 1", self.milestones)
        if self.milestones and self.schedule == "one-cycle":
            raise InvalidArgument("milestones", "none for one cycle", self.milestones)
        options = (("augmentation", Augmentation), ("precision", Precision), ("schedule", LearningSchedule))
        for name, words in options:
            if getattr(self, name) not in get_args(words):
                raise InvalidArgument(name, f"one of {', '.join(get_args(words))}", getattr(self, name))

    def rate(self, epoch: int, passed: float = 0.0) -> float:
        """Return the learning rate of an epoch, where `passed` is the share of its steps that are done."""
        if self.schedule == "one-cycle":
            share = (epoch + passed) / self.epochs
            return self.learning_rate * min(share / _RISE, (1 - share) / (1 - _RISE))
        falls = sum(milestone <= epoch for milestone in self.milestones)
        # To twelve digits: 0.1 * 0.1 is 0.010000000000000002.
        return float(f"{self.learning_rate * self.factor**falls:.12g}")
