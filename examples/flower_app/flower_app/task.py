"""The task: handwritten digits, a linear classifier, and what a client does with its share of them."""

import numpy as np
from sklearn.datasets import load_digits

CLASSES = 10


def shares(clients: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], tuple[np.ndarray, np.ndarray]]:
    """Divide the embedded digits among clients, and set a fifth aside for the test."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 16, y[order]
    test = len(X) // 5
    parts = np.array_split(np.arange(test, len(X)), clients)
    return [(X[part], y[part]) for part in parts], (X[:test], y[:test])


def initial() -> dict[str, np.ndarray]:
    """Return the model that training starts from."""
    return {"weights": np.zeros((64, CLASSES), np.float32), "bias": np.zeros(CLASSES, np.float32)}


def scores(model: dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Return the score of each class."""
    return X @ model["weights"] + model["bias"]


def train(model: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray, steps: int = 10) -> dict[str, np.ndarray]:
    """Take steps of gradient descent on the logistic loss."""
    model = {name: array.astype(np.float64) for name, array in model.items()}
    for _ in range(steps):
        exponents = scores(model, X)
        p = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(y)), y] -= 1
        model["weights"] -= X.T @ p / len(y)
        model["bias"] -= p.mean(axis=0)
    return {name: array.astype(np.float32) for name, array in model.items()}


def accuracy(model: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray) -> float:
    """Return the share of digits that are recognized."""
    return float(np.mean(scores(model, X).argmax(axis=1) == y))
