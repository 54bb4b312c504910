"""The certified bound for moving spheres: no attack exceeds it, the estimate does not, and nothing altered passes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.certificates.data_dependent.inflated_sphere import certify_inflated_sphere, verify_inflated_sphere
from toadstone.certificates.data_dependent.sphere_and_slab import estimate_sphere_and_slab
from toadstone.core.certificate import NormBall
from toadstone.core.errors import CertificateRejected, InvalidArgument
from toadstone.kernels.gram.filters import fit_filters
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle

LIMIT = 1.0


def rows(seed=0, n=40, d=7):
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 5 < 2, 1.0, -1.0)
    X = rng.normal(size=(n, d)) + rng.uniform(0.5, 2) * (signs[:, None] > 0)
    return X, signs, fit_filters(X, signs, quantile=0.7)


def certify(data, fraction, **options):
    return certify_inflated_sphere(*data, fraction=fraction, squared_radius=LIMIT, **options)


def trained_loss(X, signs, filters, atoms, counts):
    """Least mean loss for each clean row that a model of the ball has on clean rows and copies."""
    everything = np.vstack([X, np.repeat(atoms, counts, axis=0)])
    labels = np.append(signs, np.repeat([1.0, 1.0, -1.0, -1.0], counts))
    problem = Problem(everything, labels, filters.inflated(0.0), HINGE, NormBall(LIMIT))
    theta = solve_saddle(problem, fraction=0.0, tolerance=1e-6).theta
    return HINGE.value(labels * (everything @ theta[:-1] + theta[-1])).sum() / len(X)


@given(seed=st.integers(0, 2**16), count=st.integers(1, 12))
@settings(max_examples=12)
def test_no_poison_that_passes_moving_filters_exceeds_the_bound(seed, count):
    X, signs, filters = rows(seed % 8)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(count, [0.25] * 4)
    weights, start = counts / len(X), filters.means[[1, 1, 0, 0]]
    moves = rng.normal(size=(4, 7)) + rng.uniform(0, 3) * np.array([-1, -1, 1, 1])[:, None]
    low, high = 0.0, 50.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        passes = filters.excess(start + middle * moves, weights) <= 0
        low, high = (middle, high) if passes else (low, middle)
    bound = certify((X, signs, filters), count / len(X)).bound
    assert trained_loss(X, signs, filters, start + low * moves, counts) <= bound


@pytest.mark.slow
def test_poison_of_the_estimate_stays_below_it_too():
    X, signs, filters = rows(2)
    found = estimate_sphere_and_slab(X, signs, filters, fraction=0.3, squared_radius=LIMIT, rounds=60)
    assert found.weights.sum() == pytest.approx(0.3)
    assert filters.excess(found.atoms, found.weights) <= 1e-6
    clean = HINGE.value(signs * (X @ found.theta[:-1] + found.theta[-1])).mean()
    margins = np.array([1, 1, -1, -1]) * (found.atoms @ found.theta[:-1] + found.theta[-1])
    assert found.clean_loss == pytest.approx(clean)
    assert found.weights[[0, 2]] @ HINGE.value(margins)[[0, 2]] == pytest.approx(found.poison_loss, abs=1e-7)
    assert found.estimate == found.clean_loss + found.poison_loss
    assert found.poison_loss <= found.poison_bound
    assert found.theta @ found.theta <= LIMIT * (1 + 1e-12)
    # The slab removes some of what the sphere lets pass: at the same model the sphere's loss is no less.
    slopes = np.linalg.norm(found.theta[:-1])
    worst = [
        1 - sign * (found.theta[:-1] @ filters.means[k] + found.theta[-1]) + slopes * filters.inflated(0.3)[k].radius
        for k, sign in ((0, -1), (1, 1))
    ]
    assert found.poison_bound <= 0.3 * max(worst) + 1e-9


@pytest.mark.parametrize("change", ["sparse", "shuffled"])
def test_storage_and_order_of_rows_do_not_matter(change):
    X, signs, _ = rows(4)
    order = np.random.default_rng(0).permutation(40)
    other, labels = (csr_array(X), signs) if change == "sparse" else (X[order], signs[order])
    found = [
        estimate_sphere_and_slab(
            one, own, fit_filters(one, own, quantile=0.7), fraction=0.2, squared_radius=LIMIT, rounds=20
        ).estimate
        for one, own in ((X, signs), (other, labels))
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_a_known_model_bounds_the_estimate():
    X, signs, filters = rows(4)
    certificate = certify((X, signs, filters), 0.2)
    found = estimate_sphere_and_slab(
        X, signs, filters, fraction=0.2, squared_radius=LIMIT, rounds=2, known=certificate.theta
    )
    assert found.estimate <= certificate.bound


def test_bounds_grow_with_the_fraction_and_start_at_the_clean_optimum():
    data = rows(1)
    bounds = [certify(data, fraction, tolerance=1e-4).bound for fraction in (0.0, 0.05, 0.2, 0.4)]
    assert np.all(np.diff(bounds) > 0)
    nothing = np.zeros(4, dtype=int)
    assert bounds[0] == pytest.approx(trained_loss(*data, np.zeros((4, 7)), nothing), rel=2e-4)


def test_a_certificate_proves_its_bound_again():
    data = rows(3)
    certificate = certify(data, 0.1)
    assert verify_inflated_sphere(certificate, *data) == pytest.approx(certificate.bound, rel=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {"bound": 0.99},
        {"fraction": 0.2},
        {"squared_radius": 0.5},
        {"theta": 2.0},
        {"theta": 0.5},
        {"multipliers": 0.5},
        {"multipliers": -1.0},
        {"multipliers": np.nan},
    ],
)
def test_what_was_altered_is_refused(change):
    data = rows(3)
    certificate = certify(data, 0.1)
    ((name, factor),) = change.items()
    kept = getattr(certificate, name)
    altered = dataclasses.replace(certificate, **{name: factor if name in ("fraction",) else kept * factor})
    with pytest.raises(CertificateRejected):
        verify_inflated_sphere(altered, *data)


def test_other_rows_are_refused():
    certificate = certify(rows(3), 0.1)
    X, signs, filters = rows(3)
    wider = dataclasses.replace(filters, radii=filters.radii * 1.1)
    with pytest.raises(CertificateRejected, match="bound"):
        verify_inflated_sphere(certificate, X, signs, wider)
    with pytest.raises(CertificateRejected, match=r"theta: expected shape \(6,\)"):
        verify_inflated_sphere(certificate, *rows(3, d=5))


def test_options_out_of_range_are_refused():
    data = rows(3)
    with pytest.raises(InvalidArgument, match="fraction"):
        certify(data, 0.5)
    with pytest.raises(InvalidArgument, match="norm_squared"):
        certify_inflated_sphere(*data, fraction=0.1, squared_radius=0.0)
    with pytest.raises(InvalidArgument, match="rounds"):
        estimate_sphere_and_slab(*data, fraction=0.1, squared_radius=1.0, rounds=0)
