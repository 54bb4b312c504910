"""The Enron spam set as plain arrays."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.kernels.rows import stack


def _matrix(archive, part):
    pieces = (archive[f"{part}_data"].astype(float), archive[f"{part}_indices"], archive[f"{part}_indptr"])
    return csr_array(pieces, shape=tuple(archive[f"{part}_shape"]))


@pytest.fixture(scope="module")
def enron(data_dir):
    """Training rows, labels, test rows, labels."""
    with np.load(data_dir / "enron.npz", allow_pickle=False) as archive:
        return (
            _matrix(archive, "X_train"),
            archive["y_train"].astype(int),
            _matrix(archive, "X_test"),
            archive["y_test"].astype(int),
        )


@pytest.fixture(scope="module")
def enron_attack(data_dir):
    """Append one of the attacks that the authors published to training rows."""

    def append(X, y, number):
        with np.load(data_dir / f"enron_minmax_reference_{number}.npz", allow_pickle=False) as archive:
            return stack([X, _matrix(archive, "X")]), np.append(y, archive["y"].astype(int))

    return append
