"""Findings of a federated simulation in sentences: which rule held, what to do next, what a vote certifies."""

from __future__ import annotations

from toadstone.records.federated import FederatedCell, FederatedRecord
from toadstone.records.trials import Estimate
from toadstone.report.federated.losses import (
    HELD,
    attack_words,
    held,
    over_seeds,
    points,
    points_between,
    tied_rules,
)
from toadstone.report.federated.untried import untried_advice, untried_sentence, was_tried
from toadstone.report.text.formats import counted, format_share
from toadstone.report.text.standing_text import first_of


def answer_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say for each number of malicious clients which rule kept the accuracy, and what the mean lost.

    Of a model that has learned nothing, that is said and nothing else.
    """
    unlearned = [malicious for malicious in record.malicious if not record.learned(malicious)]
    if unlearned:
        return (_nothing_learned(record, unlearned[0]),)
    return tuple(_answer(record, malicious) for malicious in record.malicious)


def next_line(record: FederatedRecord) -> tuple[str, str]:
    """Return what to do next, and the line of code that does it, empty where no rule helped.

    Returns
    -------
    sentence, code : str
    """
    if not all(map(record.learned, record.malicious)):
        return "No rule is recommended: on such a model, losses tell nothing about rules.", ""
    best = _recommended(record)
    if best is None:
        return "No rule was run under every attack, so none is recommended.", ""
    if best.rule == record.mean:
        return _for_the_mean(record, best), ""
    root = ", root=..." if any(info.name == best.rule and info.needs_root for info in record.rules) else ""
    rule, number = best.rule, best.malicious
    code = f'strategy = toadstone.federated.robust(FedAvg(...), rule="{rule}", malicious={number}{root})'
    return (
        f"{_which(record, best)} around the strategy of a Flower app, with as many malicious clients as you have to "
        "expect: too small a number breaks the rule, too large a one costs a little accuracy.",
        code,
    )


def certified_sentences(record: FederatedRecord) -> tuple[str, ...]:
    """Say how many predictions no malicious clients can change; nothing where nothing was certified."""
    if not record.certified:
        return ()
    attacked = [one for one in record.certified if one.malicious]
    half = [one for one in attacked if one.accuracy >= 0.5]
    told = {one.malicious: one for one in (*attacked[:1], *half[-1:])}.values()
    right = record.certified[0].accuracy
    groups, empty = _groups(record.vote_groups), _empty(record, right)
    vote = f"A vote of {groups} is right on {format_share(right)} of the test rows{empty}."
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


def _groups(number: int) -> str:
    return "one group of clients" if number == 1 else f"{number} groups of clients"


def _empty(record: FederatedRecord, right: float) -> str:
    """Say of a vote that is no better than one class for all rows that its certificate is worth nothing."""
    if record.above_majority(right):
        return ""
    return (
        f", no more than the share of the largest class ({format_share(record.majority)}): models that give every row "
        "the same class are certified too, and are of no use"
    )


def _nothing_learned(record: FederatedRecord, malicious: int) -> str:
    base = record.unattacked(malicious)
    accuracy = 0.0 if base is None or base.accuracy is None else base.accuracy.mean
    much = "hardly anything" if record.above_majority(accuracy) else "nothing"
    return (
        f"The model has learned {much} yet: {format_share(accuracy)} without an attack, "
        f"{format_share(record.majority)} of the test rows are of one class. Train for more rounds, or with another "
        "--rate."
    )


def _answer(record: FederatedRecord, malicious: int) -> str:
    clients = f"With {malicious} of {record.clients} clients malicious,"
    best, base = record.best_rule(malicious), record.unattacked(malicious)
    if best is None or best.lost is None or base is None or base.accuracy is None:
        return f"{clients} no rule was run under {_attacks(record)} in every seed, so nothing is said of any."
    if not was_tried(record, malicious):
        return f"{clients} {untried_sentence(record, malicious, _attacks(record))}"
    kept, where = _kept(record, best, format_share(base.accuracy.mean)), ""
    if held(best) and best.lost.mean > 0 and best.attack != record.no_attack:
        where = f", under {best.attack}"
    averaged = f"{over_seeds(record)}{_interval(best.lost, where)}"
    return f"{clients} {kept}, {averaged}{_of_the_mean(record, best)}.{_others(record, best)}"


def _kept(record: FederatedRecord, best: FederatedCell, without: str) -> str:
    """Say what the best rules kept or lost of the accuracy without an attack."""
    loss = 0.0 if best.lost is None else best.lost.mean
    names = ["the mean" if name == record.mean else name for name in tied_rules(record, best)]
    rules, attacks = first_of(names), _attacks(record)
    lost = f"{points(loss)} points of the mean’s {without} {attack_words(record, best)}"
    if not held(best) and best.rule == record.mean:
        return f"no rule held, and none lost less than the mean itself: {lost}"
    if not held(best):
        return f"no rule held: the best, {rules}, lost {lost}"
    if loss <= 0:
        return f"{rules} lost nothing of the accuracy without an attack ({without}) under {attacks}"
    return f"{rules} kept the accuracy within {points(loss)} points of no attack ({without}) under {attacks}"


def _attacks(record: FederatedRecord) -> str:
    many = len(record.attacked_by)
    return {1: "the one attack", 2: "both attacks"}.get(many, f"all {many} attacks")


def _interval(lost: Estimate, where: str) -> str:
    """Write the interval of the loss in the worst cell of a rule, in brackets; nothing for a single seed."""
    said = points_between(lost)
    return f" (95 % interval of the worst loss{where}: {said})" if said else ""


def _of_the_mean(record: FederatedRecord, best: FederatedCell) -> str:
    """Say what the mean lost to its worst attack, where another rule is best."""
    worst = record.worst_cell(record.mean, best.malicious)
    if best.rule == record.mean or worst is None or worst.lost is None:
        return ""
    if worst.lost.mean <= 0:
        return "; the mean lost nothing"
    return f"; the mean lost {points(worst.lost.mean)} points {attack_words(record, worst)}"


def _recommended(record: FederatedRecord) -> FederatedCell | None:
    """Return the best rule of the largest number of malicious clients at which one held, or else of the smallest."""
    found = [cell for cell in map(record.best_rule, sorted(record.malicious)) if cell is not None]
    whole = [cell for cell in found if held(cell)]
    return whole[-1] if whole else next(iter(found), None)


def _for_the_mean(record: FederatedRecord, best: FederatedCell) -> str:
    """Say what follows where no rule lost less than the mean, or where none but the mean was tried."""
    several = len(record.malicious) > 1
    if not any(was_tried(record, malicious) for malicious in record.malicious):
        return untried_advice(record)
    if not was_tried(record, best.malicious):
        return f"With {best.malicious} malicious, no rule but the mean was tried, so none is recommended."
    if held(best):
        most = f" with {best.malicious} malicious, the largest number at which a rule held" if several else " here"
        change = "accuracy alone is no reason to change, a trigger told below is one"
        return f"No rule lost less than the mean{most}; {change}."
    return (
        f"No rule lost less than the mean, and the mean did not hold: it lost more than {100 * HELD:g} points. None is "
        "recommended; try other rules, or fewer malicious clients."
    )


def _which(record: FederatedRecord, best: FederatedCell) -> str:
    """Say what the line of code is for, up to its place."""
    several = len(record.malicious) > 1
    if held(best):
        if not several:
            return "Put the rule"
        most = f"{best.malicious} of {record.clients} clients malicious"
        return f"A rule held with at most {most}; for that number, put the rule"
    if several:
        return (
            f"No rule held with any of these numbers. The line is for the one that lost least with {best.malicious} of "
            f"{record.clients} clients malicious; put it"
        )
    return "No rule held. The line is for the one that lost least; put it"


def _others(record: FederatedRecord, best: FederatedCell) -> str:
    """Name the rules whose worst cell the seeds cannot tell from the best: the paired difference may be zero."""
    ours, names, tied = _finals(record, best), [], tied_rules(record, best)
    for info in record.rules:
        worst = record.worst_cell(info.name, best.malicious)
        if info.name in tied or worst is None:
            continue
        theirs = _finals(record, worst)
        gap = Estimate.of([share - theirs[seed] for seed, share in ours.items()], lowest=-1.0)
        names += [info.name] * (gap.low is not None and gap.low <= 0)
    them = "it" if len(tied) == 1 else "them"
    return f" The seeds do not tell {them} from {first_of(names)}." if names else ""


def _finals(record: FederatedRecord, cell: FederatedCell) -> dict[int, float]:
    """Return the accuracy after the last round of the trials of a cell, by seed."""
    place = (cell.malicious, cell.attack, cell.rule)
    found = (trial for trial in record.trials if (trial.malicious, trial.attack, trial.rule) == place)
    return {trial.seed: trial.final for trial in found if trial.final is not None}
