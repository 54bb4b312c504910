"""The certified side of a cost: rows that cannot do a harm, whatever they are, and the check of that proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from toadstone.certificates.cost.verify import Recomputed, verify_cost
from toadstone.certificates.saddle.certify import Claim, pose
from toadstone.certificates.saddle.least_budget import (
    CertifiedBudget,
    HarmLimit,
    SearchEffort,
    certify_budget,
    certify_changed_budget,
)
from toadstone.core.budget import Budget
from toadstone.core.certificate import CostCertificate, Setting
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.harmful_models import HarmFloor, floor_of_error, floor_of_loss
from toadstone.kernels.rows import count_entries
from toadstone.pipeline.certification.saddle_words import assumptions, not_promised
from toadstone.pipeline.certify import MANY_ENTRIES, CertifiedKind, check_words, feasible_rows
from toadstone.pipeline.costing.harm import Harm
from toadstone.pipeline.harness.threat_model import ThreatModel
from toadstone.records.guarantees.cost import CertifiedSide

_CLOSE, _COARSE = 1e-4, 1e-3

_BY_BOUND = (
    "The certified bound of the poisoned model's objective on the clean rows stays below the least objective of any "
    "model that does the harm."
)
_BY_WRONG = (
    "The certified bound of the objective of training stays below what the wrong rows cost that were not changed, at "
    "least one each."
)
_BY_MOST = "So does the bound for as many rows as are certified at all, half as many as there are clean ones."
_BY_CLEAN_MODEL = "Training without poison does not do the harm, so that it takes a row."
_ONE_ROW = (
    "One row may bring the objective on the clean rows up to {bound:.4g}, and models that do the harm may have less."
)
_BY_LOSS = (
    "The proof goes through the loss, and says nothing about an error of less than {ramp:.1%}: so large is the mean "
    "loss of training without poison, at most one for each row."
)


@dataclass(frozen=True)
class Effort:
    """Accuracy of certificates, and the seed of their search.

    Parameters
    ----------
    tolerance : float, optional
        Relative gap at which a solution stops; by default by the size of the
        data.
    seed : int
    """

    tolerance: float | None = None
    seed: int = 0


def certify_cost(
    threat: ThreatModel,
    setting: Setting,
    harm: Harm,
    clean: object,
    *,
    kind: CertifiedKind,
    effort: Effort,
    on_step: Callable[[], None] | None = None,
) -> tuple[CertifiedSide, CostCertificate | None]:
    """Certify the number of rows added, flipped or replaced that cannot do a harm.

    Parameters
    ----------
    threat : ThreatModel
        Clean rows of two classes, where poison may lie, and the defender.
    setting : Setting
        Of the kind, as `setting_of` gives it.
    harm : Harm
        What training without poison does not do.
    clean : classifier
        Trained without poison.
    kind : {"add", "flip", "replace"}
    effort : Effort
    on_step : callable, optional
        Called after each number of rows solved for.

    Returns
    -------
    side : CertifiedSide
    certificate : CostCertificate or None
        None where nothing but training without poison says that it takes a
        row.
    """
    train, budget = threat.train, Budget(0.0, kind)
    tolerance = effort.tolerance or (_CLOSE if count_entries(train.X) <= MANY_ENTRIES else _COARSE)
    floor = _floor(train, harm, ridge=threat.defence.ridge, seed=effort.seed)
    claim = Claim(sha256(train), assumptions(train, setting, budget), not_promised(budget))
    about = (train, feasible_rows(train, setting, kind), setting, claim)
    wrong = None if harm.error is None else harm.wrong_rows(len(train))
    if kind == "add":
        found = certify_budget(*about, limit=floor.value, tolerance=tolerance, seed=effort.seed, on_certified=on_step)
    else:
        accuracy = SearchEffort(tolerance, effort.seed, on_step)
        found = certify_changed_budget(*about, kind=kind, harm=HarmLimit(floor.value, wrong), effort=accuracy)
    if found.certificate is None:
        return CertifiedSide(1, None, floor.value, _why_one(train, harm, clean, found)), None
    made = CostCertificate(*harm.wanted, floor.value, floor.duals, found.certificate)
    return _side(made, wrong), made


def _side(made: CostCertificate, wrong: int | None) -> CertifiedSide:
    """Say which bound stays below what."""
    below, n = made.below, len(made.floor_duals)
    if wrong is not None and below.clean_bound >= made.floor:
        return CertifiedSide(made.rows, below.bound, (wrong - made.rows + 1) / n, _BY_WRONG)
    reason = f"{_BY_BOUND} {_BY_MOST}" if made.rows - 1 == (n - 1) // 2 else _BY_BOUND
    return CertifiedSide(made.rows, below.clean_bound, made.floor, reason)


def verify_cost_split(certificate: CostCertificate, split: Split) -> Recomputed:
    """Check the certificate of a cost against data, without solving anything.

    Raises
    ------
    CertificateRejected
        If the data are others, or the certificate does not prove what it
        states.
    """
    below, train = certificate.below, split.train
    feasible_set = feasible_rows(train, below.setting, below.budget.kind)
    check_words(below, split)
    return verify_cost(certificate, pose(train, feasible_set, below.setting))


def setting_of(kind: CertifiedKind, setting: Setting) -> Setting:
    """Return the setting of certificates of a kind: labels are flipped in place, past any filter."""
    return replace(setting, sanitizers=(), quantile=1.0, domain="real") if kind == "flip" else setting


def _floor(train: Dataset, harm: Harm, *, ridge: float, seed: int) -> HarmFloor:
    if harm.loss is not None:
        return floor_of_loss(train.X, train.signs, ridge=ridge, loss=harm.loss, seed=seed)
    return floor_of_error(train.X, train.signs, ridge=ridge, wrong=harm.wrong_rows(len(train)), seed=seed)


def _why_one(train: Dataset, harm: Harm, clean: object, found: CertifiedBudget) -> str:
    """Say why no row but the first is certified."""
    margins = train.signs * clean.decision_function(train.X)  # type: ignore[attr-defined]
    ramp = float(np.minimum(HINGE.value(margins), 1.0).mean())
    if harm.error is not None and harm.error <= ramp:
        return f"{_BY_CLEAN_MODEL} {_BY_LOSS.format(ramp=ramp)}"
    return f"{_BY_CLEAN_MODEL} {_ONE_ROW.format(bound=found.bound_beyond)}"
