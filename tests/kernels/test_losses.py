"""Known values of the losses, and their names."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.kernels.losses import (
    HINGE,
    LOGISTIC,
    MARGIN_LOSSES,
    SQUARED_HINGE,
    MarginLoss,
    crammer_singer,
    margin_loss,
    smooth_hinge,
)

MARGINS = np.array([-1.0, 0.0, 0.5, 1.0, 3.0])


@pytest.mark.parametrize(
    ("loss", "values", "derivatives"),
    [
        (HINGE, [2, 1, 0.5, 0, 0], [-1, -1, -1, 0, 0]),
        (SQUARED_HINGE, [4, 1, 0.25, 0, 0], [-4, -2, -1, 0, 0]),
        (LOGISTIC, np.log1p(np.exp(-MARGINS)), -1 / (1 + np.exp(MARGINS))),
        (smooth_hinge(1.0), np.log1p(np.exp(1 - MARGINS)), -1 / (1 + np.exp(MARGINS - 1))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_values_and_derivatives(loss, values, derivatives):
    np.testing.assert_allclose(loss.value(MARGINS), values, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(loss.derivative(MARGINS), derivatives, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("loss", MARGIN_LOSSES.values(), ids=lambda loss: loss.name)
def test_extreme_margins_neither_overflow_nor_warn(loss):
    far = np.array([-1e6, 1e6])
    assert np.isfinite(loss.value(far)).all()
    np.testing.assert_array_equal(loss.value(far)[1], 0.0)
    np.testing.assert_allclose(loss.derivative(far)[1], 0.0)


def test_the_piecewise_shape_becomes_linear_at_its_cap():
    huber = MarginLoss("huber", shift=1.0, curvature=2.0, cap=1.0)
    np.testing.assert_allclose(huber.value(np.array([0.0, -1.0, -9.0])), [0.25, 1.0, 9.0])


def test_a_tie_goes_to_the_lowest_wrong_class():
    losses, gradient = crammer_singer(np.array([[2.0, 0.0, 2.0, 1.0]]), np.array([3]))
    assert losses.tolist() == [2.0]
    assert gradient.tolist() == [[1.0, 0.0, 0.0, -1.0]]


def test_a_fitted_row_has_no_gradient():
    losses, gradient = crammer_singer(np.array([[5.0, 0.0, 4.0]]), np.array([0]))
    assert losses.tolist() == [0.0]
    assert not gradient.any()


def test_losses_are_found_by_name():
    assert {name: margin_loss(name).name for name in MARGIN_LOSSES} == {name: name for name in MARGIN_LOSSES}
    with pytest.raises(UnknownName, match=r"`loss`: expected one of hinge, .*, got hing$"):
        margin_loss("hing")


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(InvalidArgument, match="`temperature`: expected a positive number"):
        smooth_hinge(temperature)
