"""The verifier of several classes accepts what was certified and refuses everything that differs, in files too."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from toadstone.certificates.files import as_fields, read_certificate, write_certificate
from toadstone.certificates.multiclass.fields import ARRAYS
from toadstone.certificates.multiclass.proof import prove_multiclass_attack, prove_multiclass_bound
from toadstone.certificates.multiclass.verify import verify_multiclass
from toadstone.certificates.saddle.fields import KINDS
from toadstone.core.budget import Budget
from toadstone.core.errors import CertificateRejected, InvalidData, ToadstoneError
from toadstone.kernels.sets.membership import violations


@pytest.fixture(scope="module")
def sealed(several):
    """A bench and its certificate."""
    made = several()
    return made, made.certify(0.1, tolerance=1e-4)[0]


def with_witness(certificate, **changes):
    return replace(certificate, witness=replace(certificate.witness, **changes))


def restated(made, certificate):
    """A forger's best effort: every number recomputed from the altered parts."""
    proof = prove_multiclass_bound(made.problem, certificate.theta, certificate.multipliers)
    fraction = certificate.budget.fraction
    return replace(
        certificate,
        bound=proof.bound(fraction),
        attack_value=prove_multiclass_attack(made.problem, certificate.witness, fraction),
        clean_loss=proof.clean_loss,
        poison_loss=proof.poison_loss,
        slack=proof.slack,
    )


def refuse(made, certificate, match):
    with pytest.raises(CertificateRejected, match=match) as caught:
        verify_multiclass(certificate, made.problem)
    assert "\n" not in str(caught.value)


def bumped(array, place, step):
    changed = array.copy()
    changed[place] += step
    return changed


@pytest.mark.parametrize("domain", ["real", "box", "integer"])
@pytest.mark.parametrize("tolerance", [0.5, 1e-4])
def test_what_was_certified_is_accepted(several, domain, tolerance):
    made = several(domain=domain, k=4)
    for certificate in made.certify(0.0, 0.03, 0.3, tolerance=tolerance):
        assert verify_multiclass(certificate, made.problem) == certificate.bound


def test_a_worse_model_and_a_weaker_attack_honestly_stated_are_accepted(sealed):
    made, certificate = sealed
    worse = restated(made, replace(certificate, theta=np.zeros((3, 5)), multipliers=np.zeros((3, 3, 2))))
    verify_multiclass(worse, made.problem)
    assert worse.bound == pytest.approx(1.1)
    weaker = with_witness(certificate, clean_duals=0.5 * certificate.witness.clean_duals)
    verify_multiclass(restated(made, weaker), made.problem)


@pytest.mark.parametrize("name", ["bound", "clean_loss", "poison_loss", "slack", "attack_value"])
@pytest.mark.parametrize("change", [-1e-3, -1e-7, 1e-7, 1e-3, np.nan, np.inf])
def test_a_number_that_the_parts_do_not_prove(sealed, name, change):
    made, certificate = sealed
    refuse(made, replace(certificate, **{name: getattr(certificate, name) + change}), name)


@pytest.mark.parametrize("budget", [Budget(0.0), Budget(0.0999), Budget(0.1001), Budget(0.1, "flip")])
def test_another_budget(sealed, budget):
    made, certificate = sealed
    refuse(made, replace(certificate, budget=budget), "expected|proves")


@pytest.mark.parametrize("name", ["theta", "multipliers"])
@pytest.mark.parametrize("step", [1e-5, -0.1])
def test_a_changed_model(sealed, name, step):
    made, certificate = sealed
    array = getattr(certificate, name)
    for place in np.ndindex(array.shape):
        changed = replace(certificate, **{name: bumped(array, place, step)})
        try:
            verify_multiclass(changed, made.problem)
        except CertificateRejected:
            continue
        # The multipliers of a pair that is not the worst may prove its bound less well.
        assert name == "multipliers"
        assert place[0] != place[1]


