"""EPIC with PyTorch Lightning: images of scikit-learn, some of them poisoned.

Needs the extra ``lightning``.
"""

import warnings
from functools import partial

import lightning.pytorch as pl
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from toadstone.deep import EPIC, Schedule, epic_callback, head_gradients

# Lightning asks for worker processes, of which so small a data set has no use, and calls what torch deprecates.
warnings.filterwarnings("ignore", message=".*does not have many workers.*")
warnings.filterwarnings("ignore", category=FutureWarning)

digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
labels = torch.tensor(digits.target)
poisoned = torch.arange(0, 1797, 100)
labels[poisoned] = (labels[poisoned] + 1) % 10


class Model(pl.LightningModule):
    """A network of two layers."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, images):
        return self.layers(images)

    def training_step(self, batch, _):
        return cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


pl.seed_everything(0, verbose=False)
gradients = partial(head_gradients, images=images, labels=labels)
defence = EPIC(labels, Schedule(fraction=0.1, warm_up=5, interval=1, last_epoch=7), gradients)
loader = DataLoader(TensorDataset(images, labels), batch_size=64, sampler=defence.sampler())
trainer = pl.Trainer(
    max_epochs=15,
    accelerator="cpu",
    callbacks=[epic_callback(defence)],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Model(), loader)

dropped = {drop.row for drop in defence.drops}
caught = len(dropped & set(poisoned.tolist()))
print(f"{len(dropped)} of {len(labels)} rows dropped, among them {caught} of {len(poisoned)} poisoned")
