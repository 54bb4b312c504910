"""A vote of groups of clients on the test rows, and what malicious clients cannot change about it."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.federated.aggregation.coordinates import Mean
from toadstone.federated.client_votes import ClientPartitionEnsemble, Predictor
from toadstone.federated.simulation.federation import run_federation
from toadstone.federated.simulation.results import FederationSetting
from toadstone.pipeline.federation.part import FederatedPart
from toadstone.pipeline.federation.plan import FederationPlan
from toadstone.pipeline.harness.threads import one_thread
from toadstone.records.federated import CertifiedClients


def certify_client_vote(part: FederatedPart, plan: FederationPlan) -> tuple[CertifiedClients, ...]:
    """Train a model with each group of clients, and certify their vote.

    Within a group the mean aggregates: the proof needs nothing of the rule,
    and no other keeps as much of the accuracy of honest clients.

    Parameters
    ----------
    part : FederatedPart
    plan : FederationPlan
        With a number of groups.

    Returns
    -------
    tuple of CertifiedClients
        From no malicious client on, as long as a prediction is certified.
    """
    model = plan.training.model(part.rows.n_features, part.classes, part.image)
    clients, test = part.clients, (part.test.X, np.asarray(part.test.y, dtype=np.int64))

    def train(members: IntArray, group: int) -> Predictor:
        setting = FederationSetting(
            rounds=plan.rounds, momentum=plan.momentum, evaluate_every=plan.rounds, seed=part.seed + group
        )
        rows = [clients[client] for client in members]
        weights = run_federation(model, rows, test, rule=Mean(), malicious=0, setting=setting).weights

        def predict(X: Matrix) -> Labels:
            return model.predict(weights, X)

        return predict

    names = [f"client {place}" for place in range(len(clients))]
    ensemble = ClientPartitionEnsemble(groups=plan.vote_groups, key=f"seed {part.seed}")
    with one_thread():
        found = ensemble.fit(train, names, classes=range(part.classes)).certify(test[0])
    right = found.winner == test[1]
    certain = [found.count >= malicious for malicious in range(int(found.count.max()) + 1)]
    return tuple(
        CertifiedClients(malicious, float(np.mean(these)), float(np.mean(these & right)))
        for malicious, these in enumerate(certain)
    )
