"""Certify a data set against a threat, and verify certificates against data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeAlias, get_args

from toadstone.certificates.saddle.certify import C_co, Claim, Timed, certify_saddle, pose, unit
from toadstone.certificates.saddle.changes import certify_changes
from toadstone.certificates.saddle.verify import verify
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, ModelCertificate, NormBall, Ridge, Setting
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.rows import count_entries
from toadstone.kernels.sets.sets import ConvexSet, unlimited
from toadstone.learners.ridge_choice import choose_ridge
from toadstone.pipeline.certification.fixed_loss import fit_fixed_model, fixed_loss_set
from toadstone.pipeline.certification.saddle_words import assumptions, not_promised
from toadstone.pipeline.harness.filters import check_filters, fit_filters
from toadstone.pipeline.harness.threat_model import settle_domain
from toadstone.records.audit import Bound

CertifiedKind: TypeAlias = Literal["add", "flip", "replace"]
ClassFractions: TypeAlias = Mapping[Any, float]
"""Fractions for each label: of added rows of that label, or of flipped rows that have it."""

FILTERS = ("l2", "slab")
LOSS = "loss"
_FILTER_RIDGE = 0.01
KINDS: tuple[CertifiedKind, ...] = get_args(CertifiedKind)
DEFAULT_QUANTILE = 0.95
MANY_ENTRIES = 2_000_000
"""Entries other than zero beyond which certificates stop at a larger gap by default."""
_CLOSE, _LESS_CLOSE, _COARSE = 1e-5, 1e-4, 1e-3


@dataclass(frozen=True)
class CertifyPlan:
    """Filters, models and accuracy of certificates.

    Parameters
    ----------
    quantile : float
        Of each class's clean distances, in [0.5, 1): the filters' thresholds.
    hypothesis : NormBall or Ridge, optional
        The models the defender chooses from; by default a ridge chosen by
        cross-validation.
    domain : {"auto", "real", "box", "integer"}
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}
    tolerance : float, optional
        Relative gap at which to stop; by default 1e-5, and 1e-3 for data
        with more than two million entries other than zero; 1e-4 at least
        where rows are flipped or replaced.
    seed : int
    kind : {"add", "flip", "replace"}
        What the attacker does.
    filters : tuple of str
        What rows that come in have to pass: some of "l2", "slab" and "loss",
        the last with a model that is trained on the clean rows and then fixed.
    """

    quantile: float = DEFAULT_QUANTILE
    hypothesis: NormBall | Ridge | None = None
    domain: str = "auto"
    loss: str = "hinge"
    tolerance: float | None = None
    seed: int = 0
    kind: CertifiedKind = "add"
    filters: tuple[str, ...] = FILTERS

    def __post_init__(self) -> None:
        check_filters(self.filters)
        if self.filters == (LOSS,):
            raise InvalidArgument("filters", "l2 or slab beside loss, which alone leaves rows of any length", LOSS)
        if self.kind not in KINDS:
            raise InvalidArgument("kind", f"one of {', '.join(KINDS)}", self.kind)


DEFAULT_PLAN = CertifyPlan()


@dataclass(frozen=True)
class CertifiedSplit(Generic[C_co]):
    """Certificates of one data set, and what they were made with.

    Parameters
    ----------
    results : tuple of Timed
        One for each fraction asked, in that order.
    feasible_set : ConvexSet
        Where poison may lie.
    hypothesis_origin : str
        How the models were chosen, in plain words.
    tolerance : float
        Relative gap that counts as closed.
    """

    results: tuple[Timed[C_co], ...]
    feasible_set: ConvexSet
    hypothesis_origin: str
    tolerance: float

    @property
    def certificates(self) -> tuple[C_co, ...]:
        """The certificates alone."""
        return tuple(result.certificate for result in self.results)

    @property
    def curve(self) -> tuple[Bound, ...]:
        """Bound and attack at each fraction, as records hold them."""
        return tuple(
            Bound(
                fraction=result.certificate.budget.fraction,
                bound=result.certificate.bound,
                attack_value=result.certificate.attack_value,
                gap=result.certificate.gap,
                clean_loss=result.certificate.clean_loss,
                conclusive=self.conclusive(result.certificate),
                seconds=result.seconds,
            )
            for result in self.results
        )

    def conclusive(self, certificate: ModelCertificate) -> bool:
        """Return True if bound and attack met within the tolerance."""
        return certificate.relative_gap <= self.tolerance * 1.01


Certified: TypeAlias = CertifiedSplit[Certificate]
"""Certificates of two classes."""


def certify_split(
    split: Split,
    fractions: Sequence[float | ClassFractions],
    plan: CertifyPlan = DEFAULT_PLAN,
    *,
    on_certified: Callable[[], None] | None = None,
) -> Certified:
    """Certify how bad poisoning of a training set can get.

    Parameters
    ----------
    split : Split
        Only its training rows are used; they are taken as clean.
    fractions : sequence of float or mapping
        Rows that the attacker adds, flips or replaces, for each clean row, in
        [0, 0.5); or such fractions for both labels.
    plan : CertifyPlan
    on_certified : callable, optional
        Called after each fraction, for progress.

    Returns
    -------
    Certified

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If there are not exactly two classes, or the domain does not fit.

    Examples
    --------
    >>> from toadstone.datasets import load
    >>> certificate, = certify_split(load("digits-1-7"), [0.03], CertifyPlan(hypothesis=Ridge(0.1))).certificates
    >>> certificate.attack_value <= certificate.bound
    True
    """
    train = split.train
    _check_classes(train)
    budgets = [settle_budget(train, fraction, plan.kind) for fraction in fractions]
    tolerance = settle_tolerance(train, plan)
    chosen, origin = _settle_hypothesis(train, plan.hypothesis, plan.loss, plan.seed)
    if plan.kind == "flip":
        # Rows stay as they are, and the defender filters nothing.
        setting = Setting((), 1.0, "real", plan.loss, chosen)
    else:
        setting = Setting(plan.filters, plan.quantile, settle_domain(split, plan.domain), plan.loss, chosen)
    fixed = None
    if LOSS in setting.sanitizers:
        fixed = fit_fixed_model(train, ridge=chosen.strength if isinstance(chosen, Ridge) else _FILTER_RIDGE)
    feasible_set = feasible_rows(train, setting, plan.kind, fixed)
    make, digest = certify_saddle if plan.kind == "add" else certify_changes, sha256(train)
    results: list[Timed[Certificate]] = []
    for alike in _of_one_claim(budgets):
        claim = Claim(digest, assumptions(train, setting, alike[0]), not_promised(alike[0]))
        results += make(
            train, feasible_set, alike, setting, claim, tolerance=tolerance, seed=plan.seed, on_certified=on_certified
        )
    if fixed is not None:
        results = [replace(one, certificate=replace(one.certificate, filter_model=fixed)) for one in results]
    return Certified(tuple(results), feasible_set, origin, tolerance)


def settle_budget(train: Dataset, fraction: float | ClassFractions, kind: CertifiedKind) -> Budget:
    """Return the budget of a fraction, or of fractions for both labels.

    Raises
    ------
    InvalidArgument
        If a fraction is out of range, or the labels are not those of the data.
    """
    if not isinstance(fraction, Mapping):
        return Budget(fraction, kind)
    labels = train.classes.tolist()
    shares = {str(label): share for label, share in fraction.items()}
    if set(shares) != {str(label) for label in labels}:
        raise InvalidArgument(
            "class_fraction", f"one for each of {labels[0]} and {labels[1]}", ", ".join(shares) or "none"
        )
    lower, higher = (shares[str(label)] for label in labels)
    return Budget.of_classes(lower, higher, kind)


def _of_one_claim(budgets: Sequence[Budget]) -> list[list[Budget]]:
    """Group budgets that go into one claim: all of those without limits for classes, or one with."""
    if any(budget.by_class is not None for budget in budgets):
        return [[budget] for budget in budgets]
    return [list(budgets)] if budgets else []


def verify_split(certificate: Certificate, split: Split) -> float:
    """Check a certificate against data, without solving anything, and return the bound as recomputed from them.

    Raises
    ------
    CertificateRejected
        If the data are others, or the certificate does not prove what it states.
    """
    _check_classes(split.train)
    # Settings that are none have no words.
    kind, fixed = certificate.budget.kind, certificate.filter_model
    feasible_set = feasible_rows(split.train, certificate.setting, kind, fixed)
    check_words(certificate, split)
    return verify(certificate, pose(split.train, feasible_set, certificate.setting))


def check_words(certificate: Certificate, split: Split) -> None:
    """Check that a certificate of two classes is about these data, and says what goes with its setting.

    Raises
    ------
    CertificateRejected
        If the data or the words are others.
    """
    check_digest(certificate, split)
    _check_classes(split.train)
    check_sentences(certificate, split.train, unit(certificate.setting))


def check_digest(certificate: ModelCertificate, split: Split) -> None:
    """Refuse data that are not those of a certificate.

    Raises
    ------
    CertificateRejected
    """
    digest = sha256(split.train, label=certificate.digest_label)
    if digest != certificate.data_sha256:
        raise CertificateRejected(
            f"data: the certificate is for training rows with digest {certificate.data_sha256[:12]}, "
            f"got {digest[:12]}; read them with the same options"
        )


def check_sentences(certificate: ModelCertificate, train: Dataset, unit_words: str) -> None:
    """Refuse a certificate whose words are not those that go with its setting.

    Raises
    ------
    CertificateRejected
    """
    budget = certificate.budget
    words = (assumptions(train, certificate.setting, budget), not_promised(budget), unit_words)
    if (certificate.assumptions, certificate.not_promised, certificate.unit) != words:
        raise CertificateRejected("assumptions: expected the words that go with the setting, got others")


def feasible_rows(train: Dataset, setting: Setting, kind: str, filter_model: Array | None = None) -> ConvexSet:
    """Build the set of feasible poison; where labels are flipped in place, nothing limits the rows.

    Raises
    ------
    InvalidArgument
        If the setting has filters that do not go with the kind.
    InvalidData
        If the rows do not fit the domain.
    """
    if kind not in KINDS:
        raise InvalidArgument("budget_kind", f"one of {', '.join(KINDS)}", kind)
    if kind != "flip":
        return build_feasible_set(train, setting, filter_model)
    if setting.sanitizers or setting.domain != "real":
        raise InvalidArgument("sanitizers", "none where labels are flipped", list(setting.sanitizers))
    return unlimited(train.classes.tolist(), train.n_features)


def build_feasible_set(train: Dataset, setting: Setting, filter_model: Array | None = None) -> ConvexSet:
    """Build the set of feasible poison: what passes the filters fitted on clean rows, within the domain.

    Parameters
    ----------
    train : Dataset
    setting : Setting
    filter_model : ndarray of shape (d + 1,), optional
        Of the loss filter, which has a fixed one.

    Raises
    ------
    InvalidArgument
        If the quantile is not in [0.5, 1), a filter has no convex set, or the
        loss filter has no model.
    InvalidData
        If the rows do not fit the domain.
    """
    fitted = tuple(name for name in setting.sanitizers if name != LOSS or filter_model is None)
    if not fitted or any(name not in FILTERS for name in fitted):
        raise InvalidArgument("sanitizers", f"some of {', '.join(FILTERS)}", list(setting.sanitizers))
    within = fit_filters(train, fitted, quantile=setting.quantile, domain=setting.domain)
    if filter_model is None or LOSS not in setting.sanitizers:
        return within
    return within.intersect(fixed_loss_set(train, filter_model, quantile=setting.quantile))


def _check_classes(train: Dataset) -> None:
    if len(train.classes) != 2:
        shown = ", ".join(str(label) for label in train.classes[:12])
        raise InvalidData(
            f"labels: expected two classes, got {len(train.classes)} ({shown}); choose two of them, as in --classes A,B"
        )


def settle_tolerance(train: Dataset, plan: CertifyPlan) -> float:
    """Return the relative gap at which to stop: as asked, or by the size of the data.

    Raises
    ------
    InvalidArgument
        If it is not in (0, 1).
    """
    if plan.tolerance is None:
        close = _CLOSE if plan.kind == "add" else _LESS_CLOSE
        return close if count_entries(train.X) <= MANY_ENTRIES else _COARSE
    check_within("(0, 1)", tolerance=plan.tolerance)
    return plan.tolerance


def _settle_hypothesis(
    train: Dataset, hypothesis: NormBall | Ridge | None, loss: str, seed: int
) -> tuple[NormBall | Ridge, str]:
    if hypothesis is not None:
        return hypothesis, "as asked"
    choice = choose_ridge(train.X, train.y, loss=loss, random_state=seed)
    return Ridge(choice.ridge), (
        f"chosen by 5-fold cross-validation among {len(choice.trials)} values: "
        f"the largest within one standard error of the best"
    )
