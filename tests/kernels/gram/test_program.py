"""The Gram program: the optimum of a generic solver, a bound that multipliers prove, and atoms that pass."""

import dataclasses

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import InvalidData
from toadstone.kernels.gram.atoms import place_atoms, project_atom, search_weights
from toadstone.kernels.gram.barrier import proven_bound
from toadstone.kernels.gram.filters import DataDependentFilters, fit_filters
from toadstone.kernels.gram.program import loss_gain, solve_loss, solve_nearest, span_plane, write_forms

FRACTION = 0.3


def example(seed, n=60, d=8):
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 3 == 0, 1.0, -1.0)
    X = rng.normal(size=(n, d)) * rng.uniform(0.5, 2, size=d) + rng.uniform(0.2, 2) * (signs[:, None] > 0)
    filters = fit_filters(X, signs, quantile=rng.uniform(0.4, 0.9))
    theta = rng.normal(size=d + 1) * 0.3 + np.append(rng.uniform(-1, 1) * (filters.means[1] - filters.means[0]), 0)
    return filters, theta, FRACTION * rng.dirichlet(np.ones(4))


def linear_loss(atoms, weights, theta):
    return weights[0] * (1 - atoms[0] @ theta[:-1] - theta[-1]) + weights[2] * (1 + atoms[2] @ theta[:-1] + theta[-1])


def losses(filters, weights, theta):
    """Gain and bound of the program as losses."""
    plane = span_plane(filters, theta[:-1])
    solution, (negative, positive) = solve_loss(plane, weights), filters.means @ theta[:-1] + theta[-1]
    constant = weights[0] * (1 - positive) + weights[2] * (1 + negative)
    scale = weights.sum() * plane.size * plane.unit
    return solution, constant + scale * solution.gain, constant + scale * solution.bound


def by_modelling(filters, theta, weights):
    """The program as the paper has it: a matrix of seven by seven with a known block of three by three."""
    negative, positive = filters.means
    known = np.stack([positive, negative, theta[:-1]])
    G = cp.Variable((7, 7), PSD=True)
    units, (q, p) = np.eye(7), filters.shares
    plus = (p * units[4] + weights[0] * units[0] + weights[1] * units[1]) / (p + weights[0] + weights[1])
    minus = (q * units[5] + weights[2] * units[2] + weights[3] * units[3]) / (q + weights[2] + weights[3])

    def product(one, other):
        return cp.sum(cp.multiply(np.outer(one, other), G))

    limits = [G[4:, 4:] == known @ known.T]
    for atom, centre, k in ((0, plus, 1), (1, plus, 1), (2, minus, 0), (3, minus, 0)):
        away, line = units[atom] - centre, plus - minus
        limits.append(product(away, away) <= filters.radii[k] ** 2)
        limits.append(cp.square(product(away, line)) <= filters.widths[k] ** 2 * product(line, line))
    goal = weights[0] * (1 - G[0, 6] - theta[-1]) + weights[2] * (1 + G[2, 6] + theta[-1])
    found = cp.Problem(cp.Maximize(goal), limits)
    found.solve(solver="CLARABEL")
    return found.value


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_that_of_a_generic_solver(seed):
    filters, theta, weights = example(seed)
    _, reached, bound = losses(filters, weights, theta)
    generic = by_modelling(filters, theta, weights)
    assert reached == pytest.approx(generic, abs=2e-6)
    assert bound == pytest.approx(generic, abs=2e-6)


@given(seed=st.integers(0, 2**16))
@settings(max_examples=40)
def test_atoms_pass_and_reach_what_the_program_says(seed):
    filters, theta, weights = example(seed)
    plane = span_plane(filters, theta[:-1])
    solution, reached, bound = losses(filters, weights, theta)
    atoms = place_atoms(filters, plane, solution)
    assert filters.excess(atoms, weights) <= 1e-6
    assert linear_loss(atoms, weights, theta) == pytest.approx(reached, abs=1e-9)
    assert 0 <= bound - reached <= 1e-7 * max(1, plane.size * plane.unit)


@given(seed=st.integers(0, 2**16))
@settings(max_examples=25)
def test_products_of_the_placed_atoms_are_those_of_the_solution(seed):
    filters, theta, weights = example(seed)
    plane = span_plane(filters, theta[:-1])
    solution = solve_loss(plane, weights)
    atoms = (place_atoms(filters, plane, solution) - filters.means[[1, 1, 0, 0]]) / plane.unit
    products = np.concatenate([(atoms @ plane.axes.T).ravel(), (atoms @ atoms.T)[np.triu_indices(4)]])
    assert np.abs(products - solution.unknowns).max() <= 1e-9


@given(seed=st.integers(0, 2**16))
@settings(max_examples=6)
def test_no_sampled_poison_of_these_weights_exceeds_the_bound(seed):
    """Points of random directions, moved from the class means until one would be filtered."""
    filters, theta, weights = example(seed)
    _, _, bound = losses(filters, weights, theta)
    rng, start = np.random.default_rng(seed), filters.means[[1, 1, 0, 0]]
    for _ in range(25):
        moves = rng.normal(size=(4, 8)) * rng.uniform(0, 1, size=(4, 1))
        moves -= np.array([1, 1, -1, -1])[:, None] * theta[:-1] * rng.uniform(0, 20)
        low, high = 0.0, 50.0
        for _ in range(40):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if filters.excess(start + middle * moves, weights) <= 0 else (low, middle)
        assert linear_loss(start + low * moves, weights, theta) <= bound + 1e-12


