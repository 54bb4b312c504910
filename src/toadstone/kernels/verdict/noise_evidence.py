"""The evidence for wrong labels, kept apart from the rows that have them.

The share of wrong labels is not one number that the fit knows: where classes
overlap, many shares explain the labels as well as none does. The likelihood is
therefore followed over all shares. Its mean against that of no wrong labels is
the evidence; and a row is as probably wrong as it is on average over the
shares that are compatible with the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.kernels.verdict.noise_floor import FloorLikelihood, FloorModel, fit_at, fit_floor

LARGEST_TOTAL = 0.45
"""Largest sum of the floors: 45 % of the labels drawn at random."""

_HALF_QUANTILE = 1.92
_MOST_ROWS, _MOST_CELLS = 20_000, 2_000_000
_GRID = 8
_SPLITS = 14
_NEGLIGIBLE = 8.0
# On the tables for choosing, less took natural classes for poison, and more missed flips into one label.
_AGAINST_CLASS_FLOORS = 4.0
_LEAST_MASS = 1e-3


@dataclass(frozen=True, eq=False)
class NoiseProfile:
    """The labels explained with every sum of symmetric floors, and with a floor for each label.

    Parameters
    ----------
    none, by_class : FloorModel
        Without a floor, and with one for each label.
    symmetric : tuple of FloorModel
        By ascending sum of their floors, from 0 to `LARGEST_TOTAL`.
    masses : ndarray
        Posterior probability of each of these, when every sum is as probable
        beforehand.
    class_share : float
        Posterior probability that floors differ by label.
    log_ratio : float
        Logarithm of the mean likelihood of the models with a floor over that
        of the model without.
    totals : (float, float)
        Sums of symmetric floors whose likelihood is within a factor of
        exp(1.92) of the largest.
    """

    none: FloorModel
    by_class: FloorModel
    symmetric: tuple[FloorModel, ...]
    masses: Array
    class_share: float
    log_ratio: float
    totals: tuple[float, float]

    @property
    def likeliest(self) -> FloorModel:
        """The symmetric model of the largest likelihood."""
        return min(self.symmetric, key=lambda model: model.loss)

    def weighted(self) -> Iterator[tuple[float, FloorModel]]:
        """Yield the models with a floor that count, with their posterior probabilities."""
        for mass, model in zip(self.masses, self.symmetric, strict=True):
            if mass > _LEAST_MASS:
                yield float((1 - self.class_share) * mass / self.masses[self.masses > _LEAST_MASS].sum()), model
        if self.class_share > _LEAST_MASS:
            yield self.class_share, self.by_class

    def judged(self, tables: Array, codes: IntArray) -> tuple[Array, Array]:
        """Compute the probability of each label to be the true one of each row, and who arrives where by error.

        Parameters
        ----------
        tables : ndarray of shape (n_learners, n, n_classes)
            From `logarithms`.
        codes : ndarray of shape (n,)
            Label of each row, counted from zero.

        Returns
        -------
        true : ndarray of shape (n, n_classes)
            Given that there is a floor. One minus the entry of a row's own
            label is the probability that this label is wrong.
        arriving : ndarray of shape (n_classes,)
            Share of all rows that arrive in each label by error.
        """
        labels, arriving, total = np.zeros(tables.shape[1:]), np.zeros(tables.shape[2]), 0.0
        for share, model in self.weighted():
            true = model.true_probabilities(tables)
            labels += share * model.given_labels(true, codes)
            arriving += share * model.arriving(true)
            total += share
        return labels / total, arriving / total


def noise_profile(tables: Array, codes: IntArray, trusted: Mask) -> NoiseProfile:
    """Follow the likelihood over the sum of the floors.

    The mean likelihood over the sums from 0 to `LARGEST_TOTAL`, against that
    without a floor, is a Bayes factor [1]_ in which the weights of the stack
    are fitted and not integrated. It is near one where the data say nothing
    of wrong labels, and small where they exclude them. Of more than 40,000
    rows, or 4,000,000 over the number of labels, every second or third is
    looked at, and so on.

    Parameters
    ----------
    tables : ndarray of shape (n_learners, n, n_classes)
        From `logarithms`.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.
    trusted : ndarray of bool of shape (n,)

    Returns
    -------
    NoiseProfile

    References
    ----------
    .. [1] Kass and Raftery, "Bayes factors", JASA 90, 1995, section 2.
    """
    most = min(_MOST_ROWS, _MOST_CELLS // tables.shape[2])
    likelihood = FloorLikelihood(tables, codes, trusted).thinned(most)
    none = fit_floor(likelihood, kind="none")
    peak = fit_floor(likelihood, kind="symmetric", near=none)
    by_class = fit_floor(likelihood, kind="class", near=peak)
    models = _followed(likelihood, none, peak)
    totals, gains = _curve(models)
    pieces = _log_masses(totals, gains)
    evidence = float(np.logaddexp.reduce(pieces)) - float(np.log(LARGEST_TOTAL))
    halves = np.exp(pieces - pieces.max())
    masses = (np.append(halves, 0.0) + np.append(0.0, halves)) / (2 * halves.sum())
    judged = max(int(np.count_nonzero(~likelihood.trusted)), 2)
    more = 0.5 * (by_class.n_floors - 1) * float(np.log(judged)) + _AGAINST_CLASS_FLOORS
    for_classes = evidence + min(model.loss for model in models) - by_class.loss - more
    both = float(np.logaddexp(evidence, for_classes))
    return NoiseProfile(
        models[0], by_class, models, masses, float(np.exp(for_classes - both)), both, _interval(totals, gains)
    )


def _followed(likelihood: FloorLikelihood, none: FloorModel, peak: FloorModel) -> tuple[FloorModel, ...]:
    """Fit the model at sums of floors that lie close where the likelihood is large."""
    found = {0.0: none, float(peak.floor.sum()): peak}
    # Denser near zero, where the likelihood of clean data falls within a thousandth.
    grid = LARGEST_TOTAL * (np.arange(1, _GRID + 1) / _GRID) ** 2
    for total in grid.tolist():
        _add(found, likelihood, total)
    for _ in range(_SPLITS):
        totals, gains = _curve(tuple(found[total] for total in sorted(found)))
        pieces = _log_masses(totals, gains)
        # A piece counts by its mass and by how much the likelihood changes within it.
        rise = np.abs(np.diff(gains))
        wanted = np.where(pieces > pieces.max() - _NEGLIGIBLE, np.exp(pieces - pieces.max()) * (0.1 + rise), 0.0)
        widest = int(wanted.argmax())
        _add(found, likelihood, float(totals[widest : widest + 2].mean()))
    return tuple(found[total] for total in sorted(found))


def _add(found: dict[float, FloorModel], likelihood: FloorLikelihood, total: float) -> None:
    nearest = min(found, key=lambda known: abs(known - total))
    found.setdefault(total, fit_at(likelihood, total, near=found[nearest]))


def _curve(models: tuple[FloorModel, ...]) -> tuple[Array, Array]:
    """Return the sums of floors, and by how much the likelihood gains over no floor."""
    totals = np.array([float(model.floor.sum()) for model in models])
    return totals, np.array([models[0].loss - model.loss for model in models])


def _log_masses(totals: Array, gains: Array) -> Array:
    """Integrate the likelihood between neighbouring sums, its logarithm taken as straight there."""
    rise = np.diff(gains)
    slope = np.abs(rise)
    # log of (1 - exp(-s)) / s, which is one where the line is level.
    level = np.log1p(-np.exp(-np.maximum(slope, 1e-6))) - np.log(np.maximum(slope, 1e-6))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.diff(totals)) + np.maximum(gains[1:], gains[:-1]) + level)


def _interval(totals: Array, gains: Array) -> tuple[float, float]:
    """Return where the straight lines between the points cross the level of 95 % confidence."""
    top = int(gains.argmax())
    level = gains[top] - _HALF_QUANTILE
    below, above = np.flatnonzero(gains[:top] < level), np.flatnonzero(gains[top:] < level) + top
    low = _crossing(totals, gains, int(below[-1]), level) if below.size else 0.0
    high = _crossing(totals, gains, int(above[0]) - 1, level) if above.size else LARGEST_TOTAL
    return low, high


def _crossing(totals: Array, gains: Array, left: int, level: float) -> float:
    part = (level - gains[left]) / (gains[left + 1] - gains[left])
    return float(totals[left] + part * (totals[left + 1] - totals[left]))
