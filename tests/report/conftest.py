"""Records of all kinds to render, two of them as hostile as data can be."""

import dataclasses
from html.parser import HTMLParser

import numpy as np
import pytest
from federated_records import made_federation

from toadstone.records.attack import AttackRecord, SplitTest, TargetOutcome
from toadstone.records.audit import AuditRecord, Bound, CostPoint, Defender, Evaluation, Suspect, Threat
from toadstone.records.defence import (
    AccuracyChange,
    DefenceRecord,
    Measurement,
    NoiseFinding,
    RelabelledRow,
    RemovedRow,
)
from toadstone.records.evaluation import AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.guarantees.cost import CertifiedSide, CostRecord, FoundSide, Vulnerability
from toadstone.records.header import SCHEMA_VERSIONS, ClassCount, ColumnSummary, DataSummary, Header, Source
from toadstone.records.networks.inspection import (
    InspectionRecord,
    PruningOutcome,
    RepairOutcome,
    SearchedTrigger,
    SuspectedLabel,
)
from toadstone.records.regression import (
    AttackedDefence,
    ErrorChange,
    RegressionAttackRecord,
    RegressionDefenceRecord,
    RegressionScanRecord,
    TargetData,
    TargetFinding,
    WrongTarget,
)
from toadstone.records.reproduction import Comparison, Interval, Panel, Published, Reproduction, Series
from toadstone.records.row_scores import RowScores
from toadstone.records.rows import AsideKind, AsideRow, Contradiction, RowAccount, SetAside
from toadstone.records.scan import DetectorReport, Evidence, Finding, ListedRow, ScanRecord, VerdictReport
from toadstone.records.trials import Estimate, MatrixCell, Trial

DEFENCES = ("sphere", "slab", "loss", "subspace", "neighbours")
HOSTILE = "<script>alert('x')</script>\"><img src=https://evil.example/x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements, the classes and the text of a page, and its tables as lists of rows of texts."""

    def __init__(self, markup):
        super().__init__()
        self.elements, self.classes, self.words, self.tables = [], [], [], []
        self.inside = False
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.classes += (dict(attrs).get("class") or "").split()
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("th", "td"):
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.inside = False

    def handle_data(self, data):
        self.words.append(data)
        if self.inside:
            self.tables[-1][-1][-1] += f" {data}"

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def rows(self, number):
        return [[" ".join(cell.split()) for cell in row] for row in self.tables[number]]


@pytest.fixture(scope="session")
def page_of():
    """Parses a page."""
    return Page


def header(record, command, *, digests=None, **changes):
    """The header of a run on two threads."""
    facts = {
        "record": record,
        "schema_version": SCHEMA_VERSIONS[record],
        "command": command,
        "created": "2026-01-02T03:04:05+00:00",
        "seed": 0,
        "threads": 2,
        "peak_memory_mb": 181.4,
        "digests": {"train": "3f" * 32, "test": "a0" * 32} if digests is None else digests,
        "versions": {"python": "3.11.9", "toadstone": "0.1.0", "numpy": "2.4.6", "scipy": "1.17.1"},
    }
    return Header(**facts | changes)


def small_data():
    """200 rows of two classes."""
    classes = (ClassCount("a", 120, 30), ClassCount("b", 80, 20))
    return DataSummary(200, 50, 3, 1.0, classes, "real", "none", "published test split")


def small_aside():
    """Two rows of a class too small to judge, and one dropped on request."""
    kinds = (AsideKind("class too small", False, 2, {HOSTILE: 2}), AsideKind("missing value", True, 1, {"a": 1}))
    rows = (
        AsideRow("3", 1, HOSTILE, "class too small", False),
        AsideRow("7", 5, "a", "missing value", True),
        AsideRow("11", 9, HOSTILE, "class too small", False),
    )
    return SetAside(2, 1, kinds, rows)


def read_data():
    """The same from a table, with a column for each way to read one, and notes that mean harm."""
    columns = (
        ColumnSummary("age", "number", 1, "", {"median": 38.0}),
        ColumnSummary(HOSTILE, "category", 4, "3 rare levels are pooled", {"levels": ["x", HOSTILE]}),
        ColumnSummary("rownames", "left out", 0, "an index", {}),
    )
    return dataclasses.replace(
        small_data(),
        preparation="1 number, 1 category (4 columns); left out: rownames (an index)",
        columns=columns,
        notes=("separator ';', as in most lines", f"labels differ by blanks alone: {HOSTILE}"),
    )