@given(seed=st.integers(0, 2**16), change=st.floats(0.1, 10))
@settings(max_examples=25)
def test_any_multipliers_prove_a_bound_that_no_smaller_than_the_best(seed, change):
    filters, theta, weights = example(seed)
    plane = span_plane(filters, theta[:-1])
    solution = solve_loss(plane, weights)
    forms = write_forms(plane.geometry, weights, loss_gain(plane.geometry, weights))
    assert proven_bound(forms, solution.multipliers) == solution.bound
    rng = np.random.default_rng(seed)
    other = solution.multipliers * rng.uniform(1, 1 + change, size=(3, 4))
    assert proven_bound(forms, other) >= solution.gain
    assert proven_bound(forms, np.zeros((3, 4))) == np.inf


def test_where_classes_come_from_and_names_of_axes_do_not_matter():
    filters, theta, weights = example(3)
    rng = np.random.default_rng(0)
    turn, shift = np.linalg.qr(rng.normal(size=(8, 8)))[0], 5 * rng.normal(size=8)
    turned = DataDependentFilters(filters.means @ turn + shift, filters.shares, filters.radii, filters.widths)
    model = np.append(theta[:-1] @ turn, theta[-1] - theta[:-1] @ turn @ shift)
    _, here, _ = losses(filters, weights, theta)
    _, there, _ = losses(turned, weights, model)
    assert here == pytest.approx(there, abs=1e-7)


@pytest.mark.parametrize("apart", [1e-2, 1e3, 1e6])
def test_classes_close_together_and_far_apart(apart):
    filters, theta, weights = example(4)
    line = filters.means[1] - filters.means[0]
    moved = dataclasses.replace(filters, means=np.stack([np.zeros(8), apart * line]))
    plane = span_plane(moved, theta[:-1])
    solution = solve_loss(plane, weights)
    assert 0 <= solution.bound - solution.gain <= 1e-8 * max(1.0, abs(solution.gain))
    assert moved.excess(place_atoms(moved, plane, solution), weights) <= 1e-9 * max(1.0, apart)


@pytest.mark.parametrize("kind", ["none", "along the line"])
def test_models_without_a_second_direction(kind):
    filters, _, weights = example(1)
    weight = 0.0 if kind == "none" else -0.2
    theta = np.append(weight * (filters.means[1] - filters.means[0]), 0.1)
    plane = span_plane(filters, theta[:-1])
    solution, reached, bound = losses(filters, weights, theta)
    atoms = place_atoms(filters, plane, solution)
    assert filters.excess(atoms, weights) <= 1e-6
    assert linear_loss(atoms, weights, theta) == pytest.approx(reached, abs=1e-9)
    assert bound - reached <= 1e-7


@given(seed=st.integers(0, 2**16), atom=st.integers(0, 3))
@settings(max_examples=25)
def test_the_nearest_atom_passes_and_stays_where_it_passes_already(seed, atom):
    filters, theta, weights = example(seed)
    target = filters.means[0] + np.random.default_rng(seed).normal(size=8) * 6
    atoms = project_atom(filters, target, weights, atom)
    assert filters.excess(atoms, weights) <= 1e-6
    again = project_atom(filters, atoms[atom], weights, atom)
    assert np.linalg.norm(again[atom] - atoms[atom]) <= 2e-3
    plane = span_plane(filters, target - filters.means[1 if atom < 2 else 0])
    nearest = np.sum((atoms[atom] - target) ** 2) / plane.unit**2
    assert nearest <= -solve_nearest(plane, weights, atom).gain + 1e-9
    # No other atoms of the programs solved here are nearer.
    other = place_atoms(filters, span_plane(filters, theta[:-1]), solve_loss(span_plane(filters, theta[:-1]), weights))
    assert np.linalg.norm(other[atom] - target) >= np.sqrt(nearest) * plane.unit - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_no_less_than_the_weights_of_the_paper_and_than_samples(seed):
    filters, theta, _ = example(seed)
    found = search_weights(filters, theta, FRACTION)
    assert found.weights.sum() == pytest.approx(FRACTION)
    assert losses(filters, found.weights, theta)[1] == pytest.approx(found.loss, abs=1e-7)
    assert found.loss <= found.bound <= found.loss + 1e-6
    negative, positive = filters.shares
    paper = FRACTION * np.array([positive, 0, negative, 0])
    samples = FRACTION * np.random.default_rng(seed).dirichlet([positive, positive, negative, negative], size=30)
    for weights in (paper, *samples):
        assert losses(filters, weights, theta)[1] <= found.loss + 1e-4


@pytest.mark.parametrize("seed", [0, 15])
def test_weights_between_those_of_the_grid_are_found(seed):
    """Narrow slabs and a model along the line between the means: some poison only turns that line."""
    filters, theta, _ = example(seed)
    narrow = dataclasses.replace(filters, widths=0.02 * filters.widths)
    theta[:-1] = 0.2 * theta[:-1] + 0.3 * (filters.means[1] - filters.means[0])
    on_grid, refined, finer = (
        search_weights(narrow, theta, FRACTION, parts=parts, precision=precision).loss
        for parts, precision in ((6, 1.0), (6, 1e-3), (16, 1e-3))
    )
    assert refined >= 1.05 * on_grid
    assert refined >= finer - 1e-3


def test_too_few_features_are_refused():
    rng = np.random.default_rng(0)
    filters = DataDependentFilters(rng.normal(size=(2, 5)), np.full(2, 0.5), np.ones(2), np.ones(2))
    with pytest.raises(InvalidData, match="at least 6"):
        project_atom(filters, np.zeros(5), np.full(4, 0.05), 0)
