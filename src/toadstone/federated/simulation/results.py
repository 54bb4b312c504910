"""The numbers of a federated training, and its measured course."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from toadstone.core.arrays import Array, Mask
from toadstone.core.checks import check_count, check_seed, check_within
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.simulation.clients import ClientRows
from toadstone.federated.simulation.server import Step


@dataclass(frozen=True, eq=False, kw_only=True)
class FederationSetting:
    """The numbers of a federated training.

    Parameters
    ----------
    rounds : int
    momentum : float
        At the clients, in [0, 1). Heterogeneous clients need it, whatever the
        rule [1]_.
    evaluate_every : int
        Rounds between measurements of the test accuracy.
    seed : int
        Of which clients are malicious, of all batches, and of the attack.
    trigger : BackdoorTrigger, optional
        Its success is counted; by default that of the attack, if it has one.
    root : (X, y), optional
        Rows of the server itself, for rules that need an update of its own.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Karimireddy, He and Jaggi, "Learning from history for Byzantine
       robust optimization", ICML 2021.
    """

    rounds: int = 100
    momentum: float = 0.9
    evaluate_every: int = 5
    seed: int = 0
    trigger: BackdoorTrigger | None = None
    root: ClientRows | None = None

    def __post_init__(self) -> None:
        check_count(rounds=self.rounds, evaluate_every=self.evaluate_every)
        check_within("[0, 1)", momentum=self.momentum)
        check_seed(self.seed)


@dataclass(frozen=True, eq=False, kw_only=True)
class FederationRun:
    """The course of a federated training.

    Parameters
    ----------
    rounds_at : tuple of int
        Rounds after which the test accuracy was measured; 0 is the untrained
        model.
    accuracy : tuple of float
        The test accuracies.
    success : (hits, of) or None
        Test rows that the trigger turns into the target class, of those that
        are of another class and that the model did not already give the
        target.
    refused : float
        Share of messages that were malformed or not finite, mean over rounds.
    malicious_filtered, honest_filtered : float or None
        Shares of their messages that got no weight, mean over rounds; None
        where the rule does not tell, or there are no malicious clients.
    unchanged_rounds : int
        Rounds that the rule refused, so that the model stayed as it was.
    heterogeneity : float
        Mean over rounds of ``mean_H |x_i - mean_H|^2``, of the honest
        messages.
    kappa : float
        Largest over rounds of ``|F - mean_H|^2 / mean_H |x_i - mean_H|^2``, F
        being what the rule returned. NaN if no round had a result.
    malicious_clients : tuple of int
        Their positions.
    weights : ndarray of shape (d,)
        The trained model.

    References
    ----------
    .. [1] Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing
       by mixing: a recipe for optimal Byzantine ML under heterogeneity",
       AISTATS 2023, definition 2: robustness with coefficient kappa.
    """

    rounds_at: tuple[int, ...]
    accuracy: tuple[float, ...]
    success: tuple[int, int] | None
    refused: float
    malicious_filtered: float | None
    honest_filtered: float | None
    unchanged_rounds: int
    heterogeneity: float
    kappa: float
    malicious_clients: tuple[int, ...]
    weights: Array

    @property
    def final(self) -> float:
        """Test accuracy after the last round."""
        return self.accuracy[-1]

    @property
    def worst(self) -> float:
        """Lowest test accuracy that was measured in the second half of the rounds."""
        half = self.rounds_at[-1] / 2
        return min(share for at, share in zip(self.rounds_at, self.accuracy, strict=True) if at >= half)

    @property
    def area(self) -> float:
        """Mean test accuracy over the rounds, by the trapezoidal rule."""
        return float(np.trapezoid(self.accuracy, self.rounds_at) / self.rounds_at[-1])


@dataclass(eq=False)
class Tally:
    """Sums over the rounds, of bounded size however many there are."""

    malicious: Mask
    rounds: int = 0
    unchanged: int = 0
    refused: int = 0
    spread: float = 0.0
    kappa: float = math.nan
    told: bool = False
    filtered: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, step: Step, honest: Array) -> None:
        """Count one round, given the honest messages, shape (n - f, d)."""
        self.rounds += 1
        self.refused += int(step.refused.sum())
        self.unchanged += step.vector is None
        mean = honest.mean(axis=0)
        spread = float(np.mean(np.sum((honest - mean) ** 2, axis=1)))
        self.spread += spread
        if step.vector is not None:
            with np.errstate(over="ignore"):
                away = float(np.sum((step.vector - mean) ** 2))
            # Equal honest messages have no spread: then only an exact answer is robust.
            ratio = away / spread if spread > 0 else (math.inf if away > 0 else 0.0)
            self.kappa = ratio if math.isnan(self.kappa) else max(self.kappa, ratio)
        if step.filtered is not None:
            self.told = True
            self.filtered[0] += int(step.filtered[self.malicious].sum())
            self.filtered[1] += int(step.filtered[~self.malicious].sum())

    def lose(self) -> None:
        """Count a round in which the honest clients could not train."""
        self.unchanged += 1

    def share_filtered(self, malicious: int) -> float | None:
        """Return the share of messages without weight, of the malicious clients (1) or of the honest ones (0)."""
        senders = int(self.malicious.sum() if malicious else (~self.malicious).sum())
        return self.filtered[1 - malicious] / (self.rounds * senders) if self.told and senders else None
