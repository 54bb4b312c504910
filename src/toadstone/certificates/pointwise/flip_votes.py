"""Pointwise certificates of votes of models that are linear in the labels: flips priced model by model."""

from __future__ import annotations

import numpy as np

from toadstone.certificates.pointwise.label_learners import LabelLinearLearner
from toadstone.certificates.pointwise.recomputed import refuse_differences, refuse_other_data
from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData, InvalidInput
from toadstone.core.pointwise import Certified, Digests, PointwiseCertificate
from toadstone.kernels.label_response.prices import price_queries
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.votes.priced import OUT_OF_REACH, bound_priced_votes, certify_priced_votes
from toadstone.kernels.votes.schemes import DisjointParts
from toadstone.kernels.votes.tallies import NO_VOTE

_MOST_STEPS = 10**10
"""Steps of the exact search; beyond, the bound by linear programming takes its place."""

_BLOCK = 2**24
"""Prices held at a time."""

_NOT_PROMISED = (
    "Each count is for one query: the attacker may choose other labels for every query.",
    "It does not cover rows that are added, removed or given other features, nor changes of the query itself.",
    "It does not cover labels of a class that the training set lacks, nor rows that were left out by their labels: a "
    "changed label could bring one in.",
)


def certify_flip_votes(
    train: Dataset, queries: Matrix, scheme: DisjointParts, learner: LabelLinearLearner, *, digests: Digests
) -> PointwiseCertificate:
    """Certify the vote of models of disjoint parts against label flips, each model's vote at its price [1]_.

    Counting touched parts, as for any model, is the price of one flip a
    vote. Here it is known how many flips each vote takes, and the cheapest
    votes that change the election are a multiple-choice knapsack.

    Parameters
    ----------
    train : Dataset
        Any number of classes.
    queries : ndarray or CSR of shape (q, d)
    scheme : DisjointParts
        Deals rows by their features, so that a changed label stays in its part.
    learner : LabelLinearLearner
        Of each part; penalties are for each row of the part.
    digests : Digests

    Returns
    -------
    PointwiseCertificate
        Exact for two classes, unless the search would take too long.

    Raises
    ------
    InvalidData
        If the queries have other columns, or there is a single class.

    References
    ----------
    .. [1] "EnsembleCert", arXiv 2604.11416, ICLR 2026.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train = Dataset(rng.normal(size=(60, 2)) + 2.0 * (np.arange(60) % 2)[:, None], np.arange(60) % 2)
    >>> learner = LabelLinearLearner("ridge", ridge=0.1, bias="regularized")
    >>> made = certify_flip_votes(train, train.X[:5], DisjointParts(5), learner, digests=Digests("", ""))
    >>> made.counts.tolist(), made.unit
    ([5, 5, 5, 6, 6], 'label flips')
    """
    if len(train.classes) < 2:
        raise InvalidData(f"labels: expected two or more classes, got {len(train.classes)}")
    if queries.shape[1] != train.n_features:
        raise InvalidData(f"queries: expected {train.n_features} columns, got {queries.shape[1]}")
    exact = _is_exact(train, queries.shape[0], scheme)
    step = max(1, _BLOCK // (scheme.n_voters * len(train.classes)))
    blocks = [
        _count(train, queries[start : start + step], scheme, learner, exact=exact)
        for start in range(0, queries.shape[0], step)
    ]
    winners, counts, rivals = (
        np.concatenate([np.empty(0, dtype=np.int64), *(getattr(block, name) for block in blocks)])
        for name in ("winner", "count", "rival")
    )
    return PointwiseCertificate(
        method="label-flips",
        unit="label flips",
        adversary="Changes labels of training rows of its choice.",
        n_units=len(train),
        exact=exact and len(train.classes) == 2,
        classes=tuple(str(label) for label in train.classes),
        winners=winners,
        counts=counts,
        settings={**learner.settings(), **scheme.settings(), "n_train": len(train)},
        evidence={},
        data_sha256=digests.data_sha256,
        queries_sha256=digests.queries_sha256,
        assumptions=(
            "The features, lambda, and all other parameters do not depend on labels that the attacker may change; the "
            "counts are for these parameters.",
            f"The prediction is the class with the most votes of {scheme.n_voters} models, each of its own part of the "
            "rows, the first on a tie.",
            scheme.assumption,
        ),
        not_promised=_NOT_PROMISED,
        rivals=rivals,
    )


def verify_flip_votes(certificate: PointwiseCertificate, train: Dataset, queries: Matrix, *, digests: Digests) -> None:
    """Verify a certificate of `certify_flip_votes`: deal the rows again, and compute all prices from them.

    Raises
    ------
    CertificateRejected
        If the data are others, or a field is not what they give.
    """
    refuse_other_data(certificate, digests)
    given = dict(certificate.settings)
    kept = ("scheme", "n_train", "n_parts", "key", "learner")
    try:
        scheme = DisjointParts(given.get("n_parts"), given.get("key"))  # type: ignore[arg-type]
        others = {name: value for name, value in given.items() if name not in kept}
        learner = LabelLinearLearner(given.get("learner"), **others)  # type: ignore[arg-type]
        if scheme.n_voters > len(train):
            raise InvalidArgument("n_parts", f"at most {len(train)}", scheme.n_voters)
        expected = certify_flip_votes(train, queries, scheme, learner, digests=digests)
    except (InvalidInput, TypeError, AttributeError) as error:
        raise CertificateRejected(f"settings: expected those of votes of parts, got others ({error})") from None
    refuse_differences(certificate, expected, source="the data")


def _is_exact(train: Dataset, n_queries: int, scheme: DisjointParts) -> bool:
    return scheme.n_voters**2 * n_queries * (len(train.classes) - 1) <= _MOST_STEPS


def _count(
    train: Dataset, queries: Matrix, scheme: DisjointParts, learner: LabelLinearLearner, *, exact: bool
) -> Certified:
    votes, prices = _priced(train, queries, scheme, learner)
    count = certify_priced_votes if exact else bound_priced_votes
    return count(votes, prices, n_units=len(train))


def _priced(
    train: Dataset, queries: Matrix, scheme: DisjointParts, learner: LabelLinearLearner
) -> tuple[IntArray, IntArray]:
    """Return votes and prices of each part's model, shapes (q, voters) and (q, voters, n_classes)."""
    codes, k = np.searchsorted(train.classes, train.y), len(train.classes)
    votes = np.full((queries.shape[0], scheme.n_voters), NO_VOTE, dtype=np.int64)
    # A part without rows has no labels to change.
    prices = np.full((*votes.shape, k), OUT_OF_REACH, dtype=np.int32)
    for voter, rows in enumerate(scheme.deal(contents(train.X), None).rows):
        if len(rows):
            response = learner.response(train.X[rows])
            votes[:, voter], prices[:, voter] = price_queries(response, codes[rows], queries, n_classes=k)
    return votes, prices
