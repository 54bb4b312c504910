"""A data file with new labels or weights differs from the caller's file there only."""

from __future__ import annotations

import codecs

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.changes import Changes
from toadstone.datasets.readers.content import open_content
from toadstone.datasets.readers.read import format_of
from toadstone.datasets.readers.request import Request

CSV = (
    '"id","p, first",note,label,q\r\n'
    '"001",+1.50,"say ""hi""\r\nthere",=ham,2\r\n'
    '002,1e3,"","spam; x",07\r\n'
    "\r\n"
    '"003", 2.0 ,plain,=ham,-4\r\n'
    "004,2.5,plain,spam; x,5"
)
JSONL = '{"x": 1.50, "label": "=h\\u0061m", "t": "}\\n"}\r\n{ "label" : "spam" ,"x":2}\n{"x": 3, "label": "=ham"}'
ARRAY = '[\n  {"x": 1.50, "label": true},\n  {"label": false,\n   "x": 2},\n  {"x": 3, "label": true}\n]\n'
ARFF = (
    "% kept\n@relation r\n@attribute x numeric\n@attribute label {'=h am',spam}\n@attribute z string\n@data\n"
    "1.50, '=h am' ,\"a, b\"\n2,spam,c\n% left out\n 3 ,'=h am',d\n"
)


def written(tmp_path, name, data, rows, changes, **options):
    (tmp_path / name).write_bytes(data)
    content = open_content(tmp_path / name)
    module = format_of(content)
    request = module.table(content, Request(label="label", **options))[1]
    return module.write_changed(content, np.array(rows), request, "label", changes)


def test_a_label_of_delimited_text_is_the_only_cell_that_changes(tmp_path):
    data = codecs.BOM_UTF8 + CSV.encode()
    made = written(tmp_path, "rows.csv", data, [0, 1, 2, 3], Changes({0: 1, 3: 2}))
    expected = CSV.replace('there",=ham,', 'there","spam; x",').replace("plain,spam; x,5", "plain,=ham,5")
    assert made == codecs.BOM_UTF8 + expected.replace("\r\n\r\n", "\r\n").encode()
    fewer = written(tmp_path, "rows.csv", data, [1, 3], Changes({3: 0}))
    assert (
        fewer.decode("utf-8-sig") == '"id","p, first",note,label,q\r\n002,1e3,"","spam; x",07\r\n004,2.5,plain,=ham,5'
    )


@pytest.mark.parametrize(
    ("name", "encoding", "text"),
    [
        ("rows.tsv", "latin-1", "x\tlabel\n1\té\n2\tb\n3\té\n4\tb\n"),
        ("rows.csv", "utf-16-le", "sep=;\nx;label\n1;é\n2;b\n3;é\n4;b\n"),
        ("rows.csv", "utf-8", '"x" "label"\n"a" 1 "é"\n"b" 2 "b"\n"c" 3 "é"\n"d" 4 "b"\n'.replace(" ", ",")),
    ],
    ids=["tabs", "sep= and UTF-16", "row names of R"],
)
def test_other_notations_stay_as_they_are(tmp_path, name, encoding, text):
    mark = codecs.BOM_UTF16_LE if encoding.startswith("utf-16") else b""
    options = {"encoding": "latin-1"} if encoding == "latin-1" else {}
    data = written(tmp_path, name, mark + text.encode(encoding), range(4), Changes({0: 1}), **options)
    assert data == mark + text.replace("é", "b", 1).encode(encoding)


def test_weights_are_one_more_value_of_each_record(tmp_path):
    made = written(tmp_path, "rows.csv", CSV.encode(), [0, 3], Changes(weight={0: 0.25}))
    assert made.decode() == (
        '"id","p, first",note,label,q,weight\r\n"001",+1.50,"say ""hi""\r\nthere",=ham,2,0.25\r\n'
        "004,2.5,plain,spam; x,5,1.0"
    )
    made = written(tmp_path, "rows.jsonl", JSONL.encode(), [1, 2], Changes(weight={1: 0.25}))
    assert made.decode() == '{ "label" : "spam" ,"x":2, "weight": 0.25}\n{"x": 3, "label": "=ham", "weight": 1.0}'
    made = written(tmp_path, "rows.arff", ARFF.encode(), [1], Changes(weight={1: 0.25}))
    assert made.decode().endswith("@attribute weight numeric\n@data\n2,spam,c,0.25\n")


@pytest.mark.parametrize(
    ("name", "text", "before", "after"),
    [
        ("rows.jsonl", JSONL, '{ "label" : "spam"', '{ "label" : "=h\\u0061m"'),
        ("rows.json", ARRAY, '{"label": false', '{"label": true'),
        ("rows.arff", ARFF.replace("% left out\n", ""), "2,spam,c", "2,'=h am',c"),
    ],
)
def test_a_label_of_other_text_is_the_only_value_that_changes(tmp_path, name, text, before, after):
    data = written(tmp_path, name, text.encode(), [0, 1, 2], Changes({1: 0}))
    assert before in text
    assert data.decode() == text.replace(before, after)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "weight,label\n1,a\n2,b\n3,a\n4,b\n"),
        ("rows.jsonl", '{"weight": 1, "label": "a"}\n{"weight": 2, "label": "b"}\n{"weight": 3, "label": "a"}'),
        ("rows.arff", "@relation r\n@attribute weight numeric\n@attribute label {a,b}\n@data\n1,a\n2,b\n3,a\n"),
    ],
)
def test_a_column_of_weights_is_not_written_twice(tmp_path, name, text):
    with pytest.raises(InvalidArgument, match="`action`: expected data without a column weight"):
        written(tmp_path, name, text.encode(), [0, 1], Changes(weight={0: 0.5}))
