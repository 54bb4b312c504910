"""Findings of a federated simulation in sentences: which rule held, what to do next, what was not held."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from toadstone.records.federated import FederatedCell, FederatedRecord, Proportion
from toadstone.records.trials import Estimate
from toadstone.report.text.formats import counted, format_interval, format_share, listed
from toadstone.report.text.standing_text import first_of

HELD = 0.03
"""Largest loss of accuracy of a rule that is said to have held."""

_MOST_NAMED, _MUCH = 4, 0.1


def answer_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say for each number of malicious clients which rule kept the accuracy, and what the mean lost."""
    return tuple(_answer(record, malicious) for malicious in record.malicious)


def next_line(record: FederatedRecord) -> tuple[str, str]:
    """Return what to do next, and the line of code that does it, empty where no rule helped.

    Returns
    -------
    sentence, code : str
    """
    best = _recommended(record)
    if best is None:
        return "No rule was run under every attack, so none is recommended.", ""
    if best.rule == record.mean:
        return "No rule lost less than the mean here, so nothing speaks for a change.", ""
    root = ", root=..." if any(info.name == best.rule and info.needs_root for info in record.rules) else ""
    rule, number = best.rule, best.malicious
    code = f'strategy = toadstone.federated.robust(FedAvg(...), rule="{rule}", malicious={number}{root})'
    held = best.lost is not None and best.lost.mean <= HELD
    begun = "Around" if held else "No rule held; the one that lost least: around"
    return (
        f"{begun} the strategy of a Flower app, with as many malicious clients as you have to expect: too small a "
        "number breaks the rule, too large a one costs a little accuracy.",
        code,
    )


def unheld_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say which rules lost accuracy, with or without an attack, which triggers worked, and what could not be run."""
    found: list[str] = []
    for malicious in record.malicious:
        prefix = "" if len(record.malicious) == 1 else f"With {malicious} malicious: "
        found += (f"{prefix}{sentence}" for sentence in _unheld(record, malicious) if sentence)
    return (*found, *_backdoors(record), *_skipped(record))


def certified_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say how many predictions no malicious clients can change; nothing where nothing was certified."""
    if not record.certified:
        return ()
    attacked = [one for one in record.certified if one.malicious]
    half = [one for one in attacked if one.accuracy >= 0.5]
    told = {one.malicious: one for one in (*attacked[:1], *half[-1:])}.values()
    vote = f"A vote of {record.vote_groups} groups of clients is right on {format_share(record.certified[0].accuracy)}."
    if not attacked:
        return (f"{vote} A single malicious client can change each of its predictions.",)
    return (
        vote,
        *(
            f"Certified: nothing that {counted(one.malicious, 'malicious client')} may send changes "
            f"{format_share(one.unchanged)} of its predictions; {format_share(one.accuracy)} are right for sure."
            for one in told
        ),
    )


def points(loss: float) -> str:
    """Write a loss of accuracy in percentage points, rounded up so that it claims no less.

    Examples
    --------
    >>> points(0.01201), points(-0.004), points(0.62)
    ('1.3', '-0.4', '62.0')
    """
    return f"{math.ceil(round(1000 * loss, 9)) / 10 + 0.0:.1f}"


def change(loss: float) -> str:
    """Write a loss as the change of the accuracy in percentage points, with its sign and rounded as `points`.

    Examples
    --------
    >>> change(0.01201), change(-0.004), change(0.0)
    ('-1.3', '+0.4', '+0.0')
    """
    return f"{-float(points(loss)) + 0.0:+.1f}"


def spread_of(estimate: Estimate | None) -> str:
    """Write an interval of accuracies in words; empty for a single seed."""
    if estimate is None or estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return ""
    return format_interval(estimate.low, estimate.high)


def _answer(record: FederatedRecord, malicious: int) -> str:
    clients = f"With {malicious} of {record.clients} clients malicious,"
    best, base = record.best_rule(malicious), record.unattacked(malicious)
    many = len(record.attacked_by)
    attacks = {1: "the one attack", 2: "both attacks"}.get(many, f"all {many} attacks")
    if best is None or best.lost is None or base is None or base.accuracy is None:
        return f"{clients} no rule was run under {attacks} in every seed, so nothing is said of any."
    without = format_share(base.accuracy.mean)
    if best.lost.mean > HELD:
        named = "no rule held: the best" if best.rule != record.mean else "no rule held better than the mean"
        said = (
            f"{clients} {named}, {best.rule}, lost {points(best.lost.mean)} points of the mean’s {without} "
            f"{_attack(record, best)}"
        )
    elif best.lost.mean <= 0:
        said = f"{clients} {best.rule} lost nothing of the accuracy without an attack ({without}) under {attacks}"
    else:
        said = (
            f"{clients} {best.rule} kept the accuracy within {points(best.lost.mean)} points of no attack ({without}) "
            f"under {attacks}"
        )
    worst = record.worst_cell(record.mean, malicious)
    if best.rule != record.mean and worst is not None and worst.lost is not None:
        nothing = worst.lost.mean <= 0
        said += f"; {record.mean} lost {'nothing' if nothing else points(worst.lost.mean)}"
        said += "" if nothing else f" {_attack(record, worst)}"
    return f"{said}.{_others(record, best)}"


