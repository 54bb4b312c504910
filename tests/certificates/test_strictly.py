"""Files of certificates: bounded, plain, of known fields; and nothing forged comes through, whatever is mutated."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toadstone.certificates import strictly
from toadstone.certificates.files import _ABOUT_FILES, as_fields, read_certificate, write_certificate
from toadstone.certificates.saddle import fields as saddle_fields
from toadstone.certificates.saddle.verify import verify
from toadstone.core.errors import CertificateRejected, InvalidData, ToadstoneError

ARRAYS = ("theta", "multipliers", "points", "signs", "masses", "clean_duals", "poison_duals")
LOOSE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
ABSURD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
NUMBERS = ("fraction", "bound", "attack_value", "gap", "clean_loss", "poison_loss", "slack")
"""Fields that `verify` recomputes; `verify_split` builds the problem from the others, or compares them with it."""


def digest(fields: dict) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def forge(path, *, archive: bytes | None = None, **changes) -> None:
    """Rewrite a certificate with digests that match its new content."""
    fields = json.loads(path.read_text())
    del fields["sha256"]
    if archive is not None:
        path.with_suffix(".npz").write_bytes(archive)
        fields["arrays_sha256"] = hashlib.sha256(archive).hexdigest()
    fields |= changes
    path.write_text(json.dumps(fields | {"sha256": digest(fields)}))


def refusal(path, problem=None) -> str | None:
    """What is said against a certificate, None where nothing is."""
    try:
        certificate = read_certificate(path)
        if problem is not None:
            verify(certificate, problem)
    except ToadstoneError as error:
        return str(error)
    return None


def stored(path) -> dict[str, np.ndarray]:
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as archive:
        return dict(archive)


def archive_of(arrays: dict) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.fixture(scope="module")
def sealed(bench, tmp_path_factory):
    """A certificate on disk with the problem that it is about, and the bytes of its two files."""
    made = bench()
    certificate = made.certify(0.1)[0]
    path = tmp_path_factory.mktemp("sealed") / "certificate.json"
    write_certificate(certificate, path)
    return certificate, made.problem, path, path.read_bytes(), path.with_suffix(".npz").read_bytes()


@pytest.fixture
def written(sealed):
    """The path of the certificate, restored."""
    _, _, path, text, archive = sealed
    path.write_bytes(text)
    path.with_suffix(".npz").write_bytes(archive)
    return path


def judge(sealed, path) -> bool:
    """Say whether a certificate is accepted; what is accepted states what the true one states."""
    certificate, problem, *_ = sealed
    said = refusal(path, problem)
    if said is not None:
        assert "\n" not in said
        assert len(said) < 2000
        return False
    found = read_certificate(path)
    proven = verify(found, problem)
    assert found.bound >= certificate.bound * (1 - 1e-12)
    assert abs(proven - certificate.bound) <= 1e-9 * certificate.bound
    assert found.attack_value <= found.bound
    mine, theirs = as_fields(certificate), as_fields(found)
    for field in NUMBERS:
        assert theirs[field] == pytest.approx(mine[field], rel=1e-9, abs=1e-12), field
    assert theirs["budget_kind"] == mine["budget_kind"]
    return True


class TestMutations:
    @given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from("rdi"), st.integers(0, 255)), max_size=4))
    @settings(max_examples=300, suppress_health_check=LOOSE)
    def test_bytes_of_the_json_under_a_new_digest(self, sealed, written, changes):
        content = bytearray(sealed[3])
        for position, kind, value in changes:
            place = position % max(len(content), 1)
            if kind == "r":
                content[place : place + 1] = bytes([value])
            elif kind == "i":
                content.insert(place, value)
            else:
                del content[place : place + 1 + value % 9]
        written.write_bytes(bytes(content))
        judge(sealed, written)
        try:
            fields = json.loads(content)
            del fields["sha256"]
            written.write_text(json.dumps(fields | {"sha256": digest(fields)}))
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        judge(sealed, written)

    @given(st.sampled_from(sorted(_ABOUT_FILES | saddle_fields.KINDS | {"method": str})), ABSURD)
    @settings(max_examples=300, suppress_health_check=LOOSE)
    def test_a_field_of_any_value_under_a_new_digest(self, sealed, written, field, value):
        forge(written, **{field: value})
        judge(sealed, written)

    @given(st.text(max_size=12), ABSURD)
    @settings(max_examples=60, suppress_health_check=LOOSE)
    def test_an_unknown_field(self, sealed, written, field, value):
        known = json.loads(written.read_text())
        forge(written, **{field: value})
        assert judge(sealed, written) is (field in known and known[field] == value)

    @given(st.integers(0, 10**6), st.integers(0, 255), st.booleans())
    @settings(max_examples=200, suppress_health_check=LOOSE)
    def test_bytes_of_the_archive_under_a_new_digest(self, sealed, written, position, value, cut):
        content = bytearray(sealed[4])
        position %= len(content)
        if cut:
            del content[position : position + value]
        else:
            content[position] = value
        forge(written, archive=bytes(content))
        judge(sealed, written)

    @given(st.sampled_from(ARRAYS), st.integers(0, 60), st.binary(min_size=1, max_size=8))
    @settings(max_examples=200, suppress_health_check=LOOSE)
    def test_bytes_of_a_member_under_a_new_checksum_and_digest(self, sealed, written, name, position, new):
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(sealed[4])) as old, zipfile.ZipFile(stream, "w") as archive:
            for member in old.namelist():
                content = bytearray(old.read(member))
                if member == f"{name}.npy":
                    content[3 * position : 3 * position + len(new)] = new
                archive.writestr(member, bytes(content))
        forge(written, archive=stream.getvalue())
        judge(sealed, written)


class TestFields:
    @pytest.mark.parametrize("value", ["true", '"0.3"', "[0.3]", "null", '{"a": 1}'])
    @pytest.mark.parametrize("field", ["bound", "gap", "fraction", "hypothesis_value", "quantile"])
    def test_a_number_of_another_type(self, written, field, value):
        forge(written, **{field: json.loads(value)})
        assert f"for {field}, which is a number" in refusal(written)

    @pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 21, "1" * 5000])
    def test_a_number_that_is_none(self, written, text):
        fields = json.loads(written.read_text())
        written.write_text(json.dumps(fields).replace(f'"gap": {fields["gap"]!r}', f'"gap": {text}'))
        said = refusal(written)
        assert "expected a certificate, got" in said
        assert len(said) < 300

    @pytest.mark.parametrize("field", ["bound", "gap", "sha256", "assumptions"])
    def test_a_field_twice(self, written, field):
        fields = json.loads(written.read_text())
        text = json.dumps(fields)
        written.write_text(text[:-1] + f', "{field}": {json.dumps(fields[field])}}}')
        assert f"the field '{field}' twice" in refusal(written)

    @pytest.mark.parametrize("field", ["bound", "gap", "sha256", "arrays", "unit"])
    def test_a_field_that_is_missing(self, written, field):
        fields = json.loads(written.read_text())
        del fields[field]
        written.write_text(json.dumps(fields))
        assert f"one without {field}" in refusal(written)

    @pytest.mark.parametrize("change", [1e-16, -1e-16, 1e-3, -1e-3, 1.0])
    def test_the_gap(self, sealed, written, change):
        gap = sealed[0].gap
        forge(written, gap=gap + change * max(abs(gap), 1e-3))
        said = refusal(written, sealed[1])
        assert said is None if gap + change * max(abs(gap), 1e-3) == gap else said.startswith("gap: ")

    def test_deep_nesting(self, written):
        written.write_text('{"format": ' + "[" * 100_000 + "]" * 100_000 + "}")
        assert "expected a certificate" in refusal(written)


class TestWhatIsOpened:
    @pytest.mark.parametrize("suffix", [".json", ".npz"])
    def test_a_pipe_is_refused_at_once(self, written, suffix):
        target = written.with_suffix(suffix)
        target.unlink()
        os.mkfifo(target)
        begin = time.monotonic()
        try:
            assert "no regular file" in refusal(written)
        finally:
            target.unlink()
        assert time.monotonic() - begin < 5

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
    def test_a_device_is_refused_at_once(self, written, device):
        for suffix in (".npz", ".json"):
            target = written.with_suffix(suffix)
            target.unlink()
            target.symlink_to(device)
            try:
                assert "no regular file" in refusal(written)
            finally:
                target.unlink()
            if suffix == ".npz":
                target.write_bytes(b"")

    def test_a_huge_text_is_not_read(self, written):
        with written.open("wb") as stream:
            stream.truncate(2**40)
        try:
            assert "1,099,511,627,776 bytes, where 1,048,576 are more than enough" in refusal(written)
        finally:
            written.unlink()

    def test_a_huge_archive_is_not_read(self, written):
        with written.with_suffix(".npz").open("wb") as stream:
            stream.truncate(2**40)
        try:
            assert "are more than enough" in refusal(written)
        finally:
            written.with_suffix(".npz").unlink()


def packed(size: int, stated: int | None = None) -> bytes:
    """An archive whose theta inflates to `size` zeros, and states that many bytes, or others."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ARRAYS:
            member = io.BytesIO()
            np.save(member, np.zeros(3))
            archive.writestr(f"{name}.npy", member.getvalue() + b"\0" * (size if name == "theta" else 0))
    content = stream.getvalue()
    if stated is not None:
        true = (size + 152).to_bytes(4, "little")
        assert content.count(true) >= 1
        content = content.replace(true, stated.to_bytes(4, "little"))
    return content


