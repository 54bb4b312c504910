"""Certify a data set against a threat, and verify certificates against data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toadstone.certificates.saddle.certify import Claim, Timed, certify_saddle, pose, unit
from toadstone.certificates.saddle.verify import verify
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge, Setting
from toadstone.core.checks import check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidArgument, InvalidData
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.rows import count_entries
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.learners.ridge_choice import choose_ridge
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.threat_model import settle_domain
from toadstone.records.audit import Bound

FILTERS = ("l2", "slab")
DEFAULT_QUANTILE = 0.95
_CLOSE, _COARSE, _MANY_ENTRIES = 1e-5, 1e-3, 2_000_000

_DOMAIN_WORDS = {
    "real": "Poison rows may have any feature values that pass the filters.",
    "box": "Poison rows stay within the range of each feature among the clean rows, or within [0, 1] where all do.",
    "integer": "Poison rows are counts: whole numbers from 0 to each feature's largest clean value (at least 1). "
    "The proof widens them to a convex set that contains them; the attack value is reached within that set, by rows "
    "that may be fractional, and the evaluated attack rounds them.",
}


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
        with more than two million entries other than zero.
    seed : int
    """

    quantile: float = DEFAULT_QUANTILE
    hypothesis: NormBall | Ridge | None = None
    domain: str = "auto"
    loss: str = "hinge"
    tolerance: float | None = None
    seed: int = 0


DEFAULT_PLAN = CertifyPlan()


@dataclass(frozen=True)
class Certified:
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

    results: tuple[Timed, ...]
    feasible_set: ConvexSet
    hypothesis_origin: str
    tolerance: float

    @property
    def certificates(self) -> tuple[Certificate, ...]:
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

    def conclusive(self, certificate: Certificate) -> bool:
        """Return True if bound and attack met within the tolerance."""
        return certificate.relative_gap <= self.tolerance * 1.01


def certify_split(
    split: Split,
    fractions: Sequence[float],
    plan: CertifyPlan = DEFAULT_PLAN,
    *,
    on_certified: Callable[[], None] | None = None,
) -> Certified:
    """Certify how bad poisoning of a training set can get.

    Parameters
    ----------
    split : Split
        Only its training rows are used; they are taken as clean.
    fractions : sequence of float
        Added rows for each clean row, in [0, 0.5).
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
    budgets = [Budget(fraction) for fraction in fractions]
    train = split.train
    _check_classes(train)
    tolerance = _settle_tolerance(train, plan.tolerance)
    named = settle_domain(split, plan.domain)
    chosen, origin = _settle_hypothesis(train, plan.hypothesis, plan.loss, plan.seed)
    setting = Setting(FILTERS, plan.quantile, named, plan.loss, chosen)
    feasible_set = build_feasible_set(train, setting)
    claim = Claim(sha256(train), assumptions(train, setting), not_promised())
    results = certify_saddle(
        train, feasible_set, budgets, setting, claim, tolerance=tolerance, seed=plan.seed, on_certified=on_certified
    )
    return Certified(tuple(results), feasible_set, origin, tolerance)


def verify_split(certificate: Certificate, split: Split) -> float:
    """Check a certificate against data, without solving anything, and return the bound as recomputed from them.

    Raises
    ------
    CertificateRejected
        If the data are others, or the certificate does not prove what it states.
    """
    check_words(certificate, split)
    feasible_set = build_feasible_set(split.train, certificate.setting)
    return verify(certificate, pose(split.train, feasible_set, certificate.setting))


def check_words(certificate: Certificate, split: Split) -> None:
    """Check that a certificate is about these data, and says what goes with its setting.

    Raises
    ------
    CertificateRejected
        If the data or the words are others.
    """
    digest = sha256(split.train, label=certificate.digest_label)
    if digest != certificate.data_sha256:
        raise CertificateRejected(
            f"data: the certificate is for training rows with digest {certificate.data_sha256[:12]}, "
            f"got {digest[:12]}; read them with the same options"
        )
    _check_classes(split.train)
    words = (assumptions(split.train, certificate.setting), not_promised(), unit(certificate.setting))
    if (certificate.assumptions, certificate.not_promised, certificate.unit) != words:
        raise CertificateRejected("assumptions: expected the words that go with the setting, got others")


def build_feasible_set(train: Dataset, setting: Setting) -> ConvexSet:
    """Build the set of feasible poison: what passes the filters fitted on clean rows, within the domain.

    Raises
    ------
    InvalidArgument
        If the quantile is not in [0.5, 1), or a filter has no convex set.
    InvalidData
        If the rows do not fit the domain.
    """
    if not setting.sanitizers or any(name not in FILTERS for name in setting.sanitizers):
        raise InvalidArgument("sanitizers", f"some of {', '.join(FILTERS)}", list(setting.sanitizers))
    return fit_filters(train, setting.sanitizers, quantile=setting.quantile, domain=setting.domain)


def assumptions(train: Dataset, setting: Setting) -> tuple[str, ...]:
    """List the assumptions of a certificate, in plain words."""
    hypothesis = setting.hypothesis
    models = (
        f"whose weights and bias have a squared norm of at most {hypothesis.squared_radius:g}"
        if isinstance(hypothesis, NormBall)
        else f"with a ridge penalty of {hypothesis.strength:g} for each row, bias included"
    )
    return (
        f"The {len(train)} training rows are clean. The filters' thresholds were fitted on them and stay fixed.",
        "The attacker only adds rows, and knows the data, the filters and the defender's training.",
        f"Every poison row passes both filters: its distance to its class mean (L2), and its distance along the "
        f"line between the class means (slab), are within the {setting.quantile:.4g} quantile of its class.",
        _DOMAIN_WORDS[setting.domain],
        "No clean row is filtered out.",
        f"The defender minimizes the mean {setting.loss.replace('_', ' ')} loss over linear models {models}.",
        "Training loss stands for test loss: there are enough clean rows for the two to be close.",
    )


def not_promised() -> tuple[str, ...]:
    """List the claims that a certificate does not make, in plain words."""
    return (
        "It bounds the training loss for each clean row, which is at least the share of clean training rows "
        "classified wrongly (for losses of at least one on such rows). It does not bound the error on a test set.",
        "It does not cover rows that are changed, relabelled or deleted: only rows that are added.",
        "It does not cover filters that are fitted again on poisoned data, or poison among the rows taken as clean.",
        "It does not cover other models, such as trees or deep networks.",
    )


def _check_classes(train: Dataset) -> None:
    if len(train.classes) != 2:
        shown = ", ".join(str(label) for label in train.classes[:12])
        raise InvalidData(
            f"labels: expected two classes, got {len(train.classes)} ({shown}); choose two of them, as in --classes A,B"
        )


def _settle_tolerance(train: Dataset, tolerance: float | None) -> float:
    if tolerance is None:
        return _CLOSE if count_entries(train.X) <= _MANY_ENTRIES else _COARSE
    check_within("(0, 1)", tolerance=tolerance)
    return tolerance


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
