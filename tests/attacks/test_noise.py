"""Corruption: how much, where, and that labels and domains are kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.attacks import noise
from toadstone.attacks.noise import FeaturePermutation, MissingBlocks, NoiseInjection
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.sets.sets import fit_domain

ALL = pytest.mark.parametrize("attack", [NoiseInjection(), MissingBlocks(), FeaturePermutation()], ids=str)
PERTURB = Budget(0.4, "perturb")


def data(n: int = 400, d: int = 6, *, sparse: bool = False) -> Dataset:
    X = np.random.default_rng(2).normal(size=(n, d)) * np.arange(1, d + 1) + 20
    return Dataset(csr_array(X) if sparse else X, np.resize([0, 1], n))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@ALL
class TestAll:
    def test_labels_stay_and_rows_differ(self, attack):
        clean = data()
        made = attack.poison(clean, PERTURB, rng())
        assert len(made) == len(set(made.replaces.tolist())) == 160
        np.testing.assert_array_equal(made.y, clean.y[made.replaces])
        assert np.all((clean.X[made.replaces] != made.X).any(axis=1))

    def test_blocks_of_rows_give_what_all_at_once_gives(self, attack, monkeypatch):
        whole = attack.poison(data(), PERTURB, rng())
        monkeypatch.setattr(noise, "_VALUES_AT_ONCE", 60)
        for sparse in (False, True):
            parts = attack.poison(data(sparse=sparse), PERTURB, rng())
            assert issparse(parts.X) is sparse
            assert parts.X.shape == whole.X.shape
            assert (parts.replaces == whole.replaces).all()
            if not isinstance(attack, MissingBlocks):
                np.testing.assert_allclose(parts.X.toarray() if sparse else parts.X, whole.X)

    @pytest.mark.parametrize("budget", [Budget(0.4), Budget(0.4, "flip"), Budget(0.001, "perturb")])
    def test_other_budgets_are_refused(self, attack, budget):
        with pytest.raises(InvalidArgument, match="`budget`"):
            attack.poison(data(), budget, rng())


def test_noise_is_of_the_size_asked_for():
    clean = data(4000)
    made = NoiseInjection(scale=2.0).poison(clean, PERTURB, rng())
    found = (made.X - clean.X[made.replaces]).std(axis=0)
    np.testing.assert_allclose(found, 2 * clean.X.std(axis=0), rtol=0.1)


@pytest.mark.parametrize("name", ["box", "integer"])
def test_noise_stays_in_the_domain(name):
    X = np.abs(np.rint(data().X)) if name == "integer" else data().X
    domain = fit_domain(X, name)
    made = NoiseInjection(scale=3.0, domain=domain).poison(Dataset(X, data().y), PERTURB, rng()).X
    assert (made >= domain.lower).all()
    assert (made <= domain.upper).all()
    assert domain.integer == bool((made == np.rint(made)).all())


def test_a_block_is_a_run_of_the_length_asked_for():
    clean = data()
    made = MissingBlocks(share=0.3, fill=-1.0).poison(clean, PERTURB, rng())
    lost = made.X == -1.0
    assert (lost.sum(axis=1) == 2).all()
    assert (np.abs(np.diff(lost.astype(int), axis=1)).sum(axis=1) <= 2).all()
    assert lost.any(axis=0).all()
    np.testing.assert_array_equal(made.X[~lost], clean.X[made.replaces][~lost])


def test_shuffled_features_keep_their_values():
    clean = data()
    made = FeaturePermutation(share=0.5).poison(clean, PERTURB, rng())
    before = clean.X[made.replaces]
    np.testing.assert_array_equal(np.sort(made.X, axis=0), np.sort(before, axis=0))
    assert (before != made.X).any(axis=0).sum() == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NoiseInjection(scale=0.0), "`scale`: expected a positive number, got 0.0"),
        (lambda: MissingBlocks(share=1.5), "`share`"),
        (lambda: MissingBlocks(fill=np.nan), "`fill`"),
        (lambda: FeaturePermutation(share=0.0), "`share`"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InvalidArgument, match=message):
        make()
