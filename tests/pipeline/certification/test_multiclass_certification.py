"""Certificates of data of several classes, from the data to the file and back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.collapse import apportion
from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData, ToadstoneError
from toadstone.datasets.catalogue.embedded import read_digits
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.pipeline.certification.multiclass import certify_several, verify_several
from toadstone.pipeline.certify import CertifyPlan, certify_split


def small(*, seed: int = 0, n: int = 60, kind: str = "real", sparse: bool = False) -> Split:
    rng = np.random.default_rng(seed)
    y = np.array(["ham", "spam", "tea"])[np.append([0, 1, 2], rng.integers(3, size=n - 3))]
    shift = 2.0 * (y[:, None] == ["ham", "spam", "tea", "tea"])
    X = rng.poisson(1.0 + shift).astype(float) if kind == "integer" else rng.normal(size=shift.shape) + shift
    if kind == "box":
        X = 1 / (1 + np.exp(-X))
    rows = Dataset(csr_array(X) if sparse else X, y, ("one", "two", "three", "four"), np.arange(n))
    return Split("small", rows, rows, "none", "published test split")


def certify(split: Split, fraction: float = 0.1, **options):
    plan = CertifyPlan(**{"hypothesis": Ridge(0.1), "tolerance": 1e-3} | options)
    return certify_several(split, [fraction], plan).certificates[0]


@pytest.fixture(scope="module")
def made():
    """A split and its certificate."""
    return small(), certify(small())


@pytest.mark.parametrize("kind", ["real", "box", "integer"])
@pytest.mark.parametrize("sparse", [False, True])
def test_what_was_certified_is_accepted_from_its_file(tmp_path, kind, sparse):
    split = small(kind=kind, sparse=sparse)
    certificate = certify(split, quantile=0.8)
    assert certificate.setting.domain == kind
    write_certificate(certificate, tmp_path / "c.json")
    assert verify_several(read_certificate(tmp_path / "c.json"), split) == certificate.bound


def test_other_rows_are_refused(made):
    split, certificate = made
    X = split.train.X.copy()
    X[7, 2] += 1e-9
    with pytest.raises(CertificateRejected, match="data: the certificate is for training rows"):
        verify_several(certificate, replace(split, train=Dataset(X, split.train.y)))


@pytest.mark.parametrize(
    "changes",
    [
        *({"fraction": value} for value in (0.09, 0.11)),
        *({"bound": value} for value in (0.1, 9.0)),
        {"attack_value": 0.0, "gap": 0.0},
        {"gap": 0.0},
        {"quantile": 0.9},
        {"domain": "box"},
        {"domain": "sphere"},
        {"loss": "squared_hinge"},
        {"loss": "logistic"},
        {"hypothesis_value": 0.05},
        {"hypothesis_value": 0.11},
        {"hypothesis": "norm_ball"},
        {"sanitizers": ["l2"]},
        {"sanitizers": []},
        {"budget_kind": "flip"},
        {"clean_loss": 0.0},
        {"poison_loss": 0.0},
        {"slack": 1.0},
        {"assumptions": []},
        {"not_promised": ["It does not bound the error of a coin."]},
        {"unit": "hinge loss for each clean row, penalty included"},
        {"data_sha256": "0" * 64},
        {"method": "saddle"},
        {"method": "votes"},
        {"format": "toadstone-certificate/1"},
    ],
    ids=str,
)
def test_forged_fields_under_a_digest_that_fits_are_refused(made, tmp_path, changes):
    split, certificate = made
    path = tmp_path / "c.json"
    write_certificate(certificate, path)
    fields = {key: value for key, value in json.loads(path.read_text()).items() if key != "sha256"} | changes
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(fields | {"sha256": digest}))
    with pytest.raises(ToadstoneError) as caught:
        verify_several(read_certificate(path), split)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "flip"}, "`kind`: expected add for 3 classes, got flip"),
        ({"loss": "logistic"}, "`loss`: expected hinge for 3 classes, got logistic"),
        ({"hypothesis": NormBall(1.0)}, "`norm_squared`: expected a ridge in its place for 3 classes, got 1"),
        ({"hypothesis": NormBall(1.0), "loss": "logistic"}, "`loss`"),
        ({"hypothesis": None, "loss": "logistic"}, "`loss`"),
        ({"tolerance": 0.0}, "`tolerance`"),
        ({"quantile": 0.2}, "`quantile`"),
    ],
)
def test_options_that_are_not_for_several_classes(made, options, sentence):
    with pytest.raises(InvalidArgument, match=sentence):
        certify(made[0], **options)


def test_two_classes_have_a_certificate_of_their_own(made):
    split, certificate = made
    rows = split.train.take(np.flatnonzero(split.train.y != "tea"))
    two = replace(split, train=rows)
    with pytest.raises(InvalidData, match="labels: expected more than two classes, got 2"):
        certify(two)
    with pytest.raises(InvalidData, match="labels: expected two classes, got 3"):
        certify_split(split, [0.1])
    with pytest.raises(CertificateRejected, match="data"):
        verify_several(certificate, two)


def test_the_ridge_is_chosen_where_none_is_given_and_words_tell_the_loss(made):
    several = certify_several(made[0], [0.0, 0.1], CertifyPlan(tolerance=1e-2))
    assert several.hypothesis_origin == "chosen by cross-validation"
    assert several.certificates[0].setting.hypothesis.strength > 0
    assert [point.fraction for point in several.curve] == [0.0, 0.1]
    certificate = several.certificates[1]
    assert certificate.unit == "multi-class hinge loss for each clean row, penalty included"
    assert any("multi-class hinge loss (Crammer and Singer)" in sentence for sentence in certificate.assumptions)
    assert any("mean of the other classes' means (slab)" in sentence for sentence in certificate.assumptions)


def test_fractions_for_each_label_are_for_two_classes(made):
    with pytest.raises(InvalidArgument, match="`class_fraction`: expected one fraction in its place for 3 classes"):
        certify(made[0], {"ham": 0.1, "spam": 0.1})


@pytest.mark.slow
def test_ten_digits():
    """Bound and attack meet on the digits of scikit-learn, and the attack as whole rows comes close to both."""
    split = read_digits("digits", Request())
    found = certify_several(split, [0.03, 0.1], CertifyPlan(hypothesis=Ridge(0.003), tolerance=1e-3)).certificates
    for certificate, known in zip(found, (0.30049, 0.55218), strict=True):
        assert certificate.relative_gap <= 1e-3
        assert certificate.attack_value <= known * (1 + 1e-4)
        assert known * (1 - 1e-4) <= certificate.bound
        verify_several(certificate, split)
        clean, witness = split.train, certificate.witness
        copies = apportion(witness.masses, certificate.budget.count(len(clean)))
        X = np.vstack([clean.X, np.repeat(witness.points, copies, axis=0)])
        codes = np.append(np.searchsorted(clean.classes, clean.y), np.repeat(witness.labels, copies))
        fit = fit_crammer_singer(X, codes, 10, ridge=0.003, tolerance=1e-4)
        reached = len(codes) / len(clean) * (fit.objective - fit.gap)
        assert 0.98 * certificate.attack_value <= reached <= certificate.bound