def wilson(share, n):
    centre, spread = share + 1.92 / n, 1.96 * (share * (1 - share) / n + 0.96 / n**2) ** 0.5
    return max(0.0, centre - spread) / (1 + 3.84 / n), (centre + spread) / (1 + 3.84 / n)


def evaluation(attack, sanitizer, test_error, *, removed=(0, 0), train_loss=0.152, poison=124):
    low, high = wilson(test_error, 1035)
    return Evaluation(
        attack=attack,
        sanitizer=sanitizer,
        test_error=test_error,
        low=low,
        high=high,
        train_loss=train_loss,
        poison_rows=poison,
        poison_removed=removed[0],
        clean_rows=4137,
        clean_removed=removed[1],
        seconds=0.21,
    )


def _evaluations():
    two_point = {
        "none": (0.0821, 0, 0),
        "sphere": (0.0773, 2, 211),
        "slab": (0.0512, 118, 95),
        "loss": (0.0686, 64, 149),
        "subspace": (0.0802, 0, 213),
        "neighbours": (0.0599, 90, 123),
    }
    flips = {
        "none": (0.0338, 0, 0),
        "sphere": (0.0357, 11, 202),
        "slab": (0.0319, 38, 175),
        "loss": (0.0309, 97, 116),
        "subspace": (0.0377, 6, 207),
        "neighbours": (0.0348, 14, 199),
    }
    return tuple(
        evaluation(attack, name, error, removed=(poison, clean))
        for attack, cells in (("two_point", two_point), ("label_flip", flips))
        for name, (error, poison, clean) in cells.items()
    )


_SUBJECTS = (
    "click here remove unsubscribe free offer viagra pill order now save price",
    "meter gas nomination daren hpl deal ticket volume month change",
    "http link account verify bank login statement urgent reply",
    "attached file list contract enron corp legal review draft",
)


def _suspects():
    return tuple(
        Suspect(
            row=str((137 * place + 41) % 4137 + 1),
            position=(137 * place + 41) % 4137,
            label="spam" if place % 3 else "ham",
            ranks={name: 1 + (place * (7 + step) + step) % 90 for step, name in enumerate(DEFENCES)},
            removed_by=tuple(name for step, name in enumerate(DEFENCES) if (place * (7 + step) + step) % 90 < 60),
            suspicion=0.994 - 0.011 * place,
            preview=_SUBJECTS[place % 4],
        )
        for place in range(20)
    )


_CURVE = (
    (0.0, 0.0899214, 0.0899213),
    (0.01, 0.2667801, 0.2667742),
    (0.02, 0.3114312, 0.3114267),
    (0.03, 0.32864001, 0.3286362),
    (0.04, 0.3373222, 0.3373170),
    (0.05, 0.3455239, 0.3455181),
)


@pytest.fixture
def record() -> AuditRecord:
    """Like the audit of Enron at a fraction of 3 %."""
    return enron_like()


def enron_like() -> AuditRecord:
    return AuditRecord(
        header=header(
            "audit",
            "toadstone audit enron --fraction 0.03 --quantile 0.70 --norm-squared 6 --out enron-audit",
            seed=24,
            created="2026-11-20T09:30:00Z",
        ),
        source=Source("enron", "enron"),
        data=DataSummary(
            n_train=4137,
            n_test=1035,
            n_features=5116,
            density=0.008459,
            classes=(ClassCount("ham", 2928, 744), ClassCount("spam", 1209, 291)),
            domain="integer",
            preparation="word counts as stored",
            test_origin="stored test split",
        ),
        threat=Threat(fraction=0.03, kind="add", rows=124),
        defender=Defender(
            learner="linear classifier",
            loss="hinge",
            wrong_row_loss=1.0,
            hypothesis="norm_ball",
            hypothesis_value=6.0,
            hypothesis_origin="given",
            removed_share=0.05,
            certificate_quantile=0.7,
            clean_test_error=30 / 1035,
        ),
        curve=tuple(
            Bound(
                fraction=fraction,
                bound=bound,
                attack_value=attack,
                gap=bound - attack,
                clean_loss=0.6 * bound,
                conclusive=True,
                seconds=0.24,
            )
            for fraction, bound, attack in _CURVE
        ),
        no_certificate="",
        evaluations=_evaluations(),
        suspects=_suspects(),
        assumptions=(
            "The feasible set (sphere and slab) was fitted on rows taken as clean.",
            "The sanitizer filters no clean row.",
            "Training loss stands for test loss.",
            "The attacker adds rows; it changes and removes none.",
        ),
        not_promised=(
            "A bound on the test error itself: test rows may differ from training rows.",
            "Anything about a defender who refits the sanitizer on poisoned data.",
            "Anything about triggers (backdoors) that are absent from the test rows.",
        ),
        timings={"read": 0.31, "certify": 1.44, "evaluate": 6.2, "suspects": 0.8},
    )


