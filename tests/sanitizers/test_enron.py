"""Published figures on the Enron spam set."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from toadstone.core.dataset import as_matrix
from toadstone.sanitizers.loss import LossSanitizer
from toadstone.sanitizers.neighbours import NeighboursSanitizer
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer
from toadstone.sanitizers.subspace import SubspaceSanitizer

pytestmark = pytest.mark.data

ONE_MISTAKE = 100 / 1035 + 0.01
RIDGE = 0.09
SPHERE, SLAB, LOSS = SphereSanitizer(), SlabSanitizer(), LossSanitizer(ridge=RIDGE)
PAPER = [SubspaceSanitizer(), NeighboursSanitizer()]
REFERENCE = [SubspaceSanitizer(variant="reference"), NeighboursSanitizer(variant="reference")]


def percent_wrong_after(sanitizer, train, test):
    X, y = sanitizer.fit_resample(*train)
    judge = LinearSVC(C=1 / (len(y) * RIDGE), loss="hinge", tol=1e-6, max_iter=4000, random_state=24)
    with warnings.catch_warnings():
        # The published figures come from liblinear stopped after so many rounds.
        warnings.simplefilter("ignore", ConvergenceWarning)
        judge.fit(as_matrix(X), y)
    return 100 * np.mean(judge.predict(as_matrix(test[0])) != test[1])


@pytest.mark.parametrize(
    ("sanitizer", "expected"),
    list(zip([SPHERE, SLAB, LOSS, *PAPER, *REFERENCE], [3.09, 2.80, 3.00, 3.29, 3.00, 3.29, 3.00], strict=True)),
    ids=str,
)
def test_clean_error(enron, sanitizer, expected):
    X, y, X_test, y_test = enron
    assert percent_wrong_after(sanitizer, (X, y), (X_test, y_test)) == pytest.approx(expected, abs=ONE_MISTAKE)


@pytest.mark.parametrize("variants", [PAPER, REFERENCE], ids=["paper", "reference"])
@pytest.mark.parametrize(
    ("attack", "expected"), [(14, [27.3, 21.7, 32.4, 26.6, 27.0]), (24, [23.3, 22.8, 24.5, 23.3, 23.4])]
)
def test_error_under_published_attacks(enron, enron_attack, attack, expected, variants):
    X, y, X_test, y_test = enron
    poisoned = enron_attack(X, y, attack)
    found = [
        percent_wrong_after(sanitizer, poisoned, (X_test, y_test)) for sanitizer in [SPHERE, SLAB, LOSS, *variants]
    ]
    np.testing.assert_allclose(found, expected, atol=0.3)


def test_radii_of_the_papers(enron):
    X, y, _, _ = enron
    np.testing.assert_allclose(SphereSanitizer(contamination=0.3).fit(X, y).thresholds_, [12.477, 9.115], atol=5e-4)
    np.testing.assert_allclose(SphereSanitizer(contamination=0.1).fit(X, y).thresholds_, [25.742, 20.536], atol=5e-4)
    np.testing.assert_allclose(SlabSanitizer(contamination=0.3).fit(X, y).thresholds_, [4.887, 0.491], atol=5e-4)
    np.testing.assert_allclose(SlabSanitizer(contamination=0.1).fit(X, y).thresholds_, [7.736, 0.610], atol=5e-4)


def test_rank_of_the_subspace(enron, enron_attack):
    X, y, _, _ = enron
    assert SubspaceSanitizer().fit(X, y).axes_.shape[1] == 300
    assert 320 <= SubspaceSanitizer().fit(*enron_attack(X, y, 14)).axes_.shape[1] <= 326


@pytest.mark.parametrize("sanitizer", [SPHERE, SLAB, LOSS, *PAPER, *REFERENCE], ids=str)
def test_the_number_of_threads_is_irrelevant(enron, enron_attack, sanitizer):
    X, y, _, _ = enron
    poisoned = enron_attack(X, y, 14)
    kept = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            sanitizer.fit_resample(*poisoned)
        kept.append(sanitizer.sample_indices_)
    np.testing.assert_array_equal(kept[0], kept[1])
