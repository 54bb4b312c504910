"""Certificates on disk: whole, plain, and refused once anything was altered."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toadstone.certificates.files import as_fields, read_certificate, write_certificate
from toadstone.certificates.saddle.verify import verify
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData, ToadstoneError
from toadstone.datasets import load, sha256

ARRAYS = ("theta", "multipliers", "points", "signs", "masses", "clean_duals", "poison_duals")


@pytest.fixture
def written(bench, tmp_path):
    """A certificate on disk, and the path of its JSON file."""
    certificate = bench().certify(0.1)[0]
    path = tmp_path / "certificate.json"
    write_certificate(certificate, path)
    return certificate, path


def digest(fields: dict) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def forge(path, *, archive: bytes | None = None, **changes) -> None:
    """Rewrite a certificate with digests that match its new content; formats of number 1 have no method."""
    fields = json.loads(path.read_text())
    del fields["sha256"]
    if changes.get("format", "").endswith("/1"):
        del fields["method"]
    if archive is not None:
        path.with_suffix(".npz").write_bytes(archive)
        fields["arrays_sha256"] = hashlib.sha256(archive).hexdigest()
    fields |= changes
    path.write_text(json.dumps(fields | {"sha256": digest(fields)}))


def stored(path) -> dict[str, np.ndarray]:
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as archive:
        return dict(archive)


def refusal(path, problem=None) -> str | None:
    """What is said against a certificate, None where nothing is."""
    try:
        certificate = read_certificate(path)
        if problem is not None:
            verify(certificate, problem)
    except ToadstoneError as error:
        return str(error)
    return None


def archive_of(arrays: dict, *, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=allow_pickle)
            archive.writestr(f"{name}.npy", member.getvalue())
    return stream.getvalue()


class TestFilesOfBeforeTheRenaming:
    """Certificates of format bezoar-certificate/1 are still read, and remember how their data were hashed."""

    def test_they_are_read(self, written):
        certificate, path = written
        forge(path, format="bezoar-certificate/1")
        found = read_certificate(path)
        assert found.digest_label == "bezoar"
        assert found.bound == certificate.bound

    def test_their_data_are_known_again_and_the_sentence_says_so(self, toadstone, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert toadstone("certify", "breast-cancer", "--fraction", 0.03, "--tolerance", 0.1, "--out", "c").code == 0
        (path,) = (tmp_path / "c").glob("*.json")
        before = sha256(load("breast-cancer").train, label="bezoar")
        forge(path, format="bezoar-certificate/1", data_sha256=before)
        outcome = toadstone("verify", path, "--data", "breast-cancer")
        assert outcome.code == 0
        assert "It was written by bezoar" in " ".join(outcome.out.split())

    def test_a_digest_of_today_in_an_old_file_is_refused(self, toadstone, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert toadstone("certify", "breast-cancer", "--fraction", 0.03, "--tolerance", 0.1, "--out", "c").code == 0
        (path,) = (tmp_path / "c").glob("*.json")
        forge(path, format="bezoar-certificate/1")
        assert toadstone("verify", path, "--data", "breast-cancer").code == 2


class TestRoundTrip:
    @pytest.mark.parametrize("hypothesis", [NormBall(1.0), Ridge(0.05)], ids=str)
    @pytest.mark.parametrize("domain", ["real", "integer"])
    @pytest.mark.parametrize("fraction", [0.0, 0.1])
    def test_what_is_read_is_what_was_written(self, bench, tmp_path, hypothesis, domain, fraction):
        made = bench(hypothesis=hypothesis, domain=domain)
        certificate = made.certify(fraction)[0]
        write_certificate(certificate, tmp_path / "one.json")
        again = read_certificate(tmp_path / "one.json")
        assert as_fields(again) == as_fields(certificate)
        assert (again.budget, again.setting) == (certificate.budget, certificate.setting)
        for name in ("theta", "multipliers"):
            np.testing.assert_array_equal(getattr(again, name), getattr(certificate, name))
        for name in ("points", "signs", "masses", "clean_duals", "poison_duals"):
            np.testing.assert_array_equal(getattr(again.witness, name), getattr(certificate.witness, name))
        verify(again, made.problem)

    def test_the_json_says_the_most_important_things(self, written):
        certificate, path = written
        fields = json.loads(path.read_text())
        assert (fields["format"], fields["method"]) == ("toadstone-certificate/2", "saddle")
        assert fields["bound"] == certificate.bound
        assert fields["gap"] == fields["bound"] - fields["attack_value"]
        assert {"fraction", "unit", "domain", "quantile", "assumptions", "not_promised"} <= fields.keys()

    def test_the_archive_holds_these_arrays_and_no_other(self, written):
        arrays = stored(written[1])
        assert sorted(arrays) == sorted(ARRAYS)
        assert all(array.dtype == np.float64 for array in arrays.values())

    def test_writing_twice_gives_the_same_content(self, written, tmp_path):
        certificate, path = written
        before = stored(path), json.loads(path.read_text())
        write_certificate(certificate, path)
        assert json.loads(path.read_text())["bound"] == before[1]["bound"]
        assert all(np.array_equal(stored(path)[name], before[0][name]) for name in ARRAYS)
        assert sorted(part.name for part in tmp_path.iterdir()) == ["certificate.json", "certificate.npz"]

    def test_both_files_may_move_together(self, written, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        for suffix in (".json", ".npz"):
            written[1].with_suffix(suffix).rename(tmp_path / "elsewhere" / f"certificate{suffix}")
        assert read_certificate(tmp_path / "elsewhere" / "certificate.json").bound == written[0].bound

    def test_a_folder_that_does_not_exist_is_one_sentence(self, written, tmp_path):
        with pytest.raises(InvalidArgument, match="`destination`: expected a file in a folder"):
            write_certificate(written[0], tmp_path / "nowhere" / "certificate.json")

    def test_infinity_is_never_written(self, written):
        with pytest.raises(ValueError, match="Out of range float"):
            write_certificate(replace(written[0], bound=np.inf), written[1])


class TestAlteredFiles:
    @pytest.mark.parametrize("field", ["bound", "attack_value", "fraction", "quantile", "hypothesis_value"])
    def test_a_number_changed_by_hand(self, written, field):
        _, path = written
        fields = json.loads(path.read_text())
        path.write_text(json.dumps(fields | {field: 0.9 * fields[field]}))
        with pytest.raises(CertificateRejected, match="digest does not match"):
            read_certificate(path)

    @pytest.mark.parametrize("folder", ["../", "/somewhere/", "./"])
    def test_arrays_anywhere_but_beside_it(self, written, folder):
        _, path = written
        forge(path, arrays=folder + path.with_suffix(".npz").name)
        with pytest.raises(InvalidData, match="expected its arrays beside it"):
            read_certificate(path)

    @pytest.mark.parametrize("name", ARRAYS)
    def test_an_array_changed_by_hand(self, written, name):
        _, path = written
        arrays = stored(path)
        path.with_suffix(".npz").write_bytes(archive_of(arrays | {name: arrays[name] + 1e-9}))
        with pytest.raises(CertificateRejected, match="digest is not the one"):
            read_certificate(path)

    @given(st.integers(0, 10**6), st.integers(1, 255), st.sampled_from([".json", ".npz"]))
    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_flipped_byte(self, written, position, change, suffix):
        certificate, path = written
        write_certificate(certificate, path)
        target = path.with_suffix(suffix)
        content = bytearray(target.read_bytes())
        content[position % len(content)] ^= change
        target.write_bytes(bytes(content))
        try:
            again = read_certificate(path)
        except (CertificateRejected, InvalidData):
            return
        # White space may change, and digits beyond a number's own.
        assert suffix == ".json"
        assert as_fields(again) == as_fields(certificate)

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
    @pytest.mark.parametrize("suffix", [".json", ".npz"])
    def test_a_truncated_file(self, written, share, suffix):
        target = written[1].with_suffix(suffix)
        content = target.read_bytes()
        target.write_bytes(content[: int(share * len(content))])
        with pytest.raises((CertificateRejected, InvalidData)):
            read_certificate(written[1])

    @pytest.mark.parametrize("suffix", [".json", ".npz"])
    def test_a_missing_file(self, written, suffix):
        written[1].with_suffix(suffix).unlink()
        with pytest.raises(InvalidData, match="expected"):
            read_certificate(written[1])

    @pytest.mark.parametrize(
        "text",
        ["", "{}", "[]", "null", "3", '{"format": "toadstone-certificate/2"}', "not json", "\ud800", "[" * 100_000],
    )
    def test_json_of_another_kind(self, tmp_path, text):
        path = tmp_path / "other.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(InvalidData, match="expected a certificate"):
            read_certificate(path)

    def test_a_binary_file(self, written):
        with pytest.raises(InvalidData, match="expected a certificate"):
            read_certificate(written[1].with_suffix(".npz"))

    def test_a_folder(self, tmp_path):
        with pytest.raises(InvalidData, match="expected a certificate"):
            read_certificate(tmp_path)


class TestForgedFiles:
    """Digests are no secret: a forger recomputes them."""

    @pytest.mark.parametrize("changes", [{"bound": 0.1}, {"attack_value": 0.9}, {"clean_loss": 0.0}], ids=str)
    def test_numbers_that_nothing_proves_are_refused_by_recomputing_them(self, bench, written, changes):
        _, path = written
        forge(path, **changes)
        with pytest.raises(CertificateRejected):
            verify(read_certificate(path), bench().problem)

    @given(st.integers(0, 2**32 - 1), st.sampled_from(ARRAYS), st.floats(-6, 1))
    @settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_arrays_that_were_changed_are_refused_by_recomputing(self, bench, written, seed, name, exponent):
        certificate, path = written
        write_certificate(certificate, path)
        arrays, rng = stored(path), np.random.default_rng(seed)
        changed = arrays[name] + 10.0**exponent * rng.normal(size=arrays[name].shape)
        forge(path, archive=archive_of(arrays | {name: changed}))
        try:
            verify(read_certificate(path), bench().problem)
        except CertificateRejected:
            return
        # Only what no bound depends on may change: poison of a label that carries none.
        again = read_certificate(path)
        assert name in ("multipliers", "points")
        assert again.bound == certificate.bound

    def test_pickled_objects_are_never_loaded(self, written, tmp_path):
        class Trap:
            def __reduce__(self):
                return (tmp_path.joinpath("sprung").touch, ())

        _, path = written
        arrays = stored(path) | {"theta": np.array([Trap()], dtype=object)}
        forge(path, archive=archive_of(arrays, allow_pickle=True))
        with pytest.raises(InvalidData, match="expected the arrays of a certificate"):
            read_certificate(path)
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("name", ARRAYS)
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_values_that_are_not_finite(self, written, name, value):
        _, path = written
        arrays = stored(path)
        changed = arrays[name].copy()
        changed.flat[0] = value
        forge(path, archive=archive_of(arrays | {name: changed}))
        with pytest.raises(CertificateRejected, match="expected finite numbers"):
            read_certificate(path)

    @pytest.mark.parametrize("name", ARRAYS)
    def test_a_missing_array(self, written, name):
        _, path = written
        arrays = stored(path)
        del arrays[name]
        forge(path, archive=archive_of(arrays))
        with pytest.raises(InvalidData, match="expected the arrays"):
            read_certificate(path)

    @pytest.mark.parametrize("kind", ["<U8", "complex128", "bool"])
    def test_arrays_of_another_type(self, written, kind):
        _, path = written
        arrays = stored(path)
        forge(path, archive=archive_of(arrays | {"theta": arrays["theta"].astype(kind)}))
        with pytest.raises(InvalidData, match="expected the arrays"):
            read_certificate(path)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"text", b"single"], ids=repr)
    def test_an_archive_that_is_none(self, written, content):
        if content == b"single":
            stream = io.BytesIO()
            np.save(stream, np.zeros(3))
            content = stream.getvalue()
        forge(written[1], archive=content)
        with pytest.raises(InvalidData, match="expected the arrays"):
            read_certificate(written[1])

    def test_a_damaged_archive_under_a_new_digest(self, written):
        _, path = written
        content = path.with_suffix(".npz").read_bytes()
        for position in range(0, len(content), 7):
            damaged = bytearray(content)
            damaged[position] ^= 0xFF
            forge(path, archive=bytes(damaged))
            assert "\n" not in (refusal(path) or "")

    @pytest.mark.parametrize("value", [None, "x", [], {}, "nan", 1e400, 10**400, -1, True, ["x", 3], {"a": 1}], ids=str)
    @pytest.mark.parametrize(
        "field",
        ["bound", "attack_value", "fraction", "quantile", "hypothesis", "hypothesis_value", "domain", "loss",
         "sanitizers", "assumptions", "not_promised", "unit", "budget_kind", "arrays", "arrays_sha256", "data_sha256"],
    )  # fmt: skip
    def test_fields_of_another_type_are_at_worst_one_sentence(self, bench, written, field, value):
        _, path = written
        forge(path, **{field: value})
        said = refusal(path, bench().problem)
        assert "\n" not in (said or "")
        if said is None:
            # Words, and what only the pipeline can compare with the data.
            assert field not in {
                "bound", "attack_value", "fraction", "budget_kind", "arrays", "arrays_sha256"
            }  # fmt: skip

    @pytest.mark.parametrize("name", ["..", ".", "", "/", "/etc/hostname", "a\0b", "../../elsewhere.npz"])
    def test_the_archive_is_looked_for_beside_the_file_only(self, written, name):
        forge(written[1], arrays=name)
        with pytest.raises(InvalidData, match="expected its arrays beside it"):
            read_certificate(written[1])
