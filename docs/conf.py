"""How Sphinx builds the documentation; see `make docs`."""

import sys
from importlib import import_module
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import ismock, mock

import toadstone

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "toadstone"
author = "The toadstone authors"
copyright = "The toadstone authors, Apache License 2.0"
version = release = toadstone.__version__
language = "en-GB"

extensions = [
    "myst_parser",
    "drawn_math",
    "numpydoc",
    "room_pages",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["results", "_extensions"]
html_math_renderer = "drawn"
html_theme = "furo"
html_title = "toadstone"
html_static_path = ["_static"]
html_css_files = ["toadstone.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3

autodoc_typehints = "none"
# The reference of the annexes is built without their extras.
autodoc_mock_imports = ["torch", "safetensors", "opacus", "lightning", "flwr"]
autodoc_member_order = "bysource"
autodoc_default_options = {
    "exclude-members": "set_fit_request, set_score_request, set_decision_function_request, set_predict_request"
}
numpydoc_show_class_members = False
add_module_names = False
# With an entry for each object, the theme copies eleven thousand of them for each page: three quarters of the build.
toc_object_entries = False

# Several classes have an attribute of the same name; a short reference to it may mean any.
suppress_warnings = ["ref.python"]


def import_rooms() -> None:
    """Import every module before Sphinx does, the annexes alone with stand-ins for their extras.

    Sphinx reads pages in an order that changes from run to run. A stand-in for torch that is there while scipy is first
    imported breaks scipy, and an annex imported with the real torch is documented otherwise.
    """
    package = Path(toadstone.__file__).parent
    modules = [
        ".".join(("toadstone", *path.relative_to(package).with_suffix("").parts))
        for path in sorted(package.rglob("[a-z]*.py"))
    ]
    annexes = ("toadstone.deep.", "toadstone.federated.flower.")
    for name in modules:
        if not name.startswith(annexes):
            import_module(name)
    with mock(autodoc_mock_imports):
        for name in modules:
            if name.startswith(annexes):
                import_module(name)


def of_a_stand_in(_app: Sphinx, _what: str, _name: str, member: object, skip: bool, _options: object) -> bool:  # noqa: FBT001
    """Leave out aliases of types that only torch has: a stand-in has no signature."""
    return skip or ismock(member) or any(ismock(part) for part in getattr(member, "__args__", ()))


def setup(app: Sphinx) -> None:
    """Import the package, and have Sphinx ask which members to leave out."""
    import_rooms()
    app.connect("autodoc-skip-member", of_a_stand_in)
