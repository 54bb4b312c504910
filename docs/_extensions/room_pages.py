"""One page of reference for each room of the package, with a section for each of its modules."""

from pathlib import Path

from sphinx.application import Sphinx

_SECTION = """
{module}
{line}

.. automodule:: toadstone.{module}
   :members:
"""


def write_pages(app: Sphinx) -> None:
    """Write ``api/ROOM.rst`` for each room; untouched where nothing changed."""
    package = Path(app.srcdir).parent / "src" / "toadstone"
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    pages = {
        room.parent.name: [
            ".".join(path.relative_to(package).with_suffix("").parts) for path in sorted(room.parent.rglob("[a-z]*.py"))
        ]
        for room in sorted(package.glob("*/__init__.py"))
    }
    for room, modules in pages.items():
        sections = (_SECTION.format(module=name, line="-" * len(name)) for name in modules)
        text = f"{room}\n{'=' * len(room)}\n" + "".join(sections)
        page = folder / f"{room}.rst"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
    for page in folder.glob("*.rst"):
        if page.stem not in pages:
            page.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