class TestInflation:
    @pytest.mark.parametrize("stated", [None, 152, 2**31])
    def test_nothing_is_inflated_beyond_reason(self, written, monkeypatch, stated):
        monkeypatch.setattr(strictly, "LARGEST_ARRAYS", 2**20)
        content = packed(100 * 2**20, stated)
        assert len(content) < 2**20
        forge(written, archive=content)
        tracemalloc.start()
        try:
            said = refusal(written)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert "expected the arrays of a certificate" in said
        assert peak < 8 * 2**20

    @pytest.mark.parametrize(
        "shape", ["(18446744073709551616,)", "(1099511627776,)", "(-1,)", "(2, 3)", "(6,), 'x': 1"]
    )
    def test_a_shape_that_is_not_there_is_not_allocated(self, written, shape):
        member = io.BytesIO()
        np.save(member, np.zeros(5))
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        header = text.ljust(117) + b"\n"
        content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(40)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name in ARRAYS:
                archive.writestr(f"{name}.npy", content if name == "theta" else member.getvalue())
        forge(written, archive=stream.getvalue())
        assert "expected the arrays of a certificate" in refusal(written)

    def test_other_members(self, written):
        arrays = stored(written)
        forge(written, archive=archive_of(arrays | {"more": np.zeros(1)}))
        assert "got other arrays" in refusal(written)

    def test_a_member_twice(self, written):
        stream = io.BytesIO(written.with_suffix(".npz").read_bytes())
        with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("theta.npy", archive.read("theta.npy"))
        forge(written, archive=stream.getvalue())
        assert "got other arrays" in refusal(written)

    @pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_compressions(self, written, kind):
        stream = io.BytesIO()
        content = io.BytesIO(written.with_suffix(".npz").read_bytes())
        with zipfile.ZipFile(content) as old, zipfile.ZipFile(stream, "w", kind) as archive:
            for name in old.namelist():
                archive.writestr(name, old.read(name))
        forge(written, archive=stream.getvalue())
        assert "a compression that is not used here" in refusal(written)

    def test_orders_of_memory(self, sealed, written):
        arrays = stored(written)
        forge(written, archive=archive_of({name: np.asfortranarray(array) for name, array in arrays.items()}))
        found = read_certificate(written)
        np.testing.assert_array_equal(found.witness.points, sealed[0].witness.points)
        verify(found, sealed[1])


def test_what_is_written_is_read(sealed, written):
    assert judge(sealed, written)
    with pytest.raises((CertificateRejected, InvalidData)):
        read_certificate(written.with_suffix(".npz"))
