"""Law of threads: how many there are changes no verdict. Attacks have the same law in test_attacks.py."""

import numpy as np
import pytest
import sklearn.cluster  # noqa: F401 - its OpenMP library must be there to be bounded
from threadpoolctl import threadpool_limits

from toadstone.catalogue import names, resolve

FEW = {"ensemble": {"n_estimators": 5}, "roni": {"n_draws": 8}, "isolation-forest": {"n_estimators": 20}}


def rows(n=600, d=12):
    """Enough rows that scikit-learn and BLAS share them out."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, n)
    X = rng.normal(size=(n, d)) + y[:, None] * rng.normal(size=d)
    X[:20] *= 8.0
    y[20:50] = (y[20:50] + 1) % 3
    return X, y


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ("detector", "sanitizer") for name in names(kind)])
def test_the_number_of_threads_is_irrelevant(kind, name):
    X, y = rows()
    method = resolve(kind, name)
    options = {"random_state": 0} if "random_state" in method().get_params() else {}
    options |= FEW.get(name, {})
    known = {"trusted": np.arange(200, 500)} if getattr(method, "needs_trusted", False) else {}
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            made = method(**options).fit(X, y, **known)
            flags = made.flagged_indices_ if kind == "detector" else made.fit_resample(X, y)[1]
        scores = made.suspicion_ if kind == "detector" else made.score_samples(X, y)
        found.append((np.asarray(flags), np.asarray(scores)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-7, atol=1e-9)
