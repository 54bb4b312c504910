"""Label flips against every attacker of small problems."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.flips import certify_flips, strongest_flips


def winner_of(alpha, codes, n_classes):
    scores = [sum(alpha[i] for i in np.flatnonzero(codes == c)) for c in range(n_classes)]
    return int(np.argmax(scores))


def by_force(alpha, codes, n_classes, groups):
    """Winner and count by trying all labelings; weights must be whole numbers."""
    winner, units = winner_of(alpha, codes, n_classes), np.unique(groups)
    labels = np.array(list(product(range(n_classes), repeat=len(codes))))
    scores = np.stack([(labels == c) @ alpha for c in range(n_classes)], axis=1)
    touched = sum((labels != codes)[:, groups == unit].any(axis=1).astype(int) for unit in units)
    changed = scores.argmax(axis=1) != winner
    return winner, (touched[changed].min() - 1 if changed.any() else len(units))


@st.composite
def problems(draw):
    n_classes = draw(st.integers(2, 4))
    n = draw(st.integers(1, 8 if n_classes == 2 else 7 - n_classes // 2))
    alpha = draw(st.lists(st.integers(-4, 6), min_size=n, max_size=n))
    codes = draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    return np.array(alpha), np.array(codes), n_classes


@given(problems())
def test_rows_by_force(problem):
    alpha, codes, n_classes = problem
    found = certify_flips(alpha[None] * 0.25, codes, n_classes=n_classes)
    assert (found.winner[0], found.count[0]) == by_force(alpha, codes, n_classes, np.arange(len(codes)))


@given(problems(), st.data())
def test_groups_by_force(problem, data):
    alpha, codes, n_classes = problem
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(codes), max_size=len(codes)))
    groups = np.unique(drawn, return_inverse=True)[1]
    found = certify_flips(alpha[None] * 0.5, codes, n_classes=n_classes, groups=groups)
    assert (found.winner[0], found.count[0]) == by_force(alpha, codes, n_classes, groups)


def scene(seed, *, n=400, n_classes=5, q=30):
    """Weights over several orders of magnitude, with a lead for one class."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    alpha = 0.5 * rng.normal(size=(q, n)) * np.exp(rng.normal(size=(q, n)))
    alpha += 1.0 * (codes[None] == rng.integers(0, n_classes, q)[:, None])
    return alpha, codes, n_classes


def sorted_counts(alpha, codes, n_classes):
    """Counts by sorting all gains of every rival."""
    counts = []
    for weights in alpha:
        scores = np.bincount(codes, weights, n_classes)
        c, fewest = int(scores.argmax()), len(codes) + 1
        for d in set(range(n_classes)) - {c}:
            gains = np.abs(weights) + weights * (codes == c) - weights * (codes == d)
            reached = np.cumsum(np.sort(gains)[::-1]) >= scores[c] - scores[d]
            if reached.any():
                fewest = min(fewest, int(reached.argmax()) + 1)
        counts.append(fewest - 1)
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_many_rows_against_sorting_all_gains(seed):
    alpha, codes, n_classes = scene(seed)
    np.testing.assert_array_equal(
        certify_flips(alpha, codes, n_classes=n_classes).count, sorted_counts(alpha, codes, n_classes)
    )


