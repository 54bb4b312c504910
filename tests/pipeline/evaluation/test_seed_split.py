"""The rows of a seed: trusted ones are beyond the attacker's reach, copies and all."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.dataset import Dataset, Trusted
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.split import Split
from toadstone.pipeline.evaluation.seed_split import draw_part, draw_test, refuse_shared, shared_rows


def repeating(n: int = 200) -> Split:
    """Rows of which each occurs about four times, a third of them spam."""
    rng = np.random.default_rng(0)
    rows = Dataset(rng.integers(0, n // 4, size=(n, 1)).astype(float) + 0.5, np.repeat(["ham", "ham", "spam"], n)[:n])
    y = np.where(rng.random(n) < 1 / 3, "spam", "ham")
    return Split("repeating", Dataset(rows.X, y), Dataset(rows.X[:50], y[:50]), "none", "published test split")


def test_no_copy_of_a_trusted_row_is_within_reach():
    split = repeating()
    part = draw_part(split, seed=0, rows=200, test=split.test, share=0.2, trusted=None)
    assert part.trusted is not None
    assert len(part.trusted) + len(part.clean) == 200
    assert not shared_rows(part.trusted.X, part.clean.X).size
    assert 0.1 < len(part.trusted) / 200 < 0.3
    assert sorted([*part.trusted.row_ids, *part.clean.row_ids]) == list(range(200))


def test_every_class_keeps_its_share_and_seeds_differ(small):
    split = small(n=300)
    parts = [draw_part(split, seed=seed, rows=100, test=split.test, share=0.1, trusted=None) for seed in (0, 0, 1)]
    for part in parts:
        assert abs(len(part.clean) + len(part.trusted) - 100) <= 1
        whole = np.mean(split.train.y == "spam")
        assert abs(np.mean(part.clean.y == "spam") - whole) < 0.02
        assert len(part.trusted.classes) == 2
    assert np.array_equal(parts[0].clean.row_ids, parts[1].clean.row_ids)
    drawn = [np.union1d(part.clean.row_ids, part.trusted.row_ids) for part in parts]
    assert not np.array_equal(drawn[0], drawn[2])


def test_given_trusted_rows_replace_the_share(small):
    split, trusted = small(), Trusted(small(seed=5).test, because="checked")
    part = draw_part(split, seed=0, rows=500, test=split.test, share=0.5, trusted=trusted)
    assert part.trusted is trusted.data
    assert part.clean is split.train
    assert draw_part(split, seed=0, rows=500, test=split.test, share=0.0, trusted=None).trusted is None


def test_test_rows_are_drawn_in_their_order(small):
    test = small().test
    assert draw_test(test, 60, 0) is test
    few = draw_test(test, 20, 0)
    assert len(few) == 20
    assert np.all(np.diff(few.row_ids) > 0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda train: Dataset(train.X[:5], train.y[:5]), "`trusted`: expected rows that are not among .* 5 of 5"),
        (lambda train: Dataset(train.X[:5, :2] + 9, train.y[:5]), "`trusted`: expected rows of 4 columns, got 2"),
        (lambda train: Dataset(train.X[:5] + 9, ["eggs"] * 5), "`trusted`: expected rows labelled ham, spam, got eggs"),
    ],
)
def test_trusted_rows_that_cannot_be(small, wrong, sentence):
    train = small().train
    with pytest.raises(InvalidArgument, match=sentence):
        refuse_shared(wrong(train), train)


def test_a_class_of_one_row_is_refused(small):
    split = small()
    odd = Dataset(split.train.X, np.array(["odd", *split.train.y[1:]]))
    with pytest.raises(InvalidData, match="class odd: expected at least 2 rows"):
        draw_part(Split("odd", odd, split.test, "", ""), seed=0, rows=99, test=odd, share=0.1, trusted=None)
