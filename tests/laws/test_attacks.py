"""Laws of attacks, over the catalogue: budget, domain, repeatability, independence of threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from bezoar.core.budget import Budget
from bezoar.core.certificate import Ridge
from bezoar.core.dataset import Dataset
from bezoar.core.protocols import Attack
from bezoar.datasets.split import Split
from bezoar.kernels.sets import fit_domain
from bezoar.pipeline.catalogue import names, resolve
from bezoar.pipeline.certify import certify_split
from bezoar.pipeline.evaluate import check_poison

DOMAINS = ("real", "box", "integer")


def rows(seed: int, domain: str, *, sparse: bool = False) -> Dataset:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(50) < 0.4, "spam", "ham")
    y[:4] = ["spam", "ham", "spam", "ham"]
    shift = np.outer(y == "spam", [1.0, 0.0, 1.0, 0.5])
    X = rng.poisson(1.0 + shift).astype(float) if domain == "integer" else rng.normal(size=(50, 4)) + shift
    return Dataset(csr_array(X) if sparse else X, y)


def collapse(data: Dataset, domain: str, fraction: float) -> Attack:
    split = Split("law", data, data, "none", "published test split")
    made = certify_split(split, [fraction], quantile=0.8, hypothesis=Ridge(0.1), domain=domain, tolerance=1e-3)
    return resolve("attack", "collapse").of(made.certificates[0], data.classes, made.feasible_set)


BUILDERS = {"collapse": collapse}
ATTACKS = pytest.mark.parametrize("name", names("attack"))


def test_every_attack_of_the_catalogue_keeps_these_laws():
    assert set(names("attack")) == set(BUILDERS)


@ATTACKS
@given(st.integers(0, 2**16), st.sampled_from(DOMAINS), st.floats(0.02, 0.49))
@settings(deadline=None, max_examples=15)
def test_budget_labels_and_domain_are_kept(name, seed, domain, fraction):
    data, budget = rows(seed, domain), Budget(fraction)
    made = BUILDERS[name](data, domain, fraction).poison(data, budget, np.random.default_rng(seed))
    check_poison(made, data, budget, fit_domain(data.X, domain))
    assert len(made) <= budget.count(len(data))


@ATTACKS
@pytest.mark.parametrize("domain", DOMAINS)
class TestRepetition:
    def poison(self, name, domain, *, sparse: bool = False, seed: int = 3) -> tuple[bytes, list]:
        data = rows(1, domain, sparse=sparse)
        attack = BUILDERS[name](data, domain, 0.2)
        made = attack.poison(data, Budget(0.2), np.random.default_rng(seed))
        return np.ascontiguousarray(made.X).tobytes(), made.y.tolist()

    def test_the_same_seed_gives_the_same_poison(self, name, domain):
        assert self.poison(name, domain) == self.poison(name, domain)

    def test_the_number_of_threads_is_irrelevant(self, name, domain):
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                found.append(self.poison(name, domain))
        assert found[0] == found[1]

    def test_dense_and_sparse_rows_are_attacked_alike(self, name, domain):
        assert self.poison(name, domain)[1] == self.poison(name, domain, sparse=True)[1]

    def test_the_clean_rows_are_left_alone(self, name, domain):
        data = rows(1, domain)
        before = data.X.copy(), data.y.copy()
        BUILDERS[name](data, domain, 0.2).poison(data, Budget(0.2), np.random.default_rng(0))
        np.testing.assert_array_equal(data.X, before[0])
        np.testing.assert_array_equal(data.y, before[1])
