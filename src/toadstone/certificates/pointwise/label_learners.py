"""Learners that label-flip certificates are for, and the sources of training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.label_response.kernels import KernelName, KernelRidgeResponse, KernelSmootherResponse
from toadstone.kernels.label_response.neighbours import NeighbourResponse
from toadstone.kernels.label_response.responses import Response
from toadstone.kernels.label_response.ridge import RidgeResponse
from toadstone.kernels.linear.fit import Bias

LearnerName = Literal["ridge", "kernel-ridge", "kernel-smoother", "k-nn"]


@dataclass(frozen=True)
class LabelLinearLearner:
    """A learner whose scores are linear in the labels, with parameters that no label may have shaped.

    Parameters
    ----------
    name : {"ridge", "kernel-ridge", "kernel-smoother", "k-nn"}
    ridge : float
        Of "ridge" and "kernel-ridge": penalty for each row, so that lambda of
        ``X'X + lambda I`` is `ridge` times the number of rows.
    bias : {"none", "free", "regularized"}
        Of "ridge".
    kernel : {"rbf", "laplacian"}
        Of "kernel-ridge" and "kernel-smoother".
    gamma : float
        Of the kernel.
    n_neighbors : int
        Of "k-nn".
    """

    name: LearnerName = "ridge"
    ridge: float = 0.01
    bias: Bias = "none"
    kernel: KernelName = "rbf"
    gamma: float = 1.0
    n_neighbors: int = 5

    def __post_init__(self) -> None:
        if self.name not in get_args(LearnerName):
            raise InvalidArgument("learner", f"one of {', '.join(get_args(LearnerName))}", self.name)
        if self.bias not in get_args(Bias):
            raise InvalidArgument("bias", f"one of {', '.join(get_args(Bias))}", self.bias)
        check_positive(ridge=self.ridge, gamma=self.gamma)
        check_count(n_neighbors=self.n_neighbors)

    def settings(self) -> dict[str, str | float | int]:
        """Return the parameters that this learner has, and its name."""
        used = {
            "ridge": ("ridge", "bias"),
            "kernel-ridge": ("ridge", "kernel", "gamma"),
            "kernel-smoother": ("kernel", "gamma"),
            "k-nn": ("n_neighbors",),
        }[self.name]
        return {"learner": self.name, **{name: getattr(self, name) for name in used}}

    def response(self, X: Matrix) -> Response:
        """Build what gives the weights of the training rows."""
        if self.name == "ridge":
            return RidgeResponse(X, ridge=self.ridge, bias=self.bias)
        if self.name == "kernel-ridge":
            return KernelRidgeResponse(X, ridge=self.ridge, kernel=self.kernel, gamma=self.gamma)
        if self.name == "kernel-smoother":
            return KernelSmootherResponse(X, kernel=self.kernel, gamma=self.gamma)
        return NeighbourResponse(X, n_neighbors=self.n_neighbors)


@dataclass(frozen=True, eq=False)
class Sources:
    """The source of each training row: all labels of a source may be changed together.

    Parameters
    ----------
    column : str
        What the sources are values of: "hospital", "annotator".
    codes : ndarray of int of shape (n,)
        Number of each row's source, from 0.
    """

    column: str
    codes: IntArray

    def __post_init__(self) -> None:
        found = np.unique(self.codes)
        if self.codes.ndim != 1 or not np.array_equal(found, np.arange(len(found))):
            raise InvalidData(f"{self.column}: expected sources numbered from 0 without gaps, got others")
