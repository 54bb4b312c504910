"""EPIC in PyTorch Lightning, where that is installed: it is no dependency of ours."""

from __future__ import annotations

from typing import Any

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.split(".")[0] != "lightning":
        raise
    reason = "bezoar.deep.lightning needs Lightning, which is not installed: pip install lightning"
    raise ModuleNotFoundError(reason, name="lightning") from None

from bezoar.deep.epic import EPIC


class EPICCallback(Callback):
    """Lets EPIC look before each epoch, and keeps its state in Lightning's checkpoints.

    The trainer's data loader draws its batches through ``defence.sampler()``.

    Parameters
    ----------
    defence : EPIC
        Its `gradients` are asked with the `LightningModule` as the model.
    """

    def __init__(self, defence: EPIC) -> None:
        self.defence = defence

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look, if it is time to, before the first batch is drawn."""
        self.defence.before_epoch(trainer.current_epoch, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The defence's."""
        return self.defence.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Give it back to the defence."""
        self.defence.load_state_dict(state_dict)