# Of forty clean rows each has little to say.
@pytest.mark.parametrize(
    ("name", "step"), [("points", 1e-4), ("masses", 1e-4), ("clean_duals", 0.1), ("poison_duals", 1e-4)]
)
@pytest.mark.parametrize("way", [1, -1])
def test_a_changed_attack(sealed, name, step, way):
    made, certificate = sealed
    array = getattr(certificate.witness, name)
    for place in list(np.ndindex(array.shape))[:: max(1, array.size // 20)]:
        changed = with_witness(certificate, **{name: bumped(array, place, way * step)})
        refuse(made, changed, "expected|proves")


def test_forgeries_honestly_restated(sealed):
    made, certificate = sealed
    witness, bands = certificate.witness, certificate.multipliers
    own = np.zeros_like(witness.clean_duals)
    own[np.arange(len(own)), made.problem.classes] = 0.1
    forged = {
        "multipliers: expected the radius's": replace(certificate, multipliers=-np.abs(bands) - 1),
        "multipliers: expected none for a label": replace(certificate, multipliers=bands + np.eye(3)[:, :, None]),
        "clean_duals: expected values": with_witness(certificate, clean_duals=witness.clean_duals + own),
        "clean_duals: expected values within": with_witness(certificate, clean_duals=-witness.clean_duals - 0.1),
        "labels: expected positions": with_witness(certificate, labels=witness.labels + 3),
        "rivals: expected positions": with_witness(certificate, rivals=witness.rivals - 3),
        "rivals: expected other classes": with_witness(certificate, rivals=witness.labels),
        "masses: expected no more": with_witness(certificate, masses=witness.masses * 1.01),
        "masses: expected positive": with_witness(certificate, poison_duals=-witness.poison_duals),
    }
    for sentence, changed in forged.items():
        refuse(made, changed, sentence)
    far = witness.points + 10.0
    assert violations(made.problem.regions[int(witness.labels[0])], far[:1]).max() > 1e-7
    refuse(made, restated(made, with_witness(certificate, points=far)), "points: expected poison within")


@pytest.mark.parametrize("name", [name for name in ARRAYS if name != "labels"])
def test_shapes(sealed, name):
    made, certificate = sealed
    part = certificate if name in ("theta", "multipliers") else certificate.witness
    longer = {name: np.concatenate([getattr(part, name)] * 2)}
    changed = replace(certificate, **longer) if part is certificate else with_witness(certificate, **longer)
    refuse(made, changed, "expected shape")


def test_other_data(sealed, several):
    _, certificate = sealed
    refuse(several(seed=1), certificate, "expected|proves")


class TestFiles:
    def digested(self, fields):
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def forge(self, path, archive=None, **changes):
        fields = json.loads(path.read_text())
        del fields["sha256"]
        if archive is not None:
            path.with_suffix(".npz").write_bytes(archive)
            fields["arrays_sha256"] = hashlib.sha256(archive).hexdigest()
        fields |= changes
        path.write_text(json.dumps(fields | {"sha256": self.digested(fields)}))

    @pytest.fixture
    def written(self, sealed, tmp_path):
        path = tmp_path / "certificate.json"
        write_certificate(sealed[1], path)
        return path

    @pytest.mark.parametrize("fraction", [0.0, 0.1])
    def test_what_is_read_is_what_was_written(self, several, tmp_path, fraction):
        made = several()
        certificate = made.certify(fraction, tolerance=1e-3)[0]
        write_certificate(certificate, tmp_path / "one.json")
        again = read_certificate(tmp_path / "one.json")
        assert as_fields(again) == as_fields(certificate)
        assert as_fields(again)["method"] == "multiclass-saddle"
        assert again.bound == verify_multiclass(again, made.problem)

    def test_every_field_of_another_value_is_refused_or_is_one_that_the_pipeline_compares(self, sealed, written):
        made, _ = sealed
        # `verify_several` builds the problem from these, or compares them with the data and the words.
        compared = {"unit", "sanitizers", "quantile", "domain", "data_sha256", "assumptions", "not_promised"}
        compared |= {"loss", "hypothesis", "hypothesis_value"}
        kept = written.read_text()
        for field, kind in KINDS.items():
            value = {float: 0.25, str: "other", list: ["other"]}[kind]
            self.forge(written, **{field: value})
            try:
                found = read_certificate(written)
                verify_multiclass(found, made.problem)
            except ToadstoneError:
                pass
            else:
                assert field in compared, field
            written.write_text(kept)

    def test_a_file_of_another_method_is_refused(self, written):
        self.forge(written, method="saddle")
        with pytest.raises(InvalidData, match="other arrays"):
            read_certificate(written)

    def test_positions_that_are_no_whole_numbers_are_refused(self, written):
        with np.load(written.with_suffix(".npz")) as archive:
            arrays = dict(archive)
        stream = io.BytesIO()
        np.savez(stream, **(arrays | {"labels": arrays["labels"].astype(float)}))
        self.forge(written, archive=stream.getvalue())
        with pytest.raises(InvalidData, match="float64 for labels"):
            read_certificate(written)
