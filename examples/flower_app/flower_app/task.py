"""The task: handwritten digits, a linear classifier, and what a client does with its share of them."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

CLASSES = 10


def shares(clients: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], tuple[np.ndarray, np.ndarray]]:
    """Divide scikit-learn's digits among clients, and set a fifth aside for the test."""
    # Each client and round is a process of its own: importing scikit-learn would be most of what it does.
    folder = Path(find_spec("sklearn").origin).parent / "datasets" / "data"
    table = np.random.default_rng(0).permutation(np.loadtxt(folder / "digits.csv.gz", delimiter=","))
    X, y = table[:, :-1] / 16, table[:, -1].astype(int)
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
