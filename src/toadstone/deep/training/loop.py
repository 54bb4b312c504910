"""Training by stochastic gradient descent that can be watched, interrupted and repeated.

Whatever is random in an epoch is drawn from the seed and the number of that
epoch. A training that was interrupted therefore goes on as if it had not
been: the same bytes, on the same machine with the same number of threads. A
graphics card keeps that promise only where PyTorch is told to,
``torch.use_deterministic_algorithms(True)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.augmentation import flip_crop
from toadstone.deep.tensors.checkpoints import digest_of
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.images import as_input, check_images, check_labels
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.progress import Checkpoint, History, TrainingState, told_watcher


class Watcher(Protocol):
    """Whoever decides, before each epoch, which rows to train on: EPIC, a trimmed loss, a test.

    One with a state of its own also has ``state_dict()`` and
    ``load_state_dict(state)``, so that an interrupted training can be resumed;
    values are tensors, or what JSON can say. One with options has
    ``settings``, a line that is the same for the same options: a checkpoint
    tells it and the watcher's type, and one of another watcher is refused. One
    that was made for so many rows has their number as ``row_count``, and
    training on another number is refused.
    """

    def before_epoch(self, epoch: int, model: nn.Module) -> Tensor | None:
        """Indices of the rows to train on, int64 and of the rows as given; None for all."""


class Objective(Protocol):
    """What a batch is trained for, instead of its cross entropy alone; a frozen dataclass, so that it can be told."""

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The loss, a scalar, and the logits of the images."""


