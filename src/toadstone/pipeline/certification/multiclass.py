"""Certify and verify the training loss of linear models of more than two classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from toadstone.certificates.multiclass.certify import UNIT, certify_multiclass, pose_multiclass
from toadstone.certificates.multiclass.verify import verify_multiclass
from toadstone.certificates.saddle.certify import Claim
from toadstone.core.budget import Budget
from toadstone.core.certificate import MulticlassCertificate, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData
from toadstone.datasets.split import Split, sha256
from toadstone.pipeline.certification.saddle_words import assumptions, not_promised
from toadstone.pipeline.certify import (
    DEFAULT_PLAN,
    FILTERS,
    CertifiedSplit,
    CertifyPlan,
    ClassFractions,
    build_feasible_set,
    check_digest,
    check_sentences,
    settle_tolerance,
)
from toadstone.pipeline.harness.defender import sampled_ridge
from toadstone.pipeline.harness.threat_model import settle_domain


def certify_several(
    split: Split,
    fractions: Sequence[float | ClassFractions],
    plan: CertifyPlan = DEFAULT_PLAN,
    *,
    on_certified: Callable[[], None] | None = None,
) -> CertifiedSplit[MulticlassCertificate]:
    """Certify how bad poisoning of a training set of more than two classes can get.

    Parameters
    ----------
    split : Split
        Only its training rows are used; they are taken as clean.
    fractions : sequence of float
        Added rows for each clean row, in [0, 0.5).
    plan : CertifyPlan
        Its loss must be the hinge, here that of Crammer and Singer, and its
        models those of a ridge.
    on_certified : callable, optional
        Called after each fraction, for progress.

    Returns
    -------
    CertifiedSplit

    Raises
    ------
    InvalidArgument
        If an option is out of range, or not for several classes.
    InvalidData
        If there are fewer than three classes, or the domain does not fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from toadstone.core.dataset import Dataset
    >>> iris = Dataset(*load_iris(return_X_y=True))
    >>> split = Split("iris", iris, iris, "none", "the same rows")
    >>> certificate, = certify_several(split, [0.03], CertifyPlan(hypothesis=Ridge(0.1))).certificates
    >>> certificate.attack_value <= certificate.bound
    True
    """
    train = split.train
    budgets = [_budget(train, fraction) for fraction in fractions]
    _check_several(split)
    if plan.filters != FILTERS:
        raise InvalidArgument("filters", f"{' and '.join(FILTERS)} for {len(train.classes)} classes", plan.filters)
    if plan.kind != "add":
        raise InvalidArgument("kind", f"add for {len(train.classes)} classes", plan.kind)
    tolerance = settle_tolerance(train, plan)
    domain = settle_domain(split, plan.domain)
    # A trial of the options that a ridge does not decide, before it is searched for.
    hypothesis, origin = plan.hypothesis or Ridge(1.0), "as asked"
    feasible_set = build_feasible_set(train, Setting(FILTERS, plan.quantile, domain, plan.loss, hypothesis))
    pose_multiclass(train, feasible_set, Setting(FILTERS, plan.quantile, domain, plan.loss, hypothesis))
    if plan.hypothesis is None:
        strength, origin = sampled_ridge(train, plan.seed)
        hypothesis = Ridge(strength)
    setting = Setting(FILTERS, plan.quantile, domain, plan.loss, hypothesis)
    claim = Claim(sha256(train), assumptions(train, setting), not_promised())
    results = certify_multiclass(
        train, feasible_set, budgets, setting, claim, tolerance=tolerance, seed=plan.seed, on_certified=on_certified
    )
    return CertifiedSplit(tuple(results), feasible_set, origin, tolerance)


def _budget(train: Dataset, fraction: float | ClassFractions) -> Budget:
    if isinstance(fraction, Mapping):
        raise InvalidArgument(
            "class_fraction", f"one fraction in its place for {len(train.classes)} classes", dict(fraction)
        )
    return Budget(fraction)


def verify_several(certificate: MulticlassCertificate, split: Split) -> float:
    """Check a certificate of several classes against data, without solving anything, and return the bound recomputed.

    Raises
    ------
    CertificateRejected
        If the data are others, or the certificate does not prove what it states.
    """
    check_digest(certificate, split)
    _check_several(split)
    # Settings that are none have no words.
    feasible_set = build_feasible_set(split.train, certificate.setting)
    if certificate.budget.kind != "add":
        raise CertificateRejected(f"budget_kind: expected add, which alone is proven, got {certificate.budget.kind}")
    check_sentences(certificate, split.train, UNIT)
    return verify_multiclass(certificate, pose_multiclass(split.train, feasible_set, certificate.setting))


def _check_several(split: Split) -> None:
    # The words of a certificate, which are verified, tell two classes from more.
    if len(split.train.classes) < 3:
        raise InvalidData(f"labels: expected more than two classes, got {len(split.train.classes)}")
