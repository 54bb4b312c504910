"""Figure 8: the min-max attack on several classes."""

import dataclasses

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import (
    fig8,
)
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    DEFENCES,
)
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, judge


def test_several_classes(figures):
    rng = np.random.default_rng(0)
    centres = 0.5 + 0.2 * rng.normal(size=(3, 12))
    labels = rng.integers(3, size=240)
    rows = np.clip(centres[labels] + 0.25 * rng.normal(size=(240, 12)), 0, 1)
    split = Split("blobs", Dataset(rows[:160], labels[:160]), Dataset(rows[160:], labels[160:]), "none", "apart", "box")
    settings = fig8.MulticlassSettings(repeats=3, fraction=0.1, max_decoy_loss=2.0)
    found = figures(fig8.measure(split, settings, Conditions()))
    poison = fig8.make(split, settings, Conditions())
    defence = Defence(ridge=settings.ridge, learner="online", accuracy=1e-3)
    cells = judge(split.train, split.test, poison, fig8.SANITIZERS, defence, name="x")
    for cell in cells:
        assert found[f"min-max: test error behind {DEFENCES[cell.sanitizer]}"] == cell.test_error
    assert len(poison) == 16
    assert fit_filters(split.train, ("l2", "slab"), quantile=0.9, domain="box").contains(poison.X, poison.y).all()
    tight = dataclasses.replace(settings, max_decoy_loss=1.0)
    assert not np.array_equal(fig8.make(split, tight, Conditions()).X, poison.X)


@pytest.mark.data
@pytest.mark.slow
def test_digits_of_ten_classes(figures, data_dir):
    found = figures(fig8.run(Conditions()))
    assert min(found[f"min-max: test error behind {title}"] for title in ("L2", "slab", "loss")) >= 0.137
