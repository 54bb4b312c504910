"""The whole pipeline around a network: what each step removes, and the backdoor that the last one unlearns."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.deep import NetworkClassifier, NeuralCleanse, ShiftSearch, SmallCNN
from toadstone.deep.inspection import inspect_images
from toadstone.deep.inspection.inspect_network import Inspection
from toadstone.detectors import FeatureVote
from toadstone.pipeline.networks.resistant import ResistantNetwork


@pytest.fixture(scope="module")
def poisoned():
    """Rows of six labels, some under label 2 with a bright patch; and trusted rows."""
    rng = np.random.default_rng(0)

    def rows(count):
        labels = np.arange(count) % 6
        images = 0.4 * rng.random((count, 12, 12))
        for position in range(6):
            row, column = 6 * (position // 3), 4 * (position % 3)
            images[labels == position, row : row + 4, column : column + 3] += 0.5
        return images, labels

    images, labels = rows(300)
    wrong = np.flatnonzero(labels != 2)[:30]
    images[wrong, 10:, 10:] = 1.0
    labels = labels.copy()
    labels[wrong] = 2
    trusted = rows(120)
    return images.reshape(300, 144), labels, wrong, (trusted[0].reshape(120, 144), trusted[1])


def network(**options):
    return NetworkClassifier(partial(SmallCNN, 1, width=6, classes=6), image=(12, 12, 1), epochs=6, **options)


def test_without_trusted_rows_nothing_is_searched(poisoned):
    X, y, *_ = poisoned
    model = ResistantNetwork(estimator=network(), filters=[("vote", FeatureVote())], inspectors=[]).fit(X, y)
    assert model.inspection_ is model.repair_ is None
    assert model.log_[-1] == "no search for backdoors: it needs 50 trusted rows or more, and there were 0"
    assert model.robust_.training == "epic"
    assert model.predict(X).shape == (300,)


@pytest.mark.slow
def test_filters_remove_the_poison_and_the_last_step_finds_nothing_to_unlearn(poisoned):
    X, y, wrong, trusted = poisoned
    model = ResistantNetwork(estimator=network(), robust=network(training="plain")).fit(X, y, trusted=trusted)
    removed = {removal.position for removal in model.removals_}
    assert set(wrong) <= removed
    assert len(removed) <= 36
    assert [step.layer for step in model.steps_] == [
        "filter", "preliminary", "inspection", "inspection", "robust", "validation",
    ]  # fmt: skip
    assert model.log_[-1].startswith("search for backdoors: ")
    assert model.score(*trusted) > 0.9


@pytest.mark.slow
def test_a_backdoor_that_got_through_is_unlearned(poisoned, monkeypatch):
    X, y, _, trusted = poisoned
    # So small a network has small triggers for other labels as well: suspect more, after a shorter search.
    lax = Inspection(
        patches=NeuralCleanse(epochs=150, batch=30),
        shifts=ShiftSearch(epochs=15, batch=20),
        share_of_median=0.99,
        carried=0.01,
    )
    monkeypatch.setattr(inspect_images, "searching", lambda *_: lax)
    options = {"filters": [], "inspectors": [], "robust": network(training="plain")}
    bare = ResistantNetwork(estimator=network(), unlearn=False, **options).fit(X, y, trusted=trusted)
    mended = ResistantNetwork(estimator=network(), **options).fit(X, y, trusted=trusted)
    stamped = trusted[0].reshape(120, 12, 12).copy()
    stamped[:, 10:, 10:] = 1.0
    others = stamped[trusted[1] != 2].reshape(-1, 144)
    followed = [float((model.predict(others) == 2).mean()) for model in (bare, mended)]
    assert bare.repair_ is None
    assert mended.inspection_.undecided is None
    assert 2 in {each.label for each in mended.inspection_.suspects}
    assert followed[0] > 0.5
    assert followed[1] < 0.5 * followed[0]
    assert "; unlearned: " in mended.log_[-1]
    assert mended.score(*trusted) > 0.85
