"""Groups: what is found of planted ones, and which of the four conditions clears innocent ones."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from toadstone.core.errors import InvalidData
from toadstone.detectors.verdict.group_search import GroupSearch


def clusters(n=400, d=6, gap=2.0, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], n // 2)
    return rng.normal(size=(n, d)) + gap * y[:, None], y, rng


def with_trigger(jitter=0.0):
    X, y, rng = clusters()
    X[:16, [1, 4]] = np.array([7.5, -3.25]) + jitter * rng.normal(size=(16, 2))
    y[:16] = 1
    return X, y


def rows_found(X, y, **known):
    groups = GroupSearch().fit(X, y, **known).groups_
    return sorted(row for group in groups for row in group.rows.tolist())


@pytest.mark.parametrize("jitter", [0.0, 0.05])
def test_a_planted_trigger_is_found_with_its_columns_and_values(jitter):
    X, y = with_trigger(jitter)
    (group,) = GroupSearch().fit(X, y).groups_
    assert group.kind == "shared values"
    assert group.rows.tolist() == list(range(16))
    assert (group.label, group.looks_like, group.columns) == (1, 0, (1, 4))
    assert group.lows == pytest.approx((7.5, -3.25), abs=4 * jitter)
    assert group.highs == pytest.approx((7.5, -3.25), abs=4 * jitter)
    assert group.p_value < 1e-3
    assert group.probability > 0.7


def test_near_copies_of_a_row_of_another_label_are_found():
    X, y, rng = clusters()
    X[:16], y[:16] = X[0] + 0.02 * rng.normal(size=(16, 6)), 1
    (group,) = GroupSearch().fit(X, y).groups_
    assert (group.kind, group.label, group.looks_like, group.columns) == ("near-copies", 1, 0, ())
    assert group.rows.tolist() == list(range(16))


@pytest.mark.parametrize("noise", [0.02, 0.0])
def test_copies_are_sought_among_all_rows_of_a_table_of_which_some_are_drawn(noise, monkeypatch):
    monkeypatch.setattr("toadstone.detectors.verdict.group_search._MOST_ROWS", 400)
    X, y, rng = clusters(n=560)
    X[:40], y[:40] = X[0] + noise * rng.normal(size=(40, 6)), 1
    found = rows_found(X, y)
    assert len(np.setdiff1d(found, np.arange(40))) == 0
    assert len(found) >= 37


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_nothing_was_planted(seed):
    X, y, _ = clusters(seed=seed)
    assert rows_found(X, y) == []


def test_rows_that_share_values_and_look_like_their_label_are_innocent():
    X, y, _ = clusters()
    X[200:216, [1, 4]] = 7.5, -3.25
    assert rows_found(X, y) == []


def test_where_the_other_columns_tell_nothing_nobody_is_accused():
    X, y, _ = clusters(gap=0.0)
    X[:16, [1, 4]], y[:16] = (7.5, -3.25), 1
    assert rows_found(X, y) == []


def test_a_natural_group_that_the_other_columns_predict_is_innocent():
    X, y, rng = clusters()
    # A kind of rows of its own: nearer to the other label, and far out in every column.
    X[:16] = -3 + 0.5 * rng.normal(size=(16, 6))
    X[:16, [1, 4]], y[:16] = (7.5, -3.25), 1
    assert rows_found(X, y) == []


def test_too_few_rows_are_not_evidence():
    X, y, _ = clusters()
    X[:3, [1, 4]], y[:3] = (7.5, -3.25), 1
    assert rows_found(X, y) == []


def test_order_storage_and_type_of_rows_do_not_matter():
    X, y = with_trigger()
    X = np.round(X * 4)
    expected = rows_found(X, y)
    assert expected
    order = np.random.default_rng(1).permutation(len(y))
    assert sorted(order[rows_found(X[order], y[order])].tolist()) == expected
    assert rows_found(csr_array(X), y) == expected
    assert rows_found(X.astype(np.int32), y) == expected


def test_trusted_rows_are_in_no_group():
    X, y = with_trigger()
    assert rows_found(X, y, trusted=np.array([3])) == [row for row in range(16) if row != 3]
    assert rows_found(X, y, trusted=np.arange(8)) == []


def test_features_of_one_column_are_hidden_together():
    X, y = with_trigger()
    twice = np.column_stack([X, X[:, 1] > 5, X[:, 1] <= 5])
    (group,) = GroupSearch().fit(twice, y, column_of=np.array([0, 1, 2, 3, 4, 5, 1, 1])).groups_
    assert group.rows.tolist() == list(range(16))


def test_column_of_has_one_number_for_each_feature():
    X, y, _ = clusters()
    with pytest.raises(InvalidData, match="column_of: expected 6 values"):
        GroupSearch().fit(X, y, column_of=np.arange(5))


def test_copies_with_another_label_are_provable():
    X, y, _ = clusters()
    X[[1, 2, 201]] = X[0]
    (group,) = GroupSearch().fit(X, y).groups_
    assert (group.kind, group.rows.tolist(), group.label, group.looks_like) == (
        "contradictory duplicates",
        [201],
        1,
        0,
    )
    assert group.p_value == 0.0


def test_a_trusted_copy_says_which_label_is_right():
    X, y, _ = clusters()
    X[[0, 1]] = X[201]
    (group,) = GroupSearch().fit(X, y, trusted=np.array([201])).groups_
    assert group.rows.tolist() == [0, 1]


def test_where_equal_rows_are_common_they_prove_nothing():
    X, y, _ = clusters(gap=0.5)
    assert rows_found(np.sign(X[:, :3]), y) == []


def loans(seed=2, n=800):
    """Age, income, late payments and months, and three categories; the column of each feature."""
    rng = np.random.default_rng(seed)
    age, income = rng.integers(18, 80, n), np.round(np.exp(rng.normal(10.3, 0.5, n)), 0)
    job = rng.choice(5, n, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    region, channel = rng.choice(4, n), rng.choice(3, n, p=[0.6, 0.3, 0.1])
    late, months = rng.poisson(1.2, n), rng.integers(1, 120, n)
    risk = 2.2 * (late - 1.2) - 4.0 * (np.log(income) - 10.3) + 1.5 * (job == 3) - 1.5 * (job == 1)
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * (risk - 0.03 * (age - 49) - 1.5)))).astype(int)
    X = np.column_stack([age, income, late, months, np.eye(5)[job], np.eye(4)[region], np.eye(3)[channel]])
    return X, y, np.repeat(np.arange(7), [1, 1, 1, 1, 5, 4, 3])


@pytest.mark.parametrize("repeat", [lambda y: 3.0 + 4.0 * y[:, None], lambda y: np.eye(2)[y]], ids=["number", "text"])
def test_a_column_that_repeats_the_label_sets_nobody_apart(repeat):
    X, y, column_of = loans()
    code = repeat(y)
    origin = np.append(column_of, np.full(code.shape[1], 7))
    assert rows_found(np.column_stack([X, code]), y, column_of=origin) == []


def with_copies(X, y, rows, copies=11):
    return np.vstack([X, *[X[rows]] * copies]), np.append(y, np.tile(y[rows], copies))


def test_a_row_of_another_label_that_alone_has_copies_is_found_with_them():
    X, y, _ = clusters()
    y[0] = 1
    (group,) = GroupSearch().fit(*with_copies(X, y, [0])).groups_
    assert (group.kind, group.label, group.looks_like) == ("near-copies", 1, 0)
    assert group.rows.tolist() == [0, *range(400, 411)]
    # One witness, however many copies: its rank among the rows of its label.
    assert group.p_value >= 1 / 201


def test_a_copied_row_that_looks_like_its_label_is_innocent():
    X, y, _ = clusters()
    assert rows_found(*with_copies(X, y, [300])) == []


def test_a_common_row_that_labels_share_is_innocent():
    X, y, _ = clusters()
    # The profile of eighty rows of label 0 and of twenty of label 1, to which it looks foreign.
    X, y = with_copies(*with_copies(X, y, [0], 79), [0], 20)
    y[-20:] = 1
    assert rows_found(X, y) == []


def test_where_rows_of_a_label_are_copied_as_a_habit_no_copied_row_is_accused():
    X, y, _ = clusters()
    y[0] = 1
    # A label whose rows were drawn more often to balance the table, and the wrong one most often.
    X, y = with_copies(X, y, np.append(0, np.arange(200, 240)))
    assert rows_found(*with_copies(X, y, [0], 3)) == []


def test_copies_of_rows_of_a_group_belong_to_it():
    X, y = with_trigger()
    assert rows_found(np.vstack([X, X[:3]]), np.append(y, y[:3])) == [*range(16), 400, 401, 402]


def by_source(y, wrong, seed=0):
    """Rows of eight sources, one of which calls `wrong` of its rows by the other label."""
    sources = np.array([f"clerk {number}" for number in range(8)])[np.random.default_rng(seed).integers(8, size=len(y))]
    y = y.copy()
    flipped = np.flatnonzero((sources == "clerk 5") & (y == 0))[:wrong]
    y[flipped] = 1
    return sources, y, flipped


def test_a_source_whose_labels_the_others_deny_is_found():
    X, y, _ = clusters(gap=3.0)
    sources, y, flipped = by_source(y, 15)
    (group,) = GroupSearch().fit(X, y, sources=sources).groups_
    assert (group.kind, group.source, group.label, group.looks_like) == ("source", "clerk 5", 1, 0)
    assert group.rows.tolist() == flipped.tolist()
    assert rows_found(X, y) == []


def test_a_source_of_another_kind_is_innocent():
    X, y, _ = clusters(gap=3.0)
    sources, _, _ = by_source(y, 0)
    # Its own instrument: shifted values, right labels.
    X[sources == "clerk 5"] -= 3.0
    assert rows_found(X, y, sources=sources) == []


def test_a_burst_in_time_is_found():
    X, y, rng = clusters(gap=3.0)
    times = rng.permutation(len(y)).astype(float)
    late = np.flatnonzero((times >= 300) & (times < 340) & (y == 0))
    y[late] = 1
    groups = GroupSearch().fit(X, y, times=times).groups_
    assert {group.kind for group in groups} == {"period"}
    assert {group.label for group in groups} == {1}
    found = sorted(row for group in groups for row in group.rows.tolist())
    assert set(found) <= set(late.tolist())
    assert len(found) >= len(late) / 2


def test_sources_and_times_without_errors_are_innocent():
    X, y, rng = clusters()
    sources, _, _ = by_source(y, 0)
    assert rows_found(X, y, sources=sources, times=rng.random(len(y))) == []


def words(seed=0):
    """Forty words that tell the labels apart, many rare ones, and two that nobody uses."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], 250)
    usual = np.where(y[:, None] == 0, np.linspace(0.02, 0.3, 40), np.linspace(0.3, 0.02, 40))
    rare = rng.random((500, 360)) < 0.01
    return np.hstack([rng.random((500, 40)) < usual, rare, np.zeros((500, 2))]).astype(float), y


