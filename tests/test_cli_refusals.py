"""Input that cannot be used: one sentence on standard error, exit code 2, nothing written."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array

COMMANDS = {
    "audit": ("audit", "--fraction", "0.1", "--ridge", "0.1", "--attacks", "none", "--out", "out"),
    "certify": ("certify", "--fraction", "0.1", "--ridge", "0.1", "--out", "out"),
    "sanitize": ("sanitize", "--out", "out"),
}


def sound():
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 1.5, size=(40, 3)), np.repeat([0, 1], 20)


def write_csv(name, X, y, header="a,b,c,label"):
    rows = [",".join(map(str, [*row, label])) for row, label in zip(X.tolist(), y, strict=True)]
    with open(name, "w") as stream:
        stream.write("\n".join([header, *rows]) + "\n")


@pytest.fixture
def refused(toadstone, tmp_path, monkeypatch):
    """Run a command that must be refused, in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        outcome = toadstone(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        assert outcome.err.startswith("toadstone: ")
        assert len(outcome.err.splitlines()) == 1
        return outcome.err.removeprefix("toadstone: ").rstrip("\n")

    return run


@pytest.fixture
def table(tmp_path):
    write_csv(tmp_path / "rows.csv", *sound())
    return "rows.csv"


def spoil(change):
    X, y = sound()
    write_csv("bad.csv", *change(X, y))
    return "bad.csv"


def at(X, value):
    X[3, 1] = value
    return X


SPOILT_TABLES = {
    "nan": (
        lambda X, y: (at(X, np.nan), y),
        r"bad.csv: column 'b', line 5: expected a value, got nothing; `--missing` with indicate or drop-rows reads on",
    ),
    "inf": (
        lambda X, y: (at(X, -np.inf), y),
        r"bad.csv: column 'b', line 5: expected a number as in most rows, got '-inf'; `--types` with b=number reads",
    ),
    "huge": (
        lambda X, y: (at(X, 1e300), y),
        r"bad.csv: column 'b', line 5: expected a number up to 1e\+100, got 1e\+300; `--types` with b=number reads",
    ),
    "one class": (lambda X, y: (X, y * 0), r"bad.csv: column 'label': expected at least two classes, got only '0'"),
    "few rows": (
        lambda X, y: (X[:23], y[:23]),
        r"expected at least 5 rows of each class, got 3 of '1'; `--classes` keeps those that it names",
    ),
    "a number as label": (lambda X, y: (X, X[:, 0]), r"column 'label': expected a few classes, got 40 .*regression"),
    "no label": (lambda X, y: (X, [""] * 40), r"bad.csv: column 'label', line 2: .*got no label in any row, only ''"),
    "a missing label": (
        lambda X, y: (X, [0, "", *y[2:]]),
        r"column 'label', line 3: expected a label, got nothing; `--missing` says what to do",
    ),
}


@pytest.mark.parametrize(
    ("case", "command"),
    # Sanitizers set aside the rows of small classes.
    sorted({(case, command) for case in SPOILT_TABLES for command in COMMANDS} - {("few rows", "sanitize")}),
)
def test_tables(refused, case, command):
    change, sentence = SPOILT_TABLES[case]
    path = spoil(change)
    name, *options = COMMANDS[command]
    strict = ("--missing", "refuse") if case in ("nan", "a missing label") else ()
    assert_matches(sentence, refused(name, path, *strict, *options))


def assert_matches(pattern, sentence):
    assert re.search(pattern, sentence), sentence


def pickled(**arrays):
    np.savez("bad.npz", **arrays)


def sparse(**changes):
    X, y = sound()
    matrix = csr_array(X)
    parts = {"X_data": matrix.data, "X_indices": matrix.indices, "X_indptr": matrix.indptr, "X_shape": matrix.shape}
    np.savez("bad.npz", y=y, **{name: part for name, part in (parts | changes).items() if part is not None})


SPOILT_ARCHIVES = {
    "nan": (
        lambda X, y: np.savez("bad.npz", X=at(X, np.nan), y=y),
        r"bad.npz: X: expected finite numbers up to 1e\+100, got nan",
    ),
    "inf": (
        lambda X, y: np.savez("bad.npz", X=at(X, np.inf), y=y),
        r"bad.npz: X: expected finite numbers up to 1e\+100, got inf",
    ),
    "one class": (lambda X, y: np.savez("bad.npz", X=X, y=y * 0), r"bad.npz: y: expected at least two classes"),
    "complex labels": (
        lambda X, y: np.savez("bad.npz", X=X, y=y + 1j),
        r"y: expected whole numbers or text, got .*complex",
    ),
    "labels of other rows": (
        lambda X, y: np.savez("bad.npz", X=X, y=y[1:]),
        r"y: expected one label for each of 40 rows",
    ),
    "pickled rows": (
        lambda X, y: pickled(X=X.astype(object), y=y),
        r"array X: .*pickled objects, which are never loaded",
    ),
    "pickled labels": (
        lambda X, y: pickled(X=X, y=y.astype(object)),
        r"array y: .*pickled objects, which are never loaded",
    ),
    "too few rows in the shape": (lambda X, y: sparse(X_shape=(39, 3)), r"X_indptr: expected 40 entries for 39 rows"),
    "too few columns": (lambda X, y: sparse(X_shape=(40, 2)), r"X_indices: expected column numbers from 0 to 1"),
    "a shape of one number": (lambda X, y: sparse(X_shape=(40,)), r"X_shape: expected two numbers"),
    "a negative shape": (lambda X, y: sparse(X_shape=(40, -3)), r"X_shape: expected two numbers"),
    "no shape": (lambda X, y: sparse(X_shape=None), r"expected the parts of a sparse matrix, got no X_shape"),
}


@pytest.mark.parametrize("case", SPOILT_ARCHIVES)
def test_archives(refused, case):
    write, sentence = SPOILT_ARCHIVES[case]
    write(*sound())
    assert_matches(sentence, refused("certify", "bad.npz", "--fraction", 0.1))


@pytest.mark.parametrize("ending", ["csv", "tsv", "npz", "parquet", "svmlight"])
def test_empty_files(refused, ending):
    open(f"bad.{ending}", "w").close()
    assert refused("certify", f"bad.{ending}", "--fraction", 0.1) == f"bad.{ending}: expected data, got an empty file"


@pytest.mark.parametrize("ending", ["csv", "npz", "parquet", "svmlight"])
def test_truncated_files(refused, ending):
    X, y = sound()
    write_csv("whole.csv", X, y)
    np.savez("whole.npz", X=X, y=y)
    pq.write_table(pa.table({"a": X[:, 0], "label": y}), "whole.parquet")
    with open("whole.svmlight", "w") as stream:
        stream.writelines(f"{label} 1:{row[0]} 2:{row[1]}\n" for row, label in zip(X, y, strict=True))
    with open(f"whole.{ending}", "rb") as whole:
        content = whole.read()
    end = content.rindex(b":") + 1 if ending == "svmlight" else len(content) - 24
    with open(f"bad.{ending}", "wb") as cut:
        cut.write(content[:end])
    assert refused("certify", f"bad.{ending}", "--fraction", 0.1).startswith(f"bad.{ending}: expected ")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-0.01", "0.5", "2"])
@pytest.mark.parametrize("command", ["audit", "certify"])
def test_fraction_out_of_range(refused, table, command, value):
    sentence = refused(command, table, "--fraction", value, "--out", "out")
    assert sentence == f"`--fraction`: expected a number in [0, 0.5), got {float(value)}"


NUMBERS = {
    "--quantile": (("nan", "-1", "0", "0.4", "1", "1.5"), "expected a number in"),
    "--norm-squared": (("nan", "inf", "0", "-1"), "expected a positive number, got"),
    "--ridge": (("nan", "inf", "0", "-1"), "expected a positive number, got"),
    "--tolerance": (("nan", "0", "-1", "1"), "expected a number in (0, 1), got"),
    "--test-share": (("nan", "0", "-1", "1"), "expected a number in (0, 1), got"),
    "--seed": (("-1", "4294967296"), "expected a whole number from 0 to 4294967295, got"),
    "--fail-if-certified-above": (("nan", "inf", "-0.1"), "expected a finite number of at least 0, got"),
}


@pytest.mark.parametrize(("option", "value"), [(option, value) for option in NUMBERS for value in NUMBERS[option][0]])
@pytest.mark.parametrize("command", ["audit", "certify"])
def test_numbers_out_of_range(refused, table, command, option, value):
    sentence = refused(command, table, "--fraction", 0.1, "--out", "out", option, value)
    assert sentence.startswith(f"`{option}`: {NUMBERS[option][1]}")


@pytest.mark.parametrize("value", ["nan", "0", "0.5", "1", "-1"])
@pytest.mark.parametrize("command", [("audit", "--fraction", 0.1), ("sanitize",)])
def test_remove_out_of_range(refused, table, command, value):
    sentence = refused(*command, table, "--out", "out", "--remove", value)
    assert sentence == f"`--remove`: expected a number in (0, 0.5), got {float(value)}"


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1", "1.1"])
def test_error_gate_out_of_range(refused, table, value):
    sentence = refused("audit", table, "--fraction", 0.1, "--fail-if-error-above", value)
    assert sentence == f"`--fail-if-error-above`: expected a number from 0 to 1, got {float(value)}"


@pytest.mark.parametrize("option", ["--fraction", "--quantile", "--ridge", "--fail-if-certified-above"])
def test_numbers_that_are_text(refused, table, option):
    sentence = refused("certify", table, "--fraction", 0.1, option, "much")
    assert sentence == f"`{option}`: expected a number, got 'much'; see `toadstone certify --help`"


def test_penalty_of_the_loss_sanitizer(refused, table):
    assert refused("sanitize", table, "--method", "loss", "--ridge", "nan").startswith("`--ridge`: expected a positive")


def test_two_hypotheses(refused, table):
    sentence = refused("certify", table, "--fraction", 0.1, "--ridge", 1, "--norm-squared", 1)
    assert sentence == "`--norm-squared`: expected nothing beside a ridge, got 1.0"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("value", [-2, 0.5])
@pytest.mark.parametrize("command", ["audit", "certify"])
def test_values_that_are_no_counts(refused, command, value, seed):
    X, y = sound()
    write_csv("bad.csv", at(np.round(X), value), y)
    sentence = refused(command, "bad.csv", "--fraction", 0.1, "--domain", "integer", "--out", "out", "--seed", seed)
    assert sentence == f"domain 'integer': expected counts (0, 1, 2, ...), got {value} in row 3, column 1"


def test_missing_label_column(refused, table):
    assert refused("certify", table, "--fraction", 0.1, "--label", "lable").endswith(
        "got 'lable'; did you mean 'label'?"
    )
    write_csv("bad.csv", *sound(), header="a,b,c,d")
    assert refused("certify", "bad.csv", "--fraction", 0.1).startswith(
        "`--label`: expected the name of the label column"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits-17", r"unknown data set 'digits-17'.*; did you mean 'digits-1-7'\?$"),
        ("nothing.csv", r"nothing.csv: expected a file, got a name that does not exist"),
        (".", r"\.: expected a file, got a folder"),
        ("mnist-1-7.docx", r"unknown data set"),
    ],
)
def test_unknown_data(refused, name, sentence):
    assert_matches(sentence, refused("certify", name, "--fraction", 0.1))


