"""Laws of the losses: convex, decreasing, their own conjugates, above the 0-1 loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, MarginLoss, crammer_singer, smooth_hinge

LOSSES = [HINGE, SQUARED_HINGE, LOGISTIC, smooth_hinge(), smooth_hinge(0.5), MarginLoss("capped", 0.5, 0.0, 0.8, 1.5)]
margin_losses = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.name}-{loss.temperature}")
margins = st.floats(-50, 50)
tables = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        arrays(float, (4, k), elements=st.floats(-20, 20)), arrays(np.int64, 4, elements=st.integers(0, k - 1))
    )
)


@margin_losses
@given(st.lists(margins, min_size=1, max_size=8))
@settings(deadline=None)
def test_derivative_is_the_slope_of_the_value(loss, points):
    m = np.array(points)
    step = 1e-6 * max(loss.temperature, 1e-2)
    slope = (loss.value(m + step) - loss.value(m - step)) / (2 * step)
    kink = (loss.temperature == 0) & (loss.curvature == 0) & (np.abs(m - loss.shift) < 1e-5)
    allowed = 1e-5 * (1 + np.abs(slope)) + 1e-10 / step
    assert np.all(kink | (np.abs(loss.derivative(m) - slope) <= allowed))


@margin_losses
@given(margins, margins, st.floats(0, 1))
@settings(deadline=None)
def test_losses_are_convex_nonincreasing_and_not_negative(loss, one, other, share):
    low, high = sorted((one, other))
    value = loss.value(np.array([low, high, share * low + (1 - share) * high]))
    assert value[0] >= value[1] - 1e-12 >= -1e-12
    assert value[2] <= share * value[0] + (1 - share) * value[1] + 1e-9 * (1 + value[0])
    derivative = loss.derivative(np.array([low, high]))
    assert derivative[0] <= derivative[1] + 1e-12 <= 1e-12
    assert value[1] >= value[0] + derivative[0] * (high - low) - 1e-9 * (1 + value[0])


@margin_losses
@given(margins)
@settings(deadline=None)
def test_a_loss_is_the_best_of_its_dual_variables(loss, m):
    # The derivative is the best of all; the others show that none is better.
    duals = np.append(np.linspace(0, min(loss.cap, 150.0), 3_001), -loss.derivative(np.array([m])))
    gains = loss.conjugate_gain(duals) - duals * m
    value = float(loss.value(np.array([m]))[0])
    assert gains.max() <= value + 1e-9 * (1 + abs(value))
    assert gains.max() == pytest.approx(value, abs=1e-6 * (1 + abs(value)))


@given(margins, st.sampled_from([1.0, 0.1, 0.001, 1e-6]))
@settings(deadline=None)
def test_the_smooth_hinge_lies_above_the_hinge_and_approaches_it(m, temperature):
    excess = (smooth_hinge(temperature).value(np.array([m])) - HINGE.value(np.array([m])))[0]
    assert -1e-12 <= excess <= temperature * np.log(2) + 1e-12


@pytest.mark.parametrize("loss", [HINGE, SQUARED_HINGE, smooth_hinge(), smooth_hinge(0.5)], ids=lambda loss: loss.name)
@given(margins)
@settings(deadline=None)
def test_a_wrong_row_costs_at_least_one(loss, m):
    assert loss.value(np.array([m]))[0] >= float(m <= 0) - 1e-12


@given(tables)
@settings(deadline=None)
def test_the_multi_class_hinge_has_its_subgradient(table):
    scores, labels = table
    other = scores[::-1].copy()
    losses, gradient = crammer_singer(scores, labels)
    moved, _ = crammer_singer(other, labels)
    assert np.all(moved >= losses + np.sum(gradient * (other - scores), axis=1) - 1e-9)
    np.testing.assert_array_equal(gradient.sum(axis=1), 0.0)


@given(tables)
@settings(deadline=None)
def test_the_multi_class_hinge_counts_wrong_rows(table):
    scores, labels = table
    losses, _ = crammer_singer(scores, labels)
    right = scores[np.arange(4), labels]
    best_wrong = np.array([np.delete(row, label).max() for row, label in zip(scores, labels, strict=True)])
    assert np.all(losses >= (right <= best_wrong))
    np.testing.assert_allclose(losses, np.maximum(0, 1 + best_wrong - right))


@given(arrays(float, 5, elements=st.floats(-20, 20)), arrays(np.int64, 5, elements=st.integers(0, 1)))
@settings(deadline=None)
def test_with_two_classes_the_multi_class_hinge_is_the_hinge(scores, labels):
    losses, gradient = crammer_singer(np.stack([-scores / 2, scores / 2], axis=1), labels)
    signed = (2.0 * labels - 1) * scores
    np.testing.assert_allclose(losses, HINGE.value(signed))
    active = losses > 0
    np.testing.assert_array_equal(gradient[active, labels[active]], -1.0)
