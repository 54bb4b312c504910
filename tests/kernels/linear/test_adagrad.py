"""AdaGrad's steps."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.adagrad import AdaGrad


def test_steps_are_divided_by_the_root_of_the_summed_squares():
    theta, descent = np.zeros(2), AdaGrad(step=0.5, accumulator=7.0)
    descent.move(theta, np.array([3.0, 0.0]))
    np.testing.assert_allclose(theta, [-0.5 * 3 / 4, 0.0])
    descent.move(theta, np.array([-3.0, 1.0]))
    np.testing.assert_allclose(theta, [-0.5 * 3 / 4 + 0.5 * 3 / 5, -0.5 / np.sqrt(8)])


def test_a_small_accumulator_makes_first_steps_alike():
    theta, descent = np.zeros(2), AdaGrad(step=0.1, accumulator=1e-12)
    descent.move(theta, np.array([1e-3, -5.0]))
    np.testing.assert_allclose(theta, [-0.1, 0.1], rtol=1e-5)


@pytest.mark.parametrize("option", ["step", "accumulator"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
def test_options_are_positive(option, value):
    with pytest.raises(InvalidArgument, match=f"`{option}`: expected a positive number"):
        AdaGrad(**{"step": 1.0, "accumulator": 1.0, option: value})
