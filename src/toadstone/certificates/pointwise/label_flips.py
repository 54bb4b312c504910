"""Pointwise certificates of learners that are linear in the labels: labels that an attacker may change in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toadstone.certificates.pointwise.label_learners import LabelLinearLearner, Sources
from toadstone.certificates.pointwise.recomputed import refuse_differences, refuse_other_data
from toadstone.core.arrays import Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData
from toadstone.core.pointwise import Certified, Digests, PointwiseCertificate
from toadstone.kernels.label_response.responses import Response, certify_queries
from toadstone.kernels.label_response.ridge import RidgeGram, RidgeResponse
from toadstone.kernels.linear.fit import Bias

_NOT_PROMISED = (
    "Each count is for one query: the attacker may choose other labels for every query.",
    "It does not cover rows that are added, removed or given other features, nor changes of the query itself.",
    "It does not cover labels of a class that the training set lacks, nor rows that were left out by their labels: a "
    "changed label could bring one in.",
)


def certify_label_flips(
    train: Dataset, queries: Matrix, learner: LabelLinearLearner, *, digests: Digests, sources: Sources | None = None
) -> PointwiseCertificate:
    """Certify the predictions of a learner that is linear in the labels, exactly.

    Parameters
    ----------
    train : Dataset
        Any number of classes. `check_label_free` says whether its preparation
        looked at labels.
    queries : ndarray or CSR of shape (q, d)
    learner : LabelLinearLearner
    digests : Digests
    sources : Sources, optional
        The units are then sources, by default label flips.

    Returns
    -------
    PointwiseCertificate

    Raises
    ------
    InvalidData
        If the queries have other columns, there is a single class, or not one source for each row.

    Examples
    --------
    >>> train = Dataset([[-2.0], [-1.0], [-1.0], [1.0], [1.0], [2.0]], ["ham", "ham", "ham", "spam", "spam", "spam"])
    >>> learner = LabelLinearLearner("ridge", ridge=0.1)
    >>> made = certify_label_flips(train, np.array([[3.0]]), learner, digests=Digests("", ""))
    >>> made.winners.tolist(), made.counts.tolist()
    ([1], [1])
    """
    _check(train, queries, sources)
    return _certify(train, queries, learner, learner.response(train.X), digests, sources)


def certify_ridges(
    train: Dataset,
    queries: Matrix,
    ridges: Sequence[float],
    *,
    digests: Digests,
    bias: Bias = "none",
    sources: Sources | None = None,
    gram: RidgeGram | None = None,
) -> tuple[PointwiseCertificate, ...]:
    """Certify ridge regression at several penalties; the products of the rows are computed once.

    Parameters
    ----------
    train, queries, digests, sources
        As for `certify_label_flips`.
    ridges : sequence of float
        Penalties for each row.
    bias : {"none", "free", "regularized"}
    gram : RidgeGram, optional
        The products of the rows, with their bias, where they are known.

    Returns
    -------
    tuple of PointwiseCertificate
        One for each penalty. Choosing among them by these labels voids the chosen one.

    Raises
    ------
    InvalidData
        As for `certify_label_flips`.
    """
    _check(train, queries, sources)
    gram = RidgeGram(train.X, bias=bias) if gram is None else gram
    learners = [LabelLinearLearner("ridge", ridge=float(ridge), bias=gram.bias) for ridge in ridges]
    return tuple(
        _certify(train, queries, one, RidgeResponse(gram, ridge=one.ridge), digests, sources) for one in learners
    )


def verify_label_flips(
    certificate: PointwiseCertificate,
    train: Dataset,
    queries: Matrix,
    *,
    digests: Digests,
    sources: Sources | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> None:
    """Verify a label-flip certificate: compute the weights again, and the counts from them.

    Parameters
    ----------
    certificate : PointwiseCertificate
    train, queries, digests, sources
        As for `certify_label_flips`, as they are now.
    sample : int, optional
        Queries to check, drawn at random; all by default. Counts of others
        are taken on trust.
    seed : int
        Of that draw.

    Raises
    ------
    CertificateRejected
        If the data are others, or a field is not what they give.
    """
    refuse_other_data(certificate, digests)
    learner = _read_settings(certificate, train, sources)
    if len(certificate.winners) != queries.shape[0]:
        raise CertificateRejected(f"winners: expected {queries.shape[0]}, one a query, got {len(certificate.winners)}")
    rng = np.random.default_rng(seed)
    drawn = np.arange(queries.shape[0]) if sample is None else np.sort(rng.permutation(queries.shape[0])[:sample])
    _check(train, queries, sources)
    again = _certify(train, queries[drawn], learner, learner.response(train.X), digests, sources)
    rivals = None if certificate.rivals is None else certificate.rivals[drawn]
    stated = replace(certificate, winners=certificate.winners[drawn], counts=certificate.counts[drawn], rivals=rivals)
    refuse_differences(stated, again, source="the data")


def _check(train: Dataset, queries: Matrix, sources: Sources | None) -> None:
    if len(train.classes) < 2:
        raise InvalidData(f"labels: expected two or more classes, got {len(train.classes)}")
    if queries.shape[1] != train.n_features:
        raise InvalidData(f"queries: expected {train.n_features} columns, got {queries.shape[1]}")
    if sources is not None and len(sources.codes) != len(train):
        raise InvalidData(
            f"{sources.column}: expected a source for each of {len(train)} rows, got {len(sources.codes)}"
        )


def _certify(
    train: Dataset,
    queries: Matrix,
    learner: LabelLinearLearner,
    response: Response,
    digests: Digests,
    sources: Sources | None,
) -> PointwiseCertificate:
    codes, groups = np.searchsorted(train.classes, train.y), None if sources is None else sources.codes
    found = certify_queries(response, codes, queries, n_classes=len(train.classes), groups=groups)
    return _assemble(train, found, learner, digests, sources)


def _assemble(
    train: Dataset, found: Certified, learner: LabelLinearLearner, digests: Digests, sources: Sources | None
) -> PointwiseCertificate:
    by_source: dict[str, str | float | int] = {} if sources is None else {"group": sources.column}
    penalty = " lambda," if "ridge" in learner.settings() else ""
    return PointwiseCertificate(
        method="label-flips",
        unit="label flips" if sources is None else f"values of {sources.column}",
        adversary="Changes labels of training rows of its choice."
        if sources is None
        else f"Changes any labels of all training rows of values of {sources.column} of its choice.",
        n_units=len(train) if sources is None else int(sources.codes.max()) + 1,
        exact=True,
        classes=tuple(str(label) for label in train.classes),
        winners=found.winner,
        counts=found.count,
        settings={**learner.settings(), **by_source, "n_train": len(train)},
        evidence={} if sources is None else {"sources": np.asarray(sources.codes)},
        data_sha256=digests.data_sha256,
        queries_sha256=digests.queries_sha256,
        assumptions=(
            f"The features,{penalty} and all other parameters do not depend on labels that the attacker may change; "
            "the counts are for these parameters.",
            "The prediction is the class with the highest score, the first on a tie.",
        ),
        not_promised=_NOT_PROMISED,
        rivals=found.rival,
    )


def _read_settings(certificate: PointwiseCertificate, train: Dataset, sources: Sources | None) -> LabelLinearLearner:
    given = dict(certificate.settings)
    group, n_train, name = given.pop("group", None), given.pop("n_train", None), given.pop("learner", None)
    if group != (None if sources is None else sources.column) or n_train != len(train):
        raise CertificateRejected("settings: expected the sources and the number of rows of these data, got others")
    try:
        learner = LabelLinearLearner(name, **given)  # type: ignore[arg-type]
    except (InvalidArgument, TypeError):
        raise CertificateRejected(
            "settings: expected those of a learner that is linear in the labels, got others"
        ) from None
    if learner.settings() != {"learner": name, **given}:
        raise CertificateRejected("settings: expected those of a learner that is linear in the labels, got others")
    return learner
