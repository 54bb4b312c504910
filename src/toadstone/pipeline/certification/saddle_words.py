"""Assumptions of certificates of a linear model's training, and what they do not promise, in plain words."""

from __future__ import annotations

from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Setting
from toadstone.core.dataset import Dataset

_ADD = Budget(0.0)

_DOMAIN_WORDS = {
    "real": "Poison rows may have any feature values that pass the filters.",
    "box": "Poison rows stay within the range of each feature among the clean rows, or within [0, 1] where all do.",
    "integer": "Poison rows are counts: whole numbers from 0 to each feature's largest clean value (at least 1). "
    "The proof widens them to a convex set that contains them; the attack value is reached within that set, by rows "
    "that may be fractional, and the evaluated attack rounds them.",
}
_ATTACKERS = {
    "add": "The attacker only adds rows, and knows the data, the filters and the defender's training.",
    "flip": "The attacker gives at most the stated number of clean rows the other label, changes nothing else, and "
    "knows the data and the defender's training.",
    "replace": "The attacker takes away at most the stated number of clean rows, puts as many rows in their place, "
    "changes nothing else, and knows the data, the filters and the defender's training.",
}
_FILTER_WORDS = {
    "l2": "distance to the class mean (l2)",
    "slab": "distance along the line between the class means (slab)",
    "loss": "loss at a fixed model (loss)",
}
_PROMISES = {
    "add": "It bounds the training loss for each clean row, which is at least the share of clean training rows "
    "classified wrongly (for losses of at least one on such rows). It does not bound the error on a test set.",
    "flip": "The bound is of the objective of training on the labels as flipped. The clean bound is of the trained "
    "model's loss on the clean rows under their own labels, penalty included; it grows fast with the flips. Neither "
    "bounds the error on a test set.",
    "replace": "The bound is of the objective of training on the rows as replaced. The clean bound is of the trained "
    "model's loss on the clean rows, those taken away included, and of the penalty; it grows fast with the rows. "
    "Neither bounds the error on a test set.",
}
_OTHER_CHANGES = {
    "add": "It does not cover rows that are changed, relabelled or deleted: only rows that are added.",
    "flip": "It does not cover rows that are added, deleted or changed: only labels that are flipped. The attack value "
    "is that of fractions of flips.",
    "replace": "It does not cover rows that are added or deleted without another: only rows that are replaced. The "
    "attack value is that of fractions of rows.",
}


def assumptions(train: Dataset, setting: Setting, budget: Budget = _ADD) -> tuple[str, ...]:
    """List the assumptions of a certificate, in plain words.

    Parameters
    ----------
    train : Dataset
    setting : Setting
    budget : Budget
        Its kind, and the limits of classes, if any.
    """
    rows = f"The {len(train)} training rows are clean."
    if budget.kind != "flip":
        rows = f"{rows} The filters' thresholds were fitted on them and stay fixed."
    return (
        rows,
        _ATTACKERS[budget.kind],
        *_class_words(train, budget),
        *_feasible_words(train, setting),
        "No row is filtered out." if budget.kind == "flip" else "No clean row is filtered out.",
        f"The defender minimizes the mean {_loss_words(train, setting)} {_model_words(setting)}.",
        "Training loss stands for test loss: there are enough clean rows for the two to be close.",
    )


def not_promised(budget: Budget = _ADD) -> tuple[str, ...]:
    """List the claims that a certificate does not make, in plain words."""
    return (
        _PROMISES[budget.kind],
        _OTHER_CHANGES[budget.kind],
        "It does not cover filters that are fitted again on poisoned data, or poison among the rows taken as clean.",
        "It does not cover other models, such as trees or deep networks.",
    )


def _class_words(train: Dataset, budget: Budget) -> tuple[str, ...]:
    if budget.by_class is None:
        return ()
    limits = zip(train.classes, budget.counts(len(train)) or (), strict=True)
    shown = " and ".join(f"{count:,} labelled {label}" for label, count in limits)
    if budget.kind == "flip":
        return (f"Of the rows whose labels it flips, at most {shown}.",)
    return (f"Of the rows that it adds, at most {shown}.",)


def _loss_words(train: Dataset, setting: Setting) -> str:
    loss = setting.loss.replace("_", " ")
    if len(train.classes) > 2:
        return f"multi-class {loss} loss (Crammer and Singer) over linear models, a function a class,"
    return f"{loss} loss over linear models"


def _feasible_words(train: Dataset, setting: Setting) -> tuple[str, ...]:
    if not setting.sanitizers:
        return ()
    if setting.sanitizers != ("l2", "slab"):
        return _words_of_filters(setting), *_fixed_model_words(setting), _DOMAIN_WORDS[setting.domain]
    several = len(train.classes) > 2
    line = "from there to the mean of the other classes' means" if several else "between the class means"
    return (
        f"Every poison row passes both filters: its distance to its class mean (L2), and its distance along the "
        f"line {line} (slab), are within the {setting.quantile:.4g} quantile of its class.",
        _DOMAIN_WORDS[setting.domain],
    )


def _words_of_filters(setting: Setting) -> str:
    named = "; ".join(_FILTER_WORDS[name] for name in setting.sanitizers)
    return (
        f"Every poison row passes the filters, each at the {setting.quantile:.4g} quantile of the clean rows of its "
        f"class: {named}."
    )


def _fixed_model_words(setting: Setting) -> tuple[str, ...]:
    if "loss" not in setting.sanitizers:
        return ()
    return ("The loss filter's model is the one stored here. It was fixed beforehand, and poison does not move it.",)


def _model_words(setting: Setting) -> str:
    hypothesis = setting.hypothesis
    if isinstance(hypothesis, NormBall):
        return f"whose weights and bias have a squared norm of at most {hypothesis.squared_radius:g}"
    return f"with a ridge penalty of {hypothesis.strength:g} for each row, bias included"
