"""EPIC with the Trainer of Hugging Face: a model of your own, images of scikit-learn, some of them poisoned.

Needs the extra ``huggingface``.
"""

import tempfile
from functools import partial

import datasets
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import TrainingArguments

from toadstone.deep import EPIC, Schedule, epic_trainer, head_gradients

digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
labels = torch.tensor(digits.target)
poisoned = torch.arange(0, 1797, 100)
labels[poisoned] = (labels[poisoned] + 1) % 10


class Model(nn.Module):
    """Returns logits, and the loss where it is given labels, as models of transformers do."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, pixel_values, labels=None):
        logits = self.layers(pixel_values)
        return logits if labels is None else {"loss": cross_entropy(logits, labels), "logits": logits}


torch.manual_seed(0)
rows = datasets.Dataset.from_dict({"pixel_values": images.numpy(), "labels": labels.numpy()}).with_format("torch")
gradients = partial(head_gradients, images=images, labels=labels)
defence = EPIC(labels, Schedule(fraction=0.1, warm_up=5, interval=1, last_epoch=7), gradients)
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder,
        num_train_epochs=15,
        learning_rate=0.01,
        per_device_train_batch_size=64,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = epic_trainer(defence, model=Model(), args=arguments, train_dataset=rows)
    trainer.train()

dropped = {drop.row for drop in defence.drops}
caught = len(dropped & set(poisoned.tolist()))
print(f"{len(dropped)} of {len(labels)} rows dropped, among them {caught} of {len(poisoned)} poisoned")
