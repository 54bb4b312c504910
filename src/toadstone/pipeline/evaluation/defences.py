"""The defences of an evaluation: the rows that each flags, and the model trained on the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier

from toadstone.catalogue import names, unknown
from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.detectors.verdict.verdict import Verdict
from toadstone.learners.bounded import BoundedLossClassifier
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.partitioned import PartitionVoteClassifier
from toadstone.learners.severed import SeveredClassifier
from toadstone.learners.trimmed import TrimmedLossClassifier
from toadstone.pipeline.harness.judge import VERDICT, Defence
from toadstone.pipeline.scan import make_detector
from toadstone.records.evaluation import NO_DEFENCE, DefenceInfo
from toadstone.records.trials import Thresholds

BASELINES = ("random", "perfect")
"""Defences that no defender has, to compare with: removing rows at random, and exactly the poison."""

SCORING = ("detector", "sanitizer")
"""Kinds that score how suspicious a row is."""

_SELECTING = ("trimmed-training", "severed-training")
"""Learners that leave rows out while they train."""

_BAGS, _BAG_SHARE = 25, 0.2


@dataclass(frozen=True, eq=False)
class DefenderData:
    """Rows and labels that reach the defender, and which of them it may trust.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
    trusted : ndarray of int
        Places of trusted rows; empty where there are none.
    """

    X: Matrix
    y: Labels
    trusted: IntArray


@dataclass(frozen=True, eq=False)
class Filtering:
    """Rows that a defence flags of those it received.

    Parameters
    ----------
    thresholds : {"own", "trusted", ""}
    flagged : ndarray of int, optional
        None where it flags nothing by design.
    suspicion : ndarray of shape (n,), optional
        Larger is more suspicious; None where it scores no row.
    """

    thresholds: Thresholds
    flagged: IntArray | None = None
    suspicion: Array | None = None


def defence_suite(
    contamination: float, *, false_alarm_rate: float | None = None, trusted: bool
) -> tuple[DefenceInfo, ...]:
    """Return all defences, first none at all; those that need trusted rows only where there are some.

    Parameters
    ----------
    contamination : float
        Share of each class that sanitizers remove.
    false_alarm_rate : float, optional
        Share of clean rows that each detector may flag; its own default
        otherwise.
    trusted : bool
        Whether there are trusted rows.
    """
    made = {name: make_detector(name, false_alarm_rate=false_alarm_rate) for name in names("detector")}
    detectors = [
        DefenceInfo(name, "detector", float(detector.false_alarm_rate), bool(detector.needs_trusted))
        for name, detector in made.items()
    ]
    return (
        DefenceInfo(NO_DEFENCE, "none", None, needs_trusted=False),
        *(DefenceInfo(name, "baseline", None, needs_trusted=False) for name in BASELINES),
        # It states no rate: the rows that it lists are probably wrong, and it says how many are not.
        DefenceInfo(VERDICT, "detector", None, needs_trusted=False),
        *(info for info in detectors if trusted or not info.needs_trusted),
        *(DefenceInfo(name, "sanitizer", contamination, needs_trusted=False) for name in names("sanitizer")),
        *(DefenceInfo(name, "learner", None, needs_trusted=False) for name in names("robust-learner")),
    )


def choose_defences(infos: Sequence[DefenceInfo], wanted: Sequence[str] | None) -> tuple[DefenceInfo, ...]:
    """Return the defences of some names, and none at all; ``detectors`` stands for all of the kind, and so on.

    Raises
    ------
    UnknownName
        If there is no such defence.
    InvalidArgument
        If one needs trusted rows, and there are none.
    """
    if wanted is None:
        return tuple(infos)
    known = [info.name for info in infos]
    kinds = list(dict.fromkeys(f"{info.kind}s" for info in infos if info.kind != "none"))
    for name in wanted:
        if name in names("detector") and name not in known:
            raise InvalidArgument("defences", "detectors that do without trusted rows, as there are none", name)
        if name not in (*known, *kinds):
            raise unknown("defences", (*kinds, *known), name)
    return tuple(info for info in infos if info.kind == "none" or info.name in wanted or f"{info.kind}s" in wanted)


def planned_thresholds(info: DefenceInfo, *, trusted: bool) -> tuple[Thresholds, ...]:
    """Return the sources of a defence's thresholds, one trial for each."""
    if info.kind != "detector":
        return ("",)
    own: tuple[Thresholds, ...] = () if info.needs_trusted else ("own",)
    return (*own, "trusted") if trusted else own


