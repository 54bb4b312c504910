"""Words that all reports share: names, losses, defences, attacks and detectors."""

from __future__ import annotations

from toadstone.records.audit import AuditRecord
from toadstone.records.header import DataSummary, Header
from toadstone.report.text.formats import format_count, listed, shortened, visible

SHOWN_ROWS = 8
"""Rows that a terminal or a notebook lists; a page lists more, and a table all of them."""

LONGEST_NAME = 80
"""Characters shown of a name that came with the data."""

LONGEST_PREVIEW = 240
"""Characters shown of the values of a row; a table holds more."""

_SHORT_NAME, _MOST_CLASSES = 24, 8
_NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_LOSS_WORDS = {
    "hinge": (
        "Hinge loss",
        "0 for a row classified rightly with a margin to spare, 1 on the border between the classes, more than 1 "
        "when the row is classified wrongly. Its mean is therefore never below the share of wrong rows.",
    ),
    "smooth_hinge": (
        "Smooth hinge loss",
        "The hinge loss with its corner rounded: about 0 for a row classified rightly with a margin to spare, "
        "about 1 on the border between the classes, and more when the row is classified wrongly.",
    ),
    "squared_hinge": (
        "Squared hinge loss",
        "The square of the hinge loss: 0 for a row classified rightly with a margin to spare, 1 on the border "
        "between the classes, and quickly more when the row is classified wrongly.",
    ),
    "logistic": (
        "Logistic loss",
        "Minus the log of the probability that the model gives to a row’s label: near 0 when it is sure and right, "
        "0.69 on the border between the classes, and more when the row is classified wrongly.",
    ),
}

_DEFENCE_WORDS = {
    "l2": "removes the rows farthest from the centre of their class",
    "slab": "removes the rows farthest from their class’s centre along the line between the two centres",
    "loss": "trains once on all rows, then removes those with the largest loss",
    "svd": "removes the rows farthest from the data’s main directions",
    "knn": "removes the rows farthest from their nearest neighbours",
    "verdict": "removes what the verdict lists: planted groups, and labels that are probably wrong where the data "
    "support it",
}

_DETECTOR_WORDS = {
    "spectral": "lies far out along the direction in which its class varies most",
    "spectre": "lies far out along directions in which its class varies more than its core does",
    "two-components": "belongs to a second group within its class",
    "activation": "belongs to a small, well separated group within its class",
    "gradient-norm": "has an unusually large gradient in a model trained on all rows",
    "gradient-similarity": "has a gradient that points away from those of its class",
    "mahalanobis": "is far from its class, measured by the spread of the class",
    "isolation-forest": "is isolated by few random cuts",
    "local-outlier-factor": "lies in a sparser region than its neighbours do",
    "deep-knn": "has neighbours of another class",
    "label-errors": "is of another class, with confidence, to models that were not trained on it",
    "cross-validation": "is misclassified, with confidence, by models that were not trained on it",
    "trimmed-loss": "has a large loss in a model that is fitted to the rows it fits best",
    "ensemble": "is outvoted by models that were not trained on it",
    "sever": "has a gradient far out along the direction in which gradients vary most",
    "influence": "raises the loss of held-out training rows",
    "minor-components": "breaks a relation among features that the other rows of its class keep",
    "roni": "lowers the accuracy of models on trusted rows",
    "trusted-bootstrap": "is misclassified by models trained on trusted rows",
}

_ATTACK_WORDS = {
    "collapse": "at most one point for each class, copied: the attack that the certificate finds",
    "label-flip": "training rows under the other class’s label, chosen so that the defences keep them",
    "min-max": "points chosen to have a large loss in the model that the defender will train, whatever it is",
    "kkt": "points chosen so that the defender learns a model that errs on the training rows",
    "kkt-influence": "KKT points, moved along their influence until every defence trains as bad a model as possible",
}

_TERMS = (
    (
        "Certified",
        "Proved for every attack within the stated assumptions, known or not; not an estimate from attacks that "
        "were tried.",
    ),
    ("Fraction", "Rows under the attacker’s control for each hundred clean rows."),
    ("Gap", "Certified bound minus the attack’s value. The true worst case lies between the two."),
    ("Test error", "The share of test rows classified wrongly; brackets hold its 95 % Wilson interval."),
    ("Rank", "A row’s place within its class by one defence’s score, 1 being the most suspicious."),
)


