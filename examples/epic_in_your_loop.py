"""Drop isolated rows while your own loop trains your own network. Needs ``pip install '.[deep]'`` in the clone.

Run it with ``python examples/epic_in_your_loop.py``.
"""

from functools import partial

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from toadstone.deep import EPIC, Schedule, head_gradients

pictures, digits = load_digits(return_X_y=True)
images = torch.tensor(pictures, dtype=torch.float32).view(-1, 1, 8, 8) / 16
labels = torch.tensor(digits)

# One picture in a hundred carries a label that somebody else chose for it.
poisoned = torch.arange(0, len(labels), 100)
labels[poisoned] = (labels[poisoned] + 1 + torch.arange(len(poisoned)) % 9) % 10

torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

# The defence: three lines here, one in the loop.
gradients = partial(head_gradients, images=images, labels=labels)
defence = EPIC(labels, Schedule(fraction=0.1, warm_up=5, interval=1, last_epoch=7), gradients)
loader = DataLoader(TensorDataset(images, labels), batch_size=64, sampler=defence.sampler())
for epoch in range(15):
    defence.before_epoch(epoch, model)
    for batch, wanted in loader:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(batch), wanted).backward()
        optimiser.step()

rows = {drop.row for drop in defence.drops}
caught = len(rows & set(poisoned.tolist()))
print(f"dropped {len(rows)} of {len(labels)} rows, among them {caught} of {len(poisoned)} poisoned ones")
print(f"for example row {defence.drops[0].row}: {defence.drops[0].reason}")
