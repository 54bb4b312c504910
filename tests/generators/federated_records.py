"""A made record of a federated simulation, for tests of what shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toadstone.pipeline.federation.cells import federated_cells
from toadstone.records.federated import ClientAttackInfo, FederatedRecord, FederatedTrial, RuleInfo
from toadstone.records.header import SCHEMA_VERSIONS, ClassCount, DataSummary, Header, Source

ATTACKS = (
    ClientAttackInfo("none", "all clients are honest", "none", "none"),
    ClientAttackInfo("ipm", "sends the mean of the honest updates the other way", "errors", "updates"),
    ClientAttackInfo("alie", "shifts each coordinate by as much as hides among the honest", "errors", "updates"),
    ClientAttackInfo("model-replacement", "sends its backdoor, scaled to outweigh all others", "trigger", "own"),
)
RULES = (
    RuleInfo("mean", "the average", "f = 0"),
    RuleInfo("krum", "the update with the nearest neighbours", "n >= 2f + 3"),
    RuleInfo("nnm+trimmed-mean", "mixes each with its nearest, then trims", "n >= 2f + 1"),
    RuleInfo("bulyan", "Krum again and again, then a trimmed mean", "n >= 4f + 3"),
)
LOST = {
    ("ipm", "mean"): 0.62,
    ("alie", "mean"): 0.3,
    ("model-replacement", "mean"): 0.05,
    ("none", "krum"): 0.09,
    ("ipm", "krum"): 0.1,
    ("alie", "krum"): 0.31,
    ("model-replacement", "krum"): 0.1,
    ("none", "nnm+trimmed-mean"): 0.004,
    ("ipm", "nnm+trimmed-mean"): 0.011,
    ("alie", "nnm+trimmed-mean"): 0.02,
    ("model-replacement", "nnm+trimmed-mean"): 0.006,
    ("ipm", "bulyan"): 0.028,
    ("alie", "bulyan"): 0.027,
}
"""Accuracy lost after the last round, by attack and rule."""

ROUNDS_AT = (0, 5, 10, 15, 20)


def made_trial(attack: ClientAttackInfo, rule: RuleInfo, malicious: int, seed: int) -> FederatedTrial:
    """A training that climbs to 0.9 less what the attack costs, a little lower with every seed."""
    blank = FederatedTrial(malicious, attack.name, rule.name, seed)
    if rule.name == "bulyan" and malicious > 4:
        return replace(blank, skipped="bulyan needs n >= 4f + 3: got n = 20, f = 5")
    last = 0.9 - LOST.get((attack.name, rule.name), 0.0) * malicious / 4 - 0.002 * seed
    course = (*tuple(round(0.1 + (last - 0.1) * (1 - 0.3**step), 6) for step in range(len(ROUNDS_AT) - 1)), last)
    filters, attacked = rule.name == "krum", attack.name != "none"
    triggered = attack.goal == "trigger"
    return replace(
        blank,
        accuracy=course,
        worst=min(course[2:]),
        area=float(np.mean(course)),
        success_hits=(100 if rule.name == "mean" else 3) if triggered else None if attacked else 1,
        success_rows=100 if triggered or not attacked else None,
        refused=0.05 if attack.name == "alie" else 0.0,
        malicious_filtered=0.75 if filters and attacked else None,
        honest_filtered=0.95 if filters else None,
        unchanged_rounds=3 if rule.name == "krum" and attack.name == "alie" else 0,
        heterogeneity=0.5,
        kappa=0.1,
        seconds=1.5,
    )


def made_federation(malicious: tuple[int, ...] = (4,), seeds: tuple[int, ...] = (0, 1, 2)) -> FederatedRecord:
    """Four attacks and four rules on numbers of one's choice."""
    trials = tuple(
        made_trial(attack, rule, number, seed)
        for seed in seeds
        for number in malicious
        for attack in ATTACKS
        for rule in RULES
    )
    return FederatedRecord(
        header=Header(
            record="federation",
            schema_version=SCHEMA_VERSIONS["federation"],
            command="toadstone federate rows.csv",
            created="2026-12-01T03:00:00+00:00",
            seed=0,
            threads=1,
            peak_memory_mb=100.0,
            digests={"train": "0" * 64, "test": "1" * 64},
            versions={"python": "3.11", "toadstone": "1"},
        ),
        source=Source("rows.csv", "rows.csv"),
        data=DataSummary(200, 100, 5, 1.0, (ClassCount("a", 100, 50), ClassCount("b", 100, 50)), "real", "none", "own"),
        clients=20,
        malicious=malicious,
        split="dirichlet:0.1",
        split_words="Each class was dealt to 20 clients in shares from a Dirichlet distribution.",
        smallest_client=3,
        largest_client=30,
        seeds=seeds,
        rounds=20,
        rounds_at=ROUNDS_AT,
        momentum=0.9,
        model="softmax regression",
        parameters=12,
        rows=200,
        root_rows=0,
        root_origin="The server has no rows of its own: no rule here needs any.",
        test_rows=100,
        attacks=ATTACKS,
        rules=RULES,
        cells=federated_cells(trials),
        trials=trials,
        warnings=(),
        timings={"trials": 3.0},
    )
