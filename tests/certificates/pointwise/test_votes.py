"""Certificates of votes: verified by a recount, refused where anything in them was changed."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import toadstone
from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.certificates.pointwise.votes import certify_votes, make_vote_certificate, verify_votes
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.core.pointwise import Digests, PointwiseCertificate, curve
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, HashBagging
from toadstone.learners.partitioned import PartitionVoteClassifier

N = 60
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, N)
TRAIN = Dataset(RNG.normal(size=(N, 3)) + CODES[:, None], np.array(["a", "b", "c"])[CODES])
QUERIES = RNG.normal(size=(12, 3)) + 1
GROUPS = [f"clinic {row % 7}" for row in range(N)]
DIGESTS = Digests("a" * 64, "b" * 64)
SCHEMES = {
    "parts": (DisjointParts(9, "key"), None),
    "few rows": (DisjointParts(80), None),
    "finite aggregation": (FiniteAggregation(4, 3), None),
    "bags": (HashBagging(4, 3), None),
    "groups": (GroupParts(group="clinics"), GROUPS),
    "periods": (Periods(span=2, period="weeks"), [row // 8 for row in range(N)]),
}
every_scheme = pytest.mark.parametrize("name", SCHEMES)


def made(name):
    scheme, groups = SCHEMES[name]
    classifier = PartitionVoteClassifier(estimator=GaussianNB(var_smoothing=0.1), scheme=scheme)
    ballots = classifier.fit_votes(TRAIN.X, TRAIN.y, QUERIES, groups=groups)
    found = make_vote_certificate(ballots, TRAIN, scheme, learner="naive Bayes", digests=DIGESTS, groups=groups)
    return found, groups, ballots


@every_scheme
def test_a_certificate_says_what_is_counted_and_is_verified(name):
    found, groups, ballots = made(name)
    verify_votes(found, TRAIN, digests=DIGESTS, groups=groups)
    expected = SCHEMES[name][0].certify(ballots, 3)
    np.testing.assert_array_equal(found.counts, expected.count)
    np.testing.assert_array_equal(found.winners, expected.winner)
    assert found.n_units == {"groups": 7, "periods": 8}.get(name, N)
    assert found.method == ("temporal" if name == "periods" else "votes")
    assert found.exact == (name != "finite aggregation")
    assert found.evidence["votes"].dtype == np.uint8
    assert curve(found, CODES[:12]).n_units == found.n_units


def tampered(found, name):
    value = getattr(found, name)
    if name == "evidence":
        votes = value["votes"].copy()
        votes[0, np.argmax(votes[0] < 3)] ^= 1
        return replace(found, evidence={"votes": votes})
    if name == "winners":
        return replace(found, winners=(value + 1) % 3)
    if name == "settings":
        return replace(found, settings={**value, "more": 1})
    others = {bool: lambda: not value, int: lambda: value + 1, str: lambda: value + " indeed"}
    others |= {tuple: lambda: (*value, "more"), np.ndarray: lambda: value + 1}
    return replace(found, **{name: others[type(value)]()})


@every_scheme
@pytest.mark.parametrize("field", [field.name for field in fields(PointwiseCertificate)])
def test_a_tampered_field_is_refused(name, field):
    found, groups, _ = made(name)
    with pytest.raises(CertificateRejected):
        verify_votes(tampered(found, field), TRAIN, digests=DIGESTS, groups=groups)


@every_scheme
def test_a_tampered_setting_is_refused(name):
    found, groups, _ = made(name)
    for setting, value in found.settings.items():
        changed = value + 1 if isinstance(value, int) else value + " indeed"
        other = replace(found, settings={**found.settings, setting: changed})
        with pytest.raises(CertificateRejected):
            verify_votes(other, TRAIN, digests=DIGESTS, groups=groups)
        without = {key: kept for key, kept in found.settings.items() if key != setting}
        with pytest.raises(CertificateRejected):
            verify_votes(replace(found, settings=without), TRAIN, digests=DIGESTS, groups=groups)


@pytest.mark.parametrize("value", [1.5, -1, None, "9", 10**6, 2**70])
def test_a_setting_of_another_kind_is_refused(value):
    found, _, _ = made("parts")
    with pytest.raises(CertificateRejected):
        verify_votes(replace(found, settings={**found.settings, "n_parts": value}), TRAIN, digests=DIGESTS)


@pytest.mark.parametrize("votes", [np.zeros((12, 9)), np.zeros(12, np.uint8), np.zeros((3, 9), np.uint8)])
def test_votes_of_another_shape_are_refused(votes):
    found, _, _ = made("parts")
    with pytest.raises(CertificateRejected, match=r"^evidence: expected votes"):
        verify_votes(replace(found, evidence={"votes": votes}), TRAIN, digests=DIGESTS)


def test_other_rows_and_other_groups_are_refused():
    found, _, _ = made("groups")
    with pytest.raises(CertificateRejected, match="data_sha256: the certificate is for training rows"):
        verify_votes(found, TRAIN, digests=Digests("c", DIGESTS.queries_sha256), groups=GROUPS)
    with pytest.raises(CertificateRejected, match="votes: expected those of 60 voters, got 7"):
        verify_votes(found, TRAIN, digests=DIGESTS, groups=list(range(N)))
    with pytest.raises(CertificateRejected, match="groups"):
        verify_votes(found, TRAIN, digests=DIGESTS)


def test_votes_of_voters_without_rows_are_refused():
    ballots = made("few rows")[2].copy()
    scheme = SCHEMES["few rows"][0]
    assert (ballots == -1).any()
    for other in (np.maximum(ballots, 0), np.where(np.arange(80) == np.argmax(ballots[0] >= 0), -1, ballots)):
        with pytest.raises(InvalidData, match="votes: expected one of every voter that has rows, and of no other"):
            make_vote_certificate(other, TRAIN, scheme, learner="naive Bayes", digests=DIGESTS)


def test_the_public_name():
    found = toadstone.certificates.certify_votes([[0, 0, 0, 0, 0, 1, 1]], n_classes=2)
    assert (found.winner.tolist(), found.count.tolist()) == ([0], [1])


def test_votes_of_very_many_classes_take_two_bytes_in_the_file(tmp_path):
    classes = 300
    X, y = np.arange(2.0 * classes)[:, None], np.arange(2 * classes) % classes
    train, scheme = Dataset(X, y), DisjointParts(3)
    rng = np.random.default_rng(0)
    ballots = np.where(rng.random((9, 3)) < 0.6, 255 + np.arange(9)[:, None], rng.integers(0, classes, (9, 3)))
    made = make_vote_certificate(ballots, train, scheme, learner="chance", digests=DIGESTS)
    assert made.evidence["votes"].dtype == np.uint16
    write_certificate(made, tmp_path / "made.json")
    again = read_certificate(tmp_path / "made.json")
    assert again.evidence["votes"].dtype == np.uint16
    verify_votes(again, train, digests=DIGESTS)
    np.testing.assert_array_equal(again.counts, certify_votes(ballots, n_classes=classes).count)
    assert again.winners.max() > 255