@pytest.fixture
def hostile() -> AuditRecord:
    """Long names, markup, control characters, an inconclusive and vacuous bound."""
    return hostile_record()


def hostile_record() -> AuditRecord:
    base = enron_like()
    long_name = "übermäßig_langer_Verteidigungsname_" * 4
    evaluations = (
        evaluation(HOSTILE, "none", 0.61),
        evaluation(HOSTILE, long_name, 0.52, removed=(3, 210)),
        evaluation(HOSTILE, "防御", 0.47, removed=(100, 113)),
        evaluation("none", "none", 0.0, poison=0),
        evaluation("none", "防御", 0.004, removed=(0, 207), poison=0),
    )
    suspects = (
        Suspect(HOSTILE, 0, HOSTILE, {long_name: 1, "防御": 12345678}, (long_name,), 1.0, HOSTILE * 20),
        Suspect(
            "4137",
            4136,
            "=HYPERLINK(1)",
            {"防御": 2},
            (),
            0.25,
            "right\u202eto\u2066left\x00\x1b[31m\ud800 " + "x" * 400,
        ),
        Suspect("8", 7, "спам 📧", {}, (), 1e-9, "naïve 😀 \u4f60\u597d &amp; {{ 7 * 7 }} {% raw %}"),
    )
    return dataclasses.replace(
        base,
        header=header(
            "audit", f"toadstone audit '{HOSTILE}' --fraction 0", versions={"toadstone": "0.1.0", HOSTILE: HOSTILE}
        ),
        source=Source(HOSTILE + "/very/long/path" * 20, HOSTILE),
        data=dataclasses.replace(base.data, classes=(ClassCount(HOSTILE, 1, 0), ClassCount("-1", 2, 1))),
        threat=Threat(fraction=0.0, kind="add", rows=0),
        curve=(
            Bound(0.0, 7.3, 0.30000001, 6.99999999, 0.2, conclusive=False, seconds=60.0),
            Bound(0.1, 9.12345, 0.4, 8.72345, 0.2, conclusive=False, seconds=60.0),
        ),
        evaluations=evaluations,
        suspects=suspects,
        assumptions=(HOSTILE, "w" * 300),
        not_promised=(),
        timings={HOSTILE: 1.0},
        cost=(CostPoint(0.5, 2, 3, HOSTILE), CostPoint(0.6, 2, None, "")),
    )


@pytest.fixture
def attacked() -> AttackRecord:
    """An attack on chosen test rows, selected on one half of them."""
    base = enron_like()
    evaluations = tuple(run for run in base.evaluations if run.attack == "two_point")
    errors = {run.sanitizer: run.test_error for run in evaluations}
    return AttackRecord(
        header=header("attack", "toadstone attack enron --method kkt --target 3,17"),
        source=base.source,
        data=base.data,
        threat=base.threat,
        method="kkt",
        candidate="decoy loss at the 0.25 quantile, half of the rows in each class",
        tried=24,
        selected_on="target",
        protocol="No other test label was used.",
        filters=("l2", "slab"),
        quantile=0.9,
        removed_share=0.05,
        learner="linear",
        ridge=0.09,
        ridge_origin="published",
        clean_test_error=30 / 1035,
        test_error=errors,
        worst_case=min(errors.values()),
        split_test=SplitTest(0.0534, 0.0491),
        targets=TargetOutcome((3, 17), 0.0, dict.fromkeys(errors, 0.5) | {"slab": 1.0}, 0.5),
        evaluations=evaluations,
        poison_rows=124,
        distinct_rows=6,
        seconds=12.5,
        timings={"attack": 11.0, "judge": 1.5},
    )


