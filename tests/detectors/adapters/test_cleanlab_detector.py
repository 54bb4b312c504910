"""Issue managers of cleanlab under our calibration."""

import numpy as np
import pytest
from clean_generators import CLEAN
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from toadstone.catalogue import resolve
from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.detectors import CleanlabIssues, CleanlabLabels

for needed in ("cleanlab", "datasets"):
    pytest.importorskip(needed)

ISSUES = ("outlier", "near_duplicate", "data_valuation")
every_issue = pytest.mark.parametrize("issue", ISSUES)


def planted(seed=0, n=400):
    """Two separated classes with eight wrong labels, three rows far out and two pairs of copies."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.standard_normal((n, 3)) + 5 * y[:, None]
    y[:8] = 1 - y[:8]
    X[8:11] = [[30, 0, 0], [0, -30, 0], [0, 0, 30]]
    X[20:22] = X[30:32]
    return X, y


@every_issue
def test_clean_data_keep_the_false_alarm_rate(issue):
    for shape, generate in CLEAN.items():
        X, y = generate(600, 3)
        assert len(CleanlabIssues(issue).fit(X, y).flagged_indices_) <= 0.02 * len(y), shape


def test_what_each_manager_is_for_has_the_highest_suspicion():
    X, y = planted()
    suspicion = {issue: CleanlabIssues(issue).fit(X, y).suspicion_ for issue in ISSUES}
    assert set(suspicion["outlier"].argsort()[-3:]) == {8, 9, 10}
    assert set(suspicion["near_duplicate"].argsort()[-4:]) == {20, 21, 30, 31}
    assert set(range(8)) <= set(suspicion["data_valuation"].argsort()[-12:])


def test_wrong_labels_are_found():
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    X = rng.standard_normal((400, 3)) + 3 * y[:, None]
    y[:24] = 1 - y[:24]
    detector = CleanlabLabels().fit(X, y)
    assert np.count_nonzero(detector.suspicion_.argsort()[-24:] < 24) >= 20
    assert np.count_nonzero(detector.flagged_indices_ < 24) >= 12
    assert np.count_nonzero(detector.flagged_indices_ >= 24) <= 4
    assert detector.score_samples(X, y)[:24].max() < 0


def test_the_scores_of_label_are_those_of_cleanlab():
    from cleanlab.rank import get_label_quality_scores

    X, y = planted(1)
    detector = CleanlabLabels(estimator=LogisticRegression(C=0.1)).fit(X, y)
    order = detector._order
    table = detector._out_of_fold(X[order], y[order])
    quality = get_label_quality_scores(y[order], table, method="self_confidence")
    expected = np.log1p(-quality) - np.log(quality)
    above = detector.suspicion_[order] > 0
    assert above.sum() >= 8
    np.testing.assert_allclose(detector.suspicion_[order][above], expected[above])


@pytest.mark.parametrize("name", ["label", *ISSUES])
def test_order_storage_and_names_of_classes_are_irrelevant(name, monkeypatch, capsys):
    monkeypatch.setattr("toadstone.kernels.rows.SMALL", 0)
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((120, 40)) * (rng.random((120, 40)) < 0.08), np.arange(120) % 3
    order = rng.permutation(120)
    straight = resolve("detector", f"cleanlab:{name}")().fit(X, y)
    shuffled = resolve("detector", f"cleanlab:{name}")().fit(csr_array(X[order]), np.array(["b", "c", "d"])[y[order]])
    np.testing.assert_allclose(shuffled.suspicion_, straight.suspicion_[order], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(np.sort(order[shuffled.flagged_indices_]), straight.flagged_indices_)
    assert capsys.readouterr() == ("", "")


def test_trusted_rows_set_thresholds():
    X, y = planted(3, n=800)
    detector = CleanlabIssues("outlier").fit(X, y, trusted=np.arange(100, 700))
    assert detector.calibrated_classes_.all()
    assert {8, 9, 10} <= set(detector.flagged_indices_)


def test_new_rows_are_refused():
    X, y = planted()
    detector = CleanlabIssues().fit(X, y)
    with pytest.raises(InvalidArgument, match="expected the rows of `fit`, which alone cleanlab scores"):
        detector.score_samples(X)


def test_too_few_rows():
    with pytest.raises(InvalidData, match=r"^cleanlab's outlier refuses the rows: "):
        CleanlabIssues().fit(np.eye(6), np.arange(6) % 2)


@pytest.mark.parametrize("name", ["non_iid", "null", "lable"])
def test_unknown_names(name):
    with pytest.raises(UnknownName, match=r"expected one of cleanlab:label, cleanlab:outlier, .*got cleanlab:"):
        resolve("detector", f"cleanlab:{name}")
