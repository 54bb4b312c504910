"""`defend`: all rows of a source go through the layers, published test rows only report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.datasets import load
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.pipeline.defend import DefencePlan, defend
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.layers.named_steps import FILTERS
from toadstone.records.defence import DefenceRecord

PLAN = DefencePlan(detectors=("l2",))


@pytest.fixture(autouse=True)
def known_ridge(monkeypatch):
    """What is chosen elsewhere is no matter here."""
    monkeypatch.setattr(
        "toadstone.pipeline.defend.settle_defence", lambda split, **_: (Defence(ridge=0.1), "as the test has it")
    )


def test_removals_and_kept_rows_have_the_row_numbers_of_the_source(small):
    split = small()
    record, kept = defend(split, PLAN)
    gone = [removal.position for removal in record.removals]
    assert sorted([*gone, *kept.row_ids]) == split.train.row_ids.tolist()
    assert {removal.step for removal in record.removals} == {"l2"}
    assert (record.rows, record.kept, record.removed) == (80, len(kept), len(gone))
    for removal in record.removals:
        assert removal.label == split.train.y[removal.position - 100]


def test_published_test_rows_report_and_decide_nothing(small):
    split = small()
    record, _ = defend(split, PLAN)
    model = Defence(ridge=0.1).model()
    plain = model.fit(split.train.X, split.train.y).predict(split.test.X)
    assert record.test_error_before == np.mean(plain != split.test.y)
    other = replace(split, test=Dataset(split.test.X, split.test.y[::-1].copy(), split.test.feature_names))
    turned, _ = defend(other, PLAN)
    assert turned.test_error_before != record.test_error_before
    assert turned.removals == record.removals
    assert [replace(step, seconds=0) for step in turned.steps] == [replace(step, seconds=0) for step in record.steps]


def test_held_out_rows_are_cleaned_like_the_others_and_judge_nothing():
    split = load("digits-1-7")
    record, kept = defend(split, PLAN)
    assert record.rows == len(split.train) + len(split.test)
    assert record.test_error_before is record.test_error_after is None
    assert len(kept) + len(record.removals) == record.rows


def test_trusted_rows_validate(small):
    trusted = small(seed=9).test
    record, _ = defend(small(), PLAN, trusted=trusted)
    assert record.trusted_rows == 60
    assert record.steps[-1].layer == "validation"
    assert (record.accuracy_before, record.accuracy_after) == (
        record.steps[-1].accuracy_before,
        record.steps[-1].accuracy_after,
    )


def test_rows_that_are_trained_on_cannot_be_trusted(small):
    split = small()
    with pytest.raises(InvalidArgument, match="`trusted`: expected rows that are not among"):
        defend(split, PLAN, trusted=split.train)


def test_stages_are_announced(small):
    stages: list[str] = []
    defend(small(), PLAN, on_stage=stages.append)
    assert stages == ["choosing the ridge", "defence", "l2", "preliminary model", "robust fit", "testing"]


def test_the_record_survives_its_json(small):
    record, _ = defend(small(), PLAN)
    assert DefenceRecord.from_json(record.to_json()) == record


def test_options_out_of_range():
    assert DefencePlan().detectors == FILTERS
    with pytest.raises(UnknownName, match=r"`detector`: expected one of spectral, .*did you mean spectral"):
        DefencePlan(detectors=("spectra",))
    with pytest.raises(InvalidArgument, match="`detectors`: expected each name once, got l2,l2"):
        DefencePlan(detectors=("l2", "l2"))
    for share in (-0.1, 0.5, float("nan")):
        with pytest.raises(InvalidArgument, match=r"`max_removed`: expected a number in \[0, 0\.5\)"):
            DefencePlan(max_removed=share)


def test_detectors_take_their_thresholds_from_trusted_rows(small):
    split, trusted = small(n=300), small(n=240, seed=9).train
    record, kept = defend(
        split, replace(PLAN, detectors=("mahalanobis", "l2", "roni"), max_removed=0.3), trusted=trusted
    )
    both = np.vstack([split.train.X, trusted.X]), np.concatenate([split.train.y, trusted.y])
    detector = RobustMahalanobis().fit(*both, trusted=np.arange(300, 540))
    first, second, third = record.steps[:3]
    assert first.flagged == first.removed == len(detector.flagged_indices_) > 0
    assert {removal.position - 100 for removal in record.removals[: first.removed]} == set(detector.flagged_indices_)
    assert second.flagged == round(0.05 * (300 - first.removed))
    assert not third.skipped
    assert len(kept) + len(record.removals) == 300
    assert record.log[-1].startswith("detectors take their thresholds from the 240 trusted rows")
    without, _ = defend(split, replace(PLAN, detectors=("roni",)))
    assert without.steps[0].skipped == "`trusted`: expected positions of rows known to be clean, got none"