def make_filter(info: DefenceInfo, defence: Defence) -> Any:
    """Build the unfitted verdict, or a detector or sanitizer with the share and the seed of a defence."""
    if info.name == VERDICT:
        return Verdict(random_state=defence.seed)
    if info.kind == "sanitizer":
        return defence.sanitizer(info.name)
    return make_detector(info.name, false_alarm_rate=info.false_alarm_rate, seed=defence.seed)


def filterings(info: DefenceInfo, received: DefenderData, defence: Defence, *, trusted: bool) -> tuple[Filtering, ...]:
    """Run the verdict, a detector or a sanitizer; other defences flag nothing.

    It sees rows, labels, and which rows are trusted, and nothing else.

    Parameters
    ----------
    info : DefenceInfo
    received : DefenderData
    defence : Defence
        The share that sanitizers remove, and the seed.
    trusted : bool
        Whether thresholds from trusted rows are planned.
    """
    if info.kind not in SCORING:
        return (Filtering(""),)
    detector = make_filter(info, defence)
    if info.kind == "sanitizer":
        detector.fit_resample(received.X, received.y)
        return (Filtering("", detector.removed_indices_, detector.suspicion_),)
    if info.needs_trusted:
        detector.fit(received.X, received.y, trusted=received.trusted)
        return (Filtering("trusted", detector.flagged_indices_, detector.suspicion_),)
    detector.fit(received.X, received.y)
    own = Filtering("own", detector.flagged_indices_, detector.suspicion_)
    if not trusted:
        return (own,)
    if info.name == VERDICT:
        # Trusted rows change what it learns, not a threshold alone.
        detector.fit(received.X, received.y, trusted=received.trusted)
    else:
        detector.calibrate(received.trusted)
    return own, Filtering("trusted", detector.flagged_indices_, detector.suspicion_)


def kept_rows(info: DefenceInfo, received: DefenderData, defence: Defence, *, trusted: bool) -> IntArray:
    """Return the rows on which a defence trains: those that no threshold of its own or of trusted rows flags.

    Parameters are those of `filterings`. A learner that leaves no rows out
    trains on all.
    """
    if info.kind == "learner":
        if info.name not in _SELECTING:
            return np.arange(len(received.y))
        kept: IntArray = model_behind(info, defence).fit(received.X, received.y).kept_indices_
        return kept
    flagged = [found.flagged for found in filterings(info, received, defence, trusted=trusted)]
    removed = np.concatenate([np.empty(0, dtype=np.int64), *(rows for rows in flagged if rows is not None)])
    return np.setdiff1d(np.arange(len(received.y)), removed)


def run_baseline(name: str, poisoned: Mask, reachable: Mask, *, count: int, seed: int) -> Filtering:
    """Remove rows as a baseline does, which unlike a defence may know which rows are poison.

    Parameters
    ----------
    name : {"random", "perfect"}
        As many rows as `count`, drawn from those that are reachable; or the
        poison.
    poisoned, reachable : ndarray of bool of shape (n,)
    count, seed : int
    """
    if name == "perfect":
        return Filtering("", np.flatnonzero(poisoned), poisoned.astype(np.float64))
    chance = np.random.default_rng(seed).random(len(poisoned))
    rows = np.flatnonzero(reachable)
    return Filtering("", np.sort(rows[np.argsort(-chance[rows])[:count]]), chance)


def model_behind(info: DefenceInfo, defence: Defence) -> Any:
    """Build the unfitted model of a defence: a robust learner, or else the plain one."""
    if info.kind != "learner":
        return defence.model()
    ridge, loss, seed, tolerance = defence.ridge, defence.loss, defence.seed, defence.accuracy
    plain = LinearClassifier(ridge=ridge, loss=loss, random_state=seed, tolerance=tolerance)
    made = {
        "trimmed-training": TrimmedLossClassifier(ridge=ridge, loss=loss, random_state=seed, tolerance=tolerance),
        "bounded-loss": BoundedLossClassifier(loss="sigmoid", ridge=ridge, random_state=seed, tolerance=tolerance),
        "severed-training": SeveredClassifier(
            estimator=LinearClassifier(ridge=ridge, loss="logistic", random_state=seed, tolerance=tolerance)
        ),
        "partition-vote": PartitionVoteClassifier(estimator=plain),
        "bagging": BaggingClassifier(plain, n_estimators=_BAGS, max_samples=_BAG_SHARE, random_state=seed),
    }
    return made[info.name]
