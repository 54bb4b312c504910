"""Figure 3, IMDB: the stronger of two attacks."""

import dataclasses

import pytest

from toadstone.core.dataset import Poison
from toadstone.datasets import sha256
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import (
    fig3_imdb,
)
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    best_defence,
)
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.audit import NO_SANITIZER


def halved(split):
    """The same data, every other training row."""
    return dataclasses.replace(split, train=split.train.take(list(range(0, len(split.train), 2))))


@pytest.fixture(scope="module")
def imdb(small, words):
    """Figure 3's right half on small data."""
    return fig3_imdb.measure(words, small, Conditions())


def test_reviews_show_the_stronger_attack(small, figures, words, imdb, three):
    found = figures(imdb)
    best = max(best_defence(three[name].cells).test_error for name in ("kkt", "min-max"))
    assert found[f"the stronger attack: test error behind {BEST_DEFENCE}"] == best
    none = Poison(words.train.X[:0], words.train.y[:0])
    (clean,) = judge(words.train, words.test, none, (NO_SANITIZER,), Defence(ridge=0.05), name="x")
    assert found["clean test error"] == clean.test_error
    assert found[f"min-max: test error behind {BEST_DEFENCE}"] == best_defence(three["min-max"].cells).test_error
    assert imdb.data == {"words": sha256(words.train)}
    assert figures(fig3_imdb.measure(halved(words), small, Conditions())) != found
