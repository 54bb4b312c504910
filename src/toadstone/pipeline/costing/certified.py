"""The certified side of a cost: rows that cannot do a harm, whatever they are, and the check of that proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toadstone.certificates.cost.verify import Recomputed, verify_cost
from toadstone.certificates.saddle.certify import Claim, pose
from toadstone.certificates.saddle.least_budget import CertifiedBudget, certify_budget
from toadstone.core.certificate import CostCertificate, Setting
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.harmful_models import HarmFloor, floor_of_error, floor_of_loss
from toadstone.kernels.rows import count_entries
from toadstone.pipeline.certification.saddle_words import assumptions, not_promised
from toadstone.pipeline.certify import build_feasible_set, check_words
from toadstone.pipeline.costing.harm import Harm
from toadstone.pipeline.harness.threat_model import ThreatModel
from toadstone.records.guarantees.cost import CertifiedSide

_CLOSE, _COARSE, _MANY_ENTRIES = 1e-4, 1e-3, 2_000_000

_BY_BOUND = (
    "The certified bound of the training objective stays below the least objective of any model that does the harm."
)
_BY_MOST = "So does the bound for as many rows as are certified at all, half as many as there are clean ones."
_BY_CLEAN_MODEL = "Training without poison does not do the harm, so that it takes a row."
_ONE_ROW = (
    "One feasible row may bring the training objective up to {bound:.4g}, and models that do the harm may have less."
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
    effort: Effort,
    on_step: Callable[[], None] | None = None,
) -> tuple[CertifiedSide, CostCertificate | None]:
    """Certify the number of added rows that cannot do a harm.

    Parameters
    ----------
    threat : ThreatModel
        Clean rows of two classes, where poison may lie, and the defender.
    setting : Setting
    harm : Harm
        What training without poison does not do.
    clean : classifier
        Trained without poison.
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
    train = threat.train
    floor = _floor(train, harm, ridge=threat.defence.ridge, seed=effort.seed)
    found = certify_budget(
        train,
        threat.feasible_set,
        setting,
        Claim(sha256(train), assumptions(train, setting), not_promised()),
        limit=floor.value,
        tolerance=effort.tolerance or (_CLOSE if count_entries(train.X) <= _MANY_ENTRIES else _COARSE),
        seed=effort.seed,
        on_certified=on_step,
    )
    if found.certificate is None:
        return CertifiedSide(1, None, floor.value, _why_one(train, harm, clean, found)), None
    kind, wanted = harm.wanted
    made = CostCertificate(kind, wanted, floor.value, floor.duals, found.certificate)
    reason = f"{_BY_BOUND} {_BY_MOST}" if found.rows == (len(train) - 1) // 2 else _BY_BOUND
    return CertifiedSide(made.rows, found.certificate.bound, floor.value, reason), made


def verify_cost_split(certificate: CostCertificate, split: Split) -> Recomputed:
    """Check the certificate of a cost against data, without solving anything.

    Raises
    ------
    CertificateRejected
        If the data are others, or the certificate does not prove what it
        states.
    """
    below, train = certificate.below, split.train
    feasible_set = build_feasible_set(train, below.setting)
    check_words(below, split)
    return verify_cost(certificate, pose(train, feasible_set, below.setting))


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
