"""Label-flip certificates: what they state, and that nothing else is accepted."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.certificates.pointwise.label_flips import (
    certify_label_flips,
    certify_ridges,
    verify_label_flips,
)
from toadstone.certificates.pointwise.label_learners import LabelLinearLearner, Sources
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData
from toadstone.core.pointwise import Digests, PointwiseCertificate, curve
from toadstone.learners import KernelRidgeClassifier, KernelSmootherClassifier, NeighbourVoteClassifier
from toadstone.learners import OneHotRidgeClassifier as Ridge

DIGESTS = Digests("data", "queries")
LEARNERS = {
    "ridge": (LabelLinearLearner("ridge", ridge=0.1, bias="free"), Ridge(ridge=0.1)),
    "kernel-ridge": (
        LabelLinearLearner("kernel-ridge", ridge=0.1, gamma=0.2),
        KernelRidgeClassifier(ridge=0.1, gamma=0.2),
    ),
    "kernel-smoother": (
        LabelLinearLearner("kernel-smoother", kernel="laplacian", gamma=0.2),
        KernelSmootherClassifier(kernel="laplacian", gamma=0.2),
    ),
    "k-nn": (LabelLinearLearner("k-nn", n_neighbors=9), NeighbourVoteClassifier(n_neighbors=9)),
}


def scene(n=90, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = 2 * rng.normal(size=(3, 4))[y] + rng.normal(size=(n, 4))
    return Dataset(X, np.array(["ape", "bee", "cat"])[y]), rng.normal(size=(15, 4))


SOURCES = Sources("clinic", np.arange(90) // 6)


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("sources", [None, SOURCES])
def test_it_states_what_the_learner_certifies(name, sources):
    train, queries = scene()
    learner, classifier = LEARNERS[name]
    made = certify_label_flips(train, queries, learner, digests=DIGESTS, sources=sources)
    fitted = classifier.fit(train.X, train.y)
    found = fitted.certify(queries, groups=None if sources is None else sources.codes)
    np.testing.assert_array_equal(made.winners, found.winner)
    np.testing.assert_array_equal(made.counts, found.count)
    assert made.n_units == (90 if sources is None else 15)
    assert made.unit == ("label flips" if sources is None else "values of clinic")
    verify_label_flips(made, train, queries, digests=DIGESTS, sources=sources)
    verify_label_flips(made, train, queries, digests=DIGESTS, sources=sources, sample=4)
    sparse = Dataset(csr_array(train.X), train.y)
    np.testing.assert_array_equal(
        certify_label_flips(sparse, csr_array(queries), learner, digests=DIGESTS, sources=sources).counts, made.counts
    )


def altered(certificate):
    """Each field, and each setting, with another value of its kind."""
    counts, winners = certificate.counts.copy(), certificate.winners.copy()
    counts[0] += 1
    fewer = certificate.counts.copy()
    fewer[-1] = max(0, fewer[-1] - 1) + 2 * (fewer[-1] == 0)
    winners[0] = (winners[0] + 1) % 3
    yield "counts", counts
    yield "counts", fewer
    yield "counts", counts[:-1]
    yield "winners", winners
    yield "rivals", winners
    yield "exact", False
    yield "n_units", certificate.n_units + 1
    yield "classes", ("ape", "bee", "dog")
    yield "evidence", {"sources": np.zeros(90, dtype=int)}
    for name in ("method", "unit", "adversary", "data_sha256", "queries_sha256"):
        yield name, getattr(certificate, name) + "!"
    for name in ("assumptions", "not_promised"):
        yield name, getattr(certificate, name)[1:]
    for name, value in certificate.settings.items():
        yield "settings", {**certificate.settings, name: f"{value}!" if isinstance(value, str) else value + 1}
        yield "settings", {key: other for key, other in certificate.settings.items() if key != name}
    yield "settings", {**certificate.settings, "group": "clinic"}
    yield "settings", {**certificate.settings, "bias": "regularized"}


def test_every_altered_field_is_refused():
    train, queries = scene()
    made = certify_label_flips(train, queries, LEARNERS["ridge"][0], digests=DIGESTS)
    tried = set()
    for name, value in altered(made):
        tried.add(name)
        with pytest.raises((CertificateRejected, InvalidData)):
            verify_label_flips(replace(made, **{name: value}), train, queries, digests=DIGESTS)
    assert tried == {field.name for field in fields(PointwiseCertificate)}


def test_other_data_are_refused():
    train, queries = scene()
    made = certify_label_flips(train, queries, LEARNERS["ridge"][0], digests=DIGESTS, sources=SOURCES)
    flipped = Dataset(train.X, np.roll(train.y, 1))
    for data, asked, sources in (
        (flipped, queries, SOURCES),
        (scene(96)[0], queries, Sources("clinic", np.arange(96) // 6)),
        (train, queries[1:], SOURCES),
        (train, queries[::-1], SOURCES),
        (train, queries, None),
        (train, queries, Sources("ward", SOURCES.codes)),
        (train, queries, Sources("clinic", SOURCES.codes[::-1].copy())),
    ):
        with pytest.raises(CertificateRejected):
            verify_label_flips(made, data, asked, digests=DIGESTS, sources=sources)
    with pytest.raises(CertificateRejected, match="queries_sha256: the certificate is for test rows"):
        verify_label_flips(made, train, queries, digests=Digests("data", "others"), sources=SOURCES)


def test_the_curve_over_the_ridge():
    train, queries = scene()
    labels = np.searchsorted(train.classes, Ridge().fit(train.X, train.y).predict(queries))
    labels[0] = (labels[0] + 1) % 3
    made = certify_ridges(train, queries, [0.01, 1.0], digests=DIGESTS, bias="free")
    for one in made:
        learner = LabelLinearLearner("ridge", ridge=one.settings["ridge"], bias="free")
        alone = certify_label_flips(train, queries, learner, digests=DIGESTS)
        np.testing.assert_array_equal(one.counts, alone.counts)
    assert [(one.settings["ridge"], one.settings["n_train"]) for one in made] == [(0.01, 90), (1.0, 90)]
    first, second = (curve(one, labels) for one in made)
    right = np.where(made[0].winners == labels, made[0].counts, -1)
    assert first.accuracy == np.mean(made[0].winners == labels)
    assert [first.at(share) for share in (0.01, 0.03, 0.05)] == [np.mean(right >= units) for units in (1, 3, 5)]
    assert first.median == np.sort(right)[::-1][7]
    assert second.median >= first.median


def test_bad_input_is_refused():
    train, queries = scene()
    learner = LEARNERS["ridge"][0]
    with pytest.raises(InvalidData, match="queries: expected 4 columns, got 3"):
        certify_label_flips(train, queries[:, :3], learner, digests=DIGESTS)
    with pytest.raises(InvalidData, match="two or more classes, got 1"):
        certify_label_flips(Dataset(train.X, np.zeros(90)), queries, learner, digests=DIGESTS)
    with pytest.raises(InvalidData, match="clinic: expected a source for each of 90 rows, got 5"):
        certify_label_flips(train, queries, learner, digests=DIGESTS, sources=Sources("clinic", np.arange(5)))
    with pytest.raises(InvalidData, match="clinic: expected sources numbered from 0 without gaps"):
        Sources("clinic", np.array([0, 2]))
    with pytest.raises(InvalidArgument, match="`learner`: expected one of ridge, kernel-ridge"):
        LabelLinearLearner("svm")
    with pytest.raises(InvalidArgument, match="`bias`: expected one of"):
        LabelLinearLearner(bias="some")
