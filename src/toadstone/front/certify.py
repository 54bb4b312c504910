"""Certify and verify: what no attack can do to a model or to its predictions, and the check of such a claim."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from toadstone.certificates.files import AnyCertificate, read_certificate
from toadstone.core.certificate import CostCertificate, MulticlassCertificate
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import PointwiseCertificate
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, names_of, open_data, request_of
from toadstone.front.pointwise.intervals import IntervalResult
from toadstone.front.pointwise.methods import certify_by, verify_by
from toadstone.front.pointwise.options import PointwiseOptions, numbers_of
from toadstone.front.pointwise.results import PointwiseResult, PointwiseVerifyResult
from toadstone.front.run import current_run, front_door
from toadstone.front.saddle.options import SaddleOptions, fractions_of, models_of
from toadstone.front.saddle.results import CertifyResult, CostVerifyResult, VerifyResult
from toadstone.pipeline.certification.kept_rows import keep_test_rows
from toadstone.pipeline.certification.multiclass import certify_several, verify_several
from toadstone.pipeline.certify import CertifyPlan, certify_split, verify_split
from toadstone.pipeline.costing.certified import verify_cost_split


@front_door
def certify(
    data: Data,
    *,
    method: str = "saddle",
    fraction: float | Sequence[float] | None = None,
    class_fraction: Mapping[Any, float] | None = None,
    kind: str = "add",
    group: str | None = None,
    k: int | Sequence[int] | None = None,
    change: str | None = None,
    partitions: int | Sequence[int] | None = None,
    spread: int | None = None,
    repeats: int | None = None,
    estimator: Any = None,
    election: str | None = None,
    time: str | None = None,
    period: float | None = None,
    span: int | None = None,
    trusted: Data | None = None,
    target_range: tuple[float, float] | None = None,
    seed: int = 0,
    filters: str | Sequence[str] = ("l2", "slab"),
    quantile: float = 0.95,
    norm_squared: float | None = None,
    ridge: float | Sequence[float] | None = None,
    domain: str = "auto",
    loss: str = "hinge",
    tolerance: float | None = None,
    **reading: Unpack[Reading],
) -> CertifyResult | PointwiseResult | IntervalResult:
    """Bound what any attack that the stated assumptions allow can do.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    method : {"saddle", "label-flips", "votes", "neighbours", "temporal"}
        What is promised: a bound of a linear model's training loss whatever
        rows are added; or, for each test row, how many changed labels, rows,
        sources of rows or periods of time cannot change its prediction.
    fraction : float or sequence of float, optional
        For "saddle", which needs it, poison rows for each clean row, in
        [0, 0.5). For the others shares of all units at which the certified accuracy is stated;
        0.01, 0.03 and 0.05 by default.
    class_fraction : mapping from label to float, optional
        Of "saddle", in place of the fraction: one for each of the two labels,
        of added rows that carry it, or of flipped rows that had it.
    kind : {"add", "flip", "replace"}
        Of "saddle": whether the attacker adds rows, gives clean rows the other
        label, or puts rows in the place of clean ones; the latter two are for
        two classes. For them the record has, beside the bound of the training
        objective, one of the trained model's objective on the clean rows as
        they were (``clean_bound``), and of the share of them that it
        classifies wrongly (``error_bound``).
    group : str, optional
        Column of hospital, annotator or file, which is then no feature: what
        an attacker controls is one or more of them, with all of their labels
        ("label-flips") or rows ("votes").
    k : int or sequence of int, optional
        Of "neighbours"; three numbers that suit the data by default.
    change : {"modify", "insert", "delete"}, optional
        Of "neighbours": what the attacker does to a row; "modify" by default.
    partitions : int or sequence of int, optional
        Of "votes": models, each trained on its own part of the rows; two
        numbers that suit the data by default. Of "label-flips": ridge
        regressions that vote, each of its own part; a single one by default.
    spread : int, optional
        Of "votes": models that share each part of the rows (Finite
        Aggregation); 1 by default.
    repeats : int, optional
        Of "votes" and "temporal": models of each part, with different seeds,
        that vote as one; 1 by default.
    estimator : str, estimator or callable, optional
        Of "votes" and "temporal": the model that is trained on each part, of
        the prepared columns; a linear one by default.
    election : {"majority", "run-off"}, optional
        Of "votes": in a run-off the two classes with the most votes meet in a
        second round, which withstands more where there are many classes;
        "majority" by default.
    time : str, optional
        Of "temporal", which needs it: column of dates or numbers that say
        when a row arrived. It is then no feature.
    period : float, optional
        Of "temporal", which needs it: days of a period, or units of a column
        of numbers.
    span : int, optional
        Of "temporal": successive periods that each model is trained on; 1 by
        default.
    trusted : data, optional
        Of "neighbours": rows that no attacker can change, from which columns
        of mixed units take their scale; they stand as they are by default.
    target_range : (float, float), optional
        Of "label-flips" with a numeric target (``regression=True``): smallest
        and largest target that an attacker may set; those of the training
        rows by default.
    seed : int
        Seed of all that is random, from 0.
    filters : str or sequence of str
        Of "saddle": filters that poison has to pass, some of "l2", "slab" and
        "loss". The loss filter has a model that is trained on the clean rows,
        stored with the certificate, and fixed: poison does not move it.
    quantile : float
        Of "saddle": share of each class's clean rows that passes the
        certificate's filters, in [0.5, 1).
    norm_squared : float, optional
        Of "saddle". Models: those whose weights and bias have a squared norm
        of at most this.
    ridge : float or sequence of float, optional
        Of "saddle", one. Models: those trained with a penalty of ridge/2 times
        the squared norm; chosen by cross-validation by default. Of
        "label-flips": penalties for each row, so that lambda of
        ``X'X + lambda I`` is as many times the number of rows; several by
        default, none of them chosen by labels.
    domain : {"auto", "real", "box", "integer"}
        Values that poison may have: any, within each feature's range, or
        counts; "auto" looks at the data.
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}
        Loss that the defender minimizes. Of more than two classes only the
        hinge, which is that of Crammer and Singer, and with a ridge only.
    tolerance : float, optional
        Relative gap between bound and attack at which to stop, in (0, 1);
        1e-5 by default, 1e-3 for data of more than two million entries.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    CertifyResult
        For methods other than "saddle", a `PointwiseResult`; with a numeric
        target an `IntervalResult`.

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017.
    .. [2] Levine and Feizi, "Deep partition aggregation", ICLR 2021.
    .. [3] Jia, Liu, Cao and Gong, "Certified robustness of nearest neighbors
       against data poisoning and backdoor attacks", AAAI 2022.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.certify("breast-cancer", fraction=0.03, ridge=0.3)
    >>> result.record[0]["attack_value"] <= result.record[0]["bound"]
    True
    >>> withstood, = toadstone.certify("breast-cancer", method="label-flips", ridge=0.3).record
    >>> withstood["median"] > 0
    True
    """
    run, request, passed = current_run("certify"), request_of(reading, seed), names_of(filters) or ()
    options = PointwiseOptions(
        group=group,
        k=numbers_of(k),
        change=change,
        partitions=numbers_of(partitions),
        spread=spread,
        repeats=repeats,
        estimator=estimator,
        election=election,
        ridge=numbers_of(ridge),
        time=time,
        period=period,
        span=span,
        trusted=trusted,
        target_range=target_range,
    )
    saddle = SaddleOptions(quantile, domain, loss, tolerance, kind, class_fraction, passed)
    if method != "saddle":
        saddle.refuse(method)
        return certify_by(method, data, request, options, fraction=fraction, norm_squared=norm_squared)
    options.refuse_but("saddle", "ridge")
    if fraction is None and class_fraction is None:
        raise InvalidArgument("fraction", "poison rows for each clean row, as in 0.03", "none")
    if ridge is not None and not isinstance(ridge, int | float):
        raise InvalidArgument("ridge", "one number for the method saddle", list(ridge))
    plan = saddle.plan(models=models_of(norm_squared, ridge), seed=seed)
    fractions = fractions_of(fraction, class_fraction)
    run.watch.expect(len({str(one) for one in fractions}))
    given = open_data(data, request, domain=domain)
    run.watch.announce("certificates")
    return _certify_linear(given, fractions, plan, run.watch.step)


def _certify_linear(
    given: Given, fractions: Sequence[float | Mapping[Any, float]], plan: CertifyPlan, step: Callable[[], None]
) -> CertifyResult:
    """Certify a linear model of two classes or of several; of two also what each test row withstands."""
    split = given.split
    if len(split.train.classes) > 2:
        return CertifyResult(given, certify_several(split, fractions, plan, on_certified=step))
    certified, kept = certify_split(split, fractions, plan, on_certified=step), None
    if certified.certificates:
        kept = keep_test_rows(split, certified.feasible_set, certified.certificates[0].setting, plan.kind)
    return CertifyResult(given, certified, kept)


@front_door
def verify(
    certificate: AnyCertificate | str | os.PathLike[str],
    data: Data,
    *,
    seed: int = 0,
    **reading: Unpack[Reading],
) -> VerifyResult | CostVerifyResult | PointwiseVerifyResult:
    """Check a certificate against the data that it is about, without solving anything.

    Parameters
    ----------
    certificate : Certificate, MulticlassCertificate, CostCertificate, PointwiseCertificate or path
        Of its JSON file, with the arrays beside it.
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    seed : int
        Seed of all that is random, from 0.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    VerifyResult
        For the certificate of a cost, a `CostVerifyResult`; for one of single
        predictions, a `PointwiseVerifyResult`.

    Raises
    ------
    CertificateRejected
        If the file was altered, the data are others, or the certificate does
        not prove its bound.
    InvalidInput
        If the file or the data cannot be read.

    Examples
    --------
    >>> import toadstone
    >>> made, = toadstone.certify("breast-cancer", fraction=0.03, ridge=0.3).certificates
    >>> toadstone.verify(made, "breast-cancer").record["verified"]
    True
    """
    request = request_of(reading, seed)
    found = read_certificate(certificate) if isinstance(certificate, str | os.PathLike) else certificate
    if isinstance(found, PointwiseCertificate):
        return verify_by(found, data, request)
    if isinstance(found, CostCertificate):
        given = open_data(data, request, domain=found.below.setting.domain)
        return CostVerifyResult(given, found, verify_cost_split(found, given.split))
    given = open_data(data, request, domain=found.setting.domain)
    if isinstance(found, MulticlassCertificate):
        return VerifyResult(given, found, verify_several(found, given.split))
    return VerifyResult(given, found, verify_split(found, given.split))