def listed_row(row, label, score, **changes):
    """A row that a scan lists."""
    facts = {
        "row": row,
        "position": int(row) - 2,
        "label": label,
        "suggested_label": "b",
        "probability": 0.98,
        "score": score,
        "group": None,
        "reasons": (f"labelled {label}, looks like b (98 %)", "x speaks for b"),
        "also_flagged_by": {},
        "fingerprint": "ab" * 32,
        "values": {"x": "1"},
    }
    return ListedRow(**facts | changes)


def group_of(rows, **changes):
    """A group of rows that share a value."""
    facts = {
        "kind": "shared values",
        "label": "a",
        "looks_like": "b",
        "values": {"width": "99"},
        "literal": None,
        "rows": rows,
        "positions": tuple(int(row) - 2 for row in rows),
        "count": 36,
        "p_value": 1e-9,
        "sentence": "36 rows labelled a share width = 99 and look like b (adjusted p < 1e-6).",
    }
    return Finding(**facts | changes)


@pytest.fixture
def costed() -> CostRecord:
    """Rows certified and found for an error, of data that mean harm."""
    return CostRecord(
        header=header("cost", f"toadstone cost '{HOSTILE}' --error 0.1"),
        source=Source(HOSTILE, "rows.csv", "line"),
        data=read_data(),
        kind="add",
        error=0.1,
        loss=None,
        target_origin="as asked",
        clean_error=0.01,
        clean_loss=0.05,
        clean_test_error=0.02,
        certified=CertifiedSide(12, 0.1234, 0.125, "The bound stays below."),
        found=FoundSide(30, True, HOSTILE, 0.11, 0.3, 0.13),
        tried=20,
        most_rows=400,
        ridge=0.01,
        ridge_origin="chosen by cross-validation",
        quantile=0.95,
        vulnerability=Vulnerability(2.5, 0.05, 50.0),
        assumptions=("The rows are clean.", HOSTILE),
        not_promised=("Nothing else.",),
        seconds=3.0,
        timings={"attacks": 2.0},
    )


@pytest.fixture
def inspected() -> InspectionRecord:
    """A network with a backdoor, one label of which means harm, pruned and repaired."""
    patch = SearchedTrigger(HOSTILE, "patch", 3.5, 0.12, 0.98)
    searches = (patch, SearchedTrigger("b", "patch", 30.0, 1.0, 0.6), SearchedTrigger("b", "shift", None, None, None))
    return InspectionRecord(
        header=header("inspection", f"toadstone inspect models:make --images '{HOSTILE}'"),
        source=Source(HOSTILE, "rows.csv", "line"),
        data=read_data(),
        network=f"models:{HOSTILE}",
        head="linear",
        images=500,
        accuracy=0.95,
        undecided="",
        limit=1 / 3,
        suspects=(SuspectedLabel(patch, "iVBORw0KGgo=", "iVBORw0KGgo=", 0.4, 0.01, pruned=0.9, repaired=0.02),),
        searches=searches,
        pruning=PruningOutcome(55, 64, 0.93),
        repair=RepairOutcome(0.95, 0.96, 100),
        not_promised=("Nothing else.", HOSTILE),
        timings={"inspection": 31.0},
    )


@pytest.fixture
def scanned() -> ScanRecord:
    """A verdict with two rows and a group of data that mean harm; three detectors, one of them skipped."""
    flagged = {"deep-knn": "neighbours of b", "spectral": "too far"}
    rows = (
        listed_row("9", HOSTILE, 0.99, also_flagged_by=flagged, values={HOSTILE: HOSTILE}),
        listed_row("5", "a", 0.9, also_flagged_by={"spectral": "farther"}, fingerprint="cd" * 32),
        listed_row("40", "a", 0.95, group=0, reasons=("shares width = 99",), values={"width": "99"}),
    )
    reports = {
        "spectral": DetectorReport(14, 0.07, 0.02, 0.045, 0.2, thresholds="its own scores", rows=("9", "5")),
        "deep-knn": DetectorReport(1, 0.005, 0.02, 0.045, 0.1, thresholds="its own scores", rows=("9",)),
        "activation": DetectorReport(0, 0.0, 0.0, 0.0, 0.0, skipped="a class of one row"),
    }
    fact = group_of((), kind="identifier column", label=None, looks_like=None, p_value=None, count=0)
    return ScanRecord(
        header=header("scan", "toadstone scan rows.csv"),
        source=Source(HOSTILE, "rows.csv", "line"),
        data=read_data(),
        verdict=VerdictReport(0.4, "the data prefer 4 % wrong labels to none, 12 to 1"),
        listed_rows=44,
        rows=rows,
        expected_innocents=1.3,
        evidence=Evidence(0.04, 0.02, 0.065, 2.5, supported=True),
        findings=(
            group_of(("40", "41")),
            dataclasses.replace(fact, sentence="Column id numbers the rows.", values={HOSTILE: "1 to 200"}),
        ),
        group_count=1,
        grouped_rows=36,
        review=(listed_row("77", "a", 0.6),),
        review_rows=0,
        worth_checking=("5", "77"),
        detectors=reports,
        flagged_by_any=14,
        union_false_alarm_rate=0.04,
        set_aside=small_aside(),
        contradicting=14,
        contradictions=(
            Contradiction(("3", "77"), (1, 75), ("ham", HOSTILE)),
            Contradiction(("4", "5", "6"), (2, 3, 4), ("a", "b", "a")),
        ),
    )


