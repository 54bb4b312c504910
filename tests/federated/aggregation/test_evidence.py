"""Evidence of each rule, options, state over rounds, and rounds that aggregate nothing."""

import re

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput, UnknownName
from toadstone.federated import (
    FLAME,
    Bucketing,
    CentredClipping,
    Chain,
    CoordinateMedian,
    DivideAndConquer,
    FLTrust,
    GeometricMedian,
    Krum,
    MultiKrum,
    NormFilter,
    StaticClipping,
    TrimmedMean,
    aggregate,
    aggregate_with_evidence,
    parse_rule,
)
from toadstone.federated.aggregation import agreement


@pytest.fixture
def updates():
    updates = 1.0 + 0.3 * np.random.default_rng(0).normal(size=(11, 30))
    updates[7:9] = -4.0 * updates[7:9]
    return updates


def test_outliers_are_the_most_suspicious_to_every_rule(updates):
    rules = ["median", "trimmed-mean", "meamed", "krum", "multi-krum", "bulyan", "geometric-median", "norm-filter"]
    rules += [
        "minimum-diameter",
        "dnc",
        "flame",
        "centred-clipping",
        "nnm+krum",
        "arc+nnm+median",
        FLTrust(root=np.ones(30)),
    ]
    for rule in rules:
        found = aggregate_with_evidence(updates, rule, malicious=2)
        assert set(np.argsort(found.suspicion)[-2:]) == {7, 8}, rule
        assert found.measure, rule


def test_filtered_are_those_without_weight(updates):
    for rule, filtered in {"krum": 10, "multi-krum": 4, "norm-filter": 2, "minimum-diameter": 2, "bulyan": 4}.items():
        found = aggregate_with_evidence(updates, rule, malicious=2)
        assert found.filtered.sum() == filtered, rule
        assert found.filtered[[7, 8]].all(), rule
    for rule in ("median", "trimmed-mean", "centred-clipping", "geometric-median"):
        assert not aggregate_with_evidence(updates, rule, malicious=2).filtered.any()


def test_buckets_share_their_evidence(updates):
    found = aggregate_with_evidence(updates, "bucketing+multi-krum", malicious=1)
    assert len(set(found.suspicion.tolist())) == 6
    assert found.coefficients.sum() == pytest.approx(1.0)
    assert found.measure.endswith("behind bucketing")


def test_names_go_along(updates):
    clients = [f"hospital {number}" for number in range(11)]
    assert aggregate_with_evidence(updates, "krum", malicious=2, clients=clients).names == tuple(clients)
    with pytest.raises(InvalidArgument, match="`clients`: expected 11 names, one for each update, got 2"):
        aggregate_with_evidence(updates, "krum", malicious=2, clients=clients[:2])


def test_the_kappa_of_what_is_left(updates):
    found = aggregate_with_evidence([*updates, None], "nnm+median", malicious=3)
    assert found.kappa == pytest.approx(8 * 2 / 9 * (4 * (1 + 2 / 7) ** 2 + 1))
    assert aggregate_with_evidence(updates, "bulyan", malicious=2).kappa is None


def test_the_geometric_median_says_what_it_proved(updates):
    for tolerance in (1e-2, 1e-9):
        found = aggregate_with_evidence(updates, GeometricMedian(tolerance=tolerance), malicious=2)
        assert 0 <= found.tolerance <= tolerance


def test_centred_clipping_carries_its_centre(updates):
    first = aggregate_with_evidence(updates, CentredClipping(radius=1.0), malicious=2)
    assert np.linalg.norm(first.vector) <= 1.0
    second = aggregate_with_evidence(updates, first.next_rule, malicious=2)
    assert np.linalg.norm(second.vector - first.vector) <= 1.0
    np.testing.assert_array_equal(second.vector, CentredClipping(radius=1.0, centre=first.vector)(updates, 2))
    twice = CentredClipping(radius=1.0, steps=2)(updates, 2)
    np.testing.assert_allclose(second.vector, twice, rtol=1e-12)
    chained = aggregate_with_evidence(updates, Chain((Bucketing(size=1),), CentredClipping(radius=1.0)), malicious=2)
    assert chained.next_rule.before == (Bucketing(size=1, seed=1),)
    np.testing.assert_array_equal(chained.next_rule.rule.centre, chained.vector)
    with pytest.raises(InvalidData, match=r"`centre`: expected shape \(30,\), as the updates, got \(2,\)"):
        CentredClipping(centre=np.zeros(2))(updates, 2)


