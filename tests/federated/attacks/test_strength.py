"""Strengths searched through a rule."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidData, InvalidInput
from toadstone.federated.attacks.strength import strongest

HONEST = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])


def message(strength):
    return np.array([-strength])


@pytest.mark.parametrize("limit", [0.3, 5.0, 70.0])
@pytest.mark.parametrize("plain", [0.0, 1.0, 8.0])
def test_the_edge_of_what_a_rule_lets_through_is_found(view, limit, plain):
    def gate(updates):
        return np.mean([update for update in updates if abs(update[0]) <= limit or update[0] > 0], axis=0)

    found = strongest(view(HONEST, rule=gate), message, plain, 20)
    assert 0.85 * limit <= found <= limit


def test_the_plain_strength_is_tried_as_it_is(view):
    def keyhole(updates):
        return np.array([99.0 if updates.min() == -3.7 else 4.0])

    assert strongest(view(HONEST, rule=keyhole), message, 3.7, 20) == 3.7


def test_a_refusal_counts_as_a_step_of_zero(view):
    def refusing(updates):
        if updates.min() < -50:
            raise InvalidInput("no")
        return updates.mean(axis=0) * 0 + 2.9

    # A result of 2.9 is off by 0.1 only, a model that stays as it is by 3.
    assert strongest(view(HONEST, rule=refusing), message, 1.0, 20) > 50


def test_without_rule_or_updates_there_is_nothing_to_search(view):
    with pytest.raises(InvalidData, match="rule: expected a view with the rule and the honest updates"):
        strongest(view(HONEST), message, 1.0, 20)
