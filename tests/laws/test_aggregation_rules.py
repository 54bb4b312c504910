"""Laws of all rules of the catalogue, and of pre-aggregations before them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from toadstone.catalogue import names
from toadstone.core.errors import InvalidInput
from toadstone.federated import (
    FLAME,
    Chain,
    FLTrust,
    NearestNeighbourMixing,
    aggregate,
    aggregate_with_evidence,
    parse_rule,
    rules,
)
from toadstone.federated.aggregation.conditions import CONDITIONS
from toadstone.kernels.robust_mean import parallel

DIMENSION = 40
RULES = names("aggregation-rule")
CHAINS = ("nnm+trimmed-mean", "arc+nnm+krum", "bucketing+median", "clipping+geometric-median", "arc+multi-krum")
ABOUT_THE_ORIGIN = {"norm-filter", "centred-clipping", "fltrust", "flame"}
ROBUST = [name for name in RULES if name not in {"mean", "fltrust"}]
SEEDED = {"flame", "dnc", "bucketing"}


def built(spec):
    """The rule of a name, with the options that have no default; FLAME without its noise."""
    *before, last = spec.split("+")
    found = {"fltrust": FLTrust(root=root()), "flame": FLAME(noise=0.0)}.get(last) or parse_rule(last)
    steps = [parse_rule(f"{step}+mean").before[0] for step in before]
    return Chain(tuple(steps), found) if steps else found


def root():
    return np.ones(DIMENSION)


def honest(seed=0, n=15):
    """Updates about one direction, as all rules expect them."""
    return 1.0 + 0.3 * np.random.default_rng(seed).normal(size=(n, DIMENSION))


@cache
def most(spec, n):
    """The largest f for which a rule's conditions hold."""
    rule, f = built(spec), 0
    while fits(rule, n, f + 1):
        f += 1
    return f


def fits(rule, n, f):
    if f > n // 2:
        return False
    try:
        rule(honest(n=n), f)
    except InvalidInput:
        return False
    return True


def about_the_origin(spec):
    return bool({*spec.split("+")} & {*ABOUT_THE_ORIGIN, "arc", "clipping"})


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
def test_equal_updates_give_that_update(spec):
    update = np.random.default_rng(1).normal(size=DIMENSION) / 10 + 0.1
    rule = built(spec)
    result = rule(np.tile(update, (15, 1)), most(spec, 15))
    wanted = update
    if spec == "fltrust":
        wanted = update / np.linalg.norm(update) * np.linalg.norm(root())
    np.testing.assert_allclose(result, wanted, rtol=1e-12)


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_order_of_clients_changes_no_byte(spec, kind):
    updates = honest().astype(kind)
    updates[:2] *= -3.0
    updates[4] = updates[5]
    f, rule = most(spec, 15), built(spec)
    expected = aggregate_with_evidence(updates, rule, malicious=f)
    order = np.random.default_rng(2).permutation(15)
    found = aggregate_with_evidence(updates[order], rule, malicious=f)
    assert found.vector.tobytes() == expected.vector.tobytes()
    distinct = [client for client in range(15) if client not in (4, 5)]
    place = {client: place for place, client in enumerate(order)}
    for client in distinct:
        assert found.suspicion[place[client]] == expected.suspicion[client]
        assert found.filtered[place[client]] == expected.filtered[client]


@pytest.mark.parametrize("spec", [spec for spec in (*RULES, *CHAINS) if not about_the_origin(spec)])
def test_a_common_shift_shifts_the_result(spec):
    updates, rule, f = honest(), built(spec), most(spec, 15)
    shift = 1e3 * np.random.default_rng(3).normal(size=DIMENSION)
    # Buckets and coordinates are drawn for an order by content, which a shift changes.
    if not {*spec.split("+")} & SEEDED:
        np.testing.assert_allclose(rule(updates + shift, f) - shift, rule(updates, f), atol=1e-5)


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
@pytest.mark.parametrize("factor", [2.0**-20, 2.0**30])
def test_a_common_scale_scales_the_result(spec, factor):
    updates, rule, f = honest(), built(spec), most(spec, 15)
    if {*spec.split("+")} & SEEDED - {"flame", "dnc"}:
        return
    wanted = rule(updates, f) * (1.0 if spec == "fltrust" else factor)
    np.testing.assert_allclose(rule(updates * factor, f), wanted, rtol=2e-6)