def plain(model: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """The mean cross entropy of a batch, and its logits; nothing is drawn."""
    given = model(images)
    given = getattr(given, "logits", given).float()
    return cross_entropy(given, labels), given


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    config: TrainingConfig,
    *,
    seed: int,
    objective: Objective = plain,
    watcher: Watcher | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a model in place, to minimal cross entropy unless told otherwise.

    A last batch of a single row is left out, since batch norms cannot tell its
    deviation; the order of rows is new in every epoch.

    Parameters
    ----------
    model : Module
        On the device to train on. Frozen parameters stay what they are, and
        norms all of whose parameters are frozen keep their statistics.
    images : Tensor of shape (n, channels, height, width)
        Of eight bits, or in [0, 1]; on any device. For a head on its own,
        features of shape (n, d).
    labels : Tensor of shape (n,), int64
    config : TrainingConfig
    seed : int
        Draws the order, the augmentation and dropout, but not the weights
        that the model starts from.
    objective : Objective
        For example `toadstone.deep.training.trades.Trades`.
    watcher : Watcher, optional
    checkpoint : Checkpoint, optional
        Where to save progress, and to resume from if there is any.

    Returns
    -------
    History
        Of all epochs, those before an interruption included.

    Raises
    ------
    InvalidData
        If images or labels are unfit, a loss or a weight is no finite number,
        or the checkpoint is damaged or of another training; nothing that is
        not finite is saved.
    InvalidArgument
        If the watcher was made for another number of rows, or names rows
        that do not exist, or none; if the checkpoint's path is no file in a
        folder that exists.
    """
    check_images(images)
    check_labels(labels, count=len(images), classes=logits(model, images[:1]).shape[1])
    check_count(0, seed=seed)
    made_for = getattr(watcher, "row_count", len(images))
    if made_for != len(images):
        raise InvalidArgument("watcher", f"one made for {len(images)} rows, as many as there are images", made_for)
    _lay_out(model)
    course = _Course(
        model=model,
        optimiser=_optimiser(model, config),
        images=images,
        labels=labels,
        config=config,
        objective=objective,
    )
    progress = TrainingState(
        model=model,
        optimiser=course.optimiser,
        watcher=watcher,
        checkpoint=checkpoint,
        training=course.facts(seed=seed, watcher=watcher) if checkpoint else {},
    )
    progress.resume()
    with _restored(model):
        for epoch in range(progress.history.epochs, config.epochs):
            chosen = watcher.before_epoch(epoch, model) if watcher is not None else None
            rows = _rows(chosen, count=len(images))
            loss, accuracy = course.run(epoch, rows, seed=seed)
            _check_weights(model, epoch)
            progress.after_epoch(loss=loss, accuracy=accuracy, rows=len(rows), last=epoch + 1 == config.epochs)
    return progress.history


@dataclass(frozen=True, eq=False, kw_only=True)
class _Course:
    model: nn.Module
    optimiser: torch.optim.SGD
    images: Tensor
    labels: Tensor
    config: TrainingConfig
    objective: Objective

    def facts(self, *, seed: int, watcher: Watcher | None) -> dict[str, object]:
        """What tells this training from others."""
        config = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self.config).items()
        }
        return {
            "watcher": told_watcher(watcher),
            "objective": "cross entropy" if self.objective is plain else repr(self.objective),
            "rows": digest_of(self.images, self.labels),
            "frozen": _frozen(self.model),
            **config,
            "seed": seed,
        }

    def run(self, epoch: int, rows: Tensor, *, seed: int) -> tuple[float, float]:
        """One epoch over these rows; its mean loss and accuracy."""
        for_dropout, for_order = np.random.SeedSequence([seed, epoch]).generate_state(2, np.uint64)
        torch.manual_seed(int(for_dropout))
        generator = Generator().manual_seed(int(for_order))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate(epoch)
        _learn(self.model)
        batches = rows[torch.randperm(len(rows), generator=generator)].split(int(self.config.batch))
        if len(batches) > 1 and len(batches[-1]) == 1:
            batches = batches[:-1]
        losses, right = zip(*(self._step(batch, generator) for batch in batches), strict=True)
        # Looked at once an epoch: a graphics card need not wait for the host after each step.
        each = torch.stack(losses).double().cpu()
        if not each.isfinite().all():
            first = int((~each.isfinite()).nonzero()[0])
            raise InvalidData(f"training: expected a finite loss, got {each[first]:g} in epoch {epoch}, batch {first}")
        sizes = torch.tensor([len(batch) for batch in batches], dtype=torch.float64)
        return float(each @ sizes / sizes.sum()), float(torch.stack(right).sum().cpu() / sizes.sum())

    def _step(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        like = next(self.model.parameters())
        inputs, labels = self.images[rows.to(self.images.device)], self.labels[rows.to(self.labels.device)]
        labels = labels.to(like.device)
        if self.config.augmentation == "flip-crop":
            inputs = flip_crop(inputs, generator)
        if inputs.dim() == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(like.device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bfloat16"):
            loss, given = self.objective(self.model, as_input(inputs, like), labels, generator)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach(), (given.detach().argmax(dim=1) == labels).sum()


def _frozen(model: nn.Module) -> str:
    """How many parameters are frozen, and a digest that tells which."""
    frozen = torch.tensor([not value.requires_grad for value in model.parameters()])
    return f"{int(frozen.sum())} of {len(frozen)} parameters, {digest_of(frozen)[:8]}"


def _check_weights(model: nn.Module, epoch: int) -> None:
    """Refuse what the last step of an epoch left, which no loss has seen."""
    for name, value in model.named_parameters():
        if value.requires_grad and not bool(value.isfinite().all()):
            raise InvalidData(f"training: expected finite weights, got others in {name} after epoch {epoch}")


def _lay_out(model: nn.Module) -> None:
    """Channels last, the faster layout for convolutions."""
    for value in model.parameters():
        if value.dim() == 4:
            value.data = value.data.contiguous(memory_format=torch.channels_last)


def _optimiser(model: nn.Module, config: TrainingConfig) -> torch.optim.SGD:
    trained = [value for value in model.parameters() if value.requires_grad]
    if not trained:
        raise InvalidArgument("model", "parameters that require gradients", "none")
    groups = [
        {"params": [value for value in trained if value.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [value for value in trained if value.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        momentum=config.momentum,
        nesterov=config.momentum > 0,
    )


def _rows(chosen: Tensor | None, *, count: int) -> Tensor:
    if chosen is None:
        return torch.arange(count)
    expected = f"indices of rows from 0 to {count - 1}, int64, one at least"
    if not isinstance(chosen, Tensor) or chosen.dtype != torch.int64 or chosen.dim() != 1 or len(chosen) == 0:
        got = f"{chosen.dtype} of shape {tuple(chosen.shape)}" if isinstance(chosen, Tensor) else type(chosen).__name__
        raise InvalidArgument("watcher", expected, got)
    low, high = (int(value) for value in torch.aminmax(chosen))
    if low < 0 or high >= count:
        raise InvalidArgument("watcher", expected, low if low < 0 else high)
    return chosen.cpu()


def _learn(model: nn.Module) -> None:
    """Training mode, but for modules with parameters of their own that are all frozen."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(value.requires_grad for value in own):
            module.training = False


@contextmanager
def _restored(model: nn.Module) -> Iterator[None]:
    """Modes and global generators are afterwards what they were, and no gradient is left."""
    modes = [(module, module.training) for module in model.modules()]
    device = next(model.parameters()).device
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        for module, training in modes:
            module.training = training
        for value in model.parameters():
            value.grad = None
