"""The Enron spam set as plain arrays."""

import numpy as np
import pytest
from scipy.sparse import csr_array


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
