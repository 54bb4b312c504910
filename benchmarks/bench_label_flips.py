"""Label-flip certificates on real data: the curve over the ridge, times, and the optimal attack at and above counts.

Every figure is over all test rows. No ridge was chosen on them: each is shown. Preparations look at no label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from timing import duration, publish, table, worked

from toadstone.certificates.pointwise.label_flips import certify_ridges
from toadstone.core.arrays import Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.pointwise import Digests, PointwiseCertificate, curve
from toadstone.datasets.catalogue.load import load
from toadstone.kernels.label_response.flips import strongest_flips
from toadstone.kernels.label_response.responses import certify_queries
from toadstone.kernels.label_response.ridge import RidgeGram, RidgeResponse
from toadstone.learners import PatchFeatures

WORDS, ATTACKED = 5_000, 100
FRACTIONS = (0.001, 0.005, 0.01, 0.03, 0.05)
NO_DIGESTS = Digests("", "")
Prepared = tuple[Matrix, Matrix]


def as_they_are(train: Matrix, test: Matrix) -> Prepared:
    return train, test


def logarithms(train: Matrix, test: Matrix) -> Prepared:
    """Logarithms of one plus the counts."""
    return np.log1p(csr_array(train)), np.log1p(csr_array(test))


def frequent_words(train: Matrix, test: Matrix) -> Prepared:
    """Logarithms for the words that most texts have, whatever their labels."""
    texts = np.bincount(train.indices, minlength=train.shape[1])
    kept = np.sort(np.argsort(-texts, kind="stable")[:WORDS])
    return logarithms(csr_array(train)[:, kept], csr_array(test)[:, kept])


def patches(train: Matrix, test: Matrix) -> Prepared:
    """K-means patches: 256 centroids of 7 x 7 pixels, pooled over 3 x 3 fields."""
    features = PatchFeatures().fit(train)
    return features.transform(train), features.transform(test)


@dataclass(frozen=True)
class Case:
    """A data set, its preparation, and the penalties lambda of X'X + lambda I to show."""

    name: str
    words: str
    prepare: Callable[[Matrix, Matrix], Prepared]
    penalties: tuple[float, ...]


CASES = (
    Case("mnist-1-7", "pixels in [0, 1]", as_they_are, (1e3, 1e4)),
    Case("sms", "log counts", logarithms, (10.0, 100.0)),
    Case("enron", "log counts", logarithms, (10.0, 100.0)),
    Case("imdb", f"log counts of the {WORDS:,} words in most texts", frequent_words, (100.0, 1000.0)),
    Case("adult", "standardised numbers, categories as 0 and 1", as_they_are, (100.0, 1000.0)),
    Case("pneumonia", "pixels in [0, 1]", as_they_are, (1e3, 1e4)),
    Case("mnist", "256 centroids of 7 x 7 patches, 3 x 3 fields", patches, (18e3,)),
)


def lines(case: Case) -> tuple[list[list[str]], str]:
    """The rows of the table for a data set, and a sentence on its optimal attacks."""
    split = load(case.name)
    (X, queries), preparing = worked(lambda: case.prepare(split.train.X, split.test.X))
    train = Dataset(X, split.train.y)
    labels = np.searchsorted(train.classes, split.test.y)
    ridges = [penalty / len(train) for penalty in case.penalties]
    made, spent = worked(lambda: certify_ridges(train, queries, ridges, digests=NO_DIGESTS))
    rows = []
    for penalty, one in zip(case.penalties, made, strict=True):
        line = curve(one, labels)
        shares = [f"{line.at(fraction):.1%}" for fraction in FRACTIONS]
        accuracy, median = f"{line.accuracy:.2%}", f"{line.median} ({line.median / len(train):.2%})"
        rows.append([case.name, f"{penalty:g}", accuracy, median, *shares])
    held, broken = attacked(train, queries, made[-1])
    words = (
        f"{case.name}: {len(train):,} training rows, {len(labels):,} queries; {case.words}; "
        f"preparation {duration(preparing)}, certificates {duration(spent / len(ridges))} each. "
        f"Of {ATTACKED} queries, the optimal attack with as many flips as the count left {held} predictions as they "
        f"were; one flip more changed {broken}."
    )
    return rows, words


def attacked(train: Dataset, queries: Matrix, certificate: PointwiseCertificate) -> tuple[int, int]:
    """Retrain on the labels of the optimal attack, at the count and one above it, for some queries."""
    response = RidgeResponse(RidgeGram(train.X), ridge=float(certificate.settings["ridge"]))
    codes, k = np.searchsorted(train.classes, train.y), len(train.classes)
    held = broken = 0
    for place in np.random.default_rng(0).permutation(queries.shape[0])[:ATTACKED]:
        query = queries[[place]]
        found = certify_queries(response, codes, query, n_classes=k)
        winner, rival, alpha = found.winner[0], found.rival[0], response.weights(query).alpha[0]
        after = []
        for units in (certificate.counts[place], certificate.counts[place] + 1):
            flips = strongest_flips(alpha, codes, winner=winner, rival=rival, n_units=units)
            labels = codes.copy()
            labels[flips.rows] = flips.codes
            coefficients, _ = response.model(np.eye(k)[labels])
            after.append(int((query @ coefficients.T).argmax()) != winner)
        held, broken = held + (not after[0]), broken + after[1]
    return held, broken


def main() -> None:
    rows, words = [], []
    for case in CASES:
        more, sentence = lines(case)
        rows += more
        words.append(f"- {sentence}")
    headings = ["data", "lambda", "accuracy", "median flips", *(f"at {fraction:.1%}" for fraction in FRACTIONS)]
    intro = (
        "Ridge regression on one-hot labels without a bias. Accuracy and certified accuracy (right, and certified "
        "against so many flips) over all test rows; the median is over all of them, a wrong prediction counting as "
        "less than none. Processor time of one thread."
    )
    paragraphs = [intro, table(headings, rows), "\n".join(words)]
    publish("label_flips", "Label-flip certificates", paragraphs, ["numpy", "numba"])


if __name__ == "__main__":
    main()
