"""`toadstone certify --method` and `toadstone verify`: single predictions, by row and by source."""

import json
import re

import numpy as np
import pytest

METHODS = {
    "label-flips": (),
    "votes": ("--partitions", 7),
    "votes run-off": ("--partitions", 7, "--election", "run-off"),
    "label-flips of parts": ("--partitions", 5, "--ridge", 0.1),
    "neighbours": ("--k", 5),
    "label-flips by hospital": ("--group", "hospital"),
    "votes by hospital": ("--group", "hospital"),
    "temporal": ("--time", "day", "--period", 7, "--drop", "hospital"),
    "temporal of two": ("--time", "seen", "--period", 7, "--span", 2, "--drop", "hospital,day"),
}

_POINTWISE_ONLY = ("neighbours", "votes run-off", "label-flips of parts")


def dropped(name):
    """The columns that are left out, which a verifier leaves out too."""
    options = METHODS[name]
    return options[options.index("--drop") :] if "--drop" in options else ()


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A table of two classes from four hospitals, in the current directory."""
    rng = np.random.default_rng(0)
    kinds = np.where(np.arange(200) % 2 == 0, "ill", "well")
    X = rng.normal(size=(200, 2)) + 3.0 * (kinds == "well")[:, None]
    hospitals = rng.choice(["north", "south", "east", "west"], 200)
    # Ten weeks from the first Thursday of 1970 on, where periods of seven days begin.
    days = np.sort(rng.integers(0, 70, 200))
    dates = np.datetime64("1970-01-01") + days
    lines = ["one,two,hospital,day,seen,label"]
    lines += [
        f"{a:.4f},{b:.4f},{where},{day},{date},{kind}"
        for (a, b), where, day, date, kind in zip(X, hospitals, days, dates, kinds, strict=True)
    ]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "rows.csv"


@pytest.mark.parametrize("name", METHODS)
def test_what_is_certified_is_verified(toadstone, rows, name):
    made = toadstone("certify", rows, "--method", name.split()[0], *METHODS[name], "--out", "made", "--json")
    assert made.code == 0, made.err
    points = json.loads(made.out)
    for point in points:
        assert (point["n_train"], point["queries"]) == (160, 40)
        assert list(point["certified_accuracy"]) == ["0.01", "0.03", "0.05"]
        assert point["accuracy"] >= point["certified_accuracy"]["0.01"] >= point["certified_accuracy"]["0.05"]
        check_collective(point, empty=name in _POINTWISE_ONLY)
        assert point["n_units"] == (4 if "hospital" in name else 10 if "temporal" in name else 160)
    files = sorted((rows.parent / "made").glob("certificate*.json"))
    assert len(files) == len(points)
    assert "<h2" in (rows.parent / "made" / "report.html").read_text()
    assert len(json.loads((rows.parent / "made" / "record.json").read_text())["summaries"]) == len(points)
    for path in files:
        found = toadstone("verify", path, "--data", rows, *dropped(name))
        assert (found.code, found.out.startswith("Verified: ")) == (0, True), found.err


def check_collective(point, *, empty):
    """One attack for all rows changes no more than one for each."""
    pairs = (("collective_accuracy", "certified_accuracy"), ("collective_unchanged", "unchanged"))
    for together, alone in pairs:
        assert (point[together] == {}) == empty
        assert all(share >= point[alone][key] - 1e-12 for key, share in point[together].items())
    for key, share in point["attacked_accuracy"].items():
        assert point["collective_accuracy"][key] - 1e-12 <= share <= point["accuracy"]


@pytest.mark.parametrize("name", METHODS)
def test_other_rows_are_refused(toadstone, rows, name):
    toadstone("certify", rows, "--method", name.split()[0], *METHODS[name], "--out", "made")
    path = sorted((rows.parent / "made").glob("certificate*.json"))[0]
    lines = rows.read_text().splitlines()
    lines[5] = lines[5].replace("ill", "well") if "ill" in lines[5] else lines[5].replace("well", "ill")
    rows.write_text("\n".join(lines) + "\n")
    assert toadstone("verify", path, "--data", rows, *dropped(name)).code == 2


def test_the_curve_over_the_ridge_states_lambda(toadstone, rows):
    points = json.loads(toadstone("certify", rows, "--method", "label-flips", "--json").out)
    assert len(points) >= 4
    for point in points:
        assert point["lambda"] == pytest.approx(point["ridge"] * point["n_train"])
    medians = [point["median"] for point in points]
    assert medians[-1] > medians[0]


def test_no_choice_of_the_ridge_looks_at_labels(toadstone, rows):
    ridges = [
        point["ridge"] for point in json.loads(toadstone("certify", rows, "--method", "label-flips", "--json").out)
    ]
    swapped = rows.read_text().replace("ill", "x").replace("well", "ill").replace("x", "well")
    # Another share of each class in the training set would change the rows themselves.
    rows.write_text(swapped)
    again = [
        point["ridge"] for point in json.loads(toadstone("certify", rows, "--method", "label-flips", "--json").out)
    ]
    assert ridges == again


def test_one_hospital_is_named_in_the_headline(toadstone, rows):
    out = toadstone("certify", rows, "--method", "votes", "--group", "hospital").out
    assert "cannot be changed by any one hospital of the 4" in " ".join(out.split())


def test_pointwise_and_collective_are_kept_apart(toadstone, rows):
    out = toadstone("certify", rows, "--method", "votes", "--group", "hospital").out
    assert "each attacked by itself (pointwise): predictions that so many units cannot change" in out
    assert "attacked together by one choice of units (collective): predictions that stay at least" in out
    assert "collective" not in toadstone("certify", rows, "--method", "neighbours", "--k", 5).out


def test_what_is_exact_and_what_was_not_checked_is_said(toadstone, rows):
    votes = " ".join(toadstone("certify", rows, "--method", "votes", "--partitions", 7, "--out", "made").out.split())
    assert "exact for an attacker that decides the votes" in votes
    verified = " ".join(toadstone("verify", "made/certificate.json", "--data", rows).out.split())
    assert "That the votes are those of the stated model was not checked." in verified
    flips = toadstone("certify", rows, "--method", "label-flips", "--ridge", 0.1, "--out", "flips").out
    assert "the largest that hold, but for rounding" in " ".join(flips.split())
    assert "was not checked" not in toadstone("verify", "flips/certificate.json", "--data", rows).out


def test_how_rows_were_prepared_is_said(toadstone, rows):
    votes = " ".join(toadstone("certify", rows, "--method", "votes", "--partitions", 7).out.split())
    assert "each model scales columns as its own rows are" in votes
    near = " ".join(toadstone("certify", rows, "--method", "neighbours", "--k", 5).out.split())
    assert "columns are compared as they stand" in near
    head, *lines = rows.read_text().splitlines()
    others = [f"{float(line.split(',')[0]) + 9},{line.partition(',')[2]}" for line in lines[:50]]
    (rows.parent / "known.csv").write_text("\n".join([head, *others]) + "\n")
    asked = ("certify", rows, "--method", "neighbours", "--k", 5, "--trusted", "known.csv", "--out", "made")
    near = " ".join(toadstone(*asked).out.split())
    assert "columns are scaled as the trusted rows are" in near
    assert "The scale is from rows that the attacker cannot change." in near
    assert toadstone("verify", "made/certificate.json", "--data", rows).code == 0


def test_a_threshold_passes_only_on_what_is_certified(toadstone, rows):
    asked = ("certify", rows, "--method", "neighbours", "--k", 31, "--fraction", 0.03)
    (point,) = json.loads(toadstone(*asked, "--json").out)
    share = point["certified_accuracy"]["0.03"]
    assert toadstone(*asked, "--fail-if-certified-below", share).code == 0
    failed = toadstone(*asked, "--fail-if-certified-below", share + 0.01)
    assert (failed.code, "gate failed" in failed.err) == (1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--method", "saddle"), "`--fraction`: expected poison rows for each clean row, as in 0.03, got none"),
        (("--fraction", 0.03, "--group", "hospital"), "`--group`: expected nothing for the method saddle"),
        (("--method", "votes", "--k", 3), "`--k`: expected nothing for the method votes; it is for neighbours"),
        (("--method", "neighbours", "--group", "hospital"), "`--group`: expected nothing for the method neighbours"),
        (("--method", "votes", "--group", "ward"), "`--group`: expected a column of"),
        (("--method", "votes", "--norm-squared", 1), "`--norm-squared`: expected nothing for the method votes"),
        (
            ("--method", "votes", "--loss", "logistic"),
            "`--loss`: expected nothing for the method votes",
        ),
        (("--method", "neighbours", "--tolerance", 0.1), "`--tolerance`: expected nothing for the method neighbours"),
        (("--method", "votes", "--partitions", 500), "`--partitions`: expected at most one for each of the 160"),
        (("--method", "votes", "--partitions", 0), "expected"),
        (("--method", "neighbours", "--k", 500), "`--k`: expected at most the 160 training rows, got 500"),
        (("--method", "temporal", "--period", 7), "`--time`: expected a column of dates or numbers for the method"),
        (("--method", "temporal", "--time", "day"), "`--period`: expected days, or units of a column of numbers"),
        (("--method", "temporal", "--time", "day", "--period", 0), "`--period`: expected a positive number"),
        (("--method", "temporal", "--time", "hospital", "--period", 1), "`--time`: expected a column of numbers or"),
        (("--method", "temporal", "--time", "day", "--period", 7, "--span", 11), "`--span`: expected at most the 10"),
        (("--method", "votes", "--time", "day"), "`--time`: expected nothing for the method votes; it is for temporal"),
        (("--method", "neighbours", "--election", "run-off"), "`--election`: expected nothing for the method neighb"),
        (
            ("--method", "label-flips", "--partitions", 3, "--group", "hospital"),
            "`--partitions`: expected nothing beside group",
        ),
        (("--method", "label-flips", "--partitions", 500), "`--partitions`: expected at most one for each of the 160"),
        (("--method", "votes", "--trusted", "rows.csv"), "`--trusted`: expected nothing for the method votes"),
        (("--method", "neighbours", "--scale", "standard"), "`--scale`: expected trusted rows beside it"),
        (("--method", "label-flips", "--ridge", 0), "`--ridge`: expected a positive number, got 0"),
        (("--method", "label-flips", "--fraction", 0), "`--fraction`: expected a number in (0, 1], got 0"),
        (("--method", "label-flips", "--fail-if-certified-above", 0.1), "which bounds no loss"),
        (("--fraction", 0.03, "--fail-if-certified-below", 0.9), "whose file proves no count"),
        (("--method", "label-flips", "--fail-if-certified-below", 0.9), "expected one setting"),
        (("--method", "votes", "--estimator", "nowhere:model"), "`--estimator`"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_one_sentence(toadstone, rows, options, said):
    outcome = toadstone("certify", rows, *options, "--out", "made")
    assert (outcome.code, outcome.out) == (2, ""), outcome.err
    assert said in " ".join(outcome.err.split())
    assert not (rows.parent / "made").exists()


def test_dates_and_days_make_the_same_periods(toadstone, rows):
    counts = [
        json.loads(toadstone("certify", rows, "--method", "temporal", *options, "--json").out)[0]["unchanged"]
        for options in (
            ("--time", "day", "--period", 7, "--drop", "hospital,seen"),
            ("--time", "seen", "--period", 7, "--drop", "hospital,day"),
        )
    ]
    assert counts[0] == counts[1]


def test_a_source_that_is_missing_is_refused_with_its_row(toadstone, rows):
    rows.write_text(rows.read_text().replace(",north,", ",,"))
    outcome = toadstone("certify", rows, "--method", "votes", "--group", "hospital")
    assert outcome.code == 2
    assert re.search(
        r"hospital: expected a value in every row.*got none in line \d+ .*and \d+ others",
        outcome.err.replace("\n", " "),
    )


def test_intervals_of_numeric_targets_are_written(toadstone, rows):
    asked = ("certify", rows, "--method", "label-flips", "--regression", "--label", "two", "--drop", "day,seen,label")
    asked += ("--group", "hospital", "--ridge", 0.1, "--target-range", -9, 12, "--out", "made", "--json")
    done = toadstone(*asked)
    assert done.code == 0, done.err
    (point,) = json.loads(done.out)
    assert point["lambda"] == pytest.approx(0.1 * point["n_train"])
    assert (point["allowed_low"], point["allowed_high"], len(point["rows"])) == (-9, 12, 40)
    lines = (rows.parent / "made" / "intervals.csv").read_text().splitlines()
    assert lines[0].startswith("lambda,row,target,prediction,low at 1,high at 1")
    assert len(lines) == 41
    assert json.loads((rows.parent / "made" / "intervals.json").read_text()) == [point]
    refused = toadstone(*asked[:-3], "--fail-if-certified-below", 0.5)
    assert (refused.code, "of which no prediction is right or wrong" in " ".join(refused.err.split())) == (2, True)


class TestThreeClasses:
    @pytest.fixture
    def three(self, tmp_path, monkeypatch):
        """A table of three classes, in the current directory."""
        rng = np.random.default_rng(0)
        codes = np.arange(90) % 3
        X = rng.normal(size=(90, 2)) + 4.0 * np.array([[0, 0], [1, 0], [0, 1]])[codes]
        lines = ["one,two,label", *(f"{a:.3f},{b:.3f},{'xyz'[code]}" for (a, b), code in zip(X, codes, strict=True))]
        monkeypatch.chdir(tmp_path)
        (tmp_path / "three.csv").write_text("\n".join(lines) + "\n")
        return tmp_path / "three.csv"

    def test_the_loss_of_several_classes_is_certified_and_verified(self, toadstone, three):
        made = toadstone("certify", three, "--fraction", 0.05, "--ridge", 0.1, "--out", "made")
        assert made.code == 0, made.err
        text = " ".join(made.out.split())
        assert "With 5 % poison (3 rows for 72 clean ones), no allowed attack gets above" in text
        assert "Data: three.csv, 72 training rows of 2 features, 3 classes: x, y, z." in text
        assert "multi-class hinge loss" in text
        path = three.parent / "made" / "certificate-0.05.json"
        found = toadstone("verify", path, "--data", three, "--json")
        assert found.code == 0, found.err
        record = json.loads(found.out)
        assert (record["method"], record["verified"]) == ("multiclass-saddle", True)
        assert record["recomputed_bound"] == pytest.approx(record["bound"], rel=1e-12)
        content = path.read_text()
        path.write_text(content.replace(f'"bound": {record["bound"]!r}', '"bound": 0.1'))
        assert toadstone("verify", path, "--data", three).code == 2

    def test_a_threshold_is_of_the_bound(self, toadstone, three):
        options = ("--fraction", 0.05, "--ridge", 0.1, "--tolerance", 0.01, "--json")
        (record,) = json.loads(toadstone("certify", three, *options).out)
        for limit, code in ((record["bound"] + 1e-6, 0), (record["attack_value"] - 1e-6, 1)):
            assert toadstone("certify", three, *options, "--fail-if-certified-above", limit).code == code

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--loss", "logistic"), "`--loss`: expected hinge for 3 classes, got logistic"),
            (("--norm-squared", 2), "`--norm-squared`: expected a ridge in its place for 3 classes, got 2"),
        ],
    )
    def test_what_is_for_two_classes_is_refused(self, toadstone, three, options, said):
        outcome = toadstone("certify", three, "--fraction", 0.05, *options)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err == f"toadstone: {said}\n"