def _attack(record: FederatedRecord, cell: FederatedCell) -> str:
    """Say what made a cell lose accuracy; some rules need no attack for it."""
    return "even without an attack" if cell.attack == record.no_attack else f"under {cell.attack}"


def _others(record: FederatedRecord, best: FederatedCell) -> str:
    """Name the rules whose worst cell the seeds cannot tell from the best: the paired difference may be zero."""
    ours, names = _finals(record, best), []
    for info in record.rules:
        worst = record.worst_cell(info.name, best.malicious)
        if info.name == best.rule or worst is None:
            continue
        theirs = _finals(record, worst)
        gap = Estimate.of([share - theirs[seed] for seed, share in ours.items()], lowest=-1.0)
        names += [info.name] * (gap.low is not None and gap.low <= 0)
    return f" The seeds do not tell it from {first_of(names)}." if names else ""


def _finals(record: FederatedRecord, cell: FederatedCell) -> dict[int, float]:
    """Return the accuracy after the last round of the trials of a cell, by seed."""
    place = (cell.malicious, cell.attack, cell.rule)
    found = (trial for trial in record.trials if (trial.malicious, trial.attack, trial.rule) == place)
    return {trial.seed: trial.final for trial in found if trial.final is not None}


def _recommended(record: FederatedRecord) -> FederatedCell | None:
    """Return the best rule of the largest number of malicious clients at which one held, or else of the smallest."""
    found = [cell for cell in map(record.best_rule, record.malicious) if cell is not None and cell.lost is not None]
    held = [cell for cell in found if cell.lost is not None and cell.lost.mean <= HELD]
    return held[-1] if held else next(iter(found), None)


def _unheld(record: FederatedRecord, malicious: int) -> tuple[str, str]:
    lost, costly = [], []
    for info in record.rules:
        worst, bare = record.worst_cell(info.name, malicious), record.cell(record.no_attack, info.name, malicious)
        if worst is not None and worst.lost is not None and worst.lost.mean > HELD and info.name != record.mean:
            lost.append(
                (worst.lost.mean, f"{info.name} lost {points(worst.lost.mean)} points {_attack(record, worst)}")
            )
        if bare is not None and bare.lost is not None and bare.lost.mean > HELD:
            costly.append((bare.lost.mean, f"{info.name} {points(bare.lost.mean)}"))
    return (
        f"Not held: {_first_sorted(lost, 'rule')}." if lost else "",
        f"Points lost without any attack: {_first_sorted(costly, 'rule')}." if costly else "",
    )


def _first_sorted(found: Sequence[tuple[float, str]], thing: str) -> str:
    """Join what was lost, the most first; of many the first few and the number of the others."""
    said = [text for _, text in sorted(found, key=lambda one: -one[0])]
    rest = len(said) - _MOST_NAMED
    return "; ".join(said if rest <= 0 else [*said[:_MOST_NAMED], f"and {counted(rest, f'other {thing}')}"])


def _backdoors(record: FederatedRecord) -> list[str]:
    """Say how often a trigger called up its class: behind the best rule, behind the mean, and without the attack."""
    sentences = []
    for malicious in record.malicious:
        many = "" if len(record.malicious) == 1 else f" with {malicious} malicious"
        best, bare = record.best_rule(malicious), record.cell(record.no_attack, record.mean, malicious)
        first = dict.fromkeys([*([] if best is None else [best.rule]), record.mean])
        for info in record.attacks:
            cells = [record.cell(info.name, rule.name, malicious) for rule in record.rules]
            found = {cell.rule: cell.success for cell in cells if cell is not None and cell.success is not None}
            if info.goal != "trigger" or not found:
                continue
            said = [f"{_success(found[name])} behind {name}" for name in first if name in found]
            base = 0.0
            if bare is not None and bare.success is not None:
                base = bare.success.share
                said.append(f"{format_share(base)} without the attack")
            sentences.append(f"Trigger of {info.name}{many} works on {listed(said)}.{_worked(found, first, base)}")
    return sentences


def _worked(found: Mapping[str, Proportion], known: Iterable[str], base: float) -> str:
    """Name the other rules behind which a trigger works much more often than without the attack."""
    rules = [(name, one.share) for name, one in found.items() if name not in known and one.share > base + _MUCH]
    named = [f"{name} ({format_share(share)})" for name, share in sorted(rules, key=lambda rule: -rule[1])]
    return f" It works behind {listed(named)} too." if named else ""


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
        grouped.setdefault(reason, []).append(f"{rule} ({counted(cells, 'cell')})")
    return [f"Not run: {first_of(names)}: {reason.rstrip('.')}." for reason, names in grouped.items()]
