"""Preparation on a model's own rows: a row that is added reaches one model only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, issparse

import toadstone
from toadstone.datasets.readers.request import Request
from toadstone.front.inputs import open_data
from toadstone.kernels.votes.schemes import DisjointParts
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.pipeline.certification.own_preparation import OwnPreparation, prepared_on_own_rows


def patients(n=160, seed=0):
    """A table of mixed units: a lab value in thousands, an age, a ward and a note."""
    rng = np.random.default_rng(seed)
    ill = rng.random(n) < 0.5
    return pd.DataFrame(
        {
            "value": 4000.0 + 900 * ill + 400 * rng.normal(size=n),
            "age": 50 + 15 * rng.normal(size=n),
            "ward": rng.choice(["a", "b", "c"], n),
            "note": np.where(rng.random(n) < 0.3 + 0.4 * ill, "cough at night", "well today"),
            "label": np.where(ill, "ill", "well"),
        }
    )


@pytest.mark.parametrize("columns", [["value", "age"], ["value", "age", "ward", "note"]], ids=["numbers", "all"])
def test_a_row_of_any_values_changes_the_votes_of_one_model_only(columns):
    frame = patients()
    added = pd.DataFrame([{"value": 1e8, "age": np.nan, "ward": "none", "note": "cough secret", "label": "well"}])
    reached = []
    for row_by_row in (True, False):
        ballots = []
        for rows in (frame, pd.concat([frame, added], ignore_index=True)):
            split = read(rows[[*columns, "label"]], row_by_row=row_by_row)
            learner = prepared_on_own_rows(LinearClassifier(tolerance=1e-6), split)
            voters = PartitionVoteClassifier(estimator=learner, scheme=DisjointParts(8))
            whole = split.whole()
            ballots.append(voters.fit_votes(whole.X, whole.y, whole.X[:160]))
        reached.append(int((ballots[0] != ballots[1]).any(axis=0).sum()))
    assert reached[0] <= 1
    assert reached[1] > 1


def read(frame, *, row_by_row):
    types = {"note": "text"} if "note" in frame else None
    return open_data(frame, Request(row_by_row=row_by_row, types=types)).split


def test_numbers_are_scaled_and_columns_without_a_value_dropped():
    X = np.array([[100.0, 0.0, 1.0, 0.0], [300.0, 0.0, 0.0, 0.0]])
    for rows in (X, csr_array(X)):
        fitted = OwnPreparation(numbers=1).fit(rows)
        np.testing.assert_array_equal(fitted.transform(rows), [[-1.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(OwnPreparation(numbers=1, scale="none").fit_transform(X)[:, 0], [100.0, 300.0])
    # Counts and values within [0, 1] stay as they are, unless the scale is asked for.
    counts = np.array([[0.0, 3.0], [4.0, 0.0]])
    np.testing.assert_array_equal(OwnPreparation(numbers=2, counts=True).fit_transform(counts), counts)
    assert OwnPreparation(numbers=2, counts=True, scale="standard").fit_transform(counts).min() == -1.0


def test_many_columns_stay_sparse():
    X = csr_array(np.hstack([np.full((3, 1), 7.0), np.eye(3, 2000, 5)]))
    found = OwnPreparation(numbers=1, scale="none").fit(X).transform(X)
    assert not issparse(found)
    wide = csr_array(np.hstack([np.full((3, 1), 7.0), np.ones((3, 2000))]))
    assert issparse(OwnPreparation(numbers=1, scale="none").fit(wide).transform(wide))


def test_what_was_prepared_is_left_alone():
    estimator = LinearClassifier()
    assert prepared_on_own_rows(estimator, toadstone.load("digits-1-7")) is estimator


def test_columns_that_no_model_can_train_to_the_optimum_warn_of_nothing():
    """Unscaled columns stop the solver early; the counts hold all the same."""
    frame = patients().assign(value=lambda rows: 1e3 * rows["value"])[["value", "age", "label"]]
    (found,) = toadstone.certify(frame, method="votes", partitions=20, scale="none").record
    assert found["accuracy"] > 0.5


def test_neighbours_take_a_scale_from_trusted_rows_only():
    frame, trusted = patients(), patients(40, seed=1)
    columns = ["value", "age", "label"]
    plain = toadstone.certify(frame[columns], method="neighbours", k=9)
    assert "scale" not in plain.certificates[0].evidence
    assert "columns are compared as they stand" in " ".join("\n".join(plain.lines()).split())
    scaled = toadstone.certify(frame[columns], method="neighbours", k=9, trusted=trusted[columns])
    (made,) = scaled.certificates
    np.testing.assert_allclose(made.evidence["scale"], [*trusted[columns[:2]].std(ddof=0), 1.0, 1.0])
    assert toadstone.verify(made, frame[columns]).record["verified"]
    (other,) = plain.certificates
    assert toadstone.verify(other, frame[columns]).record["verified"]
    assert not np.array_equal(made.evidence["neighbours"], other.evidence["neighbours"])


def test_a_scale_of_rows_that_may_be_poisoned_is_refused():
    frame = patients()[["value", "age", "label"]]
    with pytest.raises(toadstone.InvalidInput, match="`scale`: expected trusted rows beside it"):
        toadstone.certify(frame, method="neighbours", k=9, scale="standard")
    with pytest.raises(toadstone.InvalidInput, match="`trusted`: expected nothing for the method votes"):
        toadstone.certify(frame, method="votes", trusted=patients(40, seed=1))
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    with pytest.raises(toadstone.InvalidInput, match="`trusted`: expected nothing for data without columns to scale"):
        toadstone.certify((X, y), method="neighbours", k=3, trusted=(X[:9] + 1, y[:9]))
