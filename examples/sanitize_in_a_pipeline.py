"""Sanitize inside an imbalanced-learn pipeline, so that cross-validation sanitizes each training fold.

Run it with ``python examples/sanitize_in_a_pipeline.py``; it needs imbalanced-learn.
"""

import numpy as np
from imblearn.pipeline import make_pipeline
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler

from toadstone.datasets import load
from toadstone.learners.linear import LinearClassifier
from toadstone.sanitizers.neighbours import NeighboursSanitizer

split = load("digits-1-7")
X, y = split.train.X, split.train.y

# Poison: rows of noise, all under one label.
rng = np.random.default_rng(0)
noise = rng.random((12, X.shape[1])) * 2
poisoned_X, poisoned_y = np.vstack([X, noise]), np.append(y, np.repeat(y[0], len(noise)))

pipeline = make_pipeline(StandardScaler(), NeighboursSanitizer(contamination=0.1), LinearClassifier(ridge=0.01))
scores = cross_val_score(pipeline, poisoned_X, poisoned_y, cv=5)
print(f"accuracy on held-out folds: {scores.mean():.3f}")

pipeline.fit(poisoned_X, poisoned_y)
sanitizer = pipeline[1]
caught = np.count_nonzero(sanitizer.removed_indices_ >= len(X))
print(f"removed {len(sanitizer.removed_indices_)} rows, among them {caught} of {len(noise)} poisoned ones")
print(f"for example: {sanitizer.reasons_[-1]}")
