"""Rules that did not hold in a federated simulation, triggers that worked, and rules that could not be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toadstone.records.federated import FederatedCell, FederatedRecord, Proportion
from toadstone.report.federated.losses import HELD, attack_words, points
from toadstone.report.text.formats import counted, format_interval, format_share, listed

_MOST_NAMED = 4
_OFTEN = 0.05
"""Success from which a trigger is told, if it is surely more than without the attack."""


def unheld_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say which rules lost accuracy, with or without an attack, which triggers worked, and what could not be run."""
    found: list[str] = []
    for malicious in record.malicious:
        prefix = "" if len(record.malicious) == 1 else f"With {malicious} malicious: "
        found += (f"{prefix}{sentence}" for sentence in _unheld(record, malicious) if sentence)
    return (*found, *_backdoors(record), *_skipped(record))


def _unheld(record: FederatedRecord, malicious: int) -> tuple[str, str]:
    lost, costly = [], []
    for info in record.rules:
        worst, bare = record.worst_cell(info.name, malicious), record.cell(record.no_attack, info.name, malicious)
        if worst is not None and worst.lost is not None and worst.lost.mean > HELD and info.name != record.mean:
            lost.append((worst.lost.mean, f"{info.name} ({points(worst.lost.mean)} {attack_words(record, worst)})"))
        if bare is not None and bare.lost is not None and bare.lost.mean > HELD:
            costly.append((bare.lost.mean, f"{info.name} ({points(bare.lost.mean)})"))
    return (
        f"Rules that did not hold, with the points that they lost: {_first_sorted(lost)}." if lost else "",
        f"Rules that cost points even without an attack: {_first_sorted(costly)}." if costly else "",
    )


def _first_sorted(found: Sequence[tuple[float, str]]) -> str:
    """Join what was lost, the most first; of many the first few and the number of the others."""
    said = [text for _, text in sorted(found, key=lambda one: -one[0])]
    rest = len(said) - _MOST_NAMED
    return listed(said if rest <= 0 else [*said[:_MOST_NAMED], counted(rest, "other")])


def _backdoors(record: FederatedRecord) -> list[str]:
    """Say how often a trigger called up its class, where it did so behind some rule and not without the attack."""
    sentences = []
    for malicious in record.malicious:
        many = "" if len(record.malicious) == 1 else f" with {malicious} malicious"
        best, bare = record.best_rule(malicious), record.cell(record.no_attack, record.mean, malicious)
        base = None if bare is None or bare.success is None else bare.success.share
        first = dict.fromkeys([*([] if best is None else [best.rule]), record.mean])
        for info in record.attacks:
            found = _successes([record.cell(info.name, rule.name, malicious) for rule in record.rules])
            worked = [name for name, one in found.items() if _works(one, base or 0.0)]
            if info.goal != "trigger" or not worked:
                continue
            said = [f"{_success(found[name])} behind {name}" for name in first if name in found]
            said += [] if base is None else [f"{format_share(base)} without the attack"]
            others = _also(found, [name for name in worked if name not in first])
            sentences.append(f"The trigger of {info.name}{many} works on {listed(said)}.{others}")
    return sentences


def _successes(cells: Sequence[FederatedCell | None]) -> dict[str, Proportion]:
    return {cell.rule: cell.success for cell in cells if cell is not None and cell.success is not None}


def _works(found: Proportion, base: float) -> bool:
    """Return True if a trigger works often, and its interval is above its success without the attack."""
    return found.share > _OFTEN and found.low > base


def _also(found: Mapping[str, Proportion], names: Sequence[str]) -> str:
    """Name the other rules behind which a trigger works, where it works most first."""
    if not names:
        return ""
    first = [(found[name].share, f"{name} ({format_share(found[name].share)})") for name in names]
    return f" It works behind {_first_sorted(first)} too."


def _success(found: Proportion) -> str:
    return f"{format_share(found.share)} ({format_interval(found.low, found.high)}) of {counted(found.total, 'row')}"


def _skipped(record: FederatedRecord) -> list[str]:
    """Say which rules could not be run against how many attacks, and why."""
    reasons: dict[tuple[str, str], int] = {}
    for cell in record.cells:
        if cell.skipped:
            reasons[cell.skipped, cell.rule] = reasons.get((cell.skipped, cell.rule), 0) + 1
    grouped: dict[str, list[str]] = {}
    for (reason, rule), cells in reasons.items():
        grouped.setdefault(reason, []).append(f"{rule} (in {counted(cells, 'cell')})")
    return [
        f"Not run: {_few(names)}. {reason[:1].upper()}{reason[1:].rstrip('.')}." for reason, names in grouped.items()
    ]


def _few(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_NAMED
    return listed(names if rest <= 0 else [*names[:_MOST_NAMED], counted(rest, "other rule")])
