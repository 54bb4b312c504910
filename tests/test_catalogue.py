"""Names to classes, lazily."""

import importlib.util
import subprocess
import sys

import pytest

from toadstone.catalogue import (
    ALIASES,
    CATALOGUE,
    RENAMED,
    RENAMED_OPTIONS,
    canonical,
    distinct,
    entry,
    names,
    refuse_renamed,
    resolve,
)
from toadstone.core.errors import UnknownName


def network(kind):
    return [pytest.mark.deep] if kind.startswith("network") else []


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(kind, name, marks=network(kind)) for kind in CATALOGUE for name in CATALOGUE[kind]],
)
def test_every_name_resolves(kind, name):
    assert callable(resolve(kind, name))


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_entry_says_what_it_is(kind):
    for name in names(kind):
        found = entry(kind, name)
        assert found.sentence.endswith("."), name
        assert len(found.sentence) <= 110, name
        assert (found.goal is not None) == kind.endswith("attack"), name
        assert bool(found.threats) == (kind.endswith("attack") and kind != "client-attack"), name


def test_the_five_sanitizers_in_order():
    assert names("sanitizer") == ("l2", "slab", "loss", "svd", "knn")


def test_one_name_for_each_class():
    paths = [entry("attack", name).path for name in distinct("attack")]
    assert len(set(paths)) == len(paths)
    assert set(paths) == {entry("attack", name).path for name in names("attack")}
    assert set(distinct("detector")) == set(names("detector"))


def test_a_close_name_is_suggested():
    with pytest.raises(UnknownName, match=r"`sanitizer`: expected one of l2, .*, got slap; did you mean slab\?"):
        resolve("sanitizer", "slap")


def test_an_unknown_kind():
    with pytest.raises(
        UnknownName, match=r"`kind`: expected one of attack, sanitizer, detector, learner, .*, got tune"
    ):
        names("tune")


@pytest.mark.parametrize("name", RENAMED)
def test_a_name_of_before_is_refused_with_the_present_one(name):
    assert name not in names("attack")
    assert RENAMED[name] in names("attack")
    with pytest.raises(UnknownName, match=f"^`method`: {name} is called {RENAMED[name]} now$"):
        canonical("attack", name, option="method")
    with pytest.raises(UnknownName, match=f"^`attacks`: {name} is called {RENAMED[name]} now$"):
        refuse_renamed(name, "attacks")


def test_the_only_alias():
    assert dict(ALIASES) == {"minmax": "min-max"}
    assert canonical("attack", "minmax") == "min-max"
    assert resolve("attack", "minmax") is resolve("attack", "min-max")
    assert all(old.startswith("--") and new.startswith("--") for old, new in RENAMED_OPTIONS.items())


def test_listing_names_imports_no_method():
    listing = "from toadstone.catalogue import names; names('attack')"
    code = f"import sys; {listing}; sys.exit(bool({{'sklearn', 'numpy', 'torch'}} & set(sys.modules)))"
    assert importlib.util.find_spec("sklearn") is not None
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
