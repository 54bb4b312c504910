"""A scan: planted rows come first, detectors see nothing but rows and labels, promises are told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.catalogue import names
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.memory import read_arrays
from toadstone.datasets.readers.request import Request
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.kernels.statistics.thresholds import smallest_detectable_share
from toadstone.pipeline.defend import DefencePlan, defend
from toadstone.pipeline.harness.suspects import preview
from toadstone.pipeline.scan import ScanPlan, exceeded, scan
from toadstone.pipeline.scanning.listing import Listing, fingerprint
from toadstone.pipeline.scanning.source_values import source_values
from toadstone.records.header import Source
from toadstone.records.scan import ScanRecord

FEW = ("spectral", "mahalanobis")


def planted(small, count: int = 8):
    """A split in which the first rows are far from everything, and from each other."""
    split = small(n=300)
    X = split.train.X.copy()
    sides = 1.0 - 2.0 * (np.arange(count)[:, None] >> np.arange(4) & 1)
    X[:count] = sides * (40.0 + np.arange(count)[:, None])
    return replace(split, train=Dataset(X, split.train.y, split.train.feature_names, split.train.row_ids))


def scanned(split, plan, **options) -> ScanRecord:
    """The record of a scan, without the scores of all rows."""
    return scan(split, plan, **options)[0]


def timeless(record: ScanRecord) -> dict:
    fields = json.loads(record.to_json())
    del fields["header"]["created"], fields["header"]["peak_memory_mb"], fields["timings"]
    for report in (*fields["detectors"].values(), *filter(None, [fields["verdict"]])):
        del report["seconds"]
    return fields


def test_planted_rows_are_found_first_with_reasons(small):
    record = scanned(planted(small), ScanPlan(detectors=("mahalanobis",)))
    assert {flagged.position for flagged in record.rows[:8]} == set(range(100, 108))
    assert record.detectors["mahalanobis"].flagged >= 8
    assert record.listed_rows == record.flagged_by_any == len(record.rows)
    for row in record.rows:
        assert "against a threshold of" in row.also_flagged_by["mahalanobis"]


def test_every_detector_of_the_catalogue_runs_by_default(small):
    record = scanned(small(n=120), ScanPlan())
    assert tuple(record.detectors) == names("detector")
    for report in record.detectors.values():
        assert report.skipped or 0 <= report.false_alarm_rate <= 0.1
        assert report.flagged_share == report.flagged / 120


def test_test_rows_are_not_looked_at(small):
    split = planted(small)
    other = replace(split, test=Dataset(split.test.X + 9, split.test.y[::-1].copy()))
    one, two = (timeless(scanned(data, ScanPlan(detectors=FEW))) for data in (split, other))
    assert {**one, "data": None} == {**two, "data": None}


def test_rows_that_were_held_out_at_random_are_looked_at(small):
    split = planted(small)
    held = Dataset(split.train.X[:4], split.train.y[:4], split.train.feature_names, split.train.row_ids[:4])
    rest = split.train.take(np.arange(4, len(split.train)))
    record = scanned(
        replace(split, train=rest, test=held, test_origin="20 % held out at random"),
        ScanPlan(detectors=("mahalanobis",)),
    )
    whole = scanned(split, ScanPlan(detectors=("mahalanobis",)))
    assert record.rows == whole.rows
    assert (record.data.n_train, record.data.n_test) == (len(split.train), 0)


def test_the_record_survives_its_json(small):
    record = scanned(planted(small), ScanPlan(detectors=FEW, source=Source("rows.csv", "rows.csv")))
    assert ScanRecord.from_json(record.to_json()) == record


def test_more_flagged_rows_than_the_rate_allows_are_reported(small):
    record = scanned(planted(small, 16), ScanPlan(detectors=("mahalanobis",)))
    assert exceeded(record) == ("mahalanobis",)
    report = record.detectors["mahalanobis"]
    assert report.flagged_share >= report.smallest_detectable_share > report.false_alarm_rate
    calm = replace(report, flagged=0, flagged_share=0.0)
    assert exceeded(replace(record, detectors={"mahalanobis": calm})) == ()


def test_a_smaller_promise_flags_no_more(small):
    split = small(n=300)
    counts = [
        scanned(split, ScanPlan(detectors=("mahalanobis",), false_alarm_rate=false_alarm_rate))
        .detectors["mahalanobis"]
        .flagged
        for false_alarm_rate in (0.1, 0.02, 0.001)
    ]
    assert counts == sorted(counts, reverse=True)


def test_a_detector_that_cannot_use_the_data_is_skipped_with_its_reason(small, monkeypatch):
    def refuse(self, X, y=None, *, trusted=None):
        raise InvalidArgument("rows", "more of them", "few")

    monkeypatch.setattr("toadstone.detectors.features.spectral.SpectralSignatures.fit", refuse)
    record = scanned(small(), ScanPlan(detectors=FEW))
    assert record.detectors["spectral"].skipped == "`rows`: expected more of them, got few"
    assert not record.detectors["mahalanobis"].skipped


def test_fingerprints_tell_rows_and_labels_apart_but_not_storage(small):
    dense, sparse = small(kind="integer").train, small(kind="integer", sparse=True).train
    assert [fingerprint(dense, row) for row in range(9)] == [fingerprint(sparse, row) for row in range(9)]
    assert len({fingerprint(small().train, row) for row in range(80)}) == 80
    swapped = Dataset(dense.X, np.where(dense.y == "ham", "spam", "ham"))
    assert fingerprint(dense, 0) != fingerprint(swapped, 0)


def test_zeros_that_are_stored_change_nothing():
    stored = csr_array((np.array([0.0, 3.0, 2.0]), np.array([2, 1, 0]), np.array([0, 3])), shape=(1, 4))
    plain = csr_array(np.array([[2.0, 3.0, 0.0, 0.0]]))
    one, two = (Dataset(X, ["a"]) for X in (stored, plain))
    assert fingerprint(one, 0) == fingerprint(two, 0)
    assert preview(one, 0) == preview(two, 0) == "column 1 3, column 0 2"


def test_options_out_of_range():
    with pytest.raises(InvalidArgument, match=r"`false_alarm_rate`: expected a number in \(0, 0\.1\], got 0\.5"):
        ScanPlan(false_alarm_rate=0.5)
    with pytest.raises(UnknownName, match=r"`detector`: expected one of spectral, .*did you mean spectral"):
        ScanPlan(detectors=("spectra",))


def vouched(small, count: int = 200) -> Dataset:
    """Rows like those of the training set, none of them in it."""
    split = small(n=count, seed=7)
    return Dataset(split.train.X, split.train.y)


class TestTrusted:
    def test_thresholds_come_from_them_and_they_are_not_counted(self, small):
        split, trusted = planted(small), vouched(small)
        record = scanned(split, ScanPlan(detectors=("mahalanobis",)), trusted=trusted)
        report = record.detectors["mahalanobis"]
        both = Dataset(np.vstack([split.train.X, trusted.X]), np.concatenate([split.train.y, trusted.y]))
        detector = RobustMahalanobis().fit(both.X, both.y, trusted=np.arange(300, 500))
        assert report.flagged == len(detector.flagged_indices_) == record.listed_rows
        assert max(detector.flagged_indices_) < 300
        assert (report.thresholds, record.trusted_rows) == ("trusted rows", 200)
        assert report.flagged_share == report.flagged / 300
        assert report.smallest_detectable_share == smallest_detectable_share(300, 0.02)
        assert {flagged.position for flagged in record.rows} <= set(range(100, 400))
        assert ScanRecord.from_json(record.to_json()) == record

    def test_without_them_those_that_need_them_say_so(self, small):
        record = scanned(small(n=120), ScanPlan(detectors=("roni", "trusted-bootstrap", "spectral")))
        assert [name for name, report in record.detectors.items() if report.skipped] == ["roni", "trusted-bootstrap"]
        assert record.detectors["roni"].skipped == "it needs rows that are known to be clean (--trusted)"
        assert record.detectors["spectral"].thresholds == "own scores"
        assert record.trusted_rows == 0

    def test_with_them_all_detectors_run(self, small):
        record = scanned(planted(small), ScanPlan(), trusted=vouched(small))
        assert {name for name, report in record.detectors.items() if report.skipped} == set()
        assert {report.thresholds for report in record.detectors.values()} == {"trusted rows"}

    def test_few_of_a_class_are_told(self, small):
        trusted = vouched(small)
        rows = np.r_[np.flatnonzero(trusted.y == "ham"), np.flatnonzero(trusted.y == "spam")[:9]]
        record = scanned(planted(small), ScanPlan(detectors=FEW), trusted=trusted.take(rows))
        told = "trusted rows for 1 of 2 classes, own scores for the others"
        assert [report.thresholds for report in record.detectors.values()] == [told, told]

    def test_rows_that_are_among_the_others_are_refused(self, small):
        split = planted(small)
        message = "`trusted`: expected rows that are not among the untrusted ones, got 2 of 2 that are"
        with pytest.raises(InvalidArgument, match=message):
            scanned(split, ScanPlan(detectors=FEW), trusted=split.train.take(np.array([4, 9])))

    def test_another_label_is_refused(self, small):
        with pytest.raises(InvalidArgument, match="`trusted`: expected rows labelled ham, spam, got eggs in its row 1"):
            scanned(planted(small), ScanPlan(detectors=FEW), trusted=Dataset(vouched(small).X[:1], ["eggs"]))


def test_a_trusted_row_among_the_others_is_named_as_the_source_names_it(small):
    split = small()
    named = replace(split, row_names=RowNames("line", names=range(2, 400)))
    match = r"got 1 of 1 that are \(the first: its row 1 is line 109\); leave them out of either"
    for run, plan in ((scan, ScanPlan(detectors=FEW)), (defend, DefencePlan())):
        with pytest.raises(InvalidArgument, match=match):
            run(named, plan, trusted=split.train.take(np.array([7])))


def test_ten_thousand_flagged_rows_are_listed_and_all_counted(small):
    n = 10_500

    class Everything:
        suspicion_ = np.arange(n, dtype=float)
        flagged_indices_ = np.arange(n)
        reasons_ = ("far",) * n

    split = small(n=120)
    rows = Dataset(np.ones((n, 1)), np.arange(n) % 2)
    listing = Listing(source_values(replace(split, train=rows), rows), None, {"l2": Everything()})
    listed = listing.rows()
    assert (len(listing.listed), len(listed)) == (10_500, 10_000)
    assert {row.position for row in listed} == set(range(500, n))
    assert {row.row for row in listed} == {split.row_names[row] for row in range(500, n)}


def test_copies_with_another_label_are_listed_whatever_detectors_say():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(300, 4)), np.repeat(["ham", "spam"], 150)
    copies = rng.choice(300, 20, replace=False)
    other = np.where(y[copies] == "ham", "spam", "ham")
    split, _ = read_arrays(np.vstack([X, X[copies]]), np.concatenate([y, other]), Request())
    record = scanned(split, ScanPlan(detectors=("mahalanobis",)))
    assert record.contradicting == 20
    assert {group.positions for group in record.contradictions} == {
        (int(row), 300 + place) for place, row in enumerate(copies)
    }
    assert record.group_count == len(record.groups) == 20
    assert {group.positions for group in record.groups} == {group.positions for group in record.contradictions}
