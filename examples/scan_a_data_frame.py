"""Scan a data frame, look at the flagged rows, and go on without the wrong ones.

Run it cell by cell in an editor that knows ``# %%``, or whole with
``python examples/scan_a_data_frame.py``; it needs pandas.
"""

# %%
import numpy as np
from sklearn.datasets import load_breast_cancer

import toadstone

table = load_breast_cancer(as_frame=True).frame
table.index = [f"patient-{number:03d}" for number in range(len(table))]

# %% [markdown]
# Eight labels are wrong. Nobody tells the scan which, or how many.

# %%
wrong = table.index[np.random.default_rng(7).choice(len(table), 8, replace=False)]
table.loc[wrong, "target"] = 1 - table.loc[wrong, "target"]

# %%
result = toadstone.scan(table, label="target", detectors=["verdict", "label-errors", "ensemble"])
print(result)

# %% [markdown]
# The listed rows stand on the index of the table.

# %%
suspects = result.to_frame()  # those for review have the status "for review"
print(suspects[["label", "suggested_label", "probability", "also_flagged_by"]].head(8))
print(f"{len(set(wrong) & set(suspects.index))} of {len(wrong)} wrong labels are among {len(suspects)} listed rows")

# %% [markdown]
# Remove what the verdict lists, at most 5 % of the rows.

# %%
defended = toadstone.defend(table, label="target", max_removed=0.05)
print(defended)
kept = defended.kept
print(f"{len(kept)} of {len(table)} rows are kept")
