import json
import math

import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.federated import read_log
from toadstone.federated.history.log import ClientLine, LogWriter, RoundLine


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.jsonl"


def client(name, **fields):
    return ClientLine(**{"round": 1, "client": name, "status": "admitted", **fields})


CLOSING = RoundLine(round=1, aggregated=True, rule="krum", notes=("a", "b"))


def test_what_is_written_is_read(path):
    lines = (client("1", suspicion=0.5, declared=10.0), client("2", status="refused", reason="because", counted=True))
    writer = LogWriter(path)
    writer.begin({"rule": "krum"})
    writer.write(lines, CLOSING)
    log = read_log(path)
    assert log.clients == lines
    assert log.rounds == (CLOSING,)


def test_numbers_that_json_does_not_know_are_null(path):
    writer = LogWriter(path)
    writer.begin({})
    writer.write([client("1", suspicion=math.nan, norm=math.inf)], CLOSING)
    assert "NaN" not in path.read_text()
    assert read_log(path).clients[0].norm is None


def test_a_log_goes_on(path):
    for _ in range(2):
        writer = LogWriter(path)
        writer.begin({})
        writer.write([client("1")], CLOSING)
    assert len(read_log(path).rounds) == 2


def test_the_end_of_a_torn_line_is_left_out_and_mended(path):
    writer = LogWriter(path)
    writer.begin({})
    writer.write([client("1")], CLOSING)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind": "client", "rou')
    assert len(read_log(path).clients) == 1
    LogWriter(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing\n", "line 1: expected a JSON object"),
        ("[1]\n", "line 1: expected a line of a run, a client or a round"),
        ('{"kind": "run", "format": "other/1"}\n', "expected a log of format toadstone-federated-log/1, got other/1"),
        ('{"kind": "client", "round": 1}\n', "line 1: expected a log of format"),
    ],
)
def test_what_is_no_log_is_refused_by_reader_and_writer(path, text, reason):
    path.write_text(text)
    with pytest.raises(ValueError, match=reason):
        read_log(path)
    with pytest.raises(ValueError, match=reason):
        LogWriter(path)
    assert path.read_text() == text


@pytest.mark.parametrize("damage", ["{}", '{"kind": "client"}', '{"kind": "client", "status": "odd"}', "\x00"])
def test_a_damaged_line_is_named(path, damage):
    writer = LogWriter(path)
    writer.begin({})
    with path.open("a") as stream:
        stream.write(damage + "\n")
    writer.write([client("1")], CLOSING)
    with pytest.raises(ValueError, match="line 2"):
        read_log(path)


def test_fields_of_a_newer_version_are_left_out(path):
    writer = LogWriter(path)
    writer.begin({})
    with path.open("a") as stream:
        stream.write(json.dumps({"kind": "client", "round": 1, "client": "1", "status": "admitted", "new": 1}) + "\n")
    assert read_log(path).clients == (client("1"),)


def test_a_file_that_is_not_there_or_cannot_be_written(path, tmp_path):
    with pytest.raises(ValueError, match="`log`: expected a file that can be read"):
        read_log(path)
    with pytest.raises(ValueError, match="`log`: expected a file that can be written"):
        LogWriter(tmp_path / "none" / "log.jsonl")
    with pytest.raises(ValueError, match="`log`: expected a file that can be written"):
        LogWriter(tmp_path)


@pytest.mark.parametrize("content", [b"no log", b"\x93NUMPY\x01", b'{"kind": "round"', b"[" * 100000 + b"\n"])
def test_a_file_without_a_first_line_of_a_log_is_refused_and_kept(path, content):
    path.write_bytes(content)
    for use in (read_log, LogWriter):
        with pytest.raises(InvalidData, match="line 1: expected"):
            use(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("length", [1, 20, 60])
def test_a_first_line_that_was_cut_off_is_a_log_without_rounds(path, length):
    LogWriter(path).begin({"rule": "krum"})
    path.write_bytes(path.read_bytes()[:length])
    assert read_log(path).rounds == ()


@pytest.mark.parametrize(
    "damage",
    [
        '{"kind": "round", "round": 1, "aggregated": true, "notes": 3}',
        '{"kind": "round", "round": "1", "aggregated": true}',
        '{"kind": "client", "round": 1, "client": "1", "status": "admitted", "distance": "far"}',
        '{"kind": "client", "round": 1, "client": 1, "status": "admitted"}',
        '{"kind": "client", "round": 1, "client": "1", "status": []}',
    ],
)
def test_values_of_other_types_are_named(path, damage):
    LogWriter(path).begin({})
    with path.open("a") as stream:
        stream.write(damage + "\n")
    with pytest.raises(InvalidData, match=r"line 2: expected [a-z]+ of type"):
        read_log(path)


def test_what_is_no_path_is_refused():
    for use in (read_log, LogWriter):
        with pytest.raises(InvalidArgument, match="`log`: expected the path of a file, got 123"):
            use(123)
