"""Certificates, attacks and models over the fraction of poison, on small data."""

import dataclasses

import numpy as np

from toadstone.core.dataset import Dataset
from toadstone.experiments.certified_2017 import certified_curve
from toadstone.experiments.certified_2017.certified_curve import CurveProtocol, attack_curve, certify_curve
from toadstone.experiments.conditions import Conditions


def test_no_attack_exceeds_its_bound_and_whole_rows_lose_little(miniature, cells):
    certified = certify_curve(cells, miniature, Conditions())
    points = attack_curve(cells, certified, miniature, Conditions())
    for point, certificate in zip(points, certified.certificates, strict=True):
        assert point.rows == certificate.budget.count(len(cells.train))
        assert point.clean <= point.total
        assert certificate.bound - 0.02 <= point.total <= certificate.bound * (1 + 2e-5)


def test_a_model_fooled_on_every_test_row_is_counted(cells):
    """Labels of the test rows swapped: errors become successes."""
    swapped = {cells.train.classes[0]: cells.train.classes[1], cells.train.classes[1]: cells.train.classes[0]}
    turned = dataclasses.replace(cells, test=Dataset(cells.test.X, [swapped[label] for label in cells.test.y.tolist()]))
    clean = CurveProtocol(squared_radius=0.5, fractions=(0.0,))
    (right,), (wrong,) = (
        attack_curve(split, certify_curve(split, clean, Conditions()), clean, Conditions()) for split in (cells, turned)
    )
    assert right.wrong + wrong.wrong == right.tested
    assert right.wrong < 5


def test_rows_of_whole_counts_pass_the_filters(counts, words):
    certified = certify_curve(words, counts, Conditions())
    poison = certified_curve.round_attack(
        certified.certificates[1], certified, words.train, 16, np.random.default_rng(0)
    )
    assert len(poison) == 15
    assert np.all(poison.X.data == np.round(poison.X.data))
    assert certified.feasible_set.contains(poison.X, poison.y).all()
    again = certified_curve.round_attack(
        certified.certificates[1], certified, words.train, 16, np.random.default_rng(0)
    )
    assert (poison.X != again.X).nnz == 0


def test_points_are_rounded_to_as_many_rows_as_asked(counts, words):
    certified = certify_curve(words, counts, Conditions())
    certificate, rng = certified.certificates[1], np.random.default_rng(0)
    poison = certified_curve.round_attack(certificate, certified, words.train, 2, rng)
    assert len(poison) == 15
    assert len(np.unique(poison.X.toarray(), axis=0)) == 2 * len(np.unique(poison.y))


def test_the_roundings_that_cost_clean_rows_most_are_used(counts, words):
    certified = certify_curve(words, counts, Conditions())

    def clean(*distinct):
        protocol = dataclasses.replace(counts, distinct=distinct)
        return attack_curve(words, certified, protocol, Conditions())[1].clean

    alone = {number: clean(number) for number in (1, 4, 15)}
    assert len(set(alone.values())) == 3
    assert clean(1, 4, 15) == max(alone.values())