def test_a_round_in_which_nobody_agrees_with_the_root(updates):
    rule = FLTrust(root=-np.ones(30))
    kept = np.delete(updates, [7, 8], axis=0)
    found = aggregate_with_evidence(kept, rule, malicious=2)
    assert found.nothing.startswith("FLTrust aggregated nothing: no update agrees")
    assert not found.vector.any()
    assert found.filtered.all()
    with pytest.raises(InvalidInput, match=r"^FLTrust aggregated nothing"):
        aggregate(kept, rule, malicious=2)


def test_trust_withstands_a_majority(updates):
    updates = updates.copy()
    updates[:9] = -1e3
    found = aggregate_with_evidence(updates, FLTrust(root=np.ones(30)), malicious=9)
    assert found.filtered.sum() == 9
    assert np.linalg.norm(found.vector) <= np.sqrt(30) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("root", "sentence"),
    [
        (None, r"^FLTrust needs the update of a trusted root set: FLTrust\(root=...\), got none$"),
        (np.ones(3), r"^`root`: expected shape \(30,\), as the updates, got \(3,\)$"),
        (np.full(30, np.nan), "^`root`: expected finite numbers, got nan or infinity$"),
    ],
)
def test_a_root_set_that_cannot_be_used(updates, root, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        aggregate(updates, FLTrust(root=root), malicious=2)


def test_a_root_of_zero_or_of_extreme_size(updates):
    assert "nothing" in aggregate_with_evidence(updates, FLTrust(root=np.zeros(30)), malicious=2).nothing
    for size in (1e-170, 1e170):
        with np.errstate(over="ignore"):
            vector = aggregate(updates, FLTrust(root=size * np.ones(30)), malicious=2)
        assert np.linalg.norm(vector / size) <= np.sqrt(30) * (1 + 1e-12)


def test_flame_without_a_cluster(updates, monkeypatch):
    monkeypatch.setattr(agreement, "majority_cluster", lambda distances: np.zeros(len(distances), dtype=bool))
    found = aggregate_with_evidence(updates, "flame", malicious=2)
    assert found.nothing == "FLAME aggregated nothing: no 6 of 11 updates form a cluster"
    assert not found.vector.any()
    assert found.next_rule == FLAME()


def test_the_noise_of_flame(updates):
    quiet, noisy = FLAME(noise=0.0)(updates, 2), FLAME(noise=0.1)(updates, 2)
    assert 0.01 < np.linalg.norm(noisy - quiet) / np.linalg.norm(quiet) < 1
    np.testing.assert_array_equal(noisy, FLAME(noise=0.1)(updates, 2))
    assert aggregate_with_evidence(updates, "flame", malicious=2).next_rule == FLAME(seed=1)


def test_draws_that_drop_everybody():
    updates = np.eye(4) * [1.0, 1.1, 1.2, 1.3]
    found = aggregate_with_evidence(updates, DivideAndConquer(draws=60, coordinates=1, removed=2.0), malicious=1)
    assert found.nothing == "DnC aggregated nothing: each update was dropped in one of 60 draws"


def test_draws_follow_the_seed(updates):
    vectors = [DivideAndConquer(coordinates=3, seed=seed)(updates, 4).tolist() for seed in (0, 0, 1, 2, 3)]
    assert vectors[0] == vectors[1]
    assert len({tuple(vector) for vector in vectors}) > 1


def test_options_of_krum(updates):
    squared = np.square(updates[:, None] - updates).sum(axis=2)
    scores = np.sort(squared, axis=1)[:, 1 : 1 + 11 - 2 - 2].sum(axis=1)
    for rule in ("krum", "multi-krum"):
        np.testing.assert_allclose(aggregate_with_evidence(updates, rule, malicious=2).suspicion, scores, rtol=1e-12)
    assert Krum(neighbours=3)(updates, 2).tolist() in updates.tolist()
    kept = aggregate_with_evidence(updates, MultiKrum(keep=9), malicious=2).filtered
    assert kept.sum() == 2
    with pytest.raises(InvalidArgument, match="`keep`: expected at most n - f = 9, got 10"):
        MultiKrum(keep=10)(updates, 2)
    with pytest.raises(InvalidArgument, match="`neighbours`: expected a number from 1 to n - f - 1 = 8, got 9"):
        Krum(neighbours=9)(updates, 2)


def test_a_trim_below_f_or_of_half():
    updates = np.arange(9.0)[:, None]
    assert TrimmedMean(trim=4)(updates, 2).tolist() == [4.0]
    for trim in (1, 5):
        with pytest.raises(
            InvalidArgument, match="`trim`: expected a number from f = 2 to 4, below half of the 9 updates"
        ):
            TrimmedMean(trim=trim)(updates, 2)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: GeometricMedian(tolerance=0.0),
        lambda: CentredClipping(radius=-1.0),
        lambda: CentredClipping(steps=0),
        lambda: NormFilter(deviations=0.0),
        lambda: NormFilter(floor=-1.0),
        lambda: DivideAndConquer(draws=0),
        lambda: DivideAndConquer(removed=0.0),
        lambda: FLAME(noise=-1.0),
        lambda: FLAME(seed=-1),
        lambda: Bucketing(size=0),
        lambda: StaticClipping(radius=0.0),
        lambda: TrimmedMean(trim=-1),
        lambda: MultiKrum(keep=0),
        lambda: Krum(neighbours=0),
    ],
)
def test_options_out_of_their_range(bad):
    with pytest.raises(InvalidArgument, match="expected"):
        bad()


