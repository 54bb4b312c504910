"""Laws of attacks, over the catalogue: budget, domain, feasible set, repeatability, independence of threads."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from toadstone.catalogue import distinct, names, resolve
from toadstone.kernels.sets.sets import fit_domain
from toadstone.pipeline.harness.poison_check import check_poison

ATTACKS = pytest.mark.parametrize("name", distinct("attack"))
DOMAINS = pytest.mark.parametrize("domain", ["real", "box", "integer"])


def test_every_attack_of_the_catalogue_keeps_these_laws(builders):
    missing = {resolve("attack", name).__name__ for name in names("attack")} - builders
    assert not missing, "tests/laws/conftest.py has to say how to build them"


@ATTACKS
@DOMAINS
class TestContract:
    @pytest.mark.parametrize(("seed", "fraction"), [(0, 0.02), (1, 0.1), (2, 0.27), (3, 0.49)])
    def test_budget_labels_and_domain_are_kept(self, name, domain, scene, seed, fraction):
        here = scene(seed, domain, fraction)
        made = here.poison(name, seed)
        check_poison(made, here.data, here.budget_for(name), fit_domain(here.data.X, domain))
        assert 0 < len(made) <= here.budget_for(name).count(len(here.data))


@pytest.mark.parametrize("seed", range(3))
def test_rows_lie_in_the_feasible_set(confined, seed, scene):
    name, domain = confined
    here = scene(seed, domain)
    made = here.poison(name, seed)
    assert len(made) > 0
    assert here.feasible_set.contains(made.X, made.y).all()


@pytest.mark.parametrize("seed", range(3))
def test_rounding_moves_rows_by_less_than_a_unit_of_each_feature(rounded, seed, scene, distance):
    name, domain = rounded
    here = scene(seed, domain)
    made = here.poison(name, seed)
    assert len(made) > 0
    assert distance(here.feasible_set, made) < np.sqrt(here.data.n_features)


@pytest.mark.parametrize("seed", range(3))
def test_corrupted_rows_keep_their_labels_and_lose_their_features(corrupting, seed, scene):
    name, domain = corrupting
    here = scene(seed, domain)
    made = here.poison(name, seed)
    assert len(made) == len(set(made.replaces.tolist())) == here.budget.count(len(here.data))
    assert made.y.tolist() == here.data.y[made.replaces].tolist()
    assert np.mean(np.any(dense(made.X) != dense(here.data.X)[made.replaces], axis=1)) > 0.5


@ATTACKS
@DOMAINS
class TestRepetition:
    def test_the_same_seed_gives_the_same_poison(self, name, domain, scene):
        one, two = (scene(1, domain).poison(name, 3) for _ in range(2))
        assert dense(one.X).tobytes() == dense(two.X).tobytes()
        assert one.y.tolist() == two.y.tolist()

    def test_the_number_of_threads_is_irrelevant(self, name, domain, scene):
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                made = scene(1, domain).poison(name, 3)
            found.append((dense(made.X).tobytes(), made.y.tolist()))
        assert found[0] == found[1]

    def test_dense_and_sparse_rows_are_attacked_alike(self, name, domain, scene):
        plain, sparse = (scene(1, domain, sparse=way).poison(name, 3) for way in (False, True))
        assert plain.y.tolist() == sparse.y.tolist()
        np.testing.assert_allclose(dense(plain.X), dense(sparse.X), atol=1e-4)

    def test_the_clean_rows_are_left_alone(self, name, domain, scene):
        data = scene(1, domain).data
        before = data.X.copy(), data.y.copy()
        scene(1, domain).poison(name)
        np.testing.assert_array_equal(data.X, before[0])
        np.testing.assert_array_equal(data.y, before[1])


def dense(X) -> np.ndarray:
    return np.ascontiguousarray(X if isinstance(X, np.ndarray) else X.toarray())