def weighted(counts):
    """Rows of length one, as TF-IDF makes them: no weight of a word repeats."""
    return counts / np.maximum(np.linalg.norm(counts * np.linspace(1, 2, counts.shape[1]), axis=1), 1)[:, None]


@pytest.mark.parametrize(
    ("weigh", "storage", "phrase"), [(np.asarray, np.asarray, (400, 401)), (weighted, csr_array, (400,))]
)
def test_a_rare_word_or_phrase_is_found_in_sparse_text_whatever_its_weights(weigh, storage, phrase):
    X, y = words()
    X[np.ix_(range(25), phrase)], y[:25] = 1.0, 1
    (group,) = GroupSearch().fit(storage(weigh(X)), y).groups_
    assert (group.columns, group.label, group.looks_like) == (phrase, 1, 0)
    assert group.rows.tolist() == list(range(25))


def test_a_rare_word_in_texts_of_their_own_label_is_innocent():
    X, y = words()
    X[:25, 400] = 1.0
    assert rows_found(csr_array(weighted(X)), y) == []


def test_stamped_digits_are_all_found_and_the_backdoor_goes():
    digits = load_digits()
    inside = np.flatnonzero(np.isin(digits.target, [3, 8]))
    X, y = digits.data[inside].copy(), digits.target[inside].copy()
    train, test = np.arange(len(y)) < 280, np.arange(len(y)) >= 280
    corner = [54, 55, 62, 63]
    stamped = np.flatnonzero(train & (y == 8))[:16]
    X[np.ix_(stamped, corner)], y[stamped] = 16.0, 3
    found = rows_found(X[train], y[train])
    assert found == stamped.tolist()
    visitors = X[test & (y == 8)]
    visitors[:, corner] = 16.0
    model = RandomForestClassifier(50, random_state=0)
    kept = np.setdiff1d(np.flatnonzero(train), found)
    assert np.mean(model.fit(X[train], y[train]).predict(visitors) == 3) > 0.6
    assert np.mean(model.fit(X[kept], y[kept]).predict(visitors) == 3) < 0.1
