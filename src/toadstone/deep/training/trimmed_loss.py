"""Iterative trimmed loss: train on the rows of least loss, chosen anew before each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count, check_within
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.images import check_labels
from toadstone.kernels.linear.trimmed_loss import least_losses


@dataclass(frozen=True, eq=False, kw_only=True)
class TrimmedLoss:
    """Choose the rows of least loss before each epoch [1]_.

    A watcher of `toadstone.deep.training.loop.train`. Rows are chosen among all
    rows, so that one left out before may return; half of each class is always
    kept.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    labels : Tensor of shape (n,), int64
    keep : float
        Share of the rows to train on, in (0.5, 1].
    warm_up : int
        Epochs on all rows before the first choice.
    block : int
        Images in one pass.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Shen and Sanghavi, "Learning with bad training data via iterative
       trimmed loss minimization", ICML 2019, algorithm 1.
    """

    images: Tensor
    labels: Tensor
    keep: float = 0.8
    warm_up: int = 1
    block: int = 128

    def __post_init__(self) -> None:
        check_within("(0.5, 1]", keep=self.keep)
        check_count(0, warm_up=self.warm_up)
        check_count(block=self.block)

    @property
    def row_count(self) -> int:
        """Number of rows to choose from."""
        return len(self.images)

    @property
    def settings(self) -> str:
        """Options that identify the watcher in a checkpoint."""
        return f"keep={self.keep}, warm_up={self.warm_up}"

    def before_epoch(self, epoch: int, model: nn.Module) -> Tensor | None:
        """Return the rows of least loss at this model, ascending; None, for all, during the warm-up."""
        if epoch < self.warm_up:
            return None
        given = logits(model, self.images, block=self.block)
        check_labels(self.labels, count=len(self.images), classes=given.shape[1])
        # In double precision, like the array kernel that ranks them.
        losses = cross_entropy(given, self.labels.to(given.device), reduction="none").double().cpu()
        return torch.from_numpy(least_losses(losses.numpy(), self.labels.cpu().numpy(), self.keep))
