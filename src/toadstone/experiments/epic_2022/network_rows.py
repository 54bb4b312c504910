"""Trials of networks as rows of a table: success of the attack, accuracy, and dropped rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import binomtest

from toadstone.records.reproduction import Aim, Comparison, Interval, Panel, Published, Series
from toadstone.records.trials import Trial

NO_ATTACK, NO_DEFENCE = "no attack", "none"

SUCCESS = "95 % Wilson interval of the attack's success"
ACCURACY = "95 % Wilson interval of the accuracy on these test images, for the mean over trials"
NO_HELP = (
    "Does not help: the intervals of the attack's success with and without this defence overlap, or it succeeds more."
)
_ROWS = ("poison dropped", "clean rows dropped")
_NOTHING: Mapping[Any, Any] = {}


@dataclass(frozen=True)
class PaperFigures:
    """A paper's figures for one attack with one defence.

    Parameters
    ----------
    success, accuracy : Published, optional
    """

    success: Published | None = None
    accuracy: Published | None = None


@dataclass(frozen=True)
class TrialTotals:
    """All trials of one attack with one defence.

    Parameters
    ----------
    attack, defence : str
    trials : tuple of Trial
    """

    attack: str
    defence: str
    trials: tuple[Trial, ...]

    @property
    def goals(self) -> tuple[int, int]:
        """Number of goals reached and number of goals."""
        return sum(trial.goal_reached or 0 for trial in self.trials), sum(trial.goal_rows or 0 for trial in self.trials)

    @property
    def success(self) -> Interval | None:
        """Interval of the success rate; None without an attack."""
        reached, tried = self.goals
        return _wilson(reached, tried, SUCCESS) if tried else None

    @property
    def accuracy(self) -> float:
        """Share of clean test images classified correctly, averaged over trials."""
        return 1 - sum(trial.wrong_rows for trial in self.trials) / sum(trial.test_rows for trial in self.trials)

    def dropped(self, of: Callable[[Trial], tuple[int | None, int]]) -> float | None:
        """Return the dropped share of rows of a kind over all trials; None if there are no such rows."""
        pairs = [of(trial) for trial in self.trials]
        total = sum(rows for _, rows in pairs)
        return sum(count or 0 for count, _ in pairs) / total if total else None


def cells_of(trials: Sequence[Trial]) -> tuple[TrialTotals, ...]:
    """Group trials by attack and defence, in order of first occurrence."""
    found: dict[tuple[str, str], list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.seed):
        found.setdefault((trial.attack, trial.defence), []).append(trial)
    order = dict.fromkeys((trial.attack, trial.defence) for trial in trials)
    return tuple(TrialTotals(attack, defence, tuple(found[attack, defence])) for attack, defence in order)


def rows_of(
    cells: Sequence[TrialTotals],
    *,
    stated: Mapping[tuple[str, str], PaperFigures] = _NOTHING,
    reason: str = "",
    judged: Sequence[str] = (),
    named: Mapping[str, tuple[str, str]] = _NOTHING,
) -> tuple[Comparison, ...]:
    """Return rows of success, accuracy and dropped rows for each cell.

    Parameters
    ----------
    cells : sequence of TrialTotals
    stated : mapping
        From attack and defence to the paper's figures.
    reason : str
        Why ours may differ from them.
    judged : sequence of str
        Defences whose rows get a note where they do not help.
    named : mapping
        For defences that do not drop training rows, names of what they flag,
        poison and other.
    """
    bare = {cell.attack: cell for cell in cells if cell.defence == NO_DEFENCE}
    rows: list[Comparison] = []
    for cell in cells:
        paper = stated.get((cell.attack, cell.defence), PaperFigures())
        note = NO_HELP if cell.defence in judged and _overlap(cell, bare.get(cell.attack)) else ""
        rows += _reached(cell, paper, reason, note)
        rows += _dropped(cell, named.get(cell.defence, _ROWS))
    return tuple(rows)


def panels_of(cells: Sequence[TrialTotals], *, of: str = "") -> tuple[Panel, ...]:
    """Return bar charts of success and of accuracy by defence, with a series for each attack.

    Parameters
    ----------
    cells : sequence of TrialTotals
    of : str
        End of the attacks' names; it goes into the titles instead.
    """
    shown = {
        "Share of attacks that succeed": [(cell, _success(cell)) for cell in cells if cell.success is not None],
        "Accuracy on clean test images": [(cell, cell.accuracy) for cell in cells],
    }
    return tuple(
        Panel(
            title=f"{title}{of}",
            kind="bars",
            x_label="defence",
            y_label=title.lower(),
            x_unit="category",
            unit="share",
            series=tuple(
                Series(
                    attack.removesuffix(of),
                    "ours",
                    tuple(cell.defence for cell, _ in found if cell.attack == attack),
                    tuple(value for cell, value in found if cell.attack == attack),
                )
                for attack in sorted(
                    dict.fromkeys(cell.attack for cell, _ in found), key=lambda name: name.startswith(NO_ATTACK)
                )
            ),
        )
        for title, found in shown.items()
        if found
    )


def _reached(cell: TrialTotals, paper: PaperFigures, reason: str, note: str) -> list[Comparison]:
    rows: list[Comparison] = []
    where = f"{cell.attack}, {cell.defence}"
    if cell.success is not None:
        aim: Aim = "higher" if cell.defence == NO_DEFENCE else "lower"
        name = f"{where}: success"
        why = reason if paper.success is not None else ""
        rows.append(Comparison(name, "share", aim, paper.success, _success(cell), cell.success, note, why))
    size = cell.trials[0].test_rows
    interval = _wilson(round(cell.accuracy * size), size, ACCURACY)
    why = reason if paper.accuracy is not None else ""
    rows.append(
        Comparison(f"{where}: accuracy", "share", "higher", paper.accuracy, cell.accuracy, interval, reason=why)
    )
    return rows


def _dropped(cell: TrialTotals, words: tuple[str, str]) -> list[Comparison]:
    if cell.trials[0].flagged_clean is None:
        return []
    shares = {
        words[0]: cell.dropped(lambda trial: (trial.flagged_poison, trial.poison_rows)),
        words[1]: cell.dropped(lambda trial: (trial.flagged_clean, trial.clean_rows)),
    }
    return [
        Comparison(f"{cell.attack}, {cell.defence}: {what}", "share", "equal", None, share)
        for what, share in shares.items()
        if share is not None
    ]


def _success(cell: TrialTotals) -> float:
    reached, tried = cell.goals
    return reached / tried if tried else 0.0


def _overlap(cell: TrialTotals, bare: TrialTotals | None) -> bool:
    """Return True if the attack succeeds without the defence, and its intervals with and without overlap."""
    if bare is None or cell.success is None or bare.success is None or bare.goals[0] == 0:
        return False
    return cell.success.high >= bare.success.low


def _wilson(count: int, tried: int, meaning: str) -> Interval:
    found = binomtest(count, tried).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high), meaning)
