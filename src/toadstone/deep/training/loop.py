"""Training by stochastic gradient descent that can be watched, interrupted and repeated.

All random draws of an epoch come from the seed and the number of the epoch. An
interrupted training therefore resumes to the same bytes, on the same machine
with the same number of threads. On a graphics card this needs
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
from toadstone.deep.tensors.features import float_logits, logits
from toadstone.deep.tensors.images import as_input, check_images, check_labels
from toadstone.deep.tensors.precision import computing
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.progress import Checkpoint, History, TrainingState, watcher_identity


class Watcher(Protocol):
    """Choice of the rows to train on before each epoch, as by EPIC or a trimmed loss.

    Optional members: ``state_dict()`` and ``load_state_dict(state)``, of tensors
    and JSON values, where there is a state to resume. ``settings``, a string
    that identifies the options; checkpoints record it and the type, and refuse
    other watchers. ``row_count``, the number of rows that the watcher was made
    for; training on another number is refused.
    """

    def before_epoch(self, epoch: int, model: nn.Module) -> Tensor | None:
        """Return the indices of the rows to train on, int64, or None for all."""


class Objective(Protocol):
    """Loss of a batch; a frozen dataclass, so that its representation identifies it in checkpoints."""

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return the loss, a scalar, and the logits of the images."""


