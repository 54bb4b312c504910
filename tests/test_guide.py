"""The guide's pages are rendered from their commands."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parent.parent / "docs" / "guide"


@pytest.fixture(scope="module")
def render():
    spec = importlib.util.spec_from_file_location("guide_render", GUIDE / "render.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_block_gets_the_output_and_the_exit_code_of_its_commands(render, tmp_path):
    (tmp_path / "rows.txt").write_text("a\nb\nc\n")
    before = "<!-- first 2 lines -->\n```console\n$ cat rows.txt; exit 3\nold\n$ echo $?\nold\n```\n"
    after = "<!-- first 2 lines -->\n```console\n$ cat rows.txt; exit 3\na\nb\n…\n$ echo $?\n3\n```\n"
    rest = "\n```yaml\n$ no\n```\n"
    assert render.rendered(before + rest, tmp_path) == after + rest


def test_prose_is_broken_and_short_lines_are_left_alone(render):
    assert render.broken("  detector   flagged") == ["  detector   flagged"]
    assert all(len(line) <= render.WIDTH for line in render.broken("word " * 100))


def test_every_story_has_a_page_with_output(render):
    data = (GUIDE / "data.py").read_text(encoding="utf-8")
    stories = re.findall(r'"([\w-]+)": ', re.search(r"STORIES = \{.*\}", data)[0])
    assert len(stories) == 5
    for name in stories:
        page = (GUIDE / f"{name}.md").read_text(encoding="utf-8")
        assert render.STORY.match(page)[1] == name
        assert all("\n" in block.strip() for _, block in render.BLOCK.findall(page))
        for part in (
            "**The question.**",
            "**The rows.**",
            "**How to read it.**",
            "## What next",
            "## What it does not say",
        ):
            assert part in page