@pytest.fixture
def scores() -> RowScores:
    """Scores of the rows of a scan."""
    n = 4
    return RowScores(
        rows=["5", "9", "40", "77"],
        positions=np.arange(n),
        labels=["a", HOSTILE, "a", "=b()"],
        score=np.array([0.9, 0.99, 0.95, 1 / 3]),
        wrong_probability=np.array([0.9, 0.99, 0.0, 1 / 3]),
        suggested=["b", "b", "a", "a"],
        suggestion_probability=np.array([0.9, 0.98, 0.2, 0.3]),
        group=np.array([-1, -1, 0, -1]),
        listed=np.array([True, True, True, False]),
        flagged_by=[("spectral",), ("deep-knn", "spectral"), (), ()],
    )


@pytest.fixture
def defended() -> DefenceRecord:
    """A group and a row removed, one relabelled, one that stays, measured twice, of data that mean harm."""
    return DefenceRecord(
        header=header("defence", f"toadstone defend '{HOSTILE}'"),
        source=Source(HOSTILE, "rows.csv", "line"),
        data=read_data(),
        action="relabel",
        max_removed=0.01,
        looked_at="the prepared columns",
        learner="linear",
        learner_origin="ridge 0.1, as asked",
        trusted_rows=100,
        rows=200,
        kept=198,
        account=RowAccount(203, 200, 2, 1),
        set_aside=small_aside(),
        groups=(
            Finding(
                "shared values",
                HOSTILE,
                "ham",
                {HOSTILE: "99"},
                None,
                ("9",),
                (7,),
                1,
                3e-7,
                f"1 row shares {HOSTILE}.",
            ),
        ),
        removals=(
            RemovedRow("9", 7, HOSTILE, "group", 0.999, "too far"),
            RemovedRow("5", 3, "=cmd()", "label", 0.75, HOSTILE),
        ),
        relabelled=(RelabelledRow("12", 10, "=cmd()", HOSTILE, 0.93, HOSTILE),),
        weighed=0,
        weight_lost=0.0,
        stays=("1 listed row stays, because at most 2 may be removed",),
        expected_innocents=0.3,
        noise=NoiseFinding(0.04, 0.01, 0.07, True, f"the data prefer 4 % wrong labels to none, 12 to 1 {HOSTILE}", 3),
        measurements=(
            Measurement("trusted", AccuracyChange(100, 0.9, 0.826, 0.945, 0.91, 0.838, 0.952, -0.01, -0.06, 0.041)),
            Measurement("published", AccuracyChange(50, 0.92, 0.81, 0.968, 0.96, 0.865, 0.989, -0.04, -0.137, -0.01)),
        ),
    )


FLIP, NOISE, TRIGGER, KNOWING = "random-flip", "noise", "patch", "adaptive-random-flip"


def share(mean: float) -> Estimate:
    return Estimate(mean, round(max(0.0, mean - 0.1), 6), round(min(1.0, mean + 0.1), 6), 3)


