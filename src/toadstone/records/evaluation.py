"""The record of an evaluation: every attack against every defence, over several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from toadstone.records.audit import NO_ATTACK
from toadstone.records.header import Count, DataSummary, Header, Limits, Name, Positive, Seconds, Share, Source
from toadstone.records.serial import Record
from toadstone.records.trials import MatrixCell, Outcome, Thresholds, Trial

NO_DEFENCE = "none"
"""Name of the defence that removes nothing and trains on all rows."""

Kind: TypeAlias = Literal["none", "baseline", "detector", "sanitizer", "learner"]
Goal: TypeAlias = Literal["none", "errors", "trigger", "group"]


@dataclass(frozen=True)
class AttackInfo:
    """Name, budget and goal of an attack.

    Parameters
    ----------
    name : str
        In the catalogue; "none" for the clean rows.
    description : str
        In plain words.
    budget : {"add", "flip", "perturb", "none"}
        Whether rows are added, relabelled or altered; "none" for the clean rows.
    goal : {"none", "errors", "trigger", "group"}
        Errors of any kind, a trigger that works, or errors in a group of rows.
    knows_detector : bool
        True if it is made anew against each detector.
    rows : int
        Poison rows in the first seed in which it could be made.
    """

    name: Name
    description: str
    budget: Literal["add", "flip", "perturb", "none"]
    goal: Goal
    knows_detector: bool
    rows: Count


@dataclass(frozen=True)
class DefenceInfo:
    """Name and kind of a defence.

    Parameters
    ----------
    name : str
        In the catalogue; "none" for a model trained on all rows.
    kind : {"none", "baseline", "detector", "sanitizer", "learner"}
        What it does with suspicious rows.
    false_alarm_rate : float, optional
        Largest share of clean rows that it may flag; None where it has no
        such limit.
    needs_trusted : bool
        True if it cannot run without trusted rows.
    """

    name: Name
    kind: Kind
    false_alarm_rate: Share | None
    needs_trusted: bool


@dataclass(frozen=True)
class EvaluationRecord(Record):
    """Result of an evaluation: every attack against every defence, over several seeds.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    seeds : tuple of int
        Of the trials; the first is the header's.
    fraction : float
        Poison rows for each clean row.
    rows : int
        Training rows of each seed that the attacker can reach, before any
        attack.
    trusted_rows : int
        Training rows beside them, out of the attacker's reach; 0 for none.
    trusted_origin : str
        Why they are trusted, in a sentence.
    test_rows : int
        Clean rows on which every model is tested.
    learner : str
        Model trained behind every defence but the learners.
    ridge : float
        Its L2 penalty.
    ridge_origin : str
        Where the penalty is from.
    attacks : tuple of AttackInfo
        The first is no attack.
    defences : tuple of DefenceInfo
        The first is no defence.
    cells : tuple of MatrixCell
        By attack, then defence, then thresholds, as planned.
    trials : tuple of Trial
        What the cells are made of, by seed.
    warnings : tuple of str
        Sentences on what limits the figures.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: DataSummary
    seeds: Annotated[tuple[Count, ...], Limits(minItems=1)]
    fraction: Annotated[float, Limits(exclusiveMinimum=0, exclusiveMaximum=0.5)]
    rows: Positive
    trusted_rows: Count
    trusted_origin: str
    test_rows: Positive
    learner: Name
    ridge: Annotated[float, Limits(exclusiveMinimum=0)]
    ridge_origin: str
    attacks: Annotated[tuple[AttackInfo, ...], Limits(minItems=1)]
    defences: Annotated[tuple[DefenceInfo, ...], Limits(minItems=1)]
    cells: Annotated[tuple[MatrixCell, ...], Limits(minItems=1)]
    trials: Annotated[tuple[Trial, ...], Limits(minItems=1)]
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    def cell(self, attack: str, defence: str, thresholds: Thresholds = "") -> MatrixCell | None:
        """Find one cell; None where it was not planned."""
        wanted = (attack, defence, thresholds)
        found = (cell for cell in self.cells if (cell.attack, cell.defence, cell.thresholds) == wanted)
        return next(found, None)

    def columns(self, *kinds: Kind) -> tuple[tuple[DefenceInfo, Thresholds], ...]:
        """List the defences of some kinds, or all, with each of their thresholds, in order."""
        infos = {info.name: info for info in self.defences}
        pairs = dict.fromkeys((cell.defence, cell.thresholds) for cell in self.cells)
        order = {name: place for place, name in enumerate(infos)}
        chosen = [pair for pair in pairs if not kinds or infos[pair[0]].kind in kinds]
        return tuple((infos[name], thresholds) for name, thresholds in sorted(chosen, key=lambda pair: order[pair[0]]))

    def detectors_by_verdict(self, attack: str) -> Mapping[Outcome, tuple[str, ...]]:
        """Group the detectors that ran against an attack by the better verdict of their thresholds."""
        ranked: tuple[Outcome, ...] = ("caught", "partly", "missed")
        found: dict[Outcome, list[str]] = {verdict: [] for verdict in ranked}
        for info in self.defences:
            verdicts = {cell.verdict for cell in self.cells if (cell.attack, cell.defence) == (attack, info.name)}
            best = next((verdict for verdict in ranked if verdict in verdicts), None)
            if info.kind == "detector" and best is not None:
                found[best].append(info.name)
        return {verdict: tuple(names) for verdict, names in found.items()}

    def best_defence(self, attack: str) -> MatrixCell | None:
        """Find the defence with the smallest effect of an attack; None if none was run.

        Baselines do not count; on a tie the one with the fewest test errors wins.
        """
        real = {info.name for info in self.defences if info.kind in ("detector", "sanitizer", "learner")}
        ran = [cell for cell in self.cells if cell.attack == attack and cell.defence in real and cell.test_error]
        return min(ran, key=_effect_and_error, default=None)

    def uncaught(self) -> tuple[str, ...]:
        """Name the attacks that no detector catches, or that no detector was run against."""
        real = [info.name for info in self.attacks if info.name != NO_ATTACK]
        return tuple(name for name in real if not self.detectors_by_verdict(name)["caught"])


def _effect_and_error(cell: MatrixCell) -> tuple[float, float]:
    error = 0.0 if cell.test_error is None else cell.test_error.mean
    return (error if cell.effect is None else cell.effect.mean), error
