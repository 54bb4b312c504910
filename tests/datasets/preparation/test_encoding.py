"""Tables become matrices: numbers scaled on training rows, categories one-hot, texts as words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import issparse
from sklearn.feature_extraction.text import TfidfVectorizer

from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.column_types import infer_types
from toadstone.datasets.preparation.conversion import Origin
from toadstone.datasets.preparation.encoding import TableEncoding, TableValues, fit_encoding
from toadstone.datasets.readers.request import Request

ORIGIN = Origin("file.csv", RowNames("row"))
TEXTS = ["win cash cash now", "win a prize", "see you now", "you win", "secret secret win", "secret"]


def dense(X) -> np.ndarray:
    return X.toarray() if issparse(X) else X


def encode(columns: dict, train: list[int] | None = None, **options) -> tuple[TableEncoding, np.ndarray]:
    table, request = pa.table(columns), Request(**options)
    rows = np.arange(table.num_rows) if train is None else np.array(train)
    types = infer_types(table, request, ORIGIN)
    return fit_encoding(table, rows, types, scale=request.scale, weighting=request.weighting, origin=ORIGIN)


def test_levels_come_from_training_rows_alone() -> None:
    encoding, X = encode({"colour": ["red", "blue", "green", "red"], "n": [1.5, 2.5, 9.0, 1.5]}, train=[0, 1])
    assert encoding.names == ("n", "colour=blue", "colour=red")
    assert encoding.sources == ["n", "colour", "colour"]
    np.testing.assert_allclose(X, [[-1, 0, 1], [1, 1, 0], [14, 0, 0], [-1, 0, 1]])
    assert encoding.summary == "1 number standardised, 1 category one-hot (2 columns)"


def test_booleans_and_dictionaries_are_categories() -> None:
    columns = {
        "b": [True, False],
        "d": pa.array(["x", "y"]).dictionary_encode(),
        "k": pa.array([3, 5]).dictionary_encode(),
    }
    encoding, X = encode(columns)
    assert encoding.names == ("b=False", "b=True", "d=x", "d=y", "k=3", "k=5")
    np.testing.assert_array_equal(X, [[0, 1, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1]])


@pytest.mark.parametrize(
    ("columns", "treatment"),
    [
        ({"a": [0, 4, 1], "b": [2, 0, 0]}, "2 numbers taken for counts, as given"),
        ({"a": [0, 4, 1], "b": [2, 5, 1]}, "2 numbers standardised"),
        ({"a": [0, 4, 1], "b": [2, 0, 0.5]}, "2 numbers standardised"),
        ({"a": [0, 4, 1], "b": [2, 0, -1]}, "2 numbers standardised"),
        ({"a": [0.0, 0.5, 1.0], "b": [1.0, 1.0, 1.0]}, "2 numbers as given"),
        ({"a": [0, 4, 1], "c": ["u", "v", "u"]}, "1 number standardised, 1 category one-hot (2 columns)"),
        ({"a": [0, 0.5, 1], "c": ["u", "v", "u"]}, "1 number as given, 1 category one-hot (2 columns)"),
    ],
)
def test_mixed_units_are_standardised_and_counts_are_not(columns: dict, treatment: str) -> None:
    assert encode(columns)[0].summary == treatment


def test_scale_can_be_forced_either_way() -> None:
    np.testing.assert_allclose(encode({"a": [10.0, 30.0]}, scale="standard")[1], [[-1], [1]])
    np.testing.assert_allclose(encode({"a": [10.0, 30.0]}, scale="none")[1], [[10], [30]])


def test_a_missing_number_is_the_median_of_training_rows_and_marked() -> None:
    encoding, X = encode({"a": [1.0, None, 3.0, 4.0, None, 99.0]}, train=[0, 1, 2, 3], scale="none")
    assert encoding.names == ("a", "a=(missing)")
    assert encoding.sources == ["a", "a"]
    np.testing.assert_array_equal(X, [[1, 0], [3, 1], [3, 0], [4, 0], [3, 1], [99, 0]])
    assert encoding.summary == "1 number as given (1 column of missing values)"


def test_a_missing_category_is_a_level_and_a_missing_text_has_no_words() -> None:
    encoding, X = encode({"c": ["u", None, "v", "u"]})
    assert encoding.names == ("c=(missing)", "c=u", "c=v")
    np.testing.assert_array_equal(X, [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    _, X = encode({"t": ["a word", None, "a word", ""]}, text="t", weighting="counts")
    np.testing.assert_array_equal(dense(X), [[1], [0], [1], [0]])


def test_dates_are_days_and_standardised() -> None:
    encoding, X = encode({"d": ["1970-01-01", "1970-01-03", ""]})
    assert encoding.summary == "1 date standardised (1 column of missing values)"
    np.testing.assert_allclose(X[:, 0], np.sqrt(1.5) * np.array([-1, 1, 0]))
    np.testing.assert_array_equal(X[:, 1], [0, 0, 1])


def test_rare_levels_of_many_share_a_column_with_those_unseen() -> None:
    levels = [f"common {i % 60}" for i in range(600)] + [f"rare {i}" for i in range(20)] + ["unseen"]
    encoding, X = encode({"c": levels}, train=list(range(620)), types={"c": "category"})
    assert encoding.names[-1] == "c=(rare)"
    assert X.shape == (621, 61)
    np.testing.assert_array_equal(X.sum(axis=1), 1)
    np.testing.assert_array_equal(np.flatnonzero(X[:, -1]), range(600, 621))


def test_wide_categories_stay_sparse_and_mean_the_same() -> None:
    n = 6 * 1100
    columns = {"a": np.arange(n + 1) / n, "c": pa.array([*(f"level {i % 1100}" for i in range(n)), "unseen"])}
    encoding, X = encode(columns, train=list(range(n)), types={"c": "category"})
    assert issparse(X)
    assert X.shape == (n + 1, 1101)
    rows = X.toarray()
    np.testing.assert_allclose(rows[:, 0], np.arange(n + 1) / n)
    assert encoding.names[1 + int(np.argmax(rows[7, 1:]))] == "c=level 7"
    assert np.all(np.count_nonzero(rows[:n, 1:], axis=1) == 1)
    assert rows[n].tolist() == [1.0, *[0.0] * 1100]


def test_counts_of_words_in_two_training_texts() -> None:
    encoding, X = encode({"t": TEXTS}, train=[0, 1, 2, 3], text="t", weighting="counts")
    assert encoding.names == ("now", "win", "you")
    np.testing.assert_array_equal(X.toarray()[:4], [[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(X.toarray()[4:], [[0, 1, 0], [0, 0, 0]])
    assert encoding.domain == "integer"
    assert encoding.summary == "counts of 3 words found in at least 2 training texts"


def test_tfidf_is_that_of_the_training_texts_to_six_decimals() -> None:
    encoding, X = encode({"t": TEXTS}, train=[0, 1, 2, 3], text="t")
    reference = TfidfVectorizer(min_df=2).fit(TEXTS[:4])
    np.testing.assert_allclose(X.toarray(), reference.transform(TEXTS).toarray(), atol=5.1e-7)
    np.testing.assert_array_equal(X.data, np.round(X.data, 6))
    assert np.all(X.data > 0)
    assert encoding.domain == "box"
    assert encoding.summary == "TF-IDF of 3 words found in at least 2 training texts, rounded to 6 decimals"


def test_values_that_round_to_zero_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.preparation.encoders.DECIMALS", 0)
    _, X = encode({"t": ["win " * 9 + "you", "win you", "you win"]}, text="t")
    assert X.toarray()[0].tolist() == [1, 0]
    assert np.all(X.data > 0)


def test_texts_without_common_words_are_read_by_their_characters() -> None:
    texts = ["今天天气很好", "今天心情不好", "天气不错", "心情很好"]
    encoding, X = encode({"t": texts}, text="t", weighting="counts")
    assert "character n-grams found in at least 2 training texts" in encoding.summary
    assert "今天" in encoding.names
    assert np.all(X.toarray().sum(axis=1) > 0)


def test_texts_without_anything_in_common() -> None:
    with pytest.raises(InvalidData, match="column 't': expected words or characters that occur in 2 training texts"):
        encode({"t": ["ab", "cd", "ef"]}, text="t")


def test_texts_that_are_all_empty_are_one_sentence() -> None:
    with pytest.raises(InvalidData, match="column 't': expected words or characters that occur in 2 training texts"):
        encode({"t": ["", "", "late"], "a": [1, 2, 3]}, train=[0, 1], text="t")


def test_texts_beside_numbers_and_several_texts() -> None:
    columns = {"t": TEXTS, "a": [1, 2, 3, 4, 5, 6], "u": TEXTS[::-1]}
    encoding, X = encode(columns, text="t,u", scale="none", weighting="counts")
    assert issparse(X)
    np.testing.assert_array_equal(X.toarray()[:, 0], columns["a"])
    assert [encoding.sources.count(name) for name in "tau"] == [5, 1, 5] or set(encoding.sources) == {"t", "a", "u"}
    alone = encode({"t": TEXTS}, text="t", weighting="counts")[1].toarray()
    width = alone.shape[1]
    np.testing.assert_array_equal(X.toarray()[:, 1 : 1 + width], alone)
    np.testing.assert_array_equal(X.toarray()[:, 1 + width :], alone[::-1])


def test_what_was_learned_is_kept_for_the_record() -> None:
    columns = {"n": [1.0, 3.0, None], "c": ["u", "v", "u"], "t": TEXTS[:3], "empty": pa.nulls(3)}
    encoding, _ = encode(columns, text="t", scale="standard")
    n, c, t, empty = encoding.columns
    assert (n.kind, n.features, n.fitted["median"], n.fitted["mean"]) == ("number", 2, 2.0, 2.0)
    assert (c.kind, c.features, c.fitted) == ("category", 2, {"levels": ["u", "v"]})
    assert (t.kind, t.fitted["words"], t.fitted["unit"], len(t.fitted["sha256"])) == ("text", t.features, "word", 64)
    assert (empty.kind, empty.features, empty.note, empty.fitted) == ("left out", 0, "it has no values", {})
    assert encoding.summary.endswith("; left out: empty (it has no values)")


def test_other_rows_are_encoded_as_the_first() -> None:
    columns = {"n": ["1,5", "2,5", "9"], "c": ["u", "v", "u"], "d": ["1970-01-01", "1970-01-02", "1970-01-09"]}
    encoding, X = encode(columns)
    again = encoding.encode(pa.table({name: columns[name][::-1] for name in ("d", "n", "c")}), ORIGIN)
    np.testing.assert_array_equal(again, X[::-1])
    with pytest.raises(InvalidData, match=r"^other.csv: expected a column 'n', got c, d$"):
        encoding.encode(pa.table({"c": ["u"], "d": ["1970-01-01"]}), Origin("other.csv", RowNames("row")))


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": pa.nulls(3)}, r"expected a column that can be encoded, got 'a' \(it has no values\); `text` names"),
        ({}, "expected a column that can be encoded, got the label alone"),
    ],
)
def test_nothing_to_encode(columns: dict, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^file.csv: {sentence}"):
        encode(columns, train=[0])


def test_values_are_shown_as_they_stand_in_the_file() -> None:
    table = pa.table({"n": ["1,50", None], "c": ["u" * 99, "v"]})
    values = TableValues(table, ["n", "n", "c", "c"])
    assert values.describe(0, [1, 0, 2]) == f"n 1,50, c {'u' * 79}…"
    assert values.describe(1, [3, 0]) == "c v, n (missing)"
