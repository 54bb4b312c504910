"""From a split to certificates and back: settings, refusals, verification against data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.core.certificate import NormBall, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData, ToadstoneError
from toadstone.datasets.split import Split
from toadstone.pipeline.certify import CertifyPlan, build_feasible_set, certify_split, verify_split

HYPOTHESES = (NormBall(2.0), Ridge(0.1))


def certify(split: Split, fraction: float = 0.1, **options):
    return certify_split(split, [fraction], CertifyPlan(**{"hypothesis": Ridge(0.1)} | options)).certificates[0]


def with_rows(split: Split, X, y=None) -> Split:
    return replace(split, train=Dataset(X, split.train.y if y is None else y))


def refusal(certificate, split: Split) -> str | None:
    """What the verifier says against a certificate, None where nothing is."""
    try:
        verify_split(certificate, split)
    except ToadstoneError as error:
        return str(error)
    return None


def forged(path, **changes):
    """Read a certificate after changing fields under a digest that fits."""
    fields = {key: value for key, value in json.loads(path.read_text()).items() if key != "sha256"} | changes
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(fields | {"sha256": digest}))
    return read_certificate(path)


class TestVerification:
    @pytest.mark.parametrize("kind", ["real", "box", "integer"])
    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    @pytest.mark.parametrize("sparse", [False, True])
    def test_what_was_certified_is_accepted(self, small, kind, hypothesis, sparse):
        split = small(kind=kind, sparse=sparse)
        for certificate in certify_split(split, [0.0, 0.03, 0.2], CertifyPlan(hypothesis=hypothesis)).certificates:
            verify_split(certificate, split)

    @pytest.mark.parametrize("loss", ["hinge", "smooth_hinge", "squared_hinge", "logistic"])
    def test_every_loss_survives_its_files(self, small, loss, tmp_path):
        split = small()
        certificate = certify(split, loss=loss, tolerance=1e-3)
        write_certificate(certificate, tmp_path / "c.json")
        verify_split(read_certificate(tmp_path / "c.json"), split)

    def test_test_rows_play_no_part(self, small):
        split = small()
        other = replace(split, test=small(seed=9).test)
        one, two = certify(split), certify(other)
        assert one.bound == two.bound
        verify_split(one, other)

    @pytest.mark.parametrize("row", [0, 41])
    @pytest.mark.parametrize("sparse", [False, True])
    def test_one_changed_value_is_refused(self, small, row, sparse):
        split = small(sparse=sparse)
        certificate = certify(split)
        X = split.train.X.copy()
        X[row, 2] = np.nextafter(X[row, 2], np.inf)
        assert "digest" in refusal(certificate, with_rows(split, X))

    def test_one_changed_label_another_order_and_other_rows_are_refused(self, small):
        split = small()
        certificate, y = certify(split), split.train.y.copy()
        y[3] = "spam" if y[3] == "ham" else "ham"
        assert "digest" in refusal(certificate, with_rows(split, split.train.X, y))
        order = np.arange(len(split.train))[::-1]
        assert "digest" in refusal(certificate, replace(split, train=split.train.take(order)))
        assert "digest" in refusal(certificate, small(seed=1))

    @pytest.mark.parametrize("amount", [1e-3, 1e-6])
    def test_other_data_under_their_own_digest_are_refused(self, small, amount, tmp_path):
        # A forger passes a certificate off as being about other rows.
        split = small()
        write_certificate(certify(split), tmp_path / "c.json")
        X = split.train.X * (1 + amount)
        other = with_rows(split, X)
        certificate = forged(tmp_path / "c.json", data_sha256=certify(other).data_sha256)
        with pytest.raises(CertificateRejected, match=r"bound|points|attack_value|loss"):
            verify_split(certificate, other)

    @pytest.mark.parametrize(
        "changes",
        [
            {"bound": 0.2},
            {"attack_value": 0.9},
            {"fraction": 0.05},
            {"fraction": 0.2},
            {"quantile": 0.9},
            {"quantile": 0.96},
            {"domain": "box"},
            {"loss": "squared_hinge"},
            {"hypothesis_value": 0.05},
            {"hypothesis_value": 0.11},
            {"hypothesis": "norm_ball"},
            {"sanitizers": ["l2"]},
            {"sanitizers": ["slab"]},
            {"clean_loss": 0.0},
            {"assumptions": []},
            {"not_promised": ["It does not bound the error of a coin."]},
            {"unit": "wrong test rows"},
        ],
        ids=str,
    )
    def test_forged_fields_under_a_digest_that_fits_are_refused(self, small, tmp_path, changes):
        split = small(n=40)
        write_certificate(certify(split), tmp_path / "c.json")
        with pytest.raises(CertificateRejected):
            verify_split(forged(tmp_path / "c.json", **changes), split)

    @pytest.mark.parametrize("kind", ["flip", "replace", "perturb"])
    def test_a_proof_about_added_rows_is_none_about_others(self, small, tmp_path, kind):
        split = small(n=40)
        write_certificate(certify(split), tmp_path / "c.json")
        with pytest.raises(ToadstoneError, match=r"clean_bound|budget_kind"):
            verify_split(forged(tmp_path / "c.json", budget_kind=kind), split)

    @pytest.mark.parametrize("kind", ["flip", "replace"])
    def test_changed_rows_survive_their_files_and_say_what_is_assumed(self, small, tmp_path, kind):
        split = small(n=40)
        certificate = certify(split, kind=kind, tolerance=1e-3)
        write_certificate(certificate, tmp_path / "c.json")
        assert verify_split(read_certificate(tmp_path / "c.json"), split) == certificate.bound
        assert any(
            {"flip": "the other label", "replace": "in their place"}[kind] in one for one in certificate.assumptions
        )
        assert refusal(forged(tmp_path / "c.json", assumptions=[]), split) is not None

    def test_fractions_of_labels_are_those_of_the_data(self, small):
        split, plan = small(n=40), CertifyPlan(hypothesis=Ridge(0.1), kind="flip", tolerance=1e-3)
        lower, higher = split.train.classes.tolist()
        (made,) = certify_split(split, [{lower: 0.05, higher: 0.1}], plan).certificates
        assert made.budget.by_class == (0.05, 0.1)
        verify_split(made, split)
        with pytest.raises(InvalidArgument, match="fraction"):
            certify_split(split, [{lower: 0.05}], plan)

    def test_a_flip_certificate_with_filters_is_refused(self, small, tmp_path):
        split = small(n=40)
        write_certificate(certify(split, kind="flip", tolerance=1e-3), tmp_path / "c.json")
        assert "sanitizers" in (refusal(forged(tmp_path / "c.json", sanitizers=["l2"]), split) or "")

    @pytest.mark.parametrize("value", [None, "x", "", [], {}, -1, 0, 0.3, 1e400, [["l2"], 3], ["loss"], ["l2", "l2"]])
    @pytest.mark.parametrize("field", ["quantile", "domain", "loss", "sanitizers", "hypothesis", "hypothesis_value"])
    def test_settings_that_are_none_are_refused_in_one_sentence(self, small, tmp_path, field, value):
        split = small(n=40)
        write_certificate(certify(split), tmp_path / "c.json")
        with pytest.raises(ToadstoneError) as caught:
            verify_split(forged(tmp_path / "c.json", **{field: value}), split)
        assert "\n" not in str(caught.value)


class TestFeasibleSet:
    @pytest.mark.parametrize("quantile", [0.5, 0.7, 0.95])
    @pytest.mark.parametrize("kind", ["real", "box", "integer"])
    def test_each_filter_admits_its_quantile_of_every_class(self, small, quantile, kind):
        train = small(kind=kind, n=200).train
        for name in ("l2", "slab"):
            made = build_feasible_set(train, Setting((name,), quantile, kind, "hinge", Ridge(0.1)))
            inside = made.contains(train.X, train.y)
            for label in train.classes:
                members = inside[train.y == label]
                assert members.sum() >= np.floor(quantile * len(members))
                # Counts leave many rows at the very threshold.
                assert kind == "integer" or members.sum() <= np.ceil(quantile * (len(members) - 1)) + 1

    def test_a_sparse_and_a_dense_table_make_the_same_set(self, small):
        train = small(kind="integer").train
        setting = Setting(("l2", "slab"), 0.8, "integer", "hinge", Ridge(0.1))
        dense = build_feasible_set(train, setting)
        sparse = build_feasible_set(Dataset(csr_array(train.X), train.y), setting)
        for label in ("ham", "spam"):
            assert dense.region(label).radius == pytest.approx(sparse.region(label).radius, rel=1e-12)
            np.testing.assert_allclose(dense.region(label).bands, sparse.region(label).bands, rtol=1e-10)

    @pytest.mark.parametrize("quantile", [0.49, 1.0])
    def test_quantiles_out_of_range(self, small, quantile):
        with pytest.raises(InvalidArgument, match="`quantile`: expected a number in"):
            certify(small(), quantile=quantile)


class TestOptions:
    @pytest.mark.parametrize("kind", ["real", "box", "integer"])
    def test_the_domain_is_read_off_the_values(self, small, kind):
        assert certify(small(kind=kind)).setting.domain == kind

    def test_the_source_settles_the_domain_before_the_values_do(self, small):
        assert certify(replace(small(kind="integer"), domain="box")).setting.domain == "box"

    def test_counts_are_expected_where_they_are_asked_for(self, small):
        with pytest.raises(InvalidData, match="domain 'integer': expected counts"):
            certify(small(), domain="integer")

    @pytest.mark.parametrize("tolerance", [0.0, 1.0, -1.0, np.nan])
    def test_tolerances_out_of_range(self, small, tolerance):
        with pytest.raises(InvalidArgument, match="`tolerance`"):
            certify(small(), tolerance=tolerance)

    @pytest.mark.parametrize("fraction", [-0.1, 0.5, np.nan, np.inf])
    def test_fractions_out_of_range(self, small, fraction):
        with pytest.raises(InvalidArgument, match="`fraction`"):
            certify(small(), fraction)

    def test_an_unknown_domain(self, small):
        with pytest.raises(InvalidArgument, match="`domain`: expected one of auto, real, box, integer, got round"):
            certify(small(), domain="round")

    @pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"]], ids=len)
    def test_two_classes_are_needed(self, small, labels):
        split = small()
        y = np.resize(np.array(labels), len(split.train))
        with pytest.raises(InvalidData, match=f"labels: expected two classes, got {len(labels)}"):
            certify(with_rows(split, split.train.X, y))

    def test_the_ridge_is_chosen_where_none_is_given(self, small):
        made = certify_split(small(), [0.1])
        assert isinstance(made.certificates[0].setting.hypothesis, Ridge)
        assert "cross-validation" in made.hypothesis_origin
        assert certify_split(small(), [0.1], CertifyPlan(hypothesis=Ridge(1.0))).hypothesis_origin == "as asked"

    def test_progress_is_told(self, small):
        steps = []
        certify_split(small(), [0.0, 0.1], CertifyPlan(hypothesis=Ridge(0.1)), on_certified=lambda: steps.append(1))
        assert len(steps) == 2

    def test_the_same_seed_gives_the_same_certificate(self, small):
        one, two = (certify(small(), seed=5) for _ in range(2))
        assert one.theta.tobytes() == two.theta.tobytes()
        assert (one.bound, one.attack_value) == (two.bound, two.attack_value)


class TestWords:
    def test_assumptions_name_what_the_bound_rests_on(self, small):
        ball = certify(small(kind="integer"), hypothesis=NormBall(3.0), quantile=0.9)
        text = " ".join(ball.assumptions)
        for part in ("80 training rows are clean", "only adds rows", "0.9 quantile", "counts", "norm of at most 3"):
            assert part in text
        assert "ridge penalty of 0.1 " in " ".join(certify(small()).assumptions)

    def test_what_is_not_promised_is_said(self, small):
        text = " ".join(certify(small()).not_promised)
        for part in ("test set", "changed, relabelled or deleted", "fitted again on poisoned", "deep networks"):
            assert part in text


def test_conclusive_means_that_bound_and_attack_met(small):
    made = certify_split(small(), [0.1], CertifyPlan(hypothesis=Ridge(0.1), tolerance=1e-3))
    certificate = made.certificates[0]
    assert made.conclusive(certificate)
    assert not made.conclusive(replace(certificate, bound=certificate.attack_value * 1.01))


class TestTheLossFilter:
    """With a model that is fixed on the clean rows, stored in the file and not trained again."""

    FILTERS = ("l2", "slab", "loss")

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    @pytest.mark.parametrize("kind", ["add", "replace"])
    def test_it_bounds_no_more_than_without_and_is_verified(self, small, tmp_path, hypothesis, kind):
        split, options = small(n=60), {"hypothesis": hypothesis, "kind": kind, "tolerance": 1e-3}
        without, with_loss = certify(split, **options), certify(split, **options, filters=self.FILTERS)
        assert with_loss.bound <= without.bound * (1 + 1e-3)
        write_certificate(with_loss, tmp_path / "c.json")
        again = read_certificate(tmp_path / "c.json")
        np.testing.assert_array_equal(again.filter_model, with_loss.filter_model)
        assert verify_split(again, split) == with_loss.bound
        assert any("fixed beforehand" in sentence for sentence in again.assumptions)

    def test_another_model_or_none_is_refused(self, small):
        split = small(n=60)
        made = certify(split, filters=self.FILTERS, tolerance=1e-3)
        for model in (None, made.filter_model[1:], -made.filter_model, made.filter_model * np.nan):
            assert refusal(replace(made, filter_model=model), split) is not None
        alone = replace(made, setting=replace(made.setting, sanitizers=("l2", "slab")))
        assert refusal(alone, split) is not None

    @pytest.mark.parametrize("filters", [("loss",), ("loss", "loss"), ("knn",), ()], ids=str)
    def test_filters_that_do_not_do_are_refused(self, filters):
        with pytest.raises(InvalidArgument, match="filters"):
            CertifyPlan(filters=filters)
