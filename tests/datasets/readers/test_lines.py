"""Line numbers are given only where every row is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from toadstone.datasets.readers.lines import first_line


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "x,y\n1,a\n2,b\n", 2),
        ("a.tsv", "x\ty\n1\ta\n2\tb", 2),
        ("a.csv", "x,y\n\n1,a\n2,b\n", 2),
        ("a.csv", 'x,y\n1,"a\nb"\n2,b\n', None),
        ("a.csv", "x,y\n1,a\n", None),
        ("a.svm", "1 1:2\n-1 2:3\n", 1),
        ("a.libsvm", "1 1:2\n-1 2:3\n", 1),
        ("a.svm", "# comment\n1 1:2\n-1 2:3\n", None),
        ("a.parquet", "x\n1\n2\n", None),
    ],
)
def test_first_line_of_two_rows(tmp_path: Path, name: str, content: str, expected: int | None) -> None:
    (tmp_path / name).write_text(content)
    assert first_line(tmp_path / name, 2) == expected


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert first_line(tmp_path / "missing.csv", 2) is None
