"""Counts are demanded only where they are claimed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.domain import check_domain


@pytest.mark.parametrize("convert", [np.asarray, csr_array])
@pytest.mark.parametrize(("value", "shown"), [(-1.0, "-1"), (2.5, "2.5")])
def test_integer_domain_names_the_first_offender(convert: type, value: float, shown: str) -> None:
    X = np.zeros((4, 3))
    X[0, 0], X[2, 1], X[3, 0] = 3.0, value, value
    with pytest.raises(InvalidData, match=rf"got {shown} in row 2, column 1$"):
        check_domain(convert(X), "integer")


def test_counts_pass_and_other_domains_never_fail() -> None:
    check_domain(np.array([[0.0, 701.0]]), "integer")
    check_domain(csr_array((3, 4)), "integer")
    for domain in ("box", "real"):
        check_domain(np.array([[-1e300, 0.3]]), domain)


def test_unknown_domain() -> None:
    with pytest.raises(InvalidArgument, match=r"`domain`: expected one of \('real', 'box', 'integer'\), got 'counts'"):
        check_domain(np.zeros((1, 1)), "counts")
