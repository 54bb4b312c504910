"""The success rate of backdoors and the damage of attacks on a part."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.attacks.backdoors.backdoor import BackdoorAttack
from toadstone.attacks.backdoors.row_trigger import FeatureTrigger
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.learners.linear import LinearClassifier
from toadstone.pipeline.evaluation.attack_success import success_rate
from toadstone.pipeline.evaluation.group_damage import group_damage
from toadstone.pipeline.harness.judge import merge

TRIGGER = FeatureTrigger(features=(1,), values=(1.0,))


class Rule:
    """Says "b" from 5 on, "c" from 8 on, and "a" where the trigger is and the first feature is even."""

    def predict(self, X):
        said = np.where(X[:, 0] >= 8, "c", np.where(X[:, 0] >= 5, "b", "a"))
        return np.where((X[:, 1] == 1) & (X[:, 0] % 2 == 0), "a", said)


def test_rows_of_the_target_and_rows_gone_wrong_do_not_count():
    X = np.column_stack([np.arange(10.0), np.zeros(10)])
    y = np.array(["a"] * 4 + ["b"] * 4 + ["c"] * 2)  # the fifth row, 4, is misclassified
    rate = success_rate(Rule(), Dataset(X, y), TRIGGER, target="a")
    assert (rate.count, rate.total) == (2, 5)  # 6 and 8 of 5, 6, 7, 8, 9
    only = success_rate(Rule(), Dataset(X, y), TRIGGER, target="a", source="c")
    assert (only.count, only.total) == (1, 2)
    assert only.low < 0.5 < only.high


@pytest.mark.parametrize(
    ("target", "source", "name"), [("x", None, "target"), ("a", "x", "source"), ("a", "a", "source")]
)
def test_labels_that_make_no_sense(target, source, name):
    data = Dataset(np.zeros((2, 2)), ["a", "b"])
    with pytest.raises(InvalidArgument, match=f"`{name}`"):
        success_rate(Rule(), data, TRIGGER, target=target, source=source)


def test_nothing_left_to_try():
    with pytest.raises(InvalidData, match="expected some of another class that are classified rightly, got none"):
        success_rate(Rule(), Dataset(np.zeros((2, 2)), ["a", "b"]), TRIGGER, target="a")


def test_a_backdoor_opens_and_a_clean_model_stays_shut():
    rng = np.random.default_rng(0)
    y = np.resize([0, 1], 300)
    data = Dataset(np.column_stack([rng.normal(size=300) + 4 * y - 2, np.zeros(300)]), y)
    trigger = FeatureTrigger(features=(1,), values=(8.0,))
    X, labels, _ = merge(data, BackdoorAttack(trigger=trigger, target=0).poison(data, Budget(0.1), rng))
    clean, opened = LinearClassifier().fit(data.X, data.y), LinearClassifier().fit(X, labels)
    assert success_rate(clean, data, trigger, target=0).value == 0
    assert success_rate(opened, data, trigger, target=0).value > 0.95
    assert np.mean(opened.predict(data.X) == data.y) > 0.93


@pytest.mark.parametrize("inside", [np.ones(2, bool), np.zeros(2, bool), np.ones(3, bool)])
def test_groups_that_make_no_sense(inside):
    with pytest.raises(InvalidData, match="inside: expected"):
        group_damage(Rule(), Rule(), Dataset(np.zeros((2, 2)), ["a", "b"]), inside)
