"""The sentences of a report, in plain words."""

from __future__ import annotations

from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord
from toadstone.records.header import DataSummary
from toadstone.records.scan import ScanRecord
from toadstone.report.text.audit_matrix import LargestError, best_defence, undefended
from toadstone.report.text.formats import (
    format_attack_value,
    format_bound,
    format_count,
    format_fraction,
    format_share,
    format_share_bound,
    shortened,
)

LONGEST_NAME = 80
"""Characters shown of a name that came with the data."""

_NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_BUDGET_WORDS = {
    "add": "{rows} added to {clean} clean ones",
    "flip": "the labels of {rows} of {clean} rows",
    "perturb": "{rows} of {clean} rows altered",
}

_LOSS_WORDS = {
    "hinge": (
        "Hinge loss",
        "How far a row is from being classified rightly with some room to spare: 0 when it is, 1 on the "
        "border between the classes, more than 1 when it is wrong. Its mean is therefore never below the share "
        "of wrong rows.",
    ),
    "smooth_hinge": (
        "Smooth hinge loss",
        "The hinge loss with its corner rounded: about 0 for a row classified rightly with room to spare, "
        "about 1 on the border between the classes, and more when it is wrong.",
    ),
    "squared_hinge": (
        "Squared hinge loss",
        "The square of how far a row is from being classified rightly with some room to spare: 0 when it is, "
        "1 on the border between the classes, and quickly more when it is wrong.",
    ),
    "logistic": (
        "Logistic loss",
        "How surprised the model is by a row’s label: near 0 when it is sure and right, 0.69 on the border "
        "between the classes, and more when it is wrong.",
    ),
}

_DEFENCE_WORDS = {
    "l2": "removes the rows farthest from the centre of their class",
    "slab": "removes the rows farthest from their class’s centre along the line between the two centres",
    "loss": "trains once on everything, then removes the rows that this model fits worst",
    "svd": "removes the rows that the data’s main directions describe worst",
    "knn": "removes the rows whose nearest neighbours are far away",
}

_DETECTOR_WORDS = {
    "spectral": "lies far out along the direction in which its class varies most",
    "activation": "belongs to a small, well separated group within its class",
    "gradient-norm": "pulls a model trained on everything unusually hard",
    "gradient-similarity": "pulls that model another way than the rest of its class",
    "mahalanobis": "is far from its class, measured by the class’s own spread",
    "isolation-forest": "is isolated by few random cuts",
    "local-outlier-factor": "lies in a sparser place than its neighbours do",
    "deep-knn": "has neighbours of another class",
    "label-errors": "is confidently another class to models that have not seen it",
    "cross-validation": "is misjudged with confidence by models that have not seen it",
    "trimmed-loss": "is not among the rows that a model fits well when it may choose",
    "ensemble": "is outvoted by models that have not seen it",
    "sever": "pulls a model along the direction in which such pulls vary most",
    "influence": "would, by being left out, lower the loss of held-out training rows",
    "minor-components": "breaks what holds among the features of the other rows of its class",
    "roni": "lowers the accuracy of models on trusted rows",
    "trusted-bootstrap": "disagrees with what trusted rows teach",
}

_ATTACK_WORDS = {
    "collapse": "the certificate’s own attack: at most one point for each class, copied",
    "label-flip": "training rows under the other class’s label, taken so that the defences keep them",
    "kkt": "points that make the defender learn a model that errs on the training rows",
    "adaptive": "such points, moved until every one of the defences trains as bad a model as possible",
}

_TERMS = (
    (
        "Certified",
        "Proved for every attack within the stated assumptions, including attacks nobody has thought of yet; "
        "not an estimate from attacks that were tried.",
    ),
    ("Fraction", "The rows under the attacker’s control, for each hundred clean rows."),
    ("Gap", "Certified bound minus what the attack reaches. The true worst case lies between the two."),
    ("Test error", "The share of test rows classified wrongly; brackets hold its 95 % Wilson interval."),
    ("Rank", "A row’s place within its class by one defence’s score, 1 being the most suspicious."),
)


METHOD_TITLES = {
    "best": "The best attack found",
    "kkt": "The KKT attack",
    "minmax": "The min-max attack",
    "minmax-basic": "The basic min-max attack",
    "influence": "The influence attack",
    "label-flip": "Label flipping",
    "alfa": "The ALFA attack",
}
"""Attack methods at the beginning of a sentence."""

LEARNER_WORDS = {
    "linear": "a linear model, with more than two classes one against the rest",
    "crammer-singer": "one linear function a class, all together",
    "online": "one linear function a class by three epochs of AdaGrad, with a penalty only in the loss defence",
}
"""What a defender trains, within a sentence."""


def headline_sentences(record: AuditRecord) -> tuple[str, ...]:
    """What the audit found, the most important first."""
    return (_bound_sentence(record), *_rows_sentences(record), *_defence_sentences(record))


def _bound_sentence(record: AuditRecord) -> str:
    point, threat = record.headline, record.threat
    bound, attack = format_bound(point.bound), format_attack_value(point.attack_value)
    if threat.fraction == 0:
        return f"With no row under an attacker’s control, training loss cannot exceed {bound} per clean row."
    budget = _BUDGET_WORDS[threat.kind].format(rows=format_count(threat.rows), clean=format_count(record.data.n_train))
    return (
        f"With {format_fraction(threat.fraction)} of rows under an attacker’s control ({budget}), training loss "
        f"cannot exceed {bound} per clean row; a concrete attack reaches {attack}."
    )


