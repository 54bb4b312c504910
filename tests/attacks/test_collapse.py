"""The candidate attack: as many rows as allowed, split by mass, whole where rows are counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.attacks.collapse import CollapsedAttack
from toadstone.certificates.saddle.certify import Claim, certify_saddle
from toadstone.core.budget import Budget
from toadstone.core.certificate import Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import ball
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer


def clean(n: int, labels=(-1, 1), d: int = 3) -> Dataset:
    rng = np.random.default_rng(n)
    return Dataset(rng.integers(0, 4, (n, d)).astype(float), np.resize(np.array(labels), n))


def anywhere(labels=(-1, 1), d: int = 3, radius: float = 100.0) -> ConvexSet:
    return ConvexSet({label: ball(np.zeros(d), radius) for label in labels})


def attack(masses, *, labels=(-1, 1), points=None, theta=None, radius: float = 100.0, integer: bool = False):
    k = len(masses)
    points = np.arange(3.0 * k).reshape(k, 3) if points is None else np.asarray(points, dtype=float)
    theta = np.array([1.0, -1.0, 0.5, 0.0]) if theta is None else np.asarray(theta, dtype=float)
    return CollapsedAttack(
        points, np.array(labels[:k]), np.asarray(masses, dtype=float), theta, anywhere(labels, radius=radius), integer
    )


def certified(domain: str, seed: int = 0):
    """A certificate of a small data set, its data and its feasible set."""
    rng = np.random.default_rng(seed)
    y = np.resize(np.array(["ham", "spam", "ham"]), 60)
    X = rng.poisson(1.5 + (y == "spam")[:, None] * np.array([1.0, 0, 1, 0, 0, 0]), (60, 6)).astype(float)
    sphere, slab = (kind(contamination=0.2).fit(X, y) for kind in (SphereSanitizer, SlabSanitizer))
    feasible = sphere.feasible_set_.intersect(slab.feasible_set_).within(fit_domain(X, domain))
    data, setting = Dataset(X, y), Setting(("l2", "slab"), 0.8, domain, "hinge", Ridge(0.05))
    result = certify_saddle(data, feasible, [Budget(0.2)], setting, Claim("", (), ()))[0]
    return result.certificate, data, feasible


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=2).filter(lambda masses: sum(masses) > 1e-6),
    st.integers(10, 200),
    st.floats(0.0, 0.49),
)
@settings(deadline=None)
def test_all_of_the_budget_is_spent_in_proportion_to_the_masses(masses, n, fraction):
    budget, data = Budget(fraction), clean(n)
    count = budget.count(n)
    if count == 0:
        return
    made = attack(masses).poison(data, budget, np.random.default_rng(0))
    assert len(made) == count
    for label, mass in zip((-1, 1), masses, strict=False):
        share = mass / sum(masses) * count
        assert abs(np.count_nonzero(made.y == label) - share) < 1 + 1e-9


@pytest.mark.parametrize(
    ("masses", "copies"), [((0.5, 0.5), (4, 3)), ((0.26, 0.74), (2, 5)), ((0.2, 0.8), (1, 6)), ((0.0, 1.0), (0, 7))]
)
def test_largest_remainders(masses, copies):
    made = attack(masses).poison(clean(70), Budget(0.1), np.random.default_rng(0))
    assert (np.count_nonzero(made.y == -1), np.count_nonzero(made.y == 1)) == copies


def test_rows_are_copies_of_the_points():
    made = attack([0.3, 0.7]).poison(clean(50), Budget(0.2), np.random.default_rng(0))
    np.testing.assert_array_equal(made.X, np.repeat([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [3, 7], axis=0))
    assert made.y.tolist() == [-1] * 3 + [1] * 7


@pytest.mark.parametrize("kind", ["flip", "perturb"])
def test_budgets_for_other_attacks_are_refused(kind):
    with pytest.raises(InvalidArgument, match="`budget`: expected one for adding rows"):
        attack([1.0]).poison(clean(20), Budget(0.2, kind), np.random.default_rng(0))


class TestWholeNumbers:
    def test_each_row_is_a_rounding_of_its_point(self):
        point = [[0.5, 1.25, 7.0]]
        made = attack([1.0], labels=(1,), points=point, integer=True).poison(
            clean(20), Budget(0.2), np.random.default_rng(0)
        )
        assert np.all(np.floor(made.X) == made.X)
        assert np.all(np.abs(made.X - point) < 1)
        assert np.ptp(made.X, axis=0).max() == 0

    @pytest.mark.parametrize("labels", [(-1, 1), ("ham", "spam"), (False, True), (0.0, 1.0)], ids=str)
    @pytest.mark.parametrize("k", [0, 1])
    def test_the_most_damaging_of_the_draws_is_used(self, labels, k):
        # One free coordinate: among many draws both roundings occur, and one hurts the model more.
        made = attack([1.0], labels=(labels[k],), points=[[2.5, 1.0, 1.0]], theta=[3.0, 0.0, 0.0, 0.0], integer=True)
        rows = made.poison(clean(20, labels), Budget(0.2), np.random.default_rng(0)).X
        assert np.unique(rows[:, 0]).tolist() == [3.0 if k == 0 else 2.0]

    def test_draws_outside_the_feasible_set_are_avoided(self):
        # Rounding up hurts more, but leaves the ball.
        made = attack([1.0], labels=(-1,), points=[[2.5, 0.0, 0.0]], theta=[1.0, 0, 0, 0], radius=2.6, integer=True)
        rows = made.poison(clean(20), Budget(0.2), np.random.default_rng(0)).X
        assert np.unique(rows[:, 0]).tolist() == [2.0]

    @pytest.mark.parametrize("seed", range(5))
    def test_rows_of_a_certificate_pass_its_filters(self, seed):
        certificate, data, feasible = certified("integer", seed)
        made = CollapsedAttack.of(certificate, data.classes, feasible).poison(
            data, certificate.budget, np.random.default_rng(seed)
        )
        assert np.all(np.floor(made.X) == made.X)
        assert feasible.contains(made.X, made.y).all()


class TestOfACertificate:
    @pytest.mark.parametrize("domain", ["real", "box", "integer"])
    def test_labels_are_those_of_the_data(self, domain):
        certificate, data, feasible = certified(domain)
        made = CollapsedAttack.of(certificate, data.classes, feasible)
        witness = certificate.witness
        for label, mass in zip(("ham", "spam"), witness.masses, strict=True):
            assert made.masses[made.labels == label].sum() == mass
        assert made.integer == (domain == "integer")

    @pytest.mark.parametrize("domain", ["real", "box"])
    def test_rows_are_feasible(self, domain):
        certificate, data, feasible = certified(domain)
        made = CollapsedAttack.of(certificate, data.classes, feasible).poison(
            data, certificate.budget, np.random.default_rng(0)
        )
        assert feasible.contains(made.X, made.y).all()

    def test_points_without_mass_are_left_out(self):
        certificate, data, feasible = certified("real")
        lone = replace(certificate, witness=replace(certificate.witness, masses=np.array([0.0, 0.2])))
        made = CollapsedAttack.of(lone, data.classes, feasible)
        assert made.labels.tolist() == ["spam"]


@pytest.mark.parametrize("domain", ["real", "integer"])
def test_the_same_seed_gives_the_same_poison(domain):
    certificate, data, feasible = certified(domain)
    made = CollapsedAttack.of(certificate, data.classes, feasible)
    one, two = (made.poison(data, certificate.budget, np.random.default_rng(3)) for _ in range(2))
    assert one.X.tobytes() == two.X.tobytes()
    assert one.y.tolist() == two.y.tolist()


def test_sparse_clean_rows_make_no_difference():
    certificate, data, feasible = certified("integer")
    made = CollapsedAttack.of(certificate, data.classes, feasible)
    sparse = Dataset(csr_array(data.X), data.y)
    one, two = (made.poison(rows, certificate.budget, np.random.default_rng(0)) for rows in (data, sparse))
    np.testing.assert_array_equal(one.X, two.X)
