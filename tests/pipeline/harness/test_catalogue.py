"""Names to classes, lazily."""

import importlib.util
import subprocess
import sys

import pytest

from toadstone.core.errors import UnknownName
from toadstone.pipeline.harness.catalogue import CATALOGUE, names, resolve


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in CATALOGUE for name in CATALOGUE[kind]])
def test_every_name_resolves(kind, name):
    assert isinstance(resolve(kind, name), type)


def test_the_five_sanitizers_in_order():
    assert names("sanitizer") == ("l2", "slab", "loss", "svd", "knn")


def test_a_close_name_is_suggested():
    with pytest.raises(UnknownName, match=r"`sanitizer`: expected one of l2, .*, got slap; did you mean slab"):
        resolve("sanitizer", "slap")


def test_an_unknown_kind():
    with pytest.raises(UnknownName, match="`kind`: expected one of attack, sanitizer, detector, learner, got tune"):
        names("tune")


def test_listing_names_imports_no_method():
    listing = "from toadstone.pipeline.harness.catalogue import names; names('attack')"
    code = f"import sys; {listing}; sys.exit('sklearn' in sys.modules)"
    assert importlib.util.find_spec("sklearn") is not None
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