def test_clipping_by_name_is_to_the_median_norm(updates):
    radius = float(np.median(np.linalg.norm(updates, axis=1)))
    by_hand = updates * np.minimum(1.0, radius / np.linalg.norm(updates, axis=1))[:, None]
    found = aggregate(updates, "clipping+median", malicious=2)
    np.testing.assert_allclose(found, np.median(by_hand, axis=0), rtol=1e-12)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (lambda: Chain(("nnm",), "median"), "`before`: expected objects such as NearestNeighbourMixing(), got str"),
        (lambda: Chain((CoordinateMedian(),), Krum()), "`before`: expected .*, got CoordinateMedian"),
        (lambda: Chain(Bucketing(), Krum()), "`before`: expected a tuple of pre-aggregations, got Bucketing"),
        (lambda: Chain((Bucketing(),), "median"), "`rule`: expected an object such as CoordinateMedian(), got str"),
        (lambda: StaticClipping(radius="1"), "`radius`: expected a positive number, got '1'"),
        (lambda: CentredClipping(radius=[1.0]), "`radius`: expected a positive number, got [1.0]"),
        (lambda: GeometricMedian(tolerance="1e-6"), "`tolerance`: expected a number in (0, 1), got '1e-6'"),
    ],
)
def test_options_of_another_type(bad, sentence):
    with pytest.raises(InvalidArgument, match=re.escape(sentence).replace(r"\.\*", ".*")):
        bad()


def test_a_centre_that_is_not_finite_is_refused(updates):
    with pytest.raises(InvalidData, match="`centre`: expected finite numbers"):
        aggregate(updates, CentredClipping(centre=np.full(30, np.nan)), malicious=2)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "`rule`: expected a name such as nnm+trimmed-mean, got none"),
        ("nnm", "`rule`: expected a rule behind nnm, as in nnm+trimmed-mean, got nnm alone"),
        ("nnm+", "`rule`: expected a rule behind nnm, as in nnm+trimmed-mean, got nnm+"),
        ("arc+nnm", "`rule`: expected a rule behind nnm, as in nnm+trimmed-mean, got arc+nnm"),
        ("nnm++krum", "`rule`: expected names joined by single signs +, as in nnm+trimmed-mean, got nnm++krum"),
        ("krum+nnm", "`rule`: expected the rule to stand last, as in nnm+krum, got krum+nnm"),
        ("krum+median", "`rule`: expected one rule, behind pre-aggregations if need be, as in nnm+trimmed-mean, got"),
    ],
)
def test_parts_out_of_their_place(name, sentence):
    with pytest.raises(InvalidArgument, match=f"^{re.escape(sentence)}"):
        parse_rule(name)


def test_names_in_capitals_are_suggested():
    with pytest.raises(UnknownName, match=r"got MEDIAN; did you mean median\?$"):
        parse_rule("MEDIAN")


def test_names_of_rules():
    assert parse_rule(" arc + nnm + krum ").spec == "arc+nnm+krum"
    assert parse_rule("arc+nnm+krum").condition == "n >= 2f + 1 and n >= 2f + 3"
    assert parse_rule("bucketing+mean").condition == "n >= 1 and f = 0"
    with pytest.raises(InvalidArgument, match=r"`rule`: expected a name such as nnm\+trimmed-mean, or a Rule, got int"):
        parse_rule(3)


def test_a_chain_of_nothing_is_its_rule(updates):
    chain = Chain((), CoordinateMedian())
    assert chain.spec == "median"
    np.testing.assert_array_equal(chain(updates, 2), np.median(updates, axis=0))
