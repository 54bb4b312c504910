"""Train behind detectors of your choice, and choose by grid search how much may be removed.

Run it with ``python examples/defend_in_a_grid_search.py``.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split

from toadstone.datasets import load
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.detectors.labels.confident_learning import ConfidentLearning
from toadstone.pipeline.layers.classifier import ResistantClassifier

split = load("breast-cancer")
X, y = split.train.X, split.train.y.copy()

# Some rows are known to be clean; among the others every fifth malignant one is called benign.
X, trusted_X, y, trusted_y = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
turned = np.flatnonzero(y == "malignant")[::5]
y[turned] = "benign"

model = ResistantClassifier(
    estimator=LogisticRegression(C=0.1),
    filters=[("far", RobustMahalanobis()), ("mislabelled", ConfidentLearning(false_alarm_rate=0.05))],
)
model.fit(X, y, trusted=(trusted_X, trusted_y))
for line in model.log_:
    print(line)
caught = np.isin([removal.position for removal in model.removals_], turned).sum()
print(f"removed {len(model.removals_)} rows, among them {caught} of {len(turned)} poisoned ones")
first = model.removals_[0]
print(f"for example row {first.position}, by {first.step}: {first.reason}")

search = GridSearchCV(model, {"max_removed": [0.0, 0.1], "mislabelled__false_alarm_rate": [0.01, 0.05]}, cv=3)
search.fit(X, y, trusted=(trusted_X, trusted_y))
print(f"chosen on held-out folds, which are poisoned too: {search.best_params_}")