METHOD_TITLES = {
    "kkt-influence": "The KKT attack moved by influence",
    "kkt": "The KKT attack",
    "min-max": "The min-max attack",
    "min-max-basic": "The basic min-max attack",
    "influence": "The influence attack",
    "iterative-influence": "The iterative influence attack",
    "basic-influence": "The basic influence attack",
    "label-flip": "Label flipping",
    "random-flip": "Random label flipping",
    "targeted-flip": "Flipping the rows of largest margin",
    "pair-flip": "Flipping one label to the other",
    "alfa": "The ALFA attack",
    "gradient": "The gradient attack",
}
"""Attack methods at the beginning of a sentence."""

LEARNER_WORDS = {
    "linear": "a linear model, with more than two classes one against the rest",
    "crammer-singer": "one linear function a class, all together",
    "online": "one linear function a class by three epochs of AdaGrad, with a penalty only in the loss defence",
}
"""Models of the defender, within a sentence."""


def method_title(name: str) -> str:
    """Name an attack at the beginning of a sentence."""
    return METHOD_TITLES.get(name, f"The {spoken(name)} attack")


def learner_in_words(name: str) -> str:
    """Name a defender's model within a sentence."""
    return LEARNER_WORDS.get(name, spoken(name))


def untested(data: DataSummary) -> tuple[str, ...]:
    """Warn of the classes without a test row, in one sentence; none where each has some."""
    names = [shortened(count.label, LONGEST_NAME) for count in data.classes if count.test == 0]
    if not names:
        return ()
    if len(names) > _MOST_CLASSES:
        names = [*names[:_MOST_CLASSES], f"{format_count(len(names) - _MOST_CLASSES)} other classes"]
    of = "that class" if len(names) == 1 else "those classes"
    return (f"No test row is labelled {listed(names, 'or')}: the test errors say nothing of {of}.",)


def glossary(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """Explain the terms of an audit and its loss: (term, meaning)."""
    loss = _LOSS_WORDS.get(record.defender.loss)
    return ((loss,) if loss else ()) + _TERMS


def defences_in_words(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """Explain the defences of an audit that are known here: (name, words)."""
    names = dict.fromkeys(run.sanitizer for run in record.evaluations)
    return tuple((name, _DEFENCE_WORDS[name]) for name in names if name in _DEFENCE_WORDS)


def attacks_in_words(record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """Explain the attacks of an audit that are known here: (name, words)."""
    names = dict.fromkeys(run.attack for run in record.evaluations)
    return tuple((name, _ATTACK_WORDS[name]) for name in names if name in _ATTACK_WORDS)


def detector_in_words(name: str) -> str:
    """Say which rows a detector flags, as in "flags a row that ..."; its name where it is not known here."""
    return _DETECTOR_WORDS.get(name, spoken(name))


def in_words(number: int) -> str:
    """Write a small number as a word.

    Examples
    --------
    >>> in_words(3), in_words(4137)
    ('three', '4,137')
    """
    return _NUMBER_WORDS[number] if number < len(_NUMBER_WORDS) else format_count(number)


def spoken(name: str) -> str:
    """Write a catalogue name as words."""
    return name.replace("_", " ")


def short_name(name: str) -> str:
    """Shorten a foreign name to one cell of a terminal."""
    return shortened(visible(name), _SHORT_NAME)


def option_name(name: str, header: Header) -> str:
    """Name an option as whoever reads the output would give it: on the command line, or in Python.

    Parameters
    ----------
    name : str
    header : Header
        Of the record; it says which of both made it.
    """
    return f"{name}=" if _from_python(header) else f"--{name.replace('_', '-')}"


def function_name(name: str, header: Header) -> str:
    """Name a function of the package; as `option_name`."""
    return f"toadstone.{name}" if _from_python(header) else f"toadstone {name}"


def rows_place(file: str, header: Header, attribute: str = "to_frame()") -> str:
    """Say where all rows are: in a file that is written with --out, or in Python in an attribute of the result."""
    if _from_python(header):
        return attribute
    given = "--out" in header.command.split() or " --out=" in header.command
    return file if given else f"{file} (--out)"


def _from_python(header: Header) -> bool:
    return header.command.startswith("toadstone.")
