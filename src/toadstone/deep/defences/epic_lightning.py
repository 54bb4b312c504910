"""EPIC as a callback of PyTorch Lightning, the extra ``lightning``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toadstone.core.errors import InvalidArgument, missing_extra
from toadstone.deep.defences.epic import EPIC, ActiveRows

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer


def epic_callback(defence: EPIC) -> Callback:
    """Return a callback that runs EPIC before each epoch and keeps its state in Lightning's checkpoints.

    The trainer must have one data loader, with ``sampler=defence.sampler()``:
    any other would train on dropped rows, and is refused when an epoch begins.
    For training in one process.

    Parameters
    ----------
    defence : EPIC
        Its `gradients` are called with the `LightningModule` as the model.

    Returns
    -------
    lightning.pytorch.Callback

    Raises
    ------
    InvalidArgument
        If `defence` is not an EPIC; when an epoch begins, if the loader has
        another sampler.
    ModuleNotFoundError
        If Lightning is not installed.
    """
    if not isinstance(defence, EPIC):
        raise InvalidArgument("defence", "an EPIC", type(defence).__name__)
    try:
        from lightning.pytorch import Callback
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] != "lightning":
            raise
        reason = f"epic_callback {missing_extra('lightning', 'Lightning')}"
        raise ModuleNotFoundError(reason, name="lightning") from None

    class EPICCallback(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            _check_loader(trainer.train_dataloader, defence)
            defence.before_epoch(trainer.current_epoch, pl_module)

        def state_dict(self) -> dict[str, Any]:
            return defence.state_dict()

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            defence.load_state_dict(state_dict)

    return EPICCallback()


def _check_loader(loader: object, defence: EPIC) -> None:
    """Check that a loader draws through the defence's sampler."""
    # A batch sampler of the user's own wraps ours, and hides it from the loader.
    sampler = getattr(getattr(loader, "batch_sampler", None), "sampler", getattr(loader, "sampler", None))
    if not isinstance(sampler, ActiveRows) or sampler.defence is not defence:
        got = type(loader if sampler is None else sampler).__name__
        raise InvalidArgument("train_dataloaders", "a loader with sampler=defence.sampler()", f"one with {got}")