@pytest.mark.parametrize(
    "spec", ["trimmed-mean", "meamed", "bulyan", "minimum-diameter", "dnc", "nnm+median", "nnm+krum"]
)
def test_without_malicious_clients_the_mean(spec):
    updates = honest()
    np.testing.assert_allclose(built(spec)(updates, 0), updates.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("spec", [*ROBUST, *CHAINS])
@pytest.mark.parametrize("size", [1e6, 1e30])
@pytest.mark.parametrize("together", [True, False])
def test_outliers_do_not_move_the_result_out_of_the_honest(spec, size, together):
    f, rule = most(spec, 15), built(spec)
    updates = honest(4)
    away = np.random.default_rng(5).normal(size=(1 if together else f, DIMENSION))
    if spec == "dnc" and not together:
        # One direction a draw: outliers in several directions are beyond what the rule says.
        return
    updates[:f] = size * away
    middle = updates[f:].mean(axis=0)
    radius = np.linalg.norm(updates[f:] - middle, axis=1).max()
    assert np.linalg.norm(rule(updates, f) - middle) <= 4 * radius


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("f", [0, 2])
def test_below_the_condition_it_is_refused_in_one_sentence_and_from_it_on_it_works(name, f):
    condition = CONDITIONS[name]
    f = 0 if condition.honest else f
    least = condition.multiple * f + condition.offset
    assert built(name)(honest(n=least), f).shape == (DIMENSION,)
    assert np.isfinite(built(name)(honest(n=least), f)).all()
    if least > 1:
        with pytest.raises(InvalidInput, match="needs") as refused:
            built(name)(honest(n=least - 1), f)
        assert str(refused.value) == f"{condition.title} needs {condition.text}: got n = {least - 1}, f = {f}"


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
def test_what_is_not_finite_never_enters(spec):
    f, updates, rule = most(spec, 15), honest(6), built(spec)
    bad = min(f, 3)
    updates[:bad] = np.nan
    found = aggregate_with_evidence(updates, rule, malicious=f)
    np.testing.assert_array_equal(found.vector, rule(updates[bad:], f - bad))
    assert [one.client for one in found.refused] == list(range(bad))
    assert found.malicious_left == f - bad
    assert np.isnan(found.suspicion[:bad]).all()
    assert np.isfinite(found.suspicion[bad:]).all()


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
def test_evidence_agrees_with_the_vector(spec):
    updates, rule, f = honest(7), built(spec), most(spec, 15)
    found = aggregate_with_evidence(updates, rule, malicious=f)
    assert found.rule == spec
    assert found.vector.tobytes() == aggregate(updates, rule, malicious=f).tobytes()
    assert found.suspicion.shape == found.filtered.shape == (15,)
    if found.coefficients is not None:
        np.testing.assert_allclose(found.coefficients @ updates, found.vector, atol=1e-9)
        np.testing.assert_array_equal(found.filtered, found.coefficients == 0)
    # Behind mixing the threshold is one of mixtures, and clipping leaves nobody out.
    if found.threshold is not None and not {"centred-clipping", "nnm"} & {*spec.split("+")}:
        assert (found.suspicion[~found.filtered] <= found.threshold).all()


def test_the_published_kappa_is_never_exceeded():
    rng = np.random.default_rng(8)
    specs = [
        spec
        for spec in (*RULES, "nnm+median", "nnm+krum", "arc+trimmed-mean", "arc+nnm+trimmed-mean")
        if spec != "mean"
    ]
    for _ in range(60):
        n = int(rng.integers(5, 16))
        spec = specs[rng.integers(len(specs))]
        rule, f = built(spec), int(rng.integers(0, most(spec, n) + 1))
        kappa = rule.kappa(n, f)
        if kappa is None:
            continue
        updates = rng.normal(size=(n, DIMENSION))[:, : int(rng.integers(1, 5))] + rng.normal()
        updates[:f] = updates[f:].mean(axis=0) + rng.choice([0.5, 2.0, 20.0, 1e6]) * rng.normal(
            size=(1, updates.shape[1])
        )
        middle = updates[f:].mean(axis=0)
        spread = np.square(updates[f:] - middle).sum(axis=1).mean()
        assert np.square(rule(updates, f) - middle).sum() <= kappa * spread * (1 + 1e-6) + 1e-12, spec


def test_mixing_for_no_malicious_client_makes_every_update_the_mean():
    updates = honest(9)
    mixed = NearestNeighbourMixing()
    assert mixed.kappa(15, 0, 4.0) == 0.0
    np.testing.assert_allclose(Chain((mixed,), parse_rule("krum"))(updates, 0), updates.mean(axis=0), rtol=1e-12)


def test_the_table_lists_what_the_catalogue_holds():
    assert [one.name for one in rules()] == [*RULES, *names("pre-aggregation")] == list(CONDITIONS)
    assert len(rules()) == 18
    for one in rules():
        assert f"  {one.name} " in str(rules())
        assert one.paper


@pytest.mark.parametrize("spec", [name for name in ROBUST if name != "bulyan"] + list(CHAINS))
def test_three_of_nan_and_three_of_1e30_of_fifteen_move_nothing_beyond_six_malicious(spec):
    f, rule = 6, built(spec)
    if most(spec, 15) < f:
        f = most(spec, 15)
    clean = honest(10)
    attacked = clean.copy()
    attacked[: f // 2], attacked[f // 2 : f] = np.nan, 1e30
    found = rule(attacked, f)
    np.testing.assert_array_equal(found, rule(attacked[f // 2 :], f - f // 2))
    middle = clean[f:].mean(axis=0)
    spread = np.sqrt(np.square(clean[f:] - middle).sum(axis=1).mean())
    # What six may do: the bound on either result, with the kappa of what is left and that of all.
    kappas = [rule.kappa(15 - f // 2, f - f // 2), rule.kappa(15, f)]
    allowed = sum(3.0 if kappa is None else np.sqrt(kappa) for kappa in kappas) * spread
    assert np.linalg.norm(found - rule(clean, f)) <= allowed


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
def test_any_storage_gives_the_same(spec, tmp_path):
    updates = honest(11).astype(np.float32)
    f, rule = most(spec, 15), built(spec)
    expected = rule(updates, f)
    mapped = np.memmap(tmp_path / "updates", dtype=np.float32, mode="w+", shape=updates.shape)
    mapped[:] = updates
    stored = [mapped, list(updates), [row.astype(np.float64) for row in updates], np.asfortranarray(updates)]
    for other in [*stored, updates.astype(np.float64), updates.tolist(), updates.astype(">f4")]:
        np.testing.assert_allclose(rule(other, f), expected, rtol=1e-12, atol=1e-14)
    assert rule(mapped, f).tobytes() == expected.tobytes()
    assert rule(list(updates), f).tobytes() == expected.tobytes()
    half = updates.astype(np.float16)
    np.testing.assert_allclose(rule(half, f), rule(half.astype(np.float64), f), rtol=1e-9)


@pytest.mark.deep
@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
def test_tensors_give_the_same(spec):
    torch = pytest.importorskip("torch")
    updates = torch.from_numpy(honest(12).astype(np.float32))
    f, rule = most(spec, 15), built(spec)
    expected = rule(updates.numpy(), f)
    assert rule(updates, f).tobytes() == expected.tobytes()
    assert rule(list(updates.requires_grad_()), f).tobytes() == expected.tobytes()
    for kind in (torch.bfloat16, torch.float16, torch.float64):
        given = updates.detach().to(kind)
        np.testing.assert_allclose(rule(given, f), rule(given.double().numpy(), f), rtol=1e-9)


@pytest.mark.parametrize("spec", [*RULES, *CHAINS])
def test_any_number_of_threads_gives_the_same_bytes(spec, monkeypatch):
    updates = np.tile(honest(13), (1, 150))
    f, rule = most(spec, 15), built(spec)
    rule = FLTrust(root=np.ones(updates.shape[1])) if spec == "fltrust" else rule
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(parallel, "available_threads", lambda threads=threads: threads)
        found.append(rule(updates, f).tobytes())
    assert found[0] == found[1]
