"""Certified accuracy by the number of units, and certificates that cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.pointwise import PointwiseCertificate, curve


def certificate(winners, counts, n_units=100):
    return PointwiseCertificate(
        method="votes",
        unit="rows added or removed",
        adversary="Adds and removes rows.",
        n_units=n_units,
        exact=True,
        classes=("a", "b", "c"),
        winners=np.asarray(winners, dtype=np.int64),
        counts=np.asarray(counts, dtype=np.int64),
        settings={},
        evidence={},
        data_sha256="",
        queries_sha256="",
        assumptions=(),
        not_promised=(),
    )


QUERIES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=12)


@given(QUERIES)
def test_certified_accuracy_is_the_share_that_is_right_and_certified(queries):
    winners, labels, counts = (np.array(column) for column in zip(*queries, strict=True))
    found = curve(certificate(winners, counts), labels)
    shares = [np.mean((winners == labels) & (counts >= units)) for units in range(11)]
    assert [found.certified(units) for units in range(11)] == shares
    assert found.accuracy == shares[0]
    halves = [units for units in range(11) if shares[units] >= 0.5]
    assert found.median == max(halves, default=0)


def test_a_fraction_of_the_units_is_rounded_up():
    found = curve(certificate([0, 0, 0], [2, 3, 29], n_units=100), [0, 0, 0])
    assert found.at(0.0) == 1.0
    assert found.at(0.021) == 2 / 3
    # 0.29 * 100 is just below 29 in binary, and 0.07 * 100 just above 7.
    assert found.at(0.29) == 1 / 3
    assert curve(certificate([0], [7], n_units=100), [0]).at(0.07) == 1.0


def test_a_label_that_cannot_be_predicted_is_wrong():
    assert curve(certificate([0, 1], [5, 5]), [-1, 1]).accuracy == 0.5


@pytest.mark.parametrize("labels", [[], [0], [[0, 1]]])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(InvalidData, match="labels: expected one for each of 2 queries"):
        curve(certificate([0, 1], [1, 1]), labels)


def test_no_queries_have_no_curve():
    with pytest.raises(InvalidData, match="labels"):
        curve(certificate([], []), [])


@pytest.mark.parametrize(
    ("winners", "counts", "field"),
    [([0, 1], [1], "counts"), ([0, 1], [1, -1], "counts"), ([0, 3], [1, 1], "winners"), ([0, -1], [1, 1], "winners")],
)
def test_winners_and_counts_that_cannot_be_are_refused(winners, counts, field):
    with pytest.raises(InvalidData, match=f"^{field}:"):
        certificate(winners, counts)


def test_a_certificate_has_units():
    with pytest.raises(InvalidArgument, match="n_units"):
        replace(certificate([0], [0]), n_units=0)
