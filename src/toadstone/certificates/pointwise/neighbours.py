"""Pointwise certificates of nearest neighbours: rows that an attacker may insert, delete or modify in vain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse

from toadstone.certificates.pointwise.recomputed import refuse_differences, refuse_other_data
from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count, check_positive
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData, InvalidInput
from toadstone.core.pointwise import Certified, Digests, PointwiseCertificate
from toadstone.kernels.neighbours.counts import CHANGES, Change, certify_neighbours, certify_radius
from toadstone.kernels.neighbours.search import nearest_labels, votes_within

_UNITS = {"insert": "rows added", "delete": "rows removed", "modify": "rows modified"}
_ADVERSARIES = {
    "insert": "Adds training rows with any features and any labels.",
    "delete": "Removes training rows of its choice.",
    "modify": "Gives training rows of its choice any features and any labels.",
}
_NOT_PROMISED = (
    "Each count is for one query: the attacker may choose other rows for every query.",
    "It does not cover changes of the query itself.",
    "It does not cover features that were learned, scaled or selected on rows that the attacker may change.",
)


_SCALE = "scale"


@dataclass(frozen=True)
class NeighbourVote:
    """A vote of the k nearest training rows, or of all within a radius.

    Parameters
    ----------
    k : int
        Neighbours that vote; 0 for a radius.
    radius : float
        Euclidean distance up to which all rows vote; 0 for k neighbours.
    fallback : int
        Class position where no row is within the radius.

    Raises
    ------
    InvalidArgument
        Unless exactly one of `k` and `radius` is given.
    """

    k: int = 0
    radius: float = 0.0
    fallback: int = 0

    def __post_init__(self) -> None:
        check_count(0, k=self.k, fallback=self.fallback)
        if (self.k > 0) == (self.radius != 0):
            raise InvalidArgument("k", "either a number of neighbours or a radius", f"k {self.k}, radius {self.radius}")
        if not self.k:
            check_positive(radius=self.radius)

    def settings(self, change: str) -> dict[str, str | float | int]:
        """Return the settings of a certificate."""
        own = {"k": self.k} if self.k else {"radius": self.radius, "fallback": self.fallback}
        return {"change": change, "distance": "euclidean", **own}


def make_neighbour_certificate(
    train: Dataset,
    queries: Matrix,
    vote: NeighbourVote,
    *,
    change: Change,
    digests: Digests,
    scale: Array | None = None,
) -> PointwiseCertificate:
    """Certify the predictions of nearest neighbours for queries [1]_.

    Parameters
    ----------
    train : Dataset
        Any number of classes. Rows at equal distance are ordered by their
        values, whatever their order here.
    queries : ndarray or CSR of shape (q, d)
    vote : NeighbourVote
    change : {"insert", "delete", "modify"}
        What the attacker does to a row.
    digests : Digests
    scale : ndarray of shape (d,), optional
        Positive numbers by which columns are divided, from rows that the
        attacker cannot change: fitted to the training rows they would be a
        way around the certificate.

    Returns
    -------
    PointwiseCertificate
        Its evidence is the classes of each query's neighbours, or the votes
        within the radius, and the scale.

    Raises
    ------
    InvalidArgument
        If k is larger than the training set, or an option is out of range.
    InvalidArgument
        If the scale is not one positive number for each column.
    InvalidData
        If the queries have other columns, or there is a single class.

    References
    ----------
    .. [1] Jia, Liu, Cao and Gong, "Certified robustness of nearest neighbors
       against data poisoning and backdoor attacks", AAAI 2022.

    Examples
    --------
    >>> train = Dataset([[0.0], [0.1], [0.2], [0.3], [5.0]], ["ham", "ham", "ham", "spam", "spam"])
    >>> made = make_neighbour_certificate(
    ...     train, np.array([[0.0], [5.0]]), NeighbourVote(k=3), change="modify", digests=Digests("", "")
    ... )
    >>> made.winners.tolist(), made.counts.tolist()
    ([0, 1], [1, 0])
    """
    if len(train.classes) < 2:
        raise InvalidData(f"labels: expected two or more classes, got {len(train.classes)}")
    # Before the search, which takes the time.
    _check(vote, change, train)
    _check_scale(scale, train)
    evidence = _search(train, queries, vote, change, scale)
    return _assemble(train, evidence, vote, change, digests)


def verify_neighbours(
    certificate: PointwiseCertificate,
    train: Dataset,
    queries: Matrix,
    *,
    digests: Digests,
    sample: int = 100,
    seed: int = 0,
) -> None:
    """Verify a certificate of nearest neighbours: recompute all counts, and search again for some queries.

    Parameters
    ----------
    certificate : PointwiseCertificate
    train : Dataset
    queries : ndarray or CSR of shape (q, d)
    digests : Digests
        Of `train` and `queries`, as they are now.
    sample : int
        Queries whose neighbours are searched for again, drawn at random.
    seed : int
        Of that draw.

    Raises
    ------
    CertificateRejected
        If the data are others, or a field does not follow from the evidence,
        or the evidence of a drawn query is not what the data give.
    """
    check_count(sample=sample)
    refuse_other_data(certificate, digests)
    vote, change = _read_settings(certificate, train)
    name, shape = _evidence_shape(train, queries.shape[0], vote, change)
    evidence, scale = certificate.evidence.get(name), certificate.evidence.get(_SCALE)
    if not {name} <= set(certificate.evidence) <= {name, _SCALE} or evidence is None or evidence.shape != shape:
        raise CertificateRejected(f"evidence: expected {name} of shape {shape}, got other arrays")
    try:
        _check_scale(scale, train)
        expected = _assemble(train, dict(certificate.evidence), vote, change, digests)
    except InvalidInput as error:
        raise CertificateRejected(f"evidence: {error}") from None
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.permutation(queries.shape[0])[:sample])
    if not np.array_equal(_search(train, queries[drawn], vote, change, scale)[name], evidence[drawn]):
        raise CertificateRejected(f"evidence: the neighbours of a query, searched for again, are not the {name} stated")
    refuse_differences(certificate, expected, source="the neighbours", but=("evidence",))


def _check(vote: NeighbourVote, change: str, train: Dataset) -> None:
    if change not in CHANGES:
        raise InvalidArgument("change", f"one of {', '.join(CHANGES)}", change)
    if vote.k > len(train):
        raise InvalidArgument("k", f"at most the {len(train)} training rows", vote.k)
    if vote.fallback >= len(train.classes):
        raise InvalidArgument("fallback", f"a class position below {len(train.classes)}", vote.fallback)


def _check_scale(scale: Array | None, train: Dataset) -> None:
    if scale is None:
        return
    fits = scale.shape == (train.n_features,) and scale.dtype.kind == "f"
    if not fits or not np.all(np.isfinite(scale) & (scale > 0)):
        raise InvalidArgument(
            "scale", f"a positive number for each of {train.n_features} columns", f"shape {scale.shape}"
        )


def _width(train: Dataset, vote: NeighbourVote, change: str) -> int:
    """Return how many neighbours a count needs: deletions let in as many again."""
    return min(2 * vote.k, len(train)) if change == "delete" else vote.k


def _evidence_shape(train: Dataset, n_queries: int, vote: NeighbourVote, change: str) -> tuple[str, tuple[int, int]]:
    if vote.k:
        return "neighbours", (n_queries, _width(train, vote, change))
    return "votes", (n_queries, len(train.classes))


def _search(train: Dataset, queries: Matrix, vote: NeighbourVote, change: str, scale: Array | None) -> dict[str, Array]:
    codes: IntArray = np.searchsorted(train.classes, train.y)
    rows, asked = _divided(train.X, scale), _divided(queries, scale)
    kept: dict[str, Array] = {} if scale is None else {_SCALE: scale}
    if vote.k:
        found = nearest_labels(rows, codes, asked, width=_width(train, vote, change))
        return {"neighbours": found.astype(np.min_scalar_type(len(train.classes))), **kept}
    found = votes_within(rows, codes, asked, radius=vote.radius, n_classes=len(train.classes))
    return {"votes": found.astype(np.min_scalar_type(len(train))), **kept}


def _divided(X: Matrix, scale: Array | None) -> Matrix:
    if scale is None:
        return X
    return csr_array(X.multiply(1.0 / scale)) if issparse(X) else X / scale


def _count(train: Dataset, evidence: dict[str, Array], vote: NeighbourVote, change: Change) -> Certified:
    if vote.k:
        return certify_neighbours(
            evidence["neighbours"].astype(np.int64),
            n_classes=len(train.classes),
            k=vote.k,
            change=change,
            n_rows=len(train),
        )
    votes = evidence["votes"].astype(np.int64)
    return certify_radius(votes, change=change, fallback=vote.fallback, n_rows=len(train))


def _assemble(
    train: Dataset, evidence: dict[str, Array], vote: NeighbourVote, change: Change, digests: Digests
) -> PointwiseCertificate:
    found = _count(train, evidence, vote, change)
    voters = f"the {vote.k} nearest training rows" if vote.k else f"all training rows within {vote.radius:g}"
    return PointwiseCertificate(
        method="neighbours",
        unit=_UNITS[change],
        adversary=_ADVERSARIES[change],
        n_units=len(train),
        # A list of 2k neighbours leaves deletions from a very clear vote undecided: at least k of them are in vain.
        exact=bool(np.all((found.rival >= 0) | (found.count == len(train)))),
        classes=tuple(str(label) for label in train.classes),
        winners=found.winner,
        counts=found.count,
        settings=vote.settings(change),
        evidence=evidence,
        data_sha256=digests.data_sha256,
        queries_sha256=digests.queries_sha256,
        assumptions=(
            f"The prediction is the most frequent class among {voters}, by Euclidean distance of the features "
            f"{'divided by the scale in the file' if _SCALE in evidence else 'as they stand'}; the lowest class wins a "
            "tie, and rows at equal distance are ordered by their values.",
            *(("The scale is from rows that the attacker cannot change.",) if _SCALE in evidence else ()),
            "The features of rows and queries do not depend on rows that the attacker may change.",
        ),
        not_promised=_NOT_PROMISED,
        rivals=found.rival,
    )


def _read_settings(certificate: PointwiseCertificate, train: Dataset) -> tuple[NeighbourVote, Change]:
    given = dict(certificate.settings)
    change = str(given.get("change"))
    try:
        vote = NeighbourVote(*(given.get(name, 0) for name in ("k", "radius", "fallback")))  # type: ignore[arg-type]
        _check(vote, change, train)
    except (InvalidArgument, TypeError) as error:
        raise CertificateRejected(f"settings: {error}") from None
    for known in CHANGES:
        if known == change and given == vote.settings(change):
            return vote, known
    raise CertificateRejected("settings: expected those of a vote of neighbours, got others")