def _cells() -> tuple[MatrixCell, ...]:
    """Two detectors with both thresholds, baselines, a sanitizer; a trigger, and a flip that knows the detector."""
    found = [MatrixCell("none", "none", "", test_error=share(0.05))]
    for name, origins in {"spectral": (0.001, 0.03), "deep-knn": (0.01, 0.02)}.items():
        for origin, alarms in zip(("own", "trusted"), origins, strict=True):
            cost = Estimate(0.0012, -0.01, 0.02, 3)
            found.append(MatrixCell("none", name, origin, false_alarms=share(alarms), accuracy_cost=cost))
    for attack, low, high in ((FLIP, 0.02, 0.87), (NOISE, 0.3, 0.31), (TRIGGER, 0.01, 0.02)):
        success = {"success": share(0.9), "clean_success": share(0.004)} if attack == TRIGGER else {}
        for baseline, error in (("none", 0.2), ("random", 0.19), ("perfect", 0.06)):
            found.append(MatrixCell(attack, baseline, "", test_error=share(error), **success))
        for name in ("spectral", "deep-knn"):
            for origin, caught in (("own", low), ("trusted", high if name == "deep-knn" else low)):
                verdict = "caught" if caught >= 0.5 else "missed" if caught < 0.1 else "partly"
                shown = {"caught": share(caught), "auroc": share(0.75), "verdict": verdict}
                found.append(MatrixCell(attack, name, origin, test_error=share(0.11), **shown, **success))
        found.append(MatrixCell(attack, "l2", "", test_error=share(0.12), **success))
    found.append(MatrixCell(KNOWING, "spectral", "own", caught=share(0.6), test_error=share(0.13), verdict="caught"))
    found.append(MatrixCell(KNOWING, "deep-knn", "own", skipped=f"no odds {HOSTILE}"))
    return tuple(found)


@pytest.fixture
def evaluated() -> EvaluationRecord:
    """Adaptive attacks last, as the suite has them, of data that mean harm."""
    infos = (
        AttackInfo("none", "the clean rows", "none", "none", False, 0),
        AttackInfo(FLIP, "labels flipped", "flip", "errors", False, 10),
        AttackInfo(NOISE, HOSTILE, "perturb", "errors", False, 10),
        AttackInfo(TRIGGER, "a bright square", "add", "trigger", False, 10),
        AttackInfo(KNOWING, "knows the detector", "flip", "errors", True, 10),
    )
    defences = (
        DefenceInfo("none", "none", None, False),
        DefenceInfo("random", "baseline", None, False),
        DefenceInfo("perfect", "baseline", None, False),
        DefenceInfo("spectral", "detector", 0.02, False),
        DefenceInfo("deep-knn", "detector", 0.02, False),
        DefenceInfo("l2", "sanitizer", None, False),
    )
    return EvaluationRecord(
        header=header("evaluation", f"toadstone evaluate '{HOSTILE}'"),
        source=Source(HOSTILE, "rows.csv", "line"),
        data=read_data(),
        seeds=(0, 1, 2),
        fraction=0.05,
        rows=180,
        trusted_rows=20,
        trusted_origin=HOSTILE,
        test_rows=50,
        learner="linear",
        ridge=0.1,
        ridge_origin="as asked",
        attacks=infos,
        defences=defences,
        cells=_cells(),
        trials=(Trial(FLIP, "spectral", "own", 0, 4, 77, 1, 0, 0.5, 0.2, 40, 8),),
        warnings=(HOSTILE,),
    )


@pytest.fixture
def figure() -> Reproduction:
    """A row of every standing, and a panel of every kind."""
    stated = Published(0.237, "text", 0.0005)
    rows = (
        Comparison("KKT, least of five defences", "share", "higher", stated, 0.251, reason="a finer search"),
        Comparison("influence", "share", "higher", Published(0.183, "text", 0.0005), 0.17, reason="no second start"),
        Comparison("bound", "loss", "lower", Published(0.33, "read off the plot", 0.002), 0.32864001),
        Comparison("time", "seconds", "lower", Published(1680, "text", 30), 14.0, note="on two cores"),
        Comparison("rise", "share", "equal", Published(0.04, "secondary", 0.005, "at most"), 0.019),
        Comparison("gradient", "loss", "higher", Published(0.053, "secondary", 0.003), None, note="not run"),
        Comparison("error", "share", "higher", None, 0.2, Interval(0.18, 0.22, "a range")),
    )
    curves = (Series("bound", "ours", (0.01, 0.03), (0.26, 0.33)), Series("bound", "paper", (0.03,), (0.33,)))
    bars = (Series("KKT", "ours", ("l2", "slab"), (0.2, 0.3)), Series("KKT", "paper", ("l2",), (0.25,)))
    return Reproduction(
        header=header("reproduction", "toadstone reproduce fig0", digests={"enron": "0" * 64}),
        name="fig0",
        title="A title",
        source="A paper, figure 0",
        setting={"Data": "enron"},
        comparisons=rows,
        panels=(
            Panel("Curves", "lines", "fraction", "loss", "fraction", "loss", curves),
            Panel("Steps", "steps", "seconds", "error", "number", "share", curves, "log"),
            Panel("Bars", "bars", "", "test error", "category", "share", bars),
        ),
        notes=("a note",),
        seconds=1.5,
    )