@pytest.mark.parametrize("command", COMMANDS)
def test_folder_that_exists_is_refused_before_any_work(refused, command):
    os.mkdir("out")
    name, *options = COMMANDS[command]
    sentence = refused(name, "no-such-data.csv", *options)
    assert sentence == "`--out`: expected a name that is not taken, got out, which exists; --force replaces results"


def test_default_folder_that_exists(refused):
    os.mkdir("audit-rows")
    sentence = refused("audit", "rows.csv.gz", "--fraction", 0.1)
    assert (
        sentence == "`--out`: expected a name that is not taken, got audit-rows, which exists; --force replaces results"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_parents_made_for_nothing_are_removed(refused, command):
    write_csv("bad.csv", sound()[0], [1] * 40)
    name, *options = COMMANDS[command]
    refused(name, "bad.csv", *options[:-1], "new/deep/out")


def mount(kind, where):
    """A file system of its own on a folder, or a reason to skip."""
    where.mkdir()
    try:
        found = subprocess.run(["mount", "-t", "tmpfs", "-o", kind, "tmpfs", where], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if found.returncode:
        pytest.skip(f"mounting is not allowed here: {found.stderr.decode().strip()}")


@pytest.fixture
def disk(tmp_path, request):
    where = tmp_path / "disk"
    mount(request.param, where)
    yield where
    subprocess.run(["umount", where], check=True)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("disk", ["size=4k"], indirect=True)
def test_full_disk(toadstone, disk, command):
    name, *options = COMMANDS[command]
    outcome = toadstone(name, "digits-1-7", "--quiet", *options[:-1], disk / "new" / "out")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("toadstone: `--out`: expected a ")
    assert outcome.err.endswith(": no space left on device\n")
    assert list(disk.iterdir()) == []


def test_disk_that_fills_up(toadstone, tmp_path, table):
    """The same without a mount: a limit on the size of files, which the report breaks."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        f"sys.argv = ['toadstone', 'audit', {table!r}, '--fraction', '0.1', '--ridge', '0.1', '--out', 'new/out',"
        "'--attacks', 'none'];"
        "from toadstone.cli import main; main()"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert (
        finished.stderr
        == "toadstone: `--out`: expected a disk with room for the results, got new/out: file too large\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [table]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("disk", ["ro,size=1m"], indirect=True)
def test_read_only_directory(toadstone, disk, command):
    name, *options = COMMANDS[command]
    outcome = toadstone(name, "digits-1-7", *options[:-1], disk / "out")
    assert (outcome.code, outcome.out) == (2, "")
    assert (
        outcome.err
        == f"toadstone: `--out`: expected a folder that can be created, got {disk / 'out'}: read-only file system\n"
    )


def test_folder_inside_a_file(refused, table):
    sentence = refused("sanitize", table, "--out", f"{table}/out")
    assert sentence == f"`--out`: expected a folder that can be created, got {table}/out: not a directory"


@pytest.fixture
def certificate(toadstone, tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    assert toadstone("certify", table, "--fraction", 0.1, "--ridge", 0.1, "--out", "proof").code == 0
    return tmp_path / "proof" / "certificate-0.1.json"


def test_missing_certificate(refused, table):
    assert refused("verify", "nothing.json", "--data", table).startswith("nothing.json: expected a certificate, got: ")


def test_certificate_without_its_arrays(refused, certificate, table):
    certificate.with_suffix(".npz").unlink()
    assert_matches("expected its arrays beside it", refused("verify", certificate, "--data", table))


def test_other_json(refused, table):
    with open("record.json", "w") as stream:
        stream.write("{}")
    assert_matches(
        "record.json: expected a certificate, got another file", refused("verify", "record.json", "--data", table)
    )


@pytest.mark.parametrize("field", ["bound", "attack_value", "fraction", "data_sha256", "assumptions"])
def test_tampered_certificate(refused, certificate, table, field):
    fields = json.loads(certificate.read_text())
    fields[field] = {"assumptions": [], "data_sha256": "0" * 64}.get(field, 0.01)
    certificate.write_text(json.dumps(fields))
    assert_matches("the file was altered", refused("verify", certificate, "--data", table))


def test_tampered_arrays(refused, certificate, table):
    archive = certificate.with_suffix(".npz")
    archive.write_bytes(archive.read_bytes()[:-1] + b"x")
    assert_matches("a file was altered", refused("verify", certificate, "--data", table))


def test_certificate_of_other_data(refused, certificate, table):
    assert_matches("the certificate is for training rows", refused("verify", certificate, "--data", "digits-1-7"))
    assert_matches("read them with the same options", refused("verify", certificate, "--data", table, "--seed", 1))


def poison(X, y, name="mine.npz"):
    np.savez(name, X=X, y=y)
    return name


POISONS = {
    "too many rows": (lambda X, y: poison(X[:4], y[:4]), "poison: expected at most 3 rows, got 4"),
    "other columns": (lambda X, y: poison(X[:2, :2], y[:2]), "poison: expected 3 columns, got 2"),
    "other labels": (lambda X, y: poison(X[:2], y[:2] + 7), "poison: expected labels of the data, got 7"),
    "out of the domain": (lambda X, y: poison(X[:2] + 9, y[:2]), "poison: expected values within the box domain"),
    "nan": (lambda X, y: poison(at(X, np.nan)[2:4], y[2:4]), "mine.npz: .*finite"),
    "labels of other rows": (lambda X, y: poison(X[:3], y[:2]), "mine.npz: poison labels: expected one for each of 3"),
    "pickled": (lambda X, y: poison(X[:2].astype(object), y[:2]), "mine.npz: "),
    "no archive": (lambda X, y: write_csv("mine.npz", X, y) or "mine.npz", "mine.npz: "),
    "nothing": (lambda X, y: "mine.npz", "mine.npz: expected a file, got a name that does not exist"),
    "a name of the suite": (
        lambda X, y: poison(X[:1], y[:1], "kkt.npz"),
        "`--poison`: expected files of different names, none called collapse, label-flip, kkt, kkt-influence, min-max, "
        "got kkt",
    ),
    "the audit's own name": (
        lambda X, y: poison(X[:1], y[:1], "collapse.npz"),
        "`--poison`: expected files of different",
    ),
}


@pytest.mark.parametrize("case", POISONS)
def test_poison_files(refused, tmp_path, case):
    X, y = sound()
    write_csv("rows.csv", X, y)
    make, sentence = POISONS[case]
    options = ("--fraction", 0.1, "--ridge", 0.1, "--domain", "box", "--scale", "none", "--out", "out")
    assert_matches(sentence, refused("audit", "rows.csv", *options, "--poison", make(X, y)))


def test_poison_twice(refused, table):
    file = poison(*(part[:1] for part in sound()))
    sentence = refused("audit", table, "--fraction", 0.1, "--poison", file, "--poison", file)
    assert sentence.startswith("`--poison`: expected files of different names")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("adit rows.csv", "no such command 'adit'; did you mean 'audit'? See `toadstone --help`"),
        ("certify rows.csv", "`--fraction`: expected poison rows for each clean row, as in 0.03, got none"),
        ("certify --fraction 0.1", "missing argument 'DATA'; see `toadstone certify --help`"),
        (
            "certify rows.csv --fractoin 0.1",
            "no such option '--fractoin'; did you mean '--class-fraction', '--encoding' or '--fraction'? See "
            "`toadstone certify --help`",
        ),
        ("sanitize rows.csv --classes 1", "`--classes`: expected at least two different labels, got ('1',)"),
        (
            "sanitize rows.csv --classes 1,3",
            "`--classes`: expected labels among '0', '1' (rows.csv: column 'label'), got '3'",
        ),
        (
            "sanitize rows.csv --text z",
            "`--text`: expected a column of rows.csv: a, b, c, label, got 'z'",
        ),
        (
            "sanitize rows.csv --decimal ;",
            "`--decimal`: expected '.' or ',', got ';'",
        ),
        (
            "sanitize rows.csv --types a=whole",
            "`--types`: expected COLUMN=KIND, where KIND is one of number, category, date, text, id, got a=whole",
        ),
        (
            "sanitize digits-1-7 --separator ;",
            "`--separator`: expected nothing for the prepared data set digits-1-7, which has no named columns, got ';'",
        ),
        (
            "sanitize digits-1-7 --label x",
            "`--label`: expected nothing for the prepared data set digits-1-7, which has no named columns, got 'x'",
        ),
    ],
)
def test_lines(refused, table, line, sentence):
    assert refused(*line.split()) == sentence
