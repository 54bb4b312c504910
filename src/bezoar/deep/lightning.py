"""EPIC in PyTorch Lightning, where that is installed: it is no dependency of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bezoar.deep.epic import EPIC

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer


def epic_callback(defence: EPIC) -> Callback:
    """A callback that lets EPIC look before each epoch, and keeps its state in Lightning's checkpoints.

    The trainer's data loader draws its batches through ``defence.sampler()``.

    Parameters
    ----------
    defence : EPIC
        Its `gradients` are asked with the `LightningModule` as the model.

    Returns
    -------
    lightning.pytorch.Callback

    Raises
    ------
    ModuleNotFoundError
        If Lightning is not installed.
    """
    try:
        from lightning.pytorch import Callback
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] != "lightning":
            raise
        reason = "epic_callback needs Lightning, which is not installed: pip install lightning"
        raise ModuleNotFoundError(reason, name="lightning") from None

    class EPICCallback(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            defence.before_epoch(trainer.current_epoch, pl_module)

        def state_dict(self) -> dict[str, Any]:
            return defence.state_dict()

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            defence.load_state_dict(state_dict)

    return EPICCallback()
