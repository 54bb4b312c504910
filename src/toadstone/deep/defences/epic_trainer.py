"""EPIC with the Trainer of Hugging Face's transformers, the extra ``huggingface``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from torch.utils.data import DataLoader

from toadstone.core.errors import InvalidArgument, missing_extra
from toadstone.deep.defences.epic import EPIC

if TYPE_CHECKING:
    from transformers import Trainer


def epic_trainer(defence: EPIC, **options: Any) -> Trainer:
    """Return a Trainer that runs EPIC before each epoch and trains on the rows that it keeps.

    For training in one process. The data set has no other columns than those
    that the model takes, for none is removed. Checkpoints of the Trainer do
    not hold what EPIC dropped: a training resumed from one begins with all
    rows.

    Parameters
    ----------
    defence : EPIC
        Its `gradients` are called with the Trainer's model.
    **options
        Those of `transformers.Trainer`: model, args, train_dataset and more.

    Returns
    -------
    transformers.Trainer

    Raises
    ------
    InvalidArgument
        If `defence` is not an EPIC.
    ModuleNotFoundError
        If transformers is not installed.
    """
    if not isinstance(defence, EPIC):
        raise InvalidArgument("defence", "an EPIC", type(defence).__name__)
    try:
        from transformers import Trainer, TrainerCallback
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] != "transformers":
            raise
        reason = f"epic_trainer {missing_extra('huggingface', 'transformers')}"
        raise ModuleNotFoundError(reason, name="transformers") from None

    class Look(TrainerCallback):
        def on_epoch_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            defence.before_epoch(round(state.epoch or 0), given["model"])

    class EPICTrainer(Trainer):
        def get_train_dataloader(self) -> DataLoader[Any]:
            loader = DataLoader(
                cast(Any, self.train_dataset),
                batch_size=self.args.train_batch_size,
                sampler=defence.sampler(seed=self.args.seed),
                collate_fn=self.data_collator,
            )
            prepared: DataLoader[Any] = self.accelerator.prepare(loader)
            return prepared

    trainer = EPICTrainer(**options)
    trainer.add_callback(Look())
    return trainer
