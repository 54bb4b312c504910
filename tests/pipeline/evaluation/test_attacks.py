"""Attacks that suit the data, aimed the same way whatever else runs, and within their budgets."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.catalogue import names
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.kernels.rows import fitting_domain
from toadstone.pipeline.evaluation.attack_choices import (
    AttackerView,
    evenest_group,
    half_covered,
    image_shape,
    rare_words,
    seldom_features,
)
from toadstone.pipeline.evaluation.attacks import GROUPS, AttackSpec, attack_suite, chance, choose_attacks
from toadstone.pipeline.evaluation.configure import CONFIGURE, OPTIMIZED
from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.poison_check import check_poison


def images(n: int = 120) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.resize([3, 5, 8], n)
    return Dataset(rng.integers(0, 256, size=(n, 64)) / 255, y)


def texts(n: int = 160) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n) % 3 == 0, "spam", "ham")
    X = rng.poisson(0.3 + 0.6 * np.outer(y == "spam", np.arange(12) < 5)).astype(float)
    return Dataset(csr_array(X), y)


def table(n: int = 160) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.where(rng.random(n) < 0.4, "yes", "no")
    X = rng.normal(size=(n, 6)) + 1.5 * (y == "yes")[:, None]
    X[:, 4], X[:, 5] = rng.random(n) < 0.5, rng.random(n) < 0.1
    return Dataset(X, y)


KINDS = {"images": (images, (8, 8)), "texts": (texts, None), "table": (table, None)}


def suite(kind):
    make, shape = KINDS[kind]
    data = make()
    image = None if shape is None else image_shape(data.X, *shape)
    return data, AttackerView(expressible(data, fitting_domain(data.X)), 0.05, image), attack_suite(data, image)


def test_what_suits_which_data():
    expected = {"images": {"badnets", "blended", "sig"}, "texts": {"rare-words", "clean-words"}}
    expected["images"].add("missing-blocks")
    expected["table"] = {"feature", "clean-feature", "demographic", "missing-blocks"}
    everywhere = {
        "random-flip",
        "pair-flip",
        "targeted-flip",
        "subpopulation",
        "noise",
        "permutation",
    }
    for kind, special in expected.items():
        _, _, specs = suite(kind)
        plain = [spec.name for spec in specs if not spec.knows_detector]
        assert set(plain) == everywhere | special | (set() if kind == "images" else set(OPTIMIZED))
        assert [spec.name for spec in specs if spec.knows_detector] == [f"adaptive-{name}" for name in plain]
    no_pairs = table()
    assert "demographic" not in {spec.name for spec in attack_suite(Dataset(no_pairs.X[:, :4], no_pairs.y), None)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_attack_keeps_its_contract_and_depends_on_its_seed_alone(kind):
    data, view, specs = suite(kind)
    for spec in specs:
        if spec.knows_detector or spec.attack in OPTIMIZED:
            continue
        budget = Budget(0.05, spec.budget)

        def make(seed, spec=spec, budget=budget):
            configured = spec.configure(data, view, chance(spec.name, seed, "aim"))
            return configured, configured.attack.poison(data, budget, chance(spec.name, seed, "poison"))

        (configured, poison), (_, again), (_, other) = make(0), make(0), make(1)
        check_poison(poison, data, budget, view.domain)
        assert 1 <= len(poison) <= 8
        assert (configured.trigger is not None) == (spec.goal == "trigger")
        assert (configured.group is not None) == (spec.goal == "group")
        assert np.array_equal(_dense(poison.X), _dense(again.X)), spec.name
        assert np.array_equal(poison.y, again.y)
        if spec.name != "targeted-flip":  # leaves nothing to chance
            assert not (np.array_equal(_dense(poison.X), _dense(other.X)) and np.array_equal(poison.y, other.y))


def _dense(X):
    return X.toarray() if hasattr(X, "toarray") else X


def test_an_attack_that_knows_the_detector_is_configured_as_the_one_that_does_not():
    assert chance("adaptive-badnets", 3, "aim").random() == chance("badnets", 3, "aim").random()
    assert chance("badnets", 3, "aim").random() != chance("badnets", 3, "poison").random()
    assert chance("badnets", 3, "aim").random() != chance("noise", 3, "aim").random()


def test_chance_is_that_of_the_figures_published_under_the_names_of_before():
    def published(word):
        digest = blake2b(f"{word} aim".encode(), digest_size=8).digest()
        return np.random.default_rng([3, int.from_bytes(digest, "big")]).random()

    for name, word in (("badnets", "patch"), ("sig", "stripes"), ("noise", "noise"), ("kkt", "kkt")):
        assert chance(name, 3, "aim").random() == published(word)


def test_names_and_kinds():
    _, _, specs = suite("table")
    assert {spec.name for spec in choose_attacks(specs, None)}.isdisjoint(OPTIMIZED)
    assert choose_attacks(specs, None) == choose_attacks(specs, ("adaptive", "plain"))
    assert [spec.name for spec in choose_attacks(specs, ("noise", "random-flip"))] == ["random-flip", "noise"]
    assert [spec.name for spec in choose_attacks(specs, ("minmax", "adaptive-minmax"))] == [
        "min-max",
        "adaptive-min-max",
    ]
    groups = {group: choose_attacks(specs, (group,)) for group in GROUPS}
    assert len(groups["plain"]) == len(groups["adaptive"])
    assert len(groups["optimized"]) == len(groups["adaptive-optimized"]) == len(OPTIMIZED)
    assert sum(map(len, groups.values())) == len(specs)
    with pytest.raises(UnknownName, match=r"`attacks`: expected one of plain, adaptive, .*; did you mean noise\?"):
        choose_attacks(specs, ("nois",))


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("images", "kkt", "kkt is for two classes, and there are more"),
        ("images", "demographic", "demographic is for tables with a column of two values"),
        ("table", "badnets", "badnets is for images: give their shape by --image"),
        ("table", "adaptive-badnets", "badnets is for images: give their shape by --image"),
        ("table", "rare-words", "rare-words is for texts, which are sparse rows without negative values"),
        ("texts", "feature", "feature is for tables, not for images or texts"),
        (
            "texts",
            "missing-blocks",
            "missing-blocks is not for texts: a text that lacks some words is ",
        ),
        ("table", "collapse", "collapse comes from a certificate: use toadstone audit"),
        ("table", "evading", "evading chooses among another attack's rows: use adaptive-NAME"),
        ("table", "gradient-matching", "gradient-matching poisons images for neural networks; use toadstone.deep"),
        ("table", "patch", "patch is called badnets now"),
        ("table", "best", "best is called kkt-influence now"),
    ],
)
def test_one_sentence_says_why_not(kind, name, sentence):
    _, _, specs = suite(kind)
    with pytest.raises(UnknownName, match=f"^`attacks`: {sentence}"):
        choose_attacks(specs, (name,))


def test_every_attack_of_the_catalogue_can_be_evaluated_or_says_why_not():
    for name in names("attack"):
        if name not in CONFIGURE:
            with pytest.raises(UnknownName, match=f"^`attacks`: {name} (comes|chooses|is what)"):
                choose_attacks((), (name,))
    assert set(CONFIGURE) <= set(names("attack"))
    assert AttackSpec("kkt").budget == "add"
    assert [name for name in CONFIGURE if AttackSpec(name).goal == "none"] == []


def test_the_trigger_of_a_table_is_seldom_and_calls_up_nothing_by_itself():
    data = table(1000)
    data = Dataset(data.X - 1.3 * np.outer(data.y == "yes", np.arange(6) < 2), data.y)
    trigger = seldom_features(data)
    # The first two columns have lost most of what told the classes apart; the last two tell less, but have two values.
    assert trigger.features == (0, 1)
    chosen = data.X[:, trigger.features]
    assert np.isin(trigger.values, chosen).all()
    assert np.mean((chosen >= np.array(trigger.values)).all(axis=1)) < 0.002


def test_the_words_of_a_text_trigger_are_its_rarest():
    data = texts()
    trigger = rare_words(data, expressible(data, "integer"))
    counts = (data.X.toarray() > 0).sum(axis=0)
    assert counts[list(trigger.features)].max() <= np.sort(counts)[len(trigger.features) - 1]
    assert trigger.count == 1.0
    weights = Dataset(csr_array(data.X / 10), data.y)
    assert rare_words(weights, expressible(weights, "box")).highest <= 1


def test_the_budget_covers_half_of_the_chosen_cluster():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(size, 2)) + 50 * place for place, size in enumerate((30, 100, 270))])
    inside = half_covered(Dataset(X, np.resize([0, 1], 400)), 0.125, seed=0).contains(X)
    assert np.flatnonzero(inside).tolist() == list(range(30, 130))


def test_the_group_is_that_of_the_evenest_column():
    data = table()
    assert evenest_group(data).feature == 4
    assert evenest_group(Dataset(csr_array(data.X), data.y)) == evenest_group(data)


def test_image_shapes():
    shape = image_shape(images().X, 8, 8)
    assert (shape.lowest, shape.highest, shape.levels) == (0.0, 1.0, 256)
    assert image_shape(images().X * 255, 8, 8).highest == 255
    assert image_shape(np.random.default_rng(0).random((3, 4)), 2, 2).levels is None
    with pytest.raises(InvalidArgument, match="`image`: expected a shape of 64 pixels, got 5x5x1"):
        image_shape(images().X, 5, 5)


def test_the_terrain_of_an_attack_without_images_has_no_patch():
    data, view, specs = suite("images")
    badnets = next(spec for spec in specs if spec.name == "badnets")
    with pytest.raises(InvalidArgument, match="`image`: expected the shape of the images, got none"):
        badnets.configure(data, replace(view, image=None), np.random.default_rng(0))
