"""Differentially private training (DP-SGD): clipping and noise limit the influence of every single row.

Clipping, noise and accounting are Opacus'; nothing here draws noise or adds up
privacy.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.core.errors import InvalidArgument, InvalidData, missing_extra

try:
    from opacus.accountants import create_accountant
    from opacus.accountants.utils import get_noise_multiplier
    from opacus.grad_sample import GradSampleModule
    from opacus.optimizers import DPOptimizer
    from opacus.utils.uniform_sampler import UniformWithReplacementSampler
    from opacus.validators import ModuleValidator
except ModuleNotFoundError as missing:
    if missing.name != "opacus":
        raise
    reason = f"toadstone.deep.training.dp_sgd {missing_extra('private', 'Opacus')}"
    raise ModuleNotFoundError(reason, name="opacus") from None

from toadstone.deep.tensors.checks import first_line
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.images import as_input, check_images, check_labels

Accountant = Literal["rdp", "prv"]

_GRID = 2**23
"""Largest grid for numerical composition: it takes some seconds and half a gigabyte."""
_GRID_ERROR = 0.01
"""Default error of epsilon that Opacus allows."""
_LARGEST = 1e6
"""Largest noise and epsilon; beyond, Opacus' sums and searches do not end."""


@dataclass(frozen=True, kw_only=True)
class PrivateTrainingConfig:
    """Settings of differentially private gradient descent on Poisson samples [1]_.

    Parameters
    ----------
    epochs : int
        Of ``ceil(n / batch)`` steps each.
    batch : int
        Expected number of rows in a step; each row is drawn independently with
        probability ``batch / n``.
    learning_rate, momentum : float
    clip : float
        Norm that gradients of single rows are clipped to.
    noise : float
        Standard deviation of the noise on the sum of gradients, in units of
        `clip`; 0, or from 1e-6 to 1e6, the range of the accountants.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Abadi and others, "Deep learning with differential privacy", CCS
       2016, algorithm 1.
    """

    epochs: int = 10
    batch: int = 256
    learning_rate: float = 0.1
    momentum: float = 0.0
    clip: float = 1.0
    noise: float = 1.1

    def __post_init__(self) -> None:
        check_count(epochs=self.epochs, batch=self.batch)
        check_positive(learning_rate=self.learning_rate, clip=self.clip)
        if self.noise != 0 and not 1 / _LARGEST <= self.noise <= _LARGEST:
            raise InvalidArgument("noise", f"0, or a number from {1 / _LARGEST:g} to {_LARGEST:g}", self.noise)
        check_within("[0, 1)", momentum=self.momentum)

    def steps(self, count: int) -> int:
        """Return the number of steps on `count` rows."""
        return self.epochs * -(-count // self.batch)


def train_privately(
    model: nn.Module, images: Tensor, labels: Tensor, config: PrivateTrainingConfig, *, seed: int
) -> tuple[float, ...]:
    """Train a model in place with differential privacy; `privacy_epsilon` gives the guarantee.

    Parameters
    ----------
    model : Module
        Without batch norms, which mix rows.
    images : Tensor of shape (n, channels, height, width)
    labels : Tensor of shape (n,), int64
    config : PrivateTrainingConfig
    seed : int
        Draws samples and noise. Opacus' secure generator is not used: the
        guarantee holds against those who do not know the seed.

    Returns
    -------
    tuple of float
        Mean cross entropy of each epoch's samples before their steps; these
        numbers are not private.

    Raises
    ------
    InvalidArgument
        If the model has layers that mix rows, no parameter requires a
        gradient, or the batch is larger than the data.
    InvalidData
        If images or labels are invalid, or a loss is not finite.
    """
    check_images(images)
    check_labels(labels, count=len(images), classes=logits(model, images[:1]).shape[1])
    _check_trainable(model)
    if config.batch > len(images):
        raise InvalidArgument("batch", f"at most the {len(images)} rows", config.batch)
    # Streams of their own: what is drawn for one does not depend on how much is drawn for another.
    for_rows, for_noise, for_dropout = (int(value) for value in np.random.SeedSequence(seed).generate_state(3))
    device = next(model.parameters()).device
    samples = UniformWithReplacementSampler(
        num_samples=len(images),
        sample_rate=config.batch / len(images),
        generator=Generator().manual_seed(for_rows),
        steps=config.steps(len(images)) // config.epochs,
    )
    with _sampling_gradients(model) as wrapped:
        optimiser = DPOptimizer(
            torch.optim.SGD(wrapped.parameters(), lr=config.learning_rate, momentum=config.momentum),
            noise_multiplier=config.noise,
            max_grad_norm=config.clip,
            expected_batch_size=config.batch,
            generator=Generator(device).manual_seed(for_noise),
        )
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            # Opacus hooks every layer, and torch warns that the images need no gradient, which is intended.
            warnings.filterwarnings("ignore", message="Full backward hook is firing")
            torch.manual_seed(for_dropout)
            epochs = range(config.epochs)
            return tuple(_epoch(wrapped, optimiser, images, labels, samples, epoch) for epoch in epochs)


def privacy_epsilon(
    config: PrivateTrainingConfig, *, count: int, privacy_delta: float, accountant: Accountant = "prv"
) -> float:
    """Return the epsilon of (epsilon, delta)-differential privacy of a training, for adding or removing one row.

    Parameters
    ----------
    config : PrivateTrainingConfig
    count : int
        Number of rows trained on.
    privacy_delta : float
        Delta, in (0, 1).
    accountant : {"prv", "rdp"}
        Opacus' numerical composition, or Renyi divergences, which are looser.

    Returns
    -------
    float
        At least 0; infinite without noise.

    Raises
    ------
    InvalidArgument
        If a value is out of range; if numerical composition would need too
        fine a grid, for little noise or many steps, or finds no epsilon above
        zero. Use "rdp" then.
    """
    _check_budget(config, count=count, privacy_delta=privacy_delta)
    if accountant not in ("prv", "rdp"):
        raise InvalidArgument("accountant", "prv or rdp", accountant)
    if config.noise == 0:
        return math.inf
    if accountant == "rdp":
        return max(_spent("rdp", config, count=count, privacy_delta=privacy_delta), 0.0)
    # Refused beforehand: Opacus would fill the memory first.
    points = _points(config, count=count, privacy_delta=privacy_delta)
    if points > _GRID:
        expected = f"rdp for noise of {config.noise:g} in {config.steps(count)} steps"
        raise InvalidArgument("accountant", expected, f"prv, which would need a grid of {points:.2g} points")
    found = _spent("prv", config, count=count, privacy_delta=privacy_delta)
    if not found > 0:
        raise InvalidArgument("accountant", "rdp where prv finds no epsilon above 0", f"prv, and {found:.2g}")
    return found


def noise_for(config: PrivateTrainingConfig, *, count: int, privacy_epsilon: float, privacy_delta: float) -> float:
    """Return the noise with which a training has a given epsilon, by Opacus' search with Renyi divergences.

    Parameters and errors are as for `privacy_epsilon`; `config.noise` does not
    matter.
    """
    if not 0 < privacy_epsilon <= _LARGEST:
        raise InvalidArgument("privacy_epsilon", f"a number in (0, {_LARGEST:g}]", privacy_epsilon)
    _check_budget(config, count=count, privacy_delta=privacy_delta)
    try:
        found = get_noise_multiplier(
            target_epsilon=privacy_epsilon,
            target_delta=privacy_delta,
            sample_rate=config.batch / count,
            steps=config.steps(count),
            accountant="rdp",
        )
    except (ArithmeticError, RuntimeError, ValueError) as error:
        got = f"{privacy_epsilon}: {first_line(error).rstrip('.')}"
        raise InvalidArgument("privacy_epsilon", "a value that Opacus finds the noise for", got) from error
    return float(found)


def _check_trainable(model: nn.Module) -> None:
    """Check that no layer mixes the rows of a batch, and that some parameter is trained."""
    # Opacus validates in training mode only, and the caller's model stays as it is.
    wrong = ModuleValidator.validate(copy.deepcopy(model).train(), strict=False)
    if wrong:
        raise InvalidArgument("model", "layers that treat rows one by one", str(wrong[0]).splitlines()[0])
    if not any(value.requires_grad for value in model.parameters()):
        raise InvalidArgument("model", "parameters that require gradients", "none")


@contextmanager
def _sampling_gradients(model: nn.Module) -> Iterator[GradSampleModule]:
    """Hook a model for gradients of single rows; afterwards remove all that Opacus left on it."""
    training = model.training
    wrapped = GradSampleModule(model.train(), loss_reduction="sum")
    try:
        yield wrapped
    finally:
        wrapped.remove_hooks()
        wrapped.forbid_grad_accumulation()
        model.train(training)
        for value in model.parameters():
            value.grad = None
            for left in ("grad_sample", "summed_grad"):
                if hasattr(value, left):
                    delattr(value, left)


def _check_budget(config: PrivateTrainingConfig, *, count: int, privacy_delta: float) -> None:
    check_within("(0, 1)", privacy_delta=privacy_delta)
    check_count(count=count)
    if config.batch > count:
        raise InvalidArgument("count", f"at least the {config.batch} rows of a batch", count)


def _spent(accountant: Accountant, config: PrivateTrainingConfig, *, count: int, privacy_delta: float) -> float:
    """Return the epsilon by an accountant of Opacus."""
    book = create_accountant(accountant)
    book.history = [(config.noise, config.batch / count, config.steps(count))]
    try:
        return float(book.get_epsilon(delta=privacy_delta))
    except (ArithmeticError, RuntimeError, ValueError) as error:
        expected = f"a value for which Opacus' {accountant} accountant finds an epsilon at noise {config.noise:g}"
        raise InvalidArgument("privacy_delta", expected, f"{privacy_delta}: {first_line(error).rstrip('.')}") from error


def _points(config: PrivateTrainingConfig, *, count: int, privacy_delta: float) -> float:
    """Return the approximate size of Opacus' grid for numerical composition, by the formulas of its accountant."""
    allowed = privacy_delta / 1000
    reach = max(_spent("rdp", config, count=count, privacy_delta=allowed / 4), _GRID_ERROR) + 3
    return 2 * reach / _GRID_ERROR * math.sqrt(config.steps(count) * math.log(12 / allowed) / 2)


def _epoch(
    model: GradSampleModule,
    optimiser: DPOptimizer,
    images: Tensor,
    labels: Tensor,
    samples: UniformWithReplacementSampler,
    epoch: int,
) -> float:
    anchor = next(model.parameters())
    total, seen = 0.0, 0
    for number, rows in enumerate(samples):
        # A Poisson sample may be empty; the step then adds noise alone, as the accounting assumes.
        chosen = torch.tensor(rows, dtype=torch.int64)
        optimiser.zero_grad()
        given = model(as_input(images[chosen.to(images.device)], anchor))
        loss = cross_entropy(given, labels[chosen.to(labels.device)].to(anchor.device), reduction="sum")
        if not bool(loss.isfinite()):
            raise InvalidData(f"training: expected a finite loss, got {float(loss)} in epoch {epoch}, batch {number}")
        loss.backward()
        optimiser.step()
        total, seen = total + float(loss.detach()), seen + len(chosen)
    return total / max(seen, 1)
