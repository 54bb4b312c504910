"""The whole audit: a complete record, repeatable whatever the number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from sklearn.tree import DecisionTreeClassifier

from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput, UnknownName
from toadstone.datasets import load
from toadstone.datasets.readers.rows import read_poison
from toadstone.datasets.split import Split
from toadstone.learners.linear import LinearClassifier
from toadstone.pipeline.attack_search.audit_attacks import SUITE
from toadstone.pipeline.audit import audit, best_cell
from toadstone.pipeline.audit_plan import DEFENCES, AuditPlan, count_steps
from toadstone.pipeline.certify import verify_split
from toadstone.records.audit import AuditRecord
from toadstone.report.files.folders import write_audit
from toadstone.report.files.places import new_folder
from toadstone.report.files.schema import load_schema

FILES = ("certificate.json", "certificate.npz", "poison.npz", "record.json", "report.html", "suspects.csv")
QUICK = {"hypothesis": Ridge(0.1), "attacks": (), "defences": ("l2", "loss")}


def timeless(record: AuditRecord) -> dict:
    """All of a record that a second run has to repeat."""
    fields = json.loads(record.to_json())
    del fields["timings"]
    for key in ("created", "peak_memory_mb", "threads"):
        del fields["header"][key]
    for part in (*fields["curve"], *fields["evaluations"]):
        del part["seconds"]
    return fields


@pytest.fixture(scope="module")
def cancer():
    """The embedded set of measurements, audited."""
    split = load("breast-cancer")
    return split, audit(split, AuditPlan(0.03, command="toadstone audit breast-cancer"))


class TestRecord:
    @pytest.mark.slow
    def test_it_satisfies_the_schema(self, cancer):
        fields = json.loads(cancer[1].record.to_json())
        assert list(Draft202012Validator(load_schema("audit")).iter_errors(fields)) == []

    def test_it_survives_its_json(self, cancer):
        record = cancer[1].record
        assert AuditRecord.from_json(record.to_json()) == record

    def test_the_curve_holds_the_audited_fraction_and_zero(self, cancer):
        curve = cancer[1].record.curve
        assert [point.fraction for point in curve] == [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]
        assert cancer[1].record.headline.bound == cancer[1].certificate.bound
        for point in curve:
            assert point.attack_value <= point.bound
            assert point.gap == point.bound - point.attack_value
            assert point.conclusive
        assert np.all(np.diff([point.bound for point in curve]) >= 0)

    def test_the_curve_starts_at_the_clean_optimum(self, cancer):
        split, found = cancer
        ridge = found.record.defender.hypothesis_value
        model = LinearClassifier(ridge=ridge, tolerance=1e-8).fit(split.train.X, split.train.y)
        losses = np.maximum(0, 1 - split.train.signs * model.decision_function(split.train.X))
        penalty = ridge / 2 * (np.sum(model.coef_**2) + model.intercept_[0] ** 2)
        assert found.record.curve[0].bound == pytest.approx(losses.mean() + penalty, rel=1e-4)

    def test_every_cell_is_there(self, cancer):
        cells = cancer[1].record.evaluations
        expected = [(attack, name) for attack in ("none", "collapse", *SUITE) for name in ("none", *DEFENCES)]
        assert [(cell.attack, cell.sanitizer) for cell in cells] == expected
        assert {cell.poison_rows for cell in cells if cell.attack == "collapse"} == {13}
        assert cancer[1].record.threat.rows == len(cancer[1].poison) == 13

    def test_the_data_are_described(self, cancer):
        record = cancer[1].record
        data = record.data
        assert (record.source.name, data.n_train, data.n_test, data.n_features) == ("breast-cancer", 456, 113, 30)
        assert sum(count.train for count in data.classes) == 456
        assert sum(count.test for count in data.classes) == 113
        assert data.domain == "real"

    def test_the_poison_passes_the_filters_of_its_certificate(self, cancer):
        split, found = cancer
        cells = {cell.sanitizer: cell for cell in found.record.evaluations if cell.attack == "collapse"}
        assert cells["none"].train_loss <= found.certificate.bound
        verify_split(found.certificate, split)

    def test_suspects_are_rows_of_the_source(self, cancer):
        split, found = cancer
        rows = [suspect.position for suspect in found.record.suspects]
        assert len(set(rows)) == len(rows) == 200
        assert set(rows) <= set(split.train.row_ids.tolist())


class TestFolder:
    def test_it_is_complete_and_readable(self, cancer, tmp_path):
        split, found = cancer
        with new_folder(tmp_path / "out") as aside:
            write_audit(found.record, found.certificate, found.poison, aside)
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
        assert AuditRecord.from_json((tmp_path / "out" / "record.json").read_text()) == found.record
        verify_split(read_certificate(tmp_path / "out" / "certificate.json"), split)
        poison = read_poison(tmp_path / "out" / "poison.npz")
        np.testing.assert_array_equal(poison.X, found.poison.X)
        assert poison.y.tolist() == found.poison.y.tolist()

    def test_no_poison_no_file(self, tmp_path):
        split = load("breast-cancer")
        found = audit(split, AuditPlan(0.0, **QUICK))
        with new_folder(tmp_path / "out") as aside:
            write_audit(found.record, found.certificate, found.poison, aside)
        assert not (tmp_path / "out" / "poison.npz").exists()
        assert found.poison is None
        assert {cell.attack for cell in found.record.evaluations} == {"none"}


class TestRepetition:
    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_record(self, small):
        one, two = (audit(small(kind="integer"), AuditPlan(0.1, seed=4)) for _ in range(2))
        assert timeless(one.record) == timeless(two.record)
        assert one.poison.X.tobytes() == two.poison.X.tobytes()
        assert one.certificate.theta.tobytes() == two.certificate.theta.tobytes()

    def test_the_seed_is_recorded(self, small):
        assert audit(small(), AuditPlan(0.1, seed=4, **QUICK)).record.header.seed == 4

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["breast-cancer", "digits-1-7"])
    def test_the_number_of_threads_is_irrelevant(self, name):
        program = (
            "import sys; from toadstone.datasets import load; from toadstone.pipeline.audit import audit;"
            "from toadstone.pipeline.audit_plan import AuditPlan;"
            f"sys.stdout.write(audit(load({name!r}), AuditPlan(0.03)).record.to_json())"
        )
        told = []
        for threads in ("1", "2"):
            limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), threads)
            run = subprocess.run(
                [sys.executable, "-c", program], env=os.environ | limits, capture_output=True, check=True, timeout=300
            )
            told.append(timeless(AuditRecord.from_json(run.stdout.decode())))
        assert told[0] == told[1]


class TestPlans:
    @pytest.mark.parametrize(
        ("fraction", "expected"),
        [
            (0.0, (0.0,)),
            (0.03, (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)),
            (0.4, (0.0, 0.133333, 0.266667, 0.4)),
            (1e-9, (0.0, 1e-9)),
        ],
    )
    def test_fractions_of_the_curve(self, fraction, expected):
        assert AuditPlan(fraction).fractions == pytest.approx(expected, abs=5e-7)
        assert fraction in AuditPlan(fraction).fractions

    @pytest.mark.parametrize("fraction", [-0.01, 0.5, np.nan])
    def test_fractions_out_of_range(self, fraction):
        with pytest.raises(InvalidArgument, match="`fraction`"):
            AuditPlan(fraction)

    @pytest.mark.parametrize("share", [0.0, 0.5, np.nan])
    def test_shares_to_remove_out_of_range(self, share):
        with pytest.raises(InvalidArgument, match="`remove`"):
            AuditPlan(0.03, contamination=share)

    @pytest.mark.parametrize("wrong", [{"quantile": 0.4}, {"quantile": 1.0}, {"tolerance": 0.0}, {"tolerance": 1.0}])
    def test_options_of_the_certificate_out_of_range(self, wrong):
        with pytest.raises(InvalidArgument, match=f"`{next(iter(wrong))}`"):
            AuditPlan(0.03, **wrong)

    @pytest.mark.parametrize("fraction", [0.0, 1e-6, 0.03])
    @pytest.mark.parametrize("extra", [0, 1])
    def test_as_many_steps_as_announced(self, small, fraction, extra):
        split, steps, stages = small(), [], []
        plan = AuditPlan(fraction, **QUICK)
        poisons = {"mine": Poison(split.train.X[:1], split.train.y[:1])} if extra and fraction == 0.03 else {}
        audit(split, plan, poisons=poisons, on_step=lambda: steps.append(1), on_stage=stages.append)
        announced = count_steps(plan, n_poisons=len(poisons))
        # A budget of less than one row leaves no attack to judge; the bar then ends early.
        assert len(steps) == announced if fraction != 1e-6 else len(steps) <= announced
        assert stages == ["certificates", "candidate attack", "suspects", "defences", "cost"]

    def test_the_suite_counts_its_steps_too(self, small):
        steps, stages, plan = [], [], AuditPlan(0.1, hypothesis=Ridge(0.1), defences=("l2", "verdict"))
        audit(small(), plan, on_step=lambda: steps.append(1), on_stage=stages.append)
        assert len(steps) == count_steps(plan)
        assert stages == ["certificates", "candidate attack", "suspects", "defences", "attacks", "defences", "cost"]


class TestThreats:
    def test_a_fraction_of_less_than_one_row_has_no_attack(self, small):
        found = audit(small(), AuditPlan(0.001, **QUICK))
        assert found.poison is None
        assert found.record.threat.rows == 0
        assert found.certificate.budget.fraction == 0.001

    @pytest.mark.parametrize("sparse", [False, True])
    def test_counts_with_labels_that_are_words(self, small, sparse):
        split = small(kind="integer", sparse=sparse)
        found = audit(split, AuditPlan(0.1, **QUICK))
        assert np.all(np.round(found.poison.X) == found.poison.X)
        assert set(found.poison.y) <= {"ham", "spam"}
        assert found.record.data.domain == "integer"

    def test_the_suite_does_not_look_at_test_labels(self, small):
        split = small()
        other = Dataset(split.test.X, np.where(split.test.y == "ham", "spam", "ham"))
        plan = AuditPlan(0.1, hypothesis=Ridge(0.1), defences=("l2", "loss"))
        cells = [audit(data, plan).record.evaluations for data in (split, replace(split, test=other))]
        # Where a label decides nothing but the count, what was an error is now none.
        for one, two in zip(*cells, strict=True):
            assert (one.attack, one.poison_removed) == (two.attack, two.poison_removed)
            assert one.test_error + two.test_error == pytest.approx(1)

    def test_attacks_are_as_many_as_asked(self, small):
        record = audit(small(), AuditPlan(0.1, **QUICK | {"attacks": ("kkt",)})).record
        assert [cell.attack for cell in record.evaluations[::3]] == ["none", "collapse", "kkt"]
        with pytest.raises(UnknownName, match=r"`attacks`: expected one of kkt-influence, kkt, min-max, .*, got magic"):
            AuditPlan(0.1, attacks=("magic",))

    def test_poison_of_the_caller_is_evaluated_too(self, small):
        split = small()
        mine = Poison(split.train.X[:4], np.where(split.train.y[:4] == "spam", "ham", "spam"))
        record = audit(split, AuditPlan(0.1, **QUICK), poisons={"mine": mine}).record
        assert [cell.attack for cell in record.evaluations[::3]] == ["none", "collapse", "mine"]

    def test_poison_of_the_caller_keeps_to_the_budget(self, small):
        split = small()
        with pytest.raises(InvalidData, match="at most 8 rows, got 9"):
            audit(split, AuditPlan(0.1, **QUICK), poisons={"mine": Poison(split.train.X[:9], split.train.y[:9])})

    def test_poison_of_the_caller_may_exceed_every_count_seen(self, small):
        split = small(kind="integer")
        large = Poison(np.full((2, 4), 500.0), ["ham", "spam"])
        record = audit(split, AuditPlan(0.1, **QUICK), poisons={"large": large}).record
        assert record.evaluations[-1].attack == "large"

    def test_a_norm_ball_is_evaluated_with_the_ridge_of_its_norm(self, small):
        split = small()
        found = audit(split, AuditPlan(0.1, **QUICK | {"hypothesis": NormBall(0.5)}))
        assert found.record.defender.hypothesis == "norm_ball"
        assert found.record.defender.hypothesis_value == 0.5
        assert "that gives this norm" in found.record.defender.hypothesis_origin


def three_classes(*, n: int = 90, n_test: int = 45) -> Split:
    rng = np.random.default_rng(0)
    y = np.tile(["a", "b", "c"], (n + n_test) // 3)
    X = rng.normal(size=(n + n_test, 3)) + 1.5 * (y[:, None] == np.array(["a", "b", "c"]))
    return Split("three", Dataset(X[:n], y[:n]), Dataset(X[n:], y[n:]), "none", "published test split")


class TestSeveralClasses:
    PLAN = AuditPlan(0.1, hypothesis=Ridge(0.1), defences=("l2", "verdict"))

    def test_they_are_attacked_and_defended_and_have_no_certificate(self, tmp_path):
        steps: list[int] = []
        found = audit(three_classes(), self.PLAN, on_step=lambda: steps.append(1))
        record = found.record
        assert found.certificate is found.poison is record.headline is None
        assert record.curve == ()
        assert record.no_certificate.startswith("No bound is certified: there are 3 classes")
        cells = [(cell.attack, cell.sanitizer) for cell in record.evaluations]
        attacks = ("none", "label-flip", "min-max")
        assert cells == [(attack, name) for attack in attacks for name in ("none", "l2", "verdict")]
        assert {cell.poison_rows for cell in record.evaluations if cell.attack != "none"} == {9}
        assert record.defender.learner == "crammer-singer"
        assert len(steps) == count_steps(self.PLAN, 3)
        assert list(Draft202012Validator(load_schema("audit")).iter_errors(json.loads(record.to_json()))) == []
        with new_folder(tmp_path / "out") as aside:
            write_audit(record, found.certificate, found.poison, aside)
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "record.json",
            "report.html",
            "suspects.csv",
        ]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"attacks": ("kkt", "label-flip")}, "`attacks`: expected some of .*, as there are 3 classes, got kkt"),
            ({"hypothesis": NormBall(1.0)}, "`norm_squared`: expected two classes beside it, got 3"),
            ({"loss": "logistic"}, "`loss`: expected hinge, as there are more than two classes, got logistic"),
        ],
    )
    def test_options_for_two_classes_are_refused(self, changes, sentence):
        with pytest.raises(InvalidArgument, match=sentence):
            audit(three_classes(), replace(self.PLAN, **changes))


class TestDefences:
    def test_the_verdict_is_one_of_them(self, cancer):
        cells = {(cell.attack, cell.sanitizer): cell for cell in cancer[1].record.evaluations}
        assert cells["collapse", "verdict"].clean_removed <= 0.02 * 456
        assert "verdict" in cancer[1].record.suspects[0].ranks

    @pytest.mark.parametrize(
        ("chosen", "got"), [((), "got none"), (("l2", "l2"), "got l2,l2"), (("magic",), "got magic")]
    )
    def test_others_are_refused(self, chosen, got):
        with pytest.raises(InvalidInput, match=got):
            AuditPlan(0.1, defences=chosen)


def test_a_model_of_the_callers_is_what_is_reported_and_the_bound_is_not_for_it(small):
    tree = DecisionTreeClassifier(max_depth=1, random_state=0)
    split = small()
    plan = AuditPlan(0.1, **QUICK | {"attacks": ("label-flip",)}, model=tree, model_name="mine")
    record = audit(split, plan).record
    bare = next(cell for cell in record.evaluations if (cell.attack, cell.sanitizer) == ("none", "none"))
    fitted = tree.fit(split.train.X, split.train.y)
    assert bare.test_error == np.mean(fitted.predict(split.test.X) != split.test.y)
    assert bare.train_loss == np.mean(fitted.predict(split.train.X) != split.train.y)
    assert record.defender.learner == "mine"
    assert any("does not cover your model, mine" in sentence for sentence in record.not_promised)
    linear = audit(split, replace(plan, model=None, model_name="")).record
    assert [(cell.attack, cell.poison_removed) for cell in linear.evaluations] == [
        (cell.attack, cell.poison_removed) for cell in record.evaluations
    ]
    assert linear.headline.bound == record.headline.bound


def test_the_best_error_is_the_best_defence_under_its_worst_attack(cancer):
    cells = cancer[1].record.evaluations
    worst = [
        max(cell.test_error for cell in cells if cell.attack != "none" and cell.sanitizer == name)
        for name in ("none", *DEFENCES)
    ]
    assert best_cell(cells).test_error == min(worst)
    harder = [replace(cell, attack="other", test_error=0.5) for cell in cells if cell.attack == "collapse"]
    assert best_cell([*cells, *harder]).test_error == 0.5
    clean = [cell for cell in cells if cell.attack == "none"]
    assert best_cell(clean).test_error == min(cell.test_error for cell in clean)
    bare = [replace(cell, test_error=0.0) if cell.sanitizer == "none" else cell for cell in cells]
    assert best_cell(bare).test_error == 0.0


def test_certificates_of_the_record_are_those_of_the_files(cancer, tmp_path):
    _, found = cancer
    write_certificate(found.certificate, tmp_path / "c.json")
    fields = json.loads((tmp_path / "c.json").read_text())
    headline = asdict(found.record.headline)
    for name in ("fraction", "bound", "attack_value", "gap"):
        assert fields[name] == headline[name]
    assert fields["assumptions"] == list(found.record.assumptions)
