"""The paper's burn-in, by data set and fraction."""

from __future__ import annotations

import pytest

from toadstone.attacks.decoys.burn_in import paper_burn_in
from toadstone.core.errors import InvalidArgument, UnknownName


@pytest.mark.parametrize(
    ("name", "fraction", "multiple"),
    [
        ("enron", 0.03, 7 / 3),
        ("enron", 0.05, 1.0),
        ("dogfish", 0.01, 9.0),
        ("imdb", 0.03, 1.0),
        ("imdb", 0.005, 3.0),
        ("mnist-1-7", 0.03, 0.33),
        ("mnist", 0.01, 0.5),
    ],
)
def test_known_multiples(name, fraction, multiple):
    assert paper_burn_in(name, fraction) == pytest.approx(multiple)


def test_others_are_refused():
    with pytest.raises(UnknownName, match="`name`: expected one of enron, dogfish, imdb, mnist-1-7, mnist, got adult"):
        paper_burn_in("adult", 0.03)
    with pytest.raises(InvalidArgument, match="`fraction`: expected a positive number, got 0"):
        paper_burn_in("enron", 0.0)
