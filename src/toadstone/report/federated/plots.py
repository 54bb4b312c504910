"""A plain matplotlib figure of a federated simulation."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import FederatedRecord
from toadstone.report.drawings.plots import draw_shares
from toadstone.report.text.formats import visible


def plot_federation(record: FederatedRecord) -> Figure:
    """Plot the accuracy of every rule under every attack, as a matrix; cells that were not run are empty.

    Parameters
    ----------
    record : FederatedRecord
        Rows are of one number of malicious clients below the other.

    Raises
    ------
    InvalidArgument
        If no cell was run.
    """
    places = [(malicious, info.name) for malicious in record.malicious for info in record.attacks]
    shares = np.full((len(places), len(record.rules)), np.nan)
    for row, (malicious, attack) in enumerate(places):
        for column, rule in enumerate(record.rules):
            cell = record.cell(attack, rule.name, malicious)
            if cell is not None and cell.accuracy is not None:
                shares[row, column] = cell.accuracy.mean
    names = ["no attack" if attack == NO_ATTACK else visible(attack) for _, attack in places]
    several = len(record.malicious) > 1
    titles = [f"{name}, {malicious}" if several else name for name, (malicious, _) in zip(names, places, strict=True)]
    return draw_shares(
        shares,
        rows=("attack, malicious clients" if several else "attack", titles),
        columns=("rule", [visible(rule.name) for rule in record.rules]),
        titles=("accuracy after the last round", "share of the test rows"),
        palette="YlGn",
    )
