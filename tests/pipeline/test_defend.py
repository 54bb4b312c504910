"""`defend`: all rows of a source are judged, independent rows only report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets import load
from toadstone.pipeline.defence.measure import OwnModel
from toadstone.pipeline.defend import DefencePlan, defend
from toadstone.pipeline.harness.judge import Defence
from toadstone.records.defence import DefenceRecord

PLAN = DefencePlan()


@pytest.fixture(autouse=True)
def known_ridge(monkeypatch):
    """What is chosen elsewhere is no matter here."""
    monkeypatch.setattr(
        "toadstone.pipeline.defend.settle_defence", lambda split, **_: (Defence(ridge=0.1), "as the test has it")
    )


def alone(split):
    """The split without a published test set."""
    return replace(split, test_origin="20 % held out at random")


def test_removals_and_kept_rows_have_the_row_numbers_of_the_source(small, listing):
    listing(9, group=[3, 5, 7])
    split = small()
    found = defend(split, PLAN)
    record, gone = found.record, [removal.position for removal in found.record.removals]
    assert gone == [103, 105, 107, 109]
    assert sorted([*gone, *found.kept.row_ids]) == split.train.row_ids.tolist()
    assert [removal.step for removal in record.removals] == ["group"] * 3 + ["label"]
    assert (record.rows, record.kept, record.removed) == (80, 76, 4)
    for removal in record.removals:
        assert removal.label == split.train.y[removal.position - 100]
        other = {"ham": "spam", "spam": "ham"}[removal.label]
        # Of a row by itself the reason says what stands not beside it; of a group it is that of the verdict.
        alone = removal.step == "label"
        words = removal.reason.startswith(f"looks like {other} (")
        assert words if alone else removal.reason == f"for reason {removal.position - 100}"
        assert removal.values
    assert set(record.removals[0].values) == {"one", "two"}
    (group,) = record.groups
    assert (group.count, group.positions, set(group.values)) == (3, (103, 105, 107), {"one", "two"})
    assert record.expected_innocents == pytest.approx(sum(1 - removal.suspicion for removal in record.removals))


def test_independent_rows_report_and_decide_nothing(small, listing):
    listing(2, 4, 6)
    split = small()
    record = defend(split, PLAN).record
    model = Defence(ridge=0.1).model()
    train = split.train
    (measured,) = record.measurements
    assert measured.where == "published"
    kept = np.setdiff1d(np.arange(80), [2, 4, 6])
    for rows, share in ((np.arange(80), measured.change.before), (kept, measured.change.after)):
        right = model.fit(train.X[rows], train.y[rows]).predict(split.test.X) == split.test.y
        assert share == np.mean(right)
    other = replace(split, test=Dataset(split.test.X, split.test.y[::-1].copy(), split.test.feature_names))
    turned = defend(other, PLAN).record
    assert turned.measurements != record.measurements
    assert turned.removals == record.removals


def test_without_independent_rows_nothing_is_measured_and_no_model_is_trained(small, listing, monkeypatch):
    listing(2, 4)
    monkeypatch.setattr("toadstone.pipeline.defend.settle_defence", lambda *_, **__: pytest.fail("a model was chosen"))
    record = defend(alone(small()), PLAN).record
    assert record.measurements == ()
    assert record.independent is None
    assert record.learner == ""
    assert record.removed == 2


def test_held_out_rows_are_judged_like_the_others(listing):
    asked = listing(0)
    split = load("digits-1-7")
    found = defend(split, PLAN)
    assert len(asked[0].data) == found.record.rows == len(split.train) + len(split.test)
    assert len(found.kept) + len(found.record.removals) == found.record.rows


def test_trusted_rows_reach_the_verdict_and_measure(small, listing):
    asked, trusted = listing(1), small(seed=9).test
    record = defend(alone(small()), PLAN, trusted=trusted).record
    assert asked[0].trusted is trusted
    assert record.trusted_rows == 60
    assert [(found.where, found.change.rows) for found in record.measurements] == [("trusted", 60)]


def test_both_kinds_of_independent_rows_are_reported_the_trusted_first(small, listing):
    listing(1)
    record = defend(small(), PLAN, trusted=small(seed=9).test).record
    assert [found.where for found in record.measurements] == ["trusted", "published"]
    assert record.independent == record.measurements[0].change


def test_rows_that_are_trained_on_cannot_be_trusted(small, listing):
    listing(1)
    split = small()
    with pytest.raises(InvalidArgument, match="`trusted`: expected rows that are not among"):
        defend(split, PLAN, trusted=split.train)


def test_relabelled_rows_are_kept_under_their_new_label(small, listing):
    listing(9, 11, group=[3, 5])
    split = small()
    found = defend(split, replace(PLAN, action="relabel"))
    record = found.record
    assert [row.position for row in record.relabelled] == [109, 111]
    assert {row.step for row in record.removals} == {"group"}
    assert record.rows == len(found.kept) + len(record.removals)
    for row in record.relabelled:
        assert row.reason.startswith(f"looks like {row.new_label} (")
        assert row.values
        assert row.label == split.train.y[row.position - 100]
        assert row.new_label == {"ham": "spam", "spam": "ham"}[row.label]
        assert found.kept.y[found.kept.row_ids == row.position] == row.new_label


def test_weights_remove_nothing(small, listing):
    listing(9, group=[3, 5])
    found = defend(small(), replace(PLAN, action="weight"))
    assert found.record.removed == 0
    assert found.record.weighed == 80
    assert found.record.weight_lost == pytest.approx(np.sum(1 - found.treatment.weight))
    assert found.treatment.weight[3] == pytest.approx(0.01)
    light = found.record.light
    assert [row.position for row in light] == (100 + np.flatnonzero(found.treatment.weight < 0.5)).tolist()
    assert [row.weight for row in light] == sorted(row.weight for row in light)
    assert all(row.values for row in light)


def test_a_model_of_the_callers_is_what_is_measured_on_the_rows_it_wants(small, listing):
    listing(2)
    split, asked = small(), []

    def rows(positions):
        asked.append(positions.tolist())
        return split.train.X[positions - 100]

    model = OwnModel(KNeighborsClassifier(1), "mine", "your model", rows)
    record = defend(split, replace(PLAN, model=model)).record
    assert (record.learner, record.learner_origin) == ("mine", "your model")
    assert asked == [split.train.row_ids.tolist(), np.setdiff1d(split.train.row_ids, 102).tolist()]


def test_a_representation_is_looked_at_row_by_row_of_the_source(small, listing):
    asked = listing(1)
    split = small()
    seen = np.arange(160.0).reshape(80, 2)
    defend(split, replace(PLAN, represented=seen))
    assert np.array_equal(asked[0].data.X, seen)
    ids = np.random.default_rng(0).permutation(80)
    train = Dataset(split.train.X, split.train.y, split.train.feature_names, ids)
    defend(replace(split, train=train), replace(PLAN, represented=seen))
    assert np.array_equal(asked[1].data.X, seen[ids])
    assert asked[0].trusted is None
    with pytest.raises(InvalidArgument, match="`represent`: expected a representation with 80 rows, one for each row"):
        defend(split, replace(PLAN, represented=seen[:-1]))


def test_sources_and_times_reach_the_verdict(small, listing):
    class Raw:
        def cells(self, column):
            return {"who": ["a", "b"] * 90, "when": list(range(180))}.get(column)

        def column(self, feature):
            return f"column {feature}"

        def values(self, positions, feature):
            return ["1"] * len(positions)

    asked = listing(1, group=[2, 4])
    split = replace(small(), raw=Raw())
    defend(split, replace(PLAN, group="who", time="when"))
    assert asked[0].circumstances.sources[:3].tolist() == ["a", "b", "a"]
    assert asked[0].circumstances.times[:3].tolist() == [100.0, 101.0, 102.0]
    with pytest.raises(InvalidArgument, match="`group`: expected a column of a table"):
        defend(split, replace(PLAN, group="nobody"))


def test_what_the_data_cannot_tell_is_left_for_review(small, listing):
    listing(9, 11, group=[3], supported=False)
    record = defend(small(), PLAN).record
    assert [removal.position for removal in record.removals] == [103]
    assert (record.noise.supported, record.noise.for_review) == (False, 2)


def test_stages_are_announced(small, listing):
    listing(1)
    stages: list[str] = []
    defend(small(), PLAN, on_stage=stages.append)
    assert stages == ["verdict", "choosing the ridge", "testing"]


def test_the_record_survives_its_json(small, listing):
    listing(9, group=[3, 5])
    for action in ("remove", "relabel", "weight"):
        record = defend(small(), replace(PLAN, action=action)).record
        assert DefenceRecord.from_json(record.to_json()) == record


def test_options_out_of_range():
    with pytest.raises(InvalidArgument, match="`action`: expected one of remove, relabel, weight, got burn"):
        DefencePlan(action="burn")
    for share in (-0.1, 0.5, float("nan")):
        with pytest.raises(InvalidArgument, match=r"`max_removed`: expected a number in \[0, 0\.5\)"):
            DefencePlan(max_removed=share)
    with pytest.raises(InvalidArgument, match="`action`: expected remove or relabel for a model whose fit takes no"):
        DefencePlan(action="weight", model=OwnModel(KNeighborsClassifier(), "mine", ""))
