"""The tree of exceptions, and the form of their sentences."""

from __future__ import annotations

import pytest

from toadstone.core import errors


@pytest.mark.parametrize("name", ["InvalidArgument", "InvalidData", "UnknownName"])
def test_what_the_caller_can_mend_is_a_value_error(name):
    error = getattr(errors, name)
    assert issubclass(error, errors.InvalidInput)
    assert issubclass(error, ValueError)


@pytest.mark.parametrize("name", ["EmptyFeasibleSet", "BudgetExceeded", "CertificateRejected"])
def test_the_rest_is_not_the_callers_fault(name):
    error = getattr(errors, name)
    assert issubclass(error, errors.ToadstoneError)
    assert not issubclass(error, ValueError)


def test_everything_raised_on_purpose_has_one_root_and_is_drawn():
    raised = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(error, errors.ToadstoneError) for error in raised)
    assert all(error.__name__ in errors.__doc__ for error in raised)


def test_an_invalid_argument_says_what_where_and_what_came():
    error = errors.InvalidArgument("radius", "a positive float", -1)
    assert str(error) == "`radius`: expected a positive float, got -1"
