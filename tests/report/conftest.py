"""Records to render: one like the Enron audit, one as hostile as data can be."""

import dataclasses

import pytest

from toadstone.records.audit import (
    AuditRecord,
    Bound,
    ClassCount,
    DataSummary,
    Defender,
    Evaluation,
    Suspect,
    Threat,
)

DEFENCES = ("sphere", "slab", "loss", "subspace", "neighbours")
HOSTILE = "<script>alert('x')</script>\"><img src=https://evil.example/x onerror=alert(1)>"


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
            row=(137 * place + 41) % 4137,
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
        command="toadstone audit enron --fraction 0.03 --quantile 0.70 --norm-squared 6 --out enron-audit",
        created="2026-11-20T09:30:00Z",
        toadstone_version="0.1.0",
        seed=24,
        data=DataSummary(
            name="enron",
            sha256="3f" * 32,
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
            learner="linear SVM",
            loss="hinge",
            wrong_row_loss=1.0,
            hypothesis="norm ball, squared radius",
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
        versions={"python": "3.11.9", "numpy": "2.4.6", "scipy": "1.17.1", "scikit-learn": "1.9.1"},
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
        Suspect(0, HOSTILE, {long_name: 1, "防御": 12345678}, (long_name,), 1.0, HOSTILE * 20),
        Suspect(4136, "=HYPERLINK(1)", {"防御": 2}, (), 0.25, "right\u202eto\u2066left\x00\x1b[31m\ud800 " + "x" * 400),
        Suspect(7, "спам 📧", {}, (), 1e-9, "naïve 😀 \u4f60\u597d &amp; {{ 7 * 7 }} {% raw %}"),
    )
    return dataclasses.replace(
        base,
        command=f"toadstone audit '{HOSTILE}' --fraction 0",
        data=dataclasses.replace(
            base.data,
            name=HOSTILE + "/very/long/path" * 20,
            classes=(ClassCount(HOSTILE, 1, 0), ClassCount("-1", 2, 1)),
        ),
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
        versions={HOSTILE: HOSTILE},
    )