def test_rows_are_groups_of_one():
    alpha, codes, n_classes = scene(5)
    one = certify_flips(alpha, codes, n_classes=n_classes)
    two = certify_flips(alpha, codes, n_classes=n_classes, groups=np.arange(len(codes)))
    for name in ("winner", "count", "rival"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_the_order_of_rows_is_irrelevant():
    alpha, codes, n_classes = scene(6)
    order = np.random.default_rng(0).permutation(len(codes))
    one = certify_flips(alpha, codes, n_classes=n_classes)
    two = certify_flips(alpha[:, order], codes[order], n_classes=n_classes)
    for name in ("winner", "count", "rival"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("grouped", [False, True])
def test_one_unit_more_changes_the_prediction_and_the_strongest_flips_of_the_count_do_not(grouped):
    alpha, codes, n_classes = scene(7)
    groups = np.random.default_rng(1).integers(0, 60, len(codes)) if grouped else None
    found = certify_flips(alpha, codes, n_classes=n_classes, groups=groups)
    assert found.count.max() > 3
    for weights, winner, count, rival in zip(alpha, found.winner, found.count, found.rival, strict=True):
        for more, changed in ((0, False), (1, True)):
            flips = strongest_flips(weights, codes, winner=winner, rival=rival, n_units=count + more, groups=groups)
            labels = codes.copy()
            labels[flips.rows] = flips.codes
            assert len(flips.units) == count + more
            assert np.isin(
                flips.rows, flips.units if groups is None else np.flatnonzero(np.isin(groups, flips.units))
            ).all()
            assert (winner_of(weights, labels, n_classes) != winner) == changed


def test_ties_go_to_the_lower_class():
    alpha = np.array([[1.0, 1.0, 2.0]])
    first = certify_flips(alpha, np.array([0, 0, 1]), n_classes=2)
    assert (first.winner[0], first.count[0]) == (0, 0)
    # Class 1 leads by 2; a flip of the first row leaves a tie, which class 0 wins.
    second = certify_flips(alpha, np.array([0, 1, 1]), n_classes=2)
    assert (second.winner[0], second.count[0]) == (1, 0)
    third = certify_flips(alpha, np.array([1, 0, 0]), n_classes=2)
    assert (third.winner[0], third.count[0]) == (0, 0)


def test_nothing_can_change_a_prediction_without_weights():
    found = certify_flips(np.zeros((1, 3)), np.array([0, 1, 1]), n_classes=2)
    assert (found.winner[0], found.count[0], found.rival[0]) == (0, 3, -1)


def test_one_class_has_no_rival():
    found = certify_flips(np.ones((1, 3)), np.zeros(3, dtype=int), n_classes=1)
    assert (found.winner[0], found.count[0], found.rival[0]) == (0, 3, -1)


def test_an_error_never_raises_a_count_and_hides_a_small_lead():
    alpha, codes, n_classes = scene(8)
    exact = certify_flips(alpha, codes, n_classes=n_classes)
    last = exact.count
    for size in (1e-9, 1.0, 30.0, 1e6):
        rough = certify_flips(alpha, codes, n_classes=n_classes, error=np.full(len(alpha), size))
        assert np.all(rough.count <= last)
        last = rough.count
    assert np.all(last == 0)


@pytest.mark.parametrize("size", [1e-300, 1e-5, 1.0, 1e250])
def test_the_scale_of_the_weights_is_irrelevant(size):
    alpha, codes, n_classes = scene(9, n=60)
    np.testing.assert_array_equal(
        certify_flips(alpha * size, codes, n_classes=n_classes).count,
        certify_flips(alpha, codes, n_classes=n_classes).count,
    )


def test_errors_within_their_bound_change_no_certified_prediction():
    # A tie but for an error of the weights: the count must not rest on it.
    codes = np.array([0, 1])
    found = certify_flips(np.array([[1.0 + 1e-12, 1.0]]), codes, n_classes=2, error=np.array([2e-12]))
    assert found.count[0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": np.ones((2, 2))}, "`alpha`: expected a row of 3 weights for each query, got shape"),
        ({"alpha": np.array([[1.0, np.nan, 0.0]])}, "`alpha`: expected finite weights"),
        ({"codes": np.array([0, 1, 2])}, "`codes`: expected classes from 0 to 1, got 0 to 2"),
        ({"error": np.array([-1.0])}, "`error`: expected a number not negative"),
        ({"groups": np.array([0, 1])}, "`groups`: expected a number from 0 for each of 3 rows"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"alpha": np.ones((1, 3)), "codes": np.array([0, 1, 1]), "n_classes": 2} | change
    with pytest.raises(InvalidArgument, match=message):
        certify_flips(given.pop("alpha"), given.pop("codes"), **given)