def plain(model: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return the mean cross entropy of a batch and its logits, without random draws."""
    given = float_logits(model, images)
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
    """Train a model in place, by default to minimal cross entropy.

    Rows are in a new order in every epoch. A last batch of a single row is left
    out: batch norms need two.

    Parameters
    ----------
    model : Module
        On the device to train on. Frozen parameters are unchanged, and norms
        with frozen parameters only keep their statistics.
    images : Tensor of shape (n, channels, height, width)
        8-bit, or in [0, 1]; on any device. For a head on its own, features of
        shape (n, d).
    labels : Tensor of shape (n,), int64
    config : TrainingConfig
    seed : int
        Draws order, augmentation and dropout, but not the initial weights.
    objective : Objective
        For example `toadstone.deep.training.trades.Trades`.
    watcher : Watcher, optional
    checkpoint : Checkpoint, optional
        File to save progress to, and to resume from where it exists.

    Returns
    -------
    History
        Of all epochs, those before an interruption included.

    Raises
    ------
    InvalidData
        If images or labels are invalid, a loss or a weight is not finite, or
        the checkpoint is damaged or of another training. Weights that are not
        finite are never saved.
    InvalidArgument
        If the watcher was made for another number of rows, or chooses no row
        or one out of range; if the folder of the checkpoint does not exist.
    """
    check_images(images)
    check_labels(labels, count=len(images), classes=logits(model, images[:1]).shape[1])
    check_count(0, seed=seed)
    made_for = getattr(watcher, "row_count", len(images))
    if made_for != len(images):
        raise InvalidArgument("watcher", f"one made for {len(images)} rows, the number of images", made_for)
    _use_channels_last(model)
    epochs = _Epochs(
        model=model,
        optimiser=_optimiser(model, config),
        images=images,
        labels=labels,
        config=config,
        objective=objective,
    )
    progress = TrainingState(
        model=model,
        optimiser=epochs.optimiser,
        watcher=watcher,
        checkpoint=checkpoint,
        training=epochs.facts(seed=seed, watcher=watcher) if checkpoint else {},
    )
    progress.resume()
    with _restored(model):
        for epoch in range(progress.history.epochs, config.epochs):
            chosen = watcher.before_epoch(epoch, model) if watcher is not None else None
            rows = _rows(chosen, count=len(images))
            loss, accuracy = epochs.run(epoch, rows, seed=seed)
            _check_weights(model, epoch)
            progress.after_epoch(loss=loss, accuracy=accuracy, rows=len(rows), last=epoch + 1 == config.epochs)
    return progress.history


@dataclass(frozen=True, eq=False, kw_only=True)
class _Epochs:
    """Everything that an epoch of a training needs but its rows."""

    model: nn.Module
    optimiser: torch.optim.SGD
    images: Tensor
    labels: Tensor
    config: TrainingConfig
    objective: Objective

    def facts(self, *, seed: int, watcher: Watcher | None) -> dict[str, object]:
        """Return the facts that identify this training in a checkpoint."""
        config = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self.config).items()
        }
        return {
            "watcher": watcher_identity(watcher),
            "objective": "cross entropy" if self.objective is plain else repr(self.objective),
            "rows": digest_of(self.images, self.labels),
            "frozen": _frozen(self.model),
            **config,
            "seed": seed,
        }

    def run(self, epoch: int, rows: Tensor, *, seed: int) -> tuple[float, float]:
        """Train for one epoch on these rows and return its mean loss and accuracy."""
        # From seed and epoch alone: a resumed training needs no state of generators.
        for_dropout, for_order = np.random.SeedSequence([seed, epoch]).generate_state(2, np.uint64)
        torch.manual_seed(int(for_dropout))
        generator = Generator().manual_seed(int(for_order))
        _learn(self.model)
        batches = rows[torch.randperm(len(rows), generator=generator)].split(int(self.config.batch))
        if len(batches) > 1 and len(batches[-1]) == 1:
            batches = batches[:-1]
        steps = ((number + 0.5) / len(batches) for number in range(len(batches)))
        done = (
            self._step(batch, generator, rate=self.config.rate(epoch, passed))
            for batch, passed in zip(batches, steps, strict=True)
        )
        losses, right = zip(*done, strict=True)
        # Once an epoch: reading the loss after each step would make a graphics card wait for the CPU.
        each = torch.stack(losses).double().cpu()
        if not each.isfinite().all():
            first = int((~each.isfinite()).nonzero()[0])
            raise InvalidData(f"training: expected a finite loss, got {each[first]:g} in epoch {epoch}, batch {first}")
        sizes = torch.tensor([len(batch) for batch in batches], dtype=torch.float64)
        return float(each @ sizes / sizes.sum()), float(torch.stack(right).sum().cpu() / sizes.sum())

    def _step(self, rows: Tensor, generator: Generator, *, rate: float) -> tuple[Tensor, Tensor]:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        like = next(self.model.parameters())
        inputs, labels = self.images[rows.to(self.images.device)], self.labels[rows.to(self.labels.device)]
        labels = labels.to(like.device)
        if self.config.augmentation == "flip-crop":
            inputs = flip_crop(inputs, generator)
        if inputs.dim() == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with computing(like.device, self.config.precision):
            loss, given = self.objective(self.model, as_input(inputs, like), labels, generator)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach(), (given.detach().argmax(dim=1) == labels).sum()


def _frozen(model: nn.Module) -> str:
    """Return the number of frozen parameters and a digest of which they are."""
    frozen = torch.tensor([not value.requires_grad for value in model.parameters()])
    return f"{int(frozen.sum())} of {len(frozen)} parameters, {digest_of(frozen)[:8]}"


def _check_weights(model: nn.Module, epoch: int) -> None:
    """Check that weights are finite after an epoch, whose last step no loss has covered."""
    for name, value in model.named_parameters():
        if value.requires_grad and not bool(value.isfinite().all()):
            raise InvalidData(f"training: expected finite weights, got infinite or NaN in {name} after epoch {epoch}")


def _use_channels_last(model: nn.Module) -> None:
    """Store the weights of convolutions with channels last, the faster layout."""
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
    expected = f"at least one index of a row from 0 to {count - 1}, int64"
    if not isinstance(chosen, Tensor) or chosen.dtype != torch.int64 or chosen.dim() != 1 or len(chosen) == 0:
        got = f"{chosen.dtype} of shape {tuple(chosen.shape)}" if isinstance(chosen, Tensor) else type(chosen).__name__
        raise InvalidArgument("watcher", expected, got)
    low, high = (int(value) for value in torch.aminmax(chosen))
    if low < 0 or high >= count:
        raise InvalidArgument("watcher", expected, low if low < 0 else high)
    return chosen.cpu()


def _learn(model: nn.Module) -> None:
    """Switch to training mode, except modules whose own parameters are all frozen."""
    model.train()
    # A frozen batch norm in training mode would still update its statistics.
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(value.requires_grad for value in own):
            module.training = False


@contextmanager
def _restored(model: nn.Module) -> Iterator[None]:
    """Restore modes and global generators afterwards, and clear gradients."""
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
