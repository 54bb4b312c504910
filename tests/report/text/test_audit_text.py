"""An audit in lines."""

import dataclasses
import re

from toadstone.report.text.audit_text import audit_lines

READING = "Features: word counts as stored. Rows are numbered from 1, in the order of the file."


def test_audit_at_80_columns(record):
    text = "\n".join(audit_lines(record, 80))
    assert max(map(len, text.splitlines())) <= 80
    assert "0.3287" in text
    rows = re.findall(r"^  (\w[\w ]*?) +([\d.-]+) +([\d.-]+)( +best)?$", text, flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["no defence", "sphere", "slab", "loss", "subspace", "neighbours"]
    assert [row[0] for row in rows if row[3]] == ["slab"]
    assert [row[1] for row in rows] == ["8.2", "7.7", "5.1", "6.9", "8.0", "6.0"]


def test_audit_says_what_the_headline_does_not_mean(record):
    (point,) = (point for point in record.curve if point.fraction == record.threat.fraction)
    vague = dataclasses.replace(record, curve=(dataclasses.replace(point, bound=1.2, conclusive=False),))
    text = "\n".join(audit_lines(vague, None))
    assert "Not conclusive: " in text
    assert "The bound rules nothing out: " in text


def test_hostile_names_cannot_steer_the_terminal(hostile):
    attack = "\x1b[2J" + "x" * 90
    renamed = tuple(dataclasses.replace(run, attack=attack) for run in hostile.evaluations if run.attack != "none")
    text = "\n".join(audit_lines(dataclasses.replace(hostile, evaluations=renamed), 80))
    assert "xxx…" in text
    assert not set(text) & {"\x1b", "\x00", "\u202e"}


def test_suspicious_rows_come_after_the_matrix_and_the_others_are_counted(record):
    lines = audit_lines(record, None)
    start = lines.index("Most suspicious training rows")
    first = record.suspects[0]
    assert lines[start + 1] == (
        f"  row {first.row}, {first.label}: removed by {len(first.removed_by)} of 5 defences; {first.preview}"
    )
    assert lines[start + 9 :] == ["  and 12 more", "", READING]
    few = audit_lines(dataclasses.replace(record, suspects=record.suspects[:8]), None)
    assert few[-3].startswith("  row")
    assert "Most suspicious training rows" not in audit_lines(dataclasses.replace(record, suspects=()), None)
