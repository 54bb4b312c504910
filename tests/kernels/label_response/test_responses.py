"""Weights of training rows: against dense algebra, labels, storage, and the bounds on their rounding."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.kernels import KernelRidgeResponse, KernelSmootherResponse
from toadstone.kernels.label_response.neighbours import NeighbourResponse
from toadstone.kernels.label_response.responses import certify_queries
from toadstone.kernels.label_response.ridge import RidgeGram, RidgeResponse

BIASES = ("none", "free", "regularized")
SHAPES = [(30, 6), (12, 40)]
"""More rows than columns, and fewer."""


def rows(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 1.0
    X[rng.random((n, d)) < 0.3] = 0.0
    return X, rng.normal(size=(7, d))


def weights_on_paper(X, queries, penalty, bias):
    """The weights by the inverse of the matrix in the definition."""
    centre = X.mean(axis=0) if bias == "free" else 0.0
    A, Q = X - centre, queries - centre
    if bias == "regularized":
        A, Q = (np.hstack([M, np.ones((len(M), 1))]) for M in (A, Q))
    alpha = Q @ np.linalg.inv(A.T @ A + penalty * np.eye(A.shape[1])) @ A.T
    return alpha + (1 / len(X) if bias == "free" else 0.0)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_ridge_by_its_definition(shape, bias, form):
    X, queries = rows(*shape)
    response = RidgeResponse(form(X), ridge=0.05, bias=bias)
    found = response.weights(form(queries))
    expected = weights_on_paper(X, queries, 0.05 * len(X), bias)
    np.testing.assert_allclose(found.alpha, expected, atol=1e-12)
    assert np.all(found.error < 1e-8)
    targets = np.random.default_rng(1).normal(size=(len(X), 3))
    coefficients, intercepts = response.model(targets)
    np.testing.assert_allclose(queries @ coefficients.T + intercepts, expected @ targets, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_products_serve_every_penalty(shape):
    X, queries = rows(*shape)
    gram = RidgeGram(X, bias="free")
    for ridge in (0.001, 10.0):
        once, anew = (RidgeResponse(given, ridge=ridge, bias="free").weights(queries) for given in (gram, X))
        np.testing.assert_array_equal(once.alpha, anew.alpha)


def exactly(X, query, penalty):
    """Ridge weights in rational numbers, by Gauss-Jordan elimination."""
    A = [[Fraction(float(v)) for v in row] for row in X]
    d = len(A[0])
    table = [[sum(r[i] * r[j] for r in A) + Fraction(penalty) * (i == j) for j in range(d)] for i in range(d)]
    for row, value in zip(table, query, strict=True):
        row.append(Fraction(float(value)))
    for i in range(d):
        table[i] = [v / table[i][i] for v in table[i]]
        for j in range(d):
            if j != i:
                table[j] = [a - table[j][i] * b for a, b in zip(table[j], table[i], strict=True)]
    return [sum(a * row[-1] for a, row in zip(r, table, strict=True)) for r in A]


@pytest.mark.parametrize("penalty", [1.0, 1e-6, 1e-10])
@pytest.mark.parametrize("shape", [(8, 3), (4, 5)])
def test_the_error_bound_holds_in_exact_arithmetic(penalty, shape):
    # Columns that nearly repeat each other make the equations ill-conditioned.
    X, queries = rows(*shape)
    X[:, -1] = X[:, 0] + 1e-7 * X[:, 1]
    response = RidgeResponse(X, ridge=penalty / len(X))
    alpha, error = response.weights(queries)
    for weights, query, bound in zip(alpha, queries, error, strict=True):
        truth = exactly(X, query, response.penalty)
        missed = sum(abs(Fraction(float(a)) - b) for a, b in zip(weights, truth, strict=True))
        assert 0 < missed <= bound


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_solution_has_a_large_error_bound(shape):
    X, queries = rows(*shape)
    response = RidgeResponse(X, ridge=0.05)
    right = response.weights(queries)
    response.factor = (response.factor[0] * 1.001, response.factor[1])
    wrong = response.weights(queries)
    assert np.all(np.abs(wrong.alpha - right.alpha).sum(axis=1) <= wrong.error)


@pytest.mark.parametrize("kernel", ["rbf", "laplacian"])
def test_kernels_by_their_definition(kernel):
    X, queries = rows(20, 4)

    def values(A, B):
        apart = A[:, None] - B[None]
        return np.exp(-0.3 * ((apart**2).sum(-1) if kernel == "rbf" else np.abs(apart).sum(-1)))

    for form in (np.asarray, csr_array):
        smooth = KernelSmootherResponse(form(X), kernel=kernel, gamma=0.3).weights(form(queries))
        np.testing.assert_allclose(smooth.alpha, values(queries, X), rtol=1e-12)
        solved = KernelRidgeResponse(form(X), ridge=0.01, kernel=kernel, gamma=0.3).weights(form(queries))
        expected = values(queries, X) @ np.linalg.inv(values(X, X) + 0.2 * np.eye(20))
        np.testing.assert_allclose(solved.alpha, expected, atol=1e-11)
        for found, truth in ((smooth, values(queries, X)), (solved, expected)):
            assert np.all(np.abs(found.alpha - truth).sum(axis=1) <= found.error)
            assert np.all(found.error < 1e-8)


def test_neighbours_and_ties():
    X = np.array([[0.0], [2.0], [2.0], [-2.0], [9.0]])
    found = NeighbourResponse(X, n_neighbors=2).weights(np.array([[0.0], [8.0]]))
    # Of the three rows two away from the first query, -2 would do as well: the order of values decides, not the labels.
    np.testing.assert_array_equal(found.alpha.sum(axis=1), 2)
    np.testing.assert_array_equal(found.alpha[:, [0, 4]], [[1, 0], [0, 1]])
    assert found.alpha[1, 3] == 0
    np.testing.assert_array_equal(found.error, 0.0)
    sparse = NeighbourResponse(csr_array(X), n_neighbors=2).weights(csr_array(np.array([[0.0], [8.0]])))
    np.testing.assert_array_equal(sparse.alpha, found.alpha)


def test_blocks_of_queries_do_not_matter(monkeypatch):
    X, queries = rows(30, 6)
    response, codes = RidgeResponse(X, ridge=0.05), np.arange(30) % 3
    whole = certify_queries(response, codes, queries, n_classes=3)
    monkeypatch.setattr("toadstone.kernels.label_response.responses._BLOCK", 60)
    np.testing.assert_array_equal(certify_queries(response, codes, queries, n_classes=3).count, whole.count)
    assert certify_queries(response, codes, queries[:0], n_classes=3).count.shape == (0,)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda X: RidgeResponse(X, ridge=0.0), "`ridge`: expected a positive number, got 0.0"),
        (
            lambda X: KernelRidgeResponse(X, ridge=1.0, kernel="sigmoid", gamma=1.0),
            "`kernel`: expected one of rbf, lap",
        ),
        (lambda X: KernelSmootherResponse(X, gamma=-1.0), "`gamma`: expected a positive number"),
        (
            lambda X: NeighbourResponse(X, n_neighbors=31),
            "`n_neighbors`: expected at most the 30 training rows, got 31",
        ),
    ],
)
def test_bad_options_are_refused(build, message):
    with pytest.raises(InvalidArgument, match=message):
        build(rows(30, 6)[0])