def _rows_sentences(record: AuditRecord) -> tuple[str, ...]:
    bound = record.headline.bound
    share = bound / record.defender.wrong_row_loss
    if share >= 1:
        return ()
    return (
        f"A loss of {format_bound(bound)} allows at most {format_share_bound(share)} of the clean training rows "
        f"to be classified wrongly.",
    )


def _defence_sentences(record: AuditRecord) -> tuple[str, ...]:
    best, bare = best_defence(record), undefended(record)
    clean = format_share(record.defender.clean_test_error)
    names = {run.attack for run in record.evaluations} - {NO_ATTACK}
    attack = "the attack" if len(names) == 1 else f"the worst of {_counted(len(names))} attacks"
    if best is not None:
        bare_words = f" and {format_share(bare.test_error)} without any defence" if bare else ""
        return (
            f"{_among_defences(record, best)} {attack} leaves a test error of {format_share(best.test_error)}, "
            f"against {clean} on clean data{bare_words}.",
        )
    if bare is not None:
        error = format_share(bare.test_error)
        return (f"Without any defence, {attack} leaves a test error of {error}, against {clean} on clean data.",)
    return ()


def _among_defences(record: AuditRecord, best: LargestError) -> str:
    names = {run.sanitizer for run in record.evaluations} - {NO_SANITIZER}
    if len(names) > 1 and names == set(best.sanitizers):
        return f"After any of {_counted(len(names))} defences, all alike,"
    if len(names) == 1:
        return f"After the one defence tried ({_listed(best.sanitizers)}),"
    return f"After the best of {_counted(len(names))} defences ({_listed(best.sanitizers)}),"


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(shortened(spoken(name), LONGEST_NAME) for name in names)


def untested(data: DataSummary) -> tuple[str, ...]:
    """A sentence for each class of which no test row is, so that errors say nothing of it."""
    return tuple(
        f"No test row is labelled {shortened(count.label, LONGEST_NAME)}: the test errors say nothing of that class."
        for count in data.classes
        if count.test == 0
    )


def cautions(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """What keeps the headline from being read as more than it is: (title, text)."""
    point, found = record.headline, [("A class is not tested", sentence) for sentence in untested(record.data)]
    if not point.conclusive:
        found.append(
            (
                "Not conclusive",
                f"The search stopped before the bound and the attack met: the true worst case lies somewhere between "
                f"{format_attack_value(point.attack_value)} and {format_bound(point.bound)}. The bound holds, but "
                f"the truth may be far below it.",
            )
        )
    if point.bound >= record.defender.wrong_row_loss:
        found.append(
            (
                "The bound rules nothing out",
                f"A row classified wrongly costs a {spoken(record.defender.loss)} loss of at least "
                f"{record.defender.wrong_row_loss:.3g}. A mean loss of {format_bound(point.bound)} "
                f"therefore allows every row to be wrong.",
            )
        )
    return tuple(found)


def glossary(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """Terms and their meanings, for this record's loss and defences."""
    loss = _LOSS_WORDS.get(record.defender.loss)
    return ((loss,) if loss else ()) + _TERMS


def defences_in_words(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """What each known defence of this record does."""
    names = dict.fromkeys(run.sanitizer for run in record.evaluations)
    return tuple((name, _DEFENCE_WORDS[name]) for name in names if name in _DEFENCE_WORDS)


def attacks_in_words(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """What each known attack of this record adds."""
    names = dict.fromkeys(run.attack for run in record.evaluations)
    return tuple((name, _ATTACK_WORDS[name]) for name in names if name in _ATTACK_WORDS)


def scan_sentences(record: ScanRecord) -> tuple[str, ...]:
    """The findings of a scan, in a few sentences."""
    run = {name: found for name, found in record.detectors.items() if not found.skipped}
    beyond = [name for name, found in run.items() if found.exceeded]
    rows = format_count(record.data.n_train)
    first = (
        f"{_counted(len(run)).capitalize()} detector{'s' if len(run) != 1 else ''} looked at {rows} rows, and flagged "
        f"{format_count(record.flagged_rows)} of them."
    )
    if not run:
        return ("No detector could use these data.",)
    if record.trusted_rows:
        first += f" Their thresholds come from {format_count(record.trusted_rows)} trusted rows, where these suffice."
    if not any(found.false_alarm_rate for found in run.values()):
        return first, "None has a threshold, for nothing varies that one could be set on: poison would go unnoticed."
    if not beyond:
        least = min(found.smallest_detectable_share for found in run.values() if found.false_alarm_rate)
        return (
            first,
            f"None flags more rows than clean data and chance account for; less than {format_share(least)} of poison "
            "could have gone unnoticed, and so could poison that these detectors do not see.",
        )
    more = (
        f"{', '.join(map(spoken, beyond))} flag{'s' if len(beyond) == 1 else ''} more rows than clean data account for"
    )
    return first, f"{more[0].upper()}{more[1:]}: something is wrong with some of them, or with the labels."


def detector_in_words(name: str) -> str:
    """What makes a row suspicious to a detector; its name in words where it is not known here."""
    return _DETECTOR_WORDS.get(name, spoken(name))


def _counted(number: int) -> str:
    return _NUMBER_WORDS[number] if number < len(_NUMBER_WORDS) else format_count(number)


def spoken(name: str) -> str:
    """A catalogue name as words."""
    return name.replace("_", " ")