def wrong_target(row, position, target):
    return WrongTarget(row, position, target, 310.2, 250.4, 380.1, 0.97, "5c" * 32, f"size 40, town {HOSTILE}")


def target_data():
    return TargetData(
        HOSTILE, 300, 5, -1.5, 250.0, 5270.0, "2 numbers standardised", read_data().columns, read_data().notes
    )


FOUND = TargetFinding(0.014, 0.004, 0.032, 20.4, supported=True)
TARGET_SOURCE = Source(f"homes{HOSTILE}.csv", "homes.csv", "line")


@pytest.fixture
def target_scan():
    """A scan of numeric targets with two listed rows."""
    return RegressionScanRecord(
        header=header("regression-scan", "toadstone scan homes.csv --target price", digests={"rows": "3f" * 32}),
        source=TARGET_SOURCE,
        data=target_data(),
        evidence=FOUND,
        flagged_rows=2,
        rows=(wrong_target("12", 10, 4100.0), wrong_target("92", 90, -0.25)),
        expected_innocents=0.06,
        learners={"ridge": 0.7, "forest": 0.3},
        trusted_rows=20,
        set_aside=small_aside(),
        timings={"verdict": 1.25},
    )


@pytest.fixture
def target_defence():
    """A defence of numeric targets, measured on trusted rows."""
    return RegressionDefenceRecord(
        header=header("regression-defence", "toadstone defend homes.csv --target price"),
        source=TARGET_SOURCE,
        data=target_data(),
        evidence=FOUND,
        max_removed=0.005,
        rows=300,
        kept=299,
        removals=(wrong_target("12", 10, 4100.0),),
        spared=1,
        expected_innocents=0.03,
        account=RowAccount(303, 301, 1, 1),
        set_aside=small_aside(),
        trusted_rows=20,
        errors=(ErrorChange("ridge", "trusted", 20, 31.5, 20.25, -11.25, -15.0, -7.5),),
    )


@pytest.fixture
def target_attack():
    """An attack on ridge regression."""
    return RegressionAttackRecord(
        header=header("regression-attack", "toadstone attack homes.csv --label price --regression"),
        source=TARGET_SOURCE,
        data=target_data(),
        method="ridge-poisoning",
        fraction=0.1,
        budget="add",
        poison_rows=30,
        ridge=0.01,
        test_rows=60,
        test_origin="20 % held out at random, seed 0",
        defences=(AttackedDefence("none", 19.5, 1570.25, 0, 0), AttackedDefence("trim", 19.5, 20.0, 30, 0)),
    )


@pytest.fixture
def federated():
    """Three attacks against four rules, one of which cannot be run."""
    return made_federation((5,), (0, 1))


@pytest.fixture(
    params=[
        "record",
        "attacked",
        "costed",
        "scanned",
        "defended",
        "evaluated",
        "federated",
        "inspected",
        "figure",
        "target_scan",
        "target_defence",
        "target_attack",
    ]
)
def each(request):
    """Each kind of record in turn."""
    return request.getfixturevalue(request.param)


STEERING = HOSTILE + " \x00\x1b[2J\u202e\ud800 {{ 7 * 7 }} "


def _hostile(value):
    """The same record with every free text hostile; names that the schema fixes stay."""
    if dataclasses.is_dataclass(value):
        fixed = {field.name for field in dataclasses.fields(value) if "Literal" in str(field.type)}
        fixed |= {"record", "schema_version", "created", "digests", "fingerprint", "domain", "kind", "goal", "layer"}
        fixed |= {"knowledge", "thresholds", "verdict", "unit", "aim", "numbering"}
        changes = {
            field.name: _hostile(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in fixed
        }
        return dataclasses.replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(_hostile(item) for item in value)
    if isinstance(value, dict):
        return {f"{STEERING}{name}": _hostile(item) for name, item in value.items()}
    return f"{STEERING}{value}" if isinstance(value, str) and value else value


@pytest.fixture(scope="session")
def with_hostile_text():
    """Replaces every free text of a record by one that is markup and steers terminals."""
    return _hostile
