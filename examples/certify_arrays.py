"""Certify arrays of your own: an upper bound on the training loss under any attack.

Run it with ``python examples/certify_arrays.py``.
"""

import numpy as np

import toadstone

rng = np.random.default_rng(0)
labels = np.repeat(["ham", "spam"], 250)
rows = rng.standard_normal((500, 5)) + np.where(labels == "spam", 0.6, -0.6)[:, None]

# A fifth of the rows is held out; certificates use the others alone.
result = toadstone.certify((rows, labels), fraction=[0.01, 0.03, 0.05], ridge=0.05, domain="real")
for certificate in result.certificates:
    print(
        f"with {certificate.budget.fraction:.0%} poison: "
        f"an attack reaches {certificate.attack_value:.4f}, none exceeds {certificate.bound:.4f}"
    )
print("assumed:")
for sentence in result.certificates[0].assumptions:
    print(f"  {sentence}")
