"""Certify arrays of your own: how far poison can push the training loss.

Run it with ``python examples/certify_arrays.py``.
"""

import numpy as np

from toadstone.core.certificate import Ridge
from toadstone.core.dataset import Dataset
from toadstone.datasets import Split
from toadstone.pipeline.certify import certify_split

rng = np.random.default_rng(0)
labels = np.repeat(["ham", "spam"], 200)
rows = rng.standard_normal((400, 5)) + np.where(labels == "spam", 0.6, -0.6)[:, None]

# The first half of each class trains; certificates use nothing else.
train = np.arange(400) % 2 == 0
split = Split(
    name="two clouds",
    train=Dataset(rows[train], labels[train]),
    test=Dataset(rows[~train], labels[~train]),
    preparation="as drawn",
    test_origin="every second row",
    domain="real",
)

certified = certify_split(split, [0.01, 0.03, 0.05], quantile=0.95, hypothesis=Ridge(0.05))
for certificate in certified.certificates:
    print(
        f"with {certificate.budget.fraction:.0%} poison: "
        f"an attack reaches {certificate.attack_value:.4f}, none exceeds {certificate.bound:.4f}"
    )
print("assumed:")
for sentence in certified.certificates[0].assumptions:
    print(f"  {sentence}")
