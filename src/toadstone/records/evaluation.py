"""The record of an evaluation: every attack against every defence, over several seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, TypeAlias

from toadstone.records.audit import NO_ATTACK, SCHEMA_VERSION, ClassCount, DataSummary
from toadstone.records.trials import ESTIMATES, Estimate, MatrixCell, Thresholds, Trial, Verdict

NO_DEFENCE = "none"
"""The defence of a model that is trained on all rows as they come."""

Kind: TypeAlias = Literal["none", "baseline", "detector", "sanitizer", "learner"]
Goal: TypeAlias = Literal["none", "errors", "trigger", "group"]


@dataclass(frozen=True)
class AttackInfo:
    """What an attack is: `budget` is "add", "flip" or "perturb" ("none" for the clean row).

    `rows` is the number of poison rows in the first seed in which it could be
    made; `knows_detector` says that it is made anew against each detector.
    """

    name: str
    description: str
    budget: str
    goal: Goal
    knows_detector: bool
    rows: int


@dataclass(frozen=True)
class DefenceInfo:
    """What a defence is; `false_alarm_rate` of clean rows may be flagged, None where nothing is promised."""

    name: str
    kind: Kind
    false_alarm_rate: float | None
    needs_trusted: bool


@dataclass(frozen=True)
class EvaluationRecord:
    """Everything that a report of an evaluation needs.

    Parameters
    ----------
    seeds : tuple of int
        Those of the trials, the first of them `seed`.
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
    learner, ridge, ridge_origin
        The model that is trained behind every defence but the learners.
    attacks, defences
        The first of each is none at all.
    cells : tuple of MatrixCell
        By attack, then defence, then thresholds, as planned.
    trials : tuple of Trial
        What the cells are made of, by seed.
    warnings : tuple of str
        Sentences on what a reader should know before believing a figure.
    """

    command: str
    created: str
    toadstone_version: str
    seed: int
    seeds: tuple[int, ...]
    source: str
    data: DataSummary
    fraction: float
    rows: int
    trusted_rows: int
    trusted_origin: str
    test_rows: int
    learner: str
    ridge: float
    ridge_origin: str
    attacks: tuple[AttackInfo, ...]
    defences: tuple[DefenceInfo, ...]
    cells: tuple[MatrixCell, ...]
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    schema_version: str = SCHEMA_VERSION

    def cell(self, attack: str, defence: str, thresholds: Thresholds = "") -> MatrixCell | None:
        """One cell; None where it was not planned."""
        wanted = (attack, defence, thresholds)
        found = (cell for cell in self.cells if (cell.attack, cell.defence, cell.thresholds) == wanted)
        return next(found, None)

    def columns(self, *kinds: Kind) -> tuple[tuple[DefenceInfo, Thresholds], ...]:
        """Defences of some kinds with each of their thresholds, in order; all without a kind."""
        infos = {info.name: info for info in self.defences}
        pairs = dict.fromkeys((cell.defence, cell.thresholds) for cell in self.cells)
        order = {name: place for place, name in enumerate(infos)}
        chosen = [pair for pair in pairs if not kinds or infos[pair[0]].kind in kinds]
        return tuple((infos[name], thresholds) for name, thresholds in sorted(chosen, key=lambda pair: order[pair[0]]))

    def detectors_by_verdict(self, attack: str) -> Mapping[Verdict, tuple[str, ...]]:
        """Detectors that ran against an attack, by the better verdict of their thresholds."""
        ranked: tuple[Verdict, ...] = ("caught", "partly", "missed")
        found: dict[Verdict, list[str]] = {verdict: [] for verdict in ranked}
        for info in self.defences:
            verdicts = {cell.verdict for cell in self.cells if (cell.attack, cell.defence) == (attack, info.name)}
            best = next((verdict for verdict in ranked if verdict in verdicts), None)
            if info.kind == "detector" and best is not None:
                found[best].append(info.name)
        return {verdict: tuple(names) for verdict, names in found.items()}

    def best_defence(self, attack: str) -> MatrixCell | None:
        """The defence that lets least of the attack's goal through, test errors where that is the goal.

        Baselines are none; of several the one with the fewest test errors.
        """
        real = {info.name for info in self.defences if info.kind in ("detector", "sanitizer", "learner")}
        ran = [cell for cell in self.cells if cell.attack == attack and cell.defence in real and cell.test_error]
        return min(ran, key=_harm, default=None)

    def uncaught(self) -> tuple[str, ...]:
        """Attacks that no detector catches, those that no detector was run against among them."""
        real = [info.name for info in self.attacks if info.name != NO_ATTACK]
        return tuple(name for name in real if not self.detectors_by_verdict(name)["caught"])

    def to_json(self) -> str:
        """JSON text under the published schema."""
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        fields: dict[str, Any] = json.loads(text)
        fields["data"]["classes"] = tuple(ClassCount(**count) for count in fields["data"]["classes"])
        fields["data"] = DataSummary(**fields["data"])
        fields["attacks"] = tuple(AttackInfo(**info) for info in fields["attacks"])
        fields["defences"] = tuple(DefenceInfo(**info) for info in fields["defences"])
        fields["cells"] = tuple(_cell(parts) for parts in fields["cells"])
        fields["trials"] = tuple(Trial(**trial) for trial in fields["trials"])
        fields["seeds"], fields["warnings"] = tuple(fields["seeds"]), tuple(fields["warnings"])
        return cls(**fields)


def _harm(cell: MatrixCell) -> tuple[float, float]:
    error = 0.0 if cell.test_error is None else cell.test_error.mean
    return (error if cell.success is None else cell.success.mean), error


def _cell(parts: dict[str, Any]) -> MatrixCell:
    made = {name: None if parts[name] is None else Estimate(**parts[name]) for name in ESTIMATES}
    return MatrixCell(**(parts | made))
